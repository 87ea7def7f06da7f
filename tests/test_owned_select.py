"""`Owned` in selects: the handle of the send that went ahead is empty, and all the others have their value again.

However the call ends: chosen after a wait, a receive instead, timeout, cancellation, a close, in a thread and as a
coroutine. Not here: selects that need no wait, and the other ways to send (`test_owned.py`).
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import trio

import fearless as fl
from tests.plugins.channels import Ends, Make
from tests.plugins.threads import Spawn
from tests.support.loops import Run, run_asyncio, until_async
from tests.support.until import BOUND, blocked_senders, until

pytestmark = pytest.mark.guarantee("channel", "select")
CAPACITIES = pytest.mark.parametrize("capacity", [1, 0])


class Offers:
    """Two sends that have to wait, each of a handle, and a receive beside them."""

    def __init__(self, make: Make, capacity: int) -> None:
        """Fill the channels."""
        self.pairs: list[Ends] = [make(capacity) for _ in range(2)]
        self.tx, self.rx = make(None)
        for tx, _ in self.pairs:
            tx.send_many([fl.Owned("queued")] * capacity)
        self.handles = [fl.Owned(f"value {number}") for number in range(2)]

    def arguments(self) -> list[Any]:
        """What select takes."""
        return [*(tx.sending(owned) for (tx, _), owned in zip(self.pairs, self.handles, strict=True)), self.rx]

    def select(self, timeout: float = BOUND) -> "fl.Selected[Any]":
        """Wait in a thread."""
        return fl.select(*self.arguments(), timeout=timeout)

    def is_waiting(self) -> bool:
        """Whether the call has its places."""
        return [blocked_senders(rx) for _, rx in self.pairs] == [1, 1]

    def make_room(self, number: int) -> None:
        """Have one of the sends go ahead."""
        self.taken = self.pairs[number][1].try_recv()

    def arrived(self, number: int) -> Any:
        """Return the value that was sent."""
        rx = self.pairs[number][1]
        return (rx.try_recv() if rx.capacity else self.taken).take()

    def check_kept(self, *numbers: int) -> None:
        """Assert which handles have their value, and that it is theirs."""
        assert [not owned.is_moved for owned in self.handles] == [number in numbers for number in range(2)]
        for number in numbers:
            assert self.handles[number].take() == f"value {number}"


@CAPACITIES
@pytest.mark.parametrize("number", [0, 1])
def test_the_send_that_was_waited_for_hands_on(make: Make, spawn: Spawn, capacity: int, number: int) -> None:
    """And only that."""
    offers = Offers(make, capacity)
    waiter = spawn(offers.select)
    until(offers.is_waiting)

    offers.make_room(number)
    selected = waiter.join()
    assert (selected.index, selected.value, offers.arrived(number)) == (number, None, f"value {number}")
    offers.check_kept(1 - number)


@CAPACITIES
def test_a_receive_that_went_ahead_instead_gives_all_back(make: Make, spawn: Spawn, capacity: int) -> None:
    """What the channels had of the offers is gone from there."""
    offers = Offers(make, capacity)
    waiter = spawn(offers.select)
    until(offers.is_waiting)
    offers.tx.send("item")

    selected = waiter.join()
    assert (selected.index, selected.value) == (2, "item")
    offers.check_kept(0, 1)
    assert [len(rx) for _, rx in offers.pairs] == [capacity] * 2


@CAPACITIES
def test_a_timeout_gives_all_back(make: Make, capacity: int) -> None:
    """After a wait."""
    offers = Offers(make, capacity)
    with pytest.raises(fl.Timeout):
        offers.select(0.01)

    offers.check_kept(0, 1)
    with pytest.raises(fl.Empty):
        fl.try_select(*offers.arguments()[2:])


@CAPACITIES
@pytest.mark.guarantee("channel", "cancel")
def test_a_cancellation_gives_all_back(make: Make, spawn: Spawn, capacity: int) -> None:
    """Of the scope that the thread is in."""
    offers = Offers(make, capacity)
    scopes: list[fl.Scope] = []

    def in_scope() -> None:
        with fl.scope() as scope:
            scopes.append(scope)
            offers.select()

    waiter = spawn(in_scope)
    until(offers.is_waiting)
    scopes[0].cancel()
    waiter.join()

    offers.check_kept(0, 1)


@CAPACITIES
def test_a_close_gives_the_handle_itself_back(make: Make, spawn: Spawn, capacity: int) -> None:
    """As the value of what was selected; and the others too."""
    offers = Offers(make, capacity)
    waiter = spawn(offers.select)
    until(offers.is_waiting)
    offers.pairs[1][1].close()
    selected = waiter.join()

    assert (selected.index, selected.closed) == (1, True)
    assert selected.value is offers.handles[1]
    offers.check_kept(0, 1)


@pytest.mark.usefixtures("quick_switches")
@pytest.mark.guarantee("channel", "both builds")
@CAPACITIES
def test_in_a_race_the_value_is_in_one_place(make: Make, spawn: Spawn, capacity: int) -> None:
    """Selects that give up, against receives that do: each value arrives, or its handle has it still."""
    tx, rx = make(capacity)
    count = 300

    def offer() -> list[int]:
        kept = []
        with tx:
            for number in range(count):
                owned = fl.Owned(number)
                try:
                    assert not fl.select(tx.sending(owned), timeout=1e-5 * (number % 7)).closed
                except fl.Timeout:
                    kept.append(owned.take())
                else:
                    assert owned.is_moved
        return kept

    def receive() -> list[int]:
        got = []
        while True:
            try:
                got.append(rx.recv(1e-5).take())
            except fl.Timeout:
                continue
            except fl.Closed:
                return got

    offering, receiving = spawn(offer), spawn(receive)

    assert sorted(offering.join() + receiving.join()) == list(range(count))


@pytest.mark.guarantee("channel", "async")
class TestCoroutines:
    @CAPACITIES
    def test_the_send_that_was_waited_for_hands_on(self, run: Run, make: Make, capacity: int) -> None:
        """And only that."""
        offers = Offers(make, capacity)
        selected = run(lambda: _while_waiting(run, offers, lambda: offers.make_room(1)))
        assert (selected.index, selected.value, offers.arrived(1)) == (1, None, "value 1")
        offers.check_kept(0)

    @CAPACITIES
    def test_a_close_gives_the_handle_itself_back(self, run: Run, make: Make, capacity: int) -> None:
        """And the others."""
        offers = Offers(make, capacity)
        selected = run(lambda: _while_waiting(run, offers, offers.pairs[0][1].close))

        assert (selected.index, selected.closed) == (0, True)
        assert selected.value is offers.handles[0]
        offers.check_kept(0, 1)

    @CAPACITIES
    @pytest.mark.guarantee("channel", "cancel")
    def test_a_cancellation_gives_all_back(self, run: Run, make: Make, capacity: int) -> None:
        """Of the task, by its library."""
        offers = Offers(make, capacity)

        assert run(lambda: _while_waiting(run, offers, None)) is None
        offers.check_kept(0, 1)

    @pytest.mark.parametrize("how", ["select_async", "send_async"])
    def test_one_that_is_never_awaited_gives_all_back(self, make: Make, how: str) -> None:
        """When it is closed."""
        tx, rx = make(1)
        owned = fl.Owned("value")
        operation = fl.select_async(tx.sending(owned)) if how == "select_async" else tx.send_async(owned)
        assert owned.is_moved
        operation.close()

        assert owned.take() == "value"
        assert rx.is_empty


async def _while_waiting(run: Run, offers: Offers, act: Callable[[], object] | None) -> Any:
    """Select, and when that waits do something, or cancel it; what was selected."""
    selected: list[Any] = []

    async def select() -> None:
        selected.append(await fl.select_async(*offers.arguments()))

    if run is run_asyncio:
        task = asyncio.ensure_future(select())
        await until_async(run, offers.is_waiting)
        act() if act else task.cancel()
        await asyncio.wait([task])
        return None if task.cancelled() else selected[0]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(select)
        await until_async(run, offers.is_waiting)
        act() if act else nursery.cancel_scope.cancel()
    return selected[0] if selected else None
