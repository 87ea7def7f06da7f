"""`select`, `try_select` and `merge` in threads: what is chosen, what is not, and what becomes of the item.

Not here: what holds for every call that blocks (`tests/generic/test_blocking.py`); coroutines
(`test_channel_async.py`); any sequence of calls against a model (`test_channel_model.py`); stress
(`test_select_stress.py`).
"""

import collections
import gc
import math
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import fearless as fl
from tests.plugins.channels import Make
from tests.plugins.threads import Spawn
from tests.support.items import Marker
from tests.support.until import BOUND, blocked_receivers, blocked_senders, queued, until

pytestmark = pytest.mark.guarantee("channel", "select")


class TestChoice:
    def test_the_one_that_is_ready(self, make: Make) -> None:
        """A receive; `channel` is the object passed in, and the result unpacks and matches."""
        tx, rx = make(1)
        _, other = make(1)
        tx.send("item")
        selected = fl.select(other, rx)

        assert selected.channel is rx
        assert tuple(selected) == (1, rx, "item", False)
        match selected:
            case fl.Selected(1, _, "item", False):
                pass
            case _:
                pytest.fail("it does not match")
        assert repr(selected).startswith("Selected(index=1, channel=<Receiver ")

    def test_a_send_that_has_room(self, make: Make) -> None:
        """Its item is in the channel, and `value` is empty."""
        tx, rx = make(1)
        _, other = make(1)
        sending = tx.sending("item")

        assert tuple(fl.select(other, sending)) == (1, sending, None, False)
        assert rx.drain() == ["item"]

    def test_among_the_ready_every_one_comes_up(self, make: Make) -> None:
        """At random: in 400 draws each of four, a send and a timer among them."""
        pairs = [make(None) for _ in range(2)]
        tx, rx = make(None)
        seen = collections.Counter[int]()
        for sender, _ in pairs:
            sender.send_many(range(400))
        for _ in range(400):
            seen[fl.select(pairs[0][1], tx.sending(0), fl.after(0), pairs[1][1]).index] += 1

        assert all(seen[index] >= 40 for index in range(4)), seen
        assert len(rx) == seen[1]
        assert sum(400 - len(receiver) for _, receiver in pairs) == seen[0] + seen[3]

    @pytest.mark.parametrize("count", [2, 8, 20])
    def test_among_ready_receivers_every_one_comes_up(self, count: int, make: Make) -> None:
        """At random too where all are receivers; the numbers are those of the arguments."""
        pairs = [make(None) for _ in range(count)]
        for number, (sender, _) in enumerate(pairs):
            sender.send_many([number] * 50 * count)
        chosen = [fl.select(*(receiver for _, receiver in pairs)) for _ in range(50 * count)]
        seen = collections.Counter(selected.index for selected in chosen)

        assert all(seen[index] >= 15 for index in range(count)), seen
        assert all(selected.value == selected.index for selected in chosen)

    def test_a_channel_that_has_ended_is_ready_each_time(self, make: Make) -> None:
        """Once it is drained; with no value."""
        tx, rx = make(1)
        tx.send("last")
        tx.close()

        assert tuple(fl.select(rx)) == (0, rx, "last", False)
        for _ in range(2):
            assert tuple(fl.select(rx)) == (0, rx, None, True)
            assert tuple(fl.try_select(rx)) == (0, rx, None, True)

    def test_an_item_none_is_told_from_an_end(self, make: Make) -> None:
        """By `closed`."""
        tx, rx = make(1)
        tx.send(None)

        assert tuple(fl.select(rx)) == (0, rx, None, False)

    def test_a_send_without_receivers_carries_its_item_back(self, make: Make) -> None:
        """It is ready with `closed`."""
        tx, rx = make(1)
        rx.close()
        item = object()
        selected = fl.select(tx.sending(item))

        assert (selected.value is item, selected.closed) == (True, True)

    def test_an_operation_does_not_pair_with_another_of_the_same_call(self, make: Make) -> None:
        """A rendezvous with oneself would hand the item to nobody."""
        tx, rx = make(0)
        with pytest.raises(fl.Empty):
            fl.try_select(tx.sending("item"), rx)
        with pytest.raises(fl.Timeout):
            fl.select(rx, tx.sending("item"), timeout=0.01)

        assert (queued(rx), blocked_senders(rx), blocked_receivers(rx)) == (0, 0, 0)

    def test_a_timer_ends_the_wait(self, make: Make) -> None:
        """The earliest of two, and not before it is due."""
        _, rx = make(1)
        begun = time.monotonic()
        selected = fl.select(rx, fl.after(3600), fl.after(0.02), fl.never(), timeout=math.inf)

        assert selected.index == 2
        assert time.monotonic() >= selected.value >= begun + 0.019
        assert blocked_receivers(rx) == 0


class TestWaiting:
    @pytest.mark.parametrize("capacity", [None, 1, 0])
    def test_an_item_wakes_it(self, make: Make, capacity: int | None, spawn: Spawn) -> None:
        """And it has left the other channels then."""
        (tx, rx), (other_tx, other) = make(capacity), make(1)
        waiter = spawn(fl.select, other, rx)
        until(lambda: (blocked_receivers(rx), blocked_receivers(other)) == (1, 1))
        tx.send("item", BOUND)

        assert tuple(waiter.join()) == (1, rx, "item", False)
        assert (blocked_receivers(rx), blocked_receivers(other)) == (0, 0)
        other_tx.send("later")
        assert other.try_recv() == "later"

    @pytest.mark.parametrize("capacity", [1, 0])
    def test_room_wakes_it(self, make: Make, capacity: int, spawn: Spawn) -> None:
        """A send waits for a receive, and its item comes in its turn."""
        tx, rx = make(capacity)
        tx.send_many(range(capacity))
        waiter = spawn(fl.select, tx.sending("item"))
        until(lambda: blocked_senders(rx) == 1)
        got = [rx.recv(BOUND) for _ in range(capacity + 1)]

        assert got == [*range(capacity), "item"]
        assert (waiter.join().index, waiter.ended.is_set()) == (0, True)

    def test_the_last_sender_that_closes_wakes_it(self, make: Make, spawn: Spawn) -> None:
        """As does the last receiver a send that waits."""
        (tx, rx), (full_tx, full_rx) = make(1), make(1)
        full_tx.send("first")
        receives, sends = spawn(fl.select, rx), spawn(fl.select, full_tx.sending("second"))
        until(lambda: (blocked_receivers(rx), blocked_senders(full_rx)) == (1, 1))
        tx.close()
        full_rx.close()

        assert tuple(receives.join()) == (0, rx, None, True)
        assert tuple(sends.join())[2:] == ("second", True)

    @pytest.mark.guarantee("channel", "both builds")
    @pytest.mark.usefixtures("quick_switches")
    def test_select_meets_select_at_a_rendezvous(self, make: Make, spawn: Spawn) -> None:
        """Each thread offers and asks at once on two channels; what one gave another got."""
        (ping_tx, ping_rx), (pong_tx, pong_rx) = make(0), make(0)

        def player(first: bool) -> tuple[int, int]:  # noqa: FBT001 - one of two
            sent = received = 0
            tx, rx = (ping_tx, pong_rx) if first else (pong_tx, ping_rx)
            for number in range(300):
                selected = fl.select(tx.sending(number), rx, timeout=BOUND)
                sent, received = sent + (selected.index == 0), received + (selected.index == 1)
            return sent, received

        players = [spawn(player, True), spawn(player, False)]
        (sent, received), (other_sent, other_received) = (one.join() for one in players)

        assert (sent, received) == (other_received, other_sent)
        assert sent + received == 300

    def test_a_select_that_gave_up_took_nothing(self, make: Make, spawn: Spawn) -> None:
        """By timeout, in a race with the send: the item is with the select or in the channel."""
        tx, rx = make(None)
        for number in range(50):
            waiter = spawn(_select_or_none, rx, 0.0005)
            tx.send(number)
            got = waiter.join()
            assert (rx.drain() if got is None else [got]) == [number]
        assert blocked_receivers(rx) == 0

    @pytest.mark.guarantee("channel", "cancel")
    def test_a_cancelled_select_took_nothing(self, make: Make, spawn: Spawn) -> None:
        """In a race with the send, too."""
        tx, rx = make(None)
        got: list[object] = []

        def take(scopes: "list[fl.Scope]", begun: threading.Event) -> None:
            with fl.scope() as scope:
                scopes.append(scope)
                begun.set()
                got.append(fl.select(rx, fl.never()).value)

        for number in range(50):
            scopes: list[fl.Scope] = []
            begun = threading.Event()
            taker = spawn(take, scopes, begun)
            assert begun.wait(BOUND)
            tx.send(number)
            scopes[0].cancel()
            taker.join()
            assert got + rx.drain() == [number]
            got.clear()


def _select_or_none(rx: "fl.Receiver[Any]", timeout: float) -> Any:
    try:
        return fl.select(rx, timeout=timeout).value
    except fl.Timeout:
        return None


class TestRefusals:
    CALLS = pytest.mark.parametrize("call", [fl.select, fl.try_select, fl.select_async], ids=lambda call: call.__name__)

    @CALLS
    def test_no_channel(self, call: Any) -> None:
        """It would wait for ever."""
        with pytest.raises(ValueError, match=f"{call.__name__} needs at least one channel"):
            call()

    @CALLS
    def test_the_same_twice(self, call: Any, make: Make) -> None:
        """For one direction; also by a clone. The error says which, and nothing is done."""
        tx, rx = make(2)
        tx.send("item")
        timer = fl.never()
        with rx.clone() as clone:
            for twice in ((rx, rx), (rx, clone), (tx.sending(1), tx.sending(2)), (timer, timer)):
                with pytest.raises(ValueError, match=r"got the same as arguments 0 and 1"):
                    call(*twice)
        assert len(rx) == 1

    @CALLS
    @pytest.mark.parametrize("wrong", [None, 1, "rx", "sender"])
    def test_what_is_no_channel(self, call: Any, wrong: Any, make: Make) -> None:
        """A sender alone stands for nothing either."""
        tx, rx = make(1)
        with pytest.raises(TypeError, match=rf"{call.__name__} takes a receiver, sender.sending\(item\), after\(\)"):
            call(rx, tx if wrong == "sender" else wrong)
        assert blocked_receivers(rx) == 0

    @CALLS
    def test_an_end_that_is_closed_or_moved(self, call: Any, make: Make) -> None:
        """Nothing else goes ahead."""
        tx, rx = make(1)
        ready_tx, ready = make(1)
        ready_tx.send("item")
        moved = rx.move()
        with pytest.raises(fl.MovedError):
            call(ready, rx)
        moved.close()
        tx.close()
        for closed in (moved, tx.sending("item")):
            with pytest.raises(fl.Closed, match=f"{call.__name__}: this end is closed"):
                call(ready, closed)
        assert len(ready) == 1

    def test_try_select_does_not_wait(self, make: Make) -> None:
        """It is empty when nothing is ready, and leaves no trace."""
        _, rx = make(1)
        with pytest.raises(fl.Empty, match="no channel is ready"):
            fl.try_select(rx, fl.never())
        assert blocked_receivers(rx) == 0


class TestMerge:
    def test_iterates_until_all_have_ended(self, make: Make, spawn: Spawn) -> None:
        """Each receiver's items in their order."""
        pairs = [make(capacity) for capacity in (None, 1, 0)]

        def produce(who: int, tx: "fl.Sender[Any]") -> None:
            with tx:
                tx.send_many((who, number) for number in range(200))

        for who, (tx, _) in enumerate(pairs):
            spawn(produce, who, tx)
        got = list(fl.merge(*(rx for _, rx in pairs)))

        assert sorted(got) == [(who, number) for who in range(3) for number in range(200)]
        for who in range(3):
            assert [number for other, number in got if other == who] == list(range(200))

    def test_of_nothing_and_of_the_same_twice_is_refused(self, make: Make) -> None:
        """At the first step."""
        _, rx = make(1)
        with pytest.raises(ValueError, match="at least one receiver"):
            next(fl.merge())
        with pytest.raises(ValueError, match="the same"):
            next(fl.merge(rx, rx))

    def test_takes_timers(self, make: Make) -> None:
        """A timer that has ended is left out like a channel."""
        tx, rx = make(1)
        tx.send("item")
        tx.close()

        assert collections.Counter(type(value) for value in fl.merge(rx, fl.after(0))) == {str: 1, float: 1}


def selected_cycle(marker: Marker) -> None:
    """Tie a result of `select` into a cycle."""
    tx, rx = fl.channel(None)
    tx.send(marker)
    marker.holds.append(fl.select(rx))
    tx.close()
    rx.close()


def sending_cycle(marker: Marker) -> None:
    """Tie a send that may come into a cycle."""
    tx, rx = fl.channel(None)
    marker.holds.append(tx.sending(marker))
    tx.close()
    rx.close()


def operation_cycle(marker: Marker) -> None:
    """Tie an operation into a cycle."""
    tx, rx = fl.channel(None)
    marker.holds.append(fl.select_async(rx, tx.sending(marker)))
    tx.close()
    rx.close()


def timer_cycle(marker: Marker) -> None:
    """Tie a timer in a channel into a cycle."""
    tx, rx = fl.channel(None)
    tx.send((fl.tick(3600), rx, marker))
    marker.holds.append(rx)
    tx.close()


@pytest.mark.guarantee("channel", "GC")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("tie", [selected_cycle, sending_cycle, operation_cycle, timer_cycle])
def test_a_dead_cycle_is_collected(tie: Callable[[Marker], None]) -> None:
    """Through each of the objects that select deals with."""
    marker = Marker()
    gone = weakref.ref(marker)
    tie(marker)

    del marker
    gc.collect()

    assert gone() is None
