"""Channels: order, exactly-once delivery, arguments, `repr` and types.

Not here: closing and moving the ends (`test_channel_ends.py`), what holds for every blocking call, garbage collection,
forks and signals (`tests/generic/`), and the model that hypothesis drives (`test_channel_model.py`).
"""

import itertools
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.until import blocked_receivers, blocked_senders, queued, until

BUILDS = pytest.mark.guarantee("channel", "both builds")
CAPACITIES = pytest.mark.parametrize("capacity", [None, 64, 1, 0])


@pytest.mark.usefixtures("quick_switches")
class TestDelivery:
    @BUILDS
    @CAPACITIES
    def test_items_come_in_the_order_they_were_sent(self, capacity: int | None, spawn: Spawn) -> None:
        """One producer, one consumer."""
        tx, rx = fl.channel(capacity)
        consumer = spawn(lambda: list(rx))
        with tx:
            for number in range(2000):
                tx.send(number)

        assert consumer.join() == list(range(2000))
        rx.close()

    @BUILDS
    @CAPACITIES
    def test_each_item_goes_to_one_of_many_consumers_in_its_producers_order(
        self, capacity: int | None, spawn: Spawn
    ) -> None:
        """Four of each: nothing lost, nothing twice, and each consumer sees every producer in order."""
        tx, rx = fl.channel(capacity)
        count = 1000

        def produce(who: int, tx: "fl.Sender[tuple[int, int]]") -> None:
            with tx:
                for number in range(count):
                    tx.send((who, number))

        consumers = [spawn(lambda: list(rx)) for _ in range(4)]
        producers = [spawn(produce, who, tx.clone()) for who in range(4)]
        tx.close()
        for producer in producers:
            producer.join()
        parts = [consumer.join() for consumer in consumers]
        rx.close()

        assert sorted(itertools.chain(*parts)) == [(who, number) for who in range(4) for number in range(count)]
        for part, who in itertools.product(parts, range(4)):
            numbers = [number for producer, number in part if producer == who]
            assert numbers == sorted(numbers)

    def test_a_bounded_channel_holds_its_capacity(self) -> None:
        """And not one more."""
        tx, rx = fl.channel(3)
        with tx, rx:
            for number in range(3):
                tx.try_send(number)
            with pytest.raises(fl.Full) as caught:
                tx.try_send("rejected")
            assert (caught.value.item, queued(tx)) == ("rejected", 3)
            assert rx.recv() == 0
            tx.try_send(3)
            assert [rx.try_recv() for _ in range(3)] == [1, 2, 3]

    def test_a_send_on_a_rendezvous_channel_returns_when_the_item_is_taken(self, spawn: Spawn) -> None:
        """A try succeeds only if a receiver is waiting."""
        tx, rx = fl.channel(0)
        with tx, rx:
            with pytest.raises(fl.Full):
                tx.try_send("nobody")
            receiver = spawn(rx.recv)
            until(lambda: blocked_receivers(rx) == 1)
            tx.try_send("hand over")
            assert receiver.join() == "hand over"

            sender = spawn(tx.send, "second")
            until(lambda: blocked_senders(rx) == 1)
            assert not sender.ended.is_set()
            assert rx.try_recv() == "second"
            sender.join()

    def test_blocked_senders_are_served_in_order(self, spawn: Spawn) -> None:
        """First come, first served."""
        tx, rx = fl.channel(1)
        with tx, rx:
            tx.send(0)
            senders = []
            for number in range(1, 6):
                senders.append(spawn(tx.send, number))
                until(lambda number=number: blocked_senders(rx) == number)  # type: ignore[misc]
            assert [rx.recv() for _ in range(6)] == list(range(6))
            for sender in senders:
                sender.join()

    def test_blocked_receivers_are_served_in_order(self, spawn: Spawn) -> None:
        """First come, first served."""
        tx, rx = fl.channel(None)
        with tx, rx:
            receivers = []
            for number in range(5):
                receivers.append(spawn(rx.recv))
                until(lambda number=number: blocked_receivers(rx) == number + 1)  # type: ignore[misc]
            for number, receiver in enumerate(receivers):
                tx.send(number)
                assert receiver.join() == number

    def test_an_item_reserved_for_a_woken_receiver_is_not_taken_by_another(self, spawn: Spawn) -> None:
        """Whoever comes by between the wake-up and the run of the receiver finds the channel empty."""
        tx, rx = fl.channel(None)
        with tx, rx:
            for _ in range(200):
                receiver = spawn(rx.recv)
                until(lambda: blocked_receivers(rx) == 1)
                tx.send("for the receiver")
                with pytest.raises(fl.Empty):
                    rx.try_recv()
                assert receiver.join() == "for the receiver"

    def test_any_object_can_be_sent(self) -> None:
        """Also None, and what looks like an error."""
        tx, rx = fl.channel(None)
        items: list[object] = [None, False, 0, StopIteration(), fl.Closed("no"), tx]
        for item in items:
            tx.send(item)
        assert all(rx.recv() is item for item in items)
        tx.close()
        rx.close()


class TestArguments:
    @pytest.mark.parametrize("wrong", [-1, -(2**70), 2**70])
    def test_a_capacity_out_of_range_is_refused_with_rule_and_value(self, wrong: int) -> None:
        """The rule names both ends of the range."""
        with pytest.raises(ValueError, match=rf"capacity must be None .* whole number >= 0.*got {wrong}$"):
            fl.channel(wrong)

    @pytest.mark.parametrize("wrong", [1.5, "1", [], float("nan")])
    def test_a_capacity_that_is_no_whole_number_is_refused(self, wrong: Any) -> None:
        """The value is shown."""
        with pytest.raises(TypeError, match=r"capacity must be None .* got "):
            fl.channel(wrong)

    def test_the_capacity_is_required(self) -> None:
        """Whether a queue may grow for ever is a decision."""
        with pytest.raises(TypeError):
            fl.channel()  # type: ignore[call-arg]  # that is the point

    @pytest.mark.parametrize("capacity", [None, 0, 5, True])
    def test_both_ends_tell_the_capacity(self, capacity: int | None) -> None:
        """As it was given."""
        tx, rx = fl.channel(capacity)
        with tx, rx:
            assert tx.capacity == rx.capacity == capacity

    def test_repr_shows_the_state(self) -> None:
        """What end, open or not, how full, who waits."""
        tx, rx = fl.channel(4)
        tx.send(1)
        assert repr(tx) == "<Sender open, capacity 4, 1 queued, 0 blocked senders, 0 blocked receivers>"
        moved = rx.move()
        assert repr(rx) == "<Receiver moved, capacity 4, 1 queued, 0 blocked senders, 0 blocked receivers>"
        tx.close()
        moved.close()
        assert repr(tx) == "<Sender closed, capacity 4, 0 queued, 0 blocked senders, 0 blocked receivers>"

    def test_full_and_empty_are_those_of_the_queue_module(self) -> None:
        """Code that handles `queue.Full` and `queue.Empty` goes on working."""
        import queue

        tx, rx = fl.channel(1)
        with tx, rx:
            with pytest.raises(queue.Empty):
                rx.try_recv()
            tx.send(1)
            with pytest.raises(queue.Full):
                tx.try_send(2)

    def test_the_ends_cannot_be_made_by_hand(self) -> None:
        """Only `channel` makes a pair that belongs together."""
        for kind in (fl.Sender, fl.Receiver):
            with pytest.raises(TypeError):
                kind()

    def test_the_types_are_generic(self) -> None:
        """For annotations at run time."""
        assert "int" in repr(fl.Sender[int])
        assert "int" in repr(fl.Receiver[int])
