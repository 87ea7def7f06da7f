"""The ends of a channel: closing, dropping, and moving them into tasks.

Not here: order and delivery (`test_channel.py`); forks and memory (`tests/generic/`).
"""

import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.until import blocked_receivers, blocked_senders, until

BUILDS = pytest.mark.guarantee("channel", "both builds")
CAPACITIES = pytest.mark.parametrize("capacity", [None, 64, 1, 0])


class TestClosing:
    def test_after_the_last_sender_receivers_drain_and_then_find_it_closed(self) -> None:
        """Iterating ends, recv raises."""
        tx, rx = fl.channel(None)
        other = tx.clone()
        tx.send(1)
        tx.close()
        other.send(2)
        other.close()

        assert rx.recv() == 1
        assert list(rx) == [2]
        for call in (rx.recv, rx.try_recv, lambda: rx.recv(0), lambda: rx.recv(1.0)):
            with pytest.raises(fl.Closed, match="every sender is closed"):
                call()
        assert list(rx) == []
        rx.close()

    def test_after_the_last_receiver_senders_get_their_item_back(self) -> None:
        """As `.item` of Closed, from every way to send."""
        tx, rx = fl.channel(1)
        other = rx.clone()
        rx.close()
        tx.send("one receiver is left")
        other.close()
        item = object()

        sends: list[Callable[[], object]] = [
            lambda: tx.send(item),
            lambda: tx.send(item, 0),
            lambda: tx.send(item, 5.0),
            lambda: tx.try_send(item),
        ]
        for send in sends:
            with pytest.raises(fl.Closed, match="no receiver is left") as caught:
                send()
            assert caught.value.item is item
        tx.close()

    def test_closing_the_last_receiver_drops_what_was_queued(self) -> None:
        """At once: nobody can receive it any more."""
        tx, rx = fl.channel(None)
        dropped = threading.Event()

        class Item:
            def __del__(self) -> None:
                dropped.set()

        tx.send(Item())
        rx.close()
        until(lambda: gc.collect() >= 0 and dropped.is_set())
        tx.close()

    def test_closing_the_last_sender_wakes_every_receiver(self, spawn: Spawn) -> None:
        """Each raises Closed."""
        tx, rx = fl.channel(1)
        receivers = [spawn(rx.recv) for _ in range(3)]
        iterating = spawn(lambda: list(rx))
        until(lambda: blocked_receivers(rx) == 4)

        tx.close()

        for receiver in receivers:
            with pytest.raises(fl.Closed):
                receiver.join()
        assert iterating.join() == []
        rx.close()

    @pytest.mark.parametrize("capacity", [1, 0])
    def test_closing_the_last_receiver_wakes_every_sender(self, capacity: int, spawn: Spawn) -> None:
        """Each gets its item back."""
        tx, rx = fl.channel(capacity)
        for _ in range(capacity):
            tx.send("queued")
        senders = [spawn(tx.send, number) for number in range(3)]
        until(lambda: blocked_senders(tx) == 3)

        rx.close()

        for number, sender in enumerate(senders):
            with pytest.raises(fl.Closed) as caught:
                sender.join()
            assert caught.value.item == number
        tx.close()

    def test_a_closed_end_refuses_and_close_again_is_harmless(self) -> None:
        """The other end is not what is wrong, and the text says so."""
        tx, rx = fl.channel(1)
        item = object()
        for _ in range(2):
            tx.close()
            rx.close()
        for send in (tx.send, tx.try_send):
            with pytest.raises(fl.Closed, match="this end is closed") as caught:
                send(item)
            assert caught.value.item is item
        for call in (rx.recv, rx.try_recv, tx.clone, rx.clone, tx.move, rx.move, lambda: next(rx)):
            with pytest.raises(fl.Closed, match="this end is closed"):
                call()
        assert (tx.is_closed, rx.is_closed) == (True, True)

    def test_closing_one_of_several_ends_changes_nothing_for_the_others(self) -> None:
        """Also when the same one is closed twice."""
        tx, rx = fl.channel(4)
        others: list[fl.Sender[int] | fl.Receiver[int]] = [tx.clone(), rx.clone()]
        for _ in range(2):
            for other in others:
                other.close()
        tx.send(1)
        assert rx.recv() == 1
        tx.close()
        rx.close()

    def test_the_context_manager_closes(self) -> None:
        """Also when an error leaves the block, which it lets pass."""
        tx, rx = fl.channel(1)
        with pytest.raises(KeyError), tx, rx:
            raise KeyError
        assert (tx.is_closed, rx.is_closed) == (True, True)

    @pytest.mark.parametrize("which", ["Sender", "Receiver"])
    def test_dropping_an_open_end_closes_it_and_warns(self, which: str) -> None:
        """A safety net; the warning says what to do instead."""
        ends: dict[str, Any] = {end.__class__.__name__: end for end in fl.channel(1)}
        with pytest.warns(ResourceWarning, match=f"a {which} was dropped without close"):  # noqa: PT031 - two ways to go
            del ends[which]
            gc.collect()

        (left,) = ends.values()
        with pytest.raises(fl.Closed):
            left.recv() if which == "Sender" else left.send(1)
        left.close()

    def test_dropping_a_closed_or_moved_end_says_nothing(self) -> None:
        """Every warning is an error in this suite, so silence is seen."""
        tx, rx = fl.channel(1)
        moved_tx, moved_rx = tx.move(), rx.move()
        moved_tx.close()
        moved_rx.close()
        del tx, rx, moved_tx, moved_rx
        gc.collect()


class TestMoving:
    def test_the_old_end_raises_and_the_new_one_works(self) -> None:
        """The item of a rejected send comes back."""
        tx, rx = fl.channel(1)
        new_tx, new_rx = tx.move(), rx.move()

        for send in (tx.send, tx.try_send):
            with pytest.raises(fl.MovedError, match="this end was moved") as caught:
                send("item")
            assert caught.value.item == "item"  # type: ignore[attr-defined]  # set where an item is rejected
        for call in (rx.recv, rx.try_recv, tx.clone, rx.clone, tx.move, rx.move, lambda: next(rx)):
            with pytest.raises(fl.MovedError, match="this end was moved"):
                call()
        new_tx.send("item")
        assert new_rx.recv() == "item"
        new_tx.close()
        new_rx.close()

    def test_closing_the_old_end_does_not_close_the_new_one(self) -> None:
        """Nor does dropping it."""
        tx, rx = fl.channel(1)
        new = tx.move()
        tx.close()
        del tx
        gc.collect()
        new.send(1)
        assert rx.recv() == 1
        new.close()
        rx.close()

    def test_a_moved_end_is_closed_with_its_task(self) -> None:
        """So the consumer's loop ends without anybody closing anything."""
        tx, rx = fl.channel(None)

        def produce(tx: "fl.Sender[int]", count: int) -> None:
            for number in range(count):
                tx.send(number)

        with fl.scope() as scope:
            for count in (3, 4):
                scope.spawn(produce, tx.clone().move(), count)
            scope.spawn(produce, tx.move(), count=2)
            assert sorted(rx) == [0, 0, 0, 1, 1, 1, 2, 2, 3]
        rx.close()

    @pytest.mark.parametrize("how", ["spawn", "pool", "keyword", "receiver"])
    def test_a_moved_end_is_closed_also_when_its_task_fails(self, how: str) -> None:
        """The error does not leave the other side waiting."""
        tx, rx = fl.channel(0)

        def fail(*_args: object, **_kwargs: object) -> None:
            raise KeyError(how)

        if how == "receiver":
            task = fl.spawn(fail, rx.move())
        elif how == "keyword":
            task = fl.spawn(fail, end=tx.move())
        elif how == "pool":
            with fl.ThreadPool(1) as pool:
                task = pool.submit(fail, tx.move())
        else:
            task = fl.spawn(fail, tx.move())
        with pytest.raises(fl.Closed):
            tx.send(1, 30.0) if how == "receiver" else rx.recv(30.0)
        with pytest.raises(KeyError):
            task.join()
        tx.close()
        rx.close()

    def test_an_end_that_was_only_passed_stays_open(self) -> None:
        """A task closes what was moved to it, and nothing else."""
        tx, rx = fl.channel(1)
        fl.spawn(tx.send, 1).join()
        fl.spawn(lambda end: end.send, tx).join()
        assert rx.recv() == 1
        tx.send(2)
        assert rx.recv() == 2
        tx.close()
        rx.close()

    def test_a_moved_end_of_a_task_that_never_runs_is_closed(self) -> None:
        """Cancelled before it began: the other side must not wait for it."""
        tx, rx = fl.channel(1)
        gate = threading.Event()
        with fl.ThreadPool(1) as pool:
            pool.submit(gate.wait, 30.0)
            task = pool.submit(id, tx.move())
            assert task.cancel()
            gate.set()
        with pytest.raises(fl.Closed):
            rx.recv(30.0)
        rx.close()
