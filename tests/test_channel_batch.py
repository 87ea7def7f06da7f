"""Batches, `drain`, `force_send` and the snapshots of a channel.

Not here: what holds for every call that blocks (`tests/generic/test_blocking.py`); any sequence of such calls
(`test_channel_model.py`).
"""

import collections
import gc
import itertools
import pickle
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.until import BOUND, blocked_receivers, blocked_senders, until

CAPACITIES = pytest.mark.parametrize("capacity", [None, 64, 3, 1, 0])


@pytest.mark.usefixtures("quick_switches")
@pytest.mark.guarantee("channel", "both builds")
@CAPACITIES
def test_each_item_of_many_batches_comes_once_and_in_order(capacity: int | None, spawn: Spawn) -> None:
    """Three producers, three consumers, all in batches."""
    tx, rx = fl.channel(capacity)
    count = 500

    def produce(who: int, tx: "fl.Sender[tuple[int, int]]") -> None:
        with tx:
            tx.send_many((who, number) for number in range(count))

    def consume() -> list[tuple[int, int]]:
        got: list[tuple[int, int]] = []
        while True:
            try:
                got += rx.recv_many(7)
            except fl.Closed:
                return got

    consumers = [spawn(consume) for _ in range(3)]
    producers = [spawn(produce, who, tx.clone()) for who in range(3)]
    tx.close()
    for producer in producers:
        producer.join()
    parts = [consumer.join() for consumer in consumers]
    rx.close()

    assert sorted(itertools.chain(*parts)) == [(who, number) for who in range(3) for number in range(count)]
    for part, who in itertools.product(parts, range(3)):
        numbers = [number for producer, number in part if producer == who]
        assert numbers == sorted(numbers)


class TestRecvMany:
    def test_takes_what_is_there_up_to_max(self) -> None:
        """The oldest first, and the last batch is short."""
        tx, rx = fl.channel(None)
        with tx, rx:
            tx.send_many(range(5))
            assert [rx.recv_many(2) for _ in range(3)] == [[0, 1], [2, 3], [4]]
            tx.send_many("ab")
            tx.close()
            assert rx.recv_many(2**40) == ["a", "b"]
            with pytest.raises(fl.Closed):
                rx.recv_many(1)

    def test_makes_room_for_as_many_blocked_senders(self, spawn: Spawn) -> None:
        """Those that waited are served in their order."""
        tx, rx = fl.channel(2)
        with tx, rx:
            tx.send_many("ab")
            senders = []
            for number, item in enumerate("cd", 1):
                senders.append(spawn(tx.send, item))
                until(lambda number=number: blocked_senders(rx) == number)  # type: ignore[misc]

            got = rx.recv_many(2)
            for sender in senders:
                sender.join()
            assert got + rx.recv_many(2) == list("abcd")

    @pytest.mark.parametrize("wrong", [0, -1])
    def test_max_is_at_least_one(self, wrong: int) -> None:
        """Anything less is refused, and takes nothing."""
        tx, rx = fl.channel(1)
        with tx, rx:
            tx.send("item")
            with pytest.raises(ValueError, match=f"max must be a whole number >= 1, got {wrong}"):
                rx.recv_many(wrong)
            assert len(rx) == 1


class TestSendMany:
    def test_nothing_is_a_batch_too(self) -> None:
        """On a full channel as well."""
        tx, rx = fl.channel(1)
        with tx, rx:
            tx.send("item")
            tx.send_many([], 0)
            assert len(rx) == 1

    def test_what_came_to_its_end_is_not_asked_again(self) -> None:
        """As in a loop, which goes by the first StopIteration."""
        steps: Iterator[int | None] = iter([0, 1, None, 2, None])

        class Resumes:
            def __iter__(self) -> Iterator[int]:
                return self

            def __next__(self) -> int:
                step = next(steps)
                if step is None:
                    raise StopIteration
                return step

        tx, rx = fl.channel(None)
        with tx, rx:
            tx.send_many(Resumes())
            assert rx.drain() == [0, 1]

    def test_draws_no_more_than_there_is_room_for(self) -> None:
        """The error has the one that was drawn and not sent; the rest is still in the iterator."""
        tx, rx = fl.channel(3)
        source = iter(range(10))
        with tx, rx:
            with pytest.raises(fl.Timeout) as caught:
                tx.send_many(source, 0.001)
            assert (rx.drain(), caught.value.item, next(source)) == ([0, 1, 2], [3], 4)

    def test_what_was_drawn_before_the_iterable_raised_is_sent(self) -> None:
        """And its error comes through."""

        def broken() -> Iterator[int]:
            yield from range(3)
            raise LookupError("no more")

        tx, rx = fl.channel(None)
        with tx, rx:
            with pytest.raises(LookupError, match="no more"):
                tx.send_many(broken())
            assert rx.drain() == [0, 1, 2]

    @pytest.mark.parametrize("kind", [list, tuple, iter, collections.deque])
    def test_sends_any_number_of_any_iterable_in_order(self, kind: Callable[[range], Iterable[int]]) -> None:
        """Also where batches begin and end."""
        for count in (1, 63, 64, 65, 200):
            tx, rx = fl.channel(None)
            with tx, rx:
                tx.send_many(kind(range(count)))
                assert rx.recv_many(count + 1) == list(range(count))

    def test_a_list_that_changes_meanwhile_is_read_as_by_its_iterator(self, spawn: Spawn) -> None:
        """What is appended in time is sent, and what is removed in time is not."""
        tx, rx = fl.channel(1)
        with tx, rx:
            for change, sent in ((lambda items: items.append("c"), list("abc")), (list[str].clear, ["a", "b"])):
                items = list("ab") if sent[-1] == "c" else list("abxyz")
                sender = spawn(tx.send_many, items)
                until(lambda: blocked_senders(rx) == 1)
                change(items)
                assert [rx.recv(BOUND) for _ in sent] == sent
                sender.join()
                assert rx.is_empty

    def test_a_list_with_an_iterator_of_its_own_is_asked(self) -> None:
        """It is no plain list."""

        class Backwards(list[int]):
            def __iter__(self) -> Iterator[int]:
                return reversed(self)

        tx, rx = fl.channel(None)
        with tx, rx:
            tx.send_many(Backwards(range(3)))
            assert rx.drain() == [2, 1, 0]

    def test_what_was_sent_is_let_go_while_the_rest_is_drawn(self) -> None:
        """An endless stream of `Owned` keeps no more than a batch of old handles."""
        handles: list[weakref.ref[Any]] = []

        def supply() -> Iterator["fl.Owned[int]"]:
            for number in range(300):
                owned = fl.Owned(number)
                handles.append(weakref.ref(owned))
                yield owned
            gc.collect()
            assert sum(handle() is not None for handle in handles) <= 128

        tx, rx = fl.channel(None)
        with tx, rx:
            tx.send_many(supply())
            assert [owned.take() for owned in rx.recv_many(300)] == list(range(300))

    def test_a_close_meanwhile_gives_the_rest_back(self, spawn: Spawn) -> None:
        """As a list, and nothing is in two places."""
        tx, rx = fl.channel(2)
        sender = spawn(tx.send_many, ["a", "b", "c"])
        until(lambda: blocked_senders(rx) == 1)
        got = rx.clone()
        rx.close()
        assert blocked_senders(got) == 1, "another receiver is left"
        got.close()

        with pytest.raises(fl.Closed) as caught:
            sender.join()
        assert caught.value.item == ["c"]
        tx.close()

    def test_wakes_every_receiver_it_has_items_for(self, spawn: Spawn) -> None:
        """One call, four blocked receivers."""
        tx, rx = fl.channel(None)
        receivers = [spawn(rx.recv, BOUND) for _ in range(4)]
        until(lambda: blocked_receivers(rx) == 4)
        tx.send_many(range(4))

        assert sorted(receiver.join() for receiver in receivers) == [0, 1, 2, 3]
        tx.close()
        rx.close()

    def test_what_cannot_be_iterated_is_a_type_error(self) -> None:
        """Nothing is sent."""
        tx, rx = fl.channel(None)
        with tx, rx:
            with pytest.raises(TypeError):
                tx.send_many(1)  # type: ignore[arg-type]  # that is the point
            assert rx.is_empty


class TestForceSend:
    def test_displaces_the_oldest_of_a_full_channel(self) -> None:
        """And nothing while there is room."""
        tx, rx = fl.channel(2)
        with tx, rx:
            assert [tx.force_send(number) for number in range(4)] == [None, None, 0, 1]
            assert rx.drain() == [2, 3]

    def test_a_rendezvous_has_no_oldest(self) -> None:
        """Unless somebody receives, it is full."""
        tx, rx = fl.channel(0)
        with tx, rx:
            with pytest.raises(fl.Full) as caught:
                tx.force_send("item")
            assert caught.value.item == "item"

    def test_serves_a_blocked_receiver(self, spawn: Spawn) -> None:
        """On every kind of channel."""
        for capacity in (None, 1, 0):
            tx, rx = fl.channel(capacity)
            receiver = spawn(rx.recv, BOUND)
            until(lambda rx=rx: blocked_receivers(rx) == 1)  # type: ignore[misc]
            assert tx.force_send("item") is None
            assert receiver.join() == "item"
            tx.close()
            rx.close()


def test_drain_takes_what_blocked_senders_offer_too(spawn: Spawn) -> None:
    """They are served by it, and nothing is left behind."""
    tx, rx = fl.channel(1)
    tx.send("first")
    sender = spawn(tx.send, "second")
    until(lambda: blocked_senders(rx) == 1)

    drained = rx.drain()
    sender.join()
    assert drained + rx.drain() == ["first", "second"]
    assert rx.drain() == []
    tx.close()
    assert rx.drain() == []
    rx.close()
    with pytest.raises(fl.Closed):
        rx.drain()


@CAPACITIES
def test_both_ends_show_the_same_snapshot(capacity: int | None) -> None:
    """Length, whether it is empty or full, and its capacity; an end is true also when it is empty."""
    tx, rx = fl.channel(capacity)
    with tx, rx:
        for count in range(3 if capacity is None else min(capacity, 3) + 1):
            for end in (tx, rx):
                assert (len(end), end.is_empty, end.is_full) == (count, count == 0, count == capacity)
                assert (end.capacity, bool(end)) == (capacity, True)
            if count != capacity:
                tx.try_send("item")


def test_an_end_cannot_be_pickled() -> None:
    """The error says what to do."""
    tx, rx = fl.channel(1)
    with tx, rx:
        for end, name in ((tx, "Sender"), (rx, "Receiver")):
            with pytest.raises(TypeError, match=f"a {name} cannot be pickled.*multiprocessing queue"):
                pickle.dumps(end)
