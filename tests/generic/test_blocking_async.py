"""What holds for every async call that can wait, in a cancelled scope; in asyncio and in trio.

Not here: what a cancellation of the task does (the tests of each type).
"""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

import fearless as fl
from tests.support.blocking import async_callables
from tests.support.loops import Run, gather, turn, until_async
from tests.support.until import blocked_receivers

Call = Callable[[], Awaitable[Any]]
Recipe = Callable[[], AbstractContextManager[Call]]


@contextmanager
def receiving(which: Callable[["fl.Receiver[int]"], Awaitable[Any]]) -> Iterator[Call]:
    """Nothing comes."""
    tx, rx = fl.channel(1)
    with tx, rx:
        yield lambda: which(rx)
        assert blocked_receivers(rx) == 0


@contextmanager
def sending() -> Iterator[Call]:
    """There is no room; nothing is sent."""
    tx, rx = fl.channel(1)
    with tx, rx:
        tx.send(1)
        yield lambda: tx.send_async(2)
        assert rx.recv() == 1
        with pytest.raises(fl.Empty):
            rx.try_recv()


@contextmanager
def acquiring() -> Iterator[Call]:
    """Another has the permit."""
    semaphore = fl.Semaphore(1)
    semaphore.acquire()
    yield semaphore.acquire_async
    assert semaphore.stats() == {"free": 0, "waiting": 0}


@contextmanager
def submitting() -> Iterator[Call]:
    """The only worker is busy and there is no room; nothing is submitted."""
    gate, ran = fl.Event(), list[int]()
    with fl.ThreadPool(1, backlog=1) as pool:
        try:
            pool.submit(gate.wait)
            pool.submit(int)
            yield lambda: pool.submit_async(ran.append, 1)
        finally:
            gate.set()
    assert ran == []


@contextmanager
def notified(call: str, *predicate: Callable[[int], bool]) -> Iterator[Call]:
    """Nobody notifies; the mutex is held again, and free after the block."""
    mutex, condvar = fl.Mutex(0), fl.Condvar()

    async def wait() -> None:
        async with mutex.lock_async() as guard:
            await getattr(condvar, call)(guard, *predicate)

    yield wait
    guard = mutex.try_lock()
    assert guard is not None
    guard.release()


def of(call: Call) -> Recipe:
    """Bring about what needs nothing around it."""

    @contextmanager
    def bring() -> Iterator[Call]:
        yield call

    return bring


async def locked(acquiring: Any) -> str:
    """Take a lock that is free."""
    async with acquiring:
        return "locked"


async def upgrade() -> str:
    """Take the writer's lock by way of the upgradable reader's."""
    async with fl.RwLock(0).upgradable_async() as guard, guard.upgrade_async():
        return "locked"


POINTS: dict[str, Recipe] = {
    "Receiver.recv_async": lambda: receiving(lambda rx: rx.recv_async()),
    "Receiver.__anext__": lambda: receiving(lambda rx: rx.__anext__()),
    "select_async": lambda: receiving(lambda rx: fl.select_async(rx, fl.never())),
    "Sender.send_async": sending,
    "Semaphore.acquire_async": acquiring,
    "ThreadPool.submit_async": submitting,
    "Event.wait_async": of(lambda: fl.Event().wait_async()),
    "Latch.wait_async": of(lambda: fl.Latch(1).wait_async()),
    "Barrier.wait_async": of(lambda: fl.Barrier(2).wait_async()),
    "AtomicBool.wait_until_async": of(lambda: fl.AtomicBool().wait_until_async(bool)),
    "AtomicFloat.wait_until_async": of(lambda: fl.AtomicFloat().wait_until_async(bool)),
    "AtomicInt.wait_until_async": of(lambda: fl.AtomicInt().wait_until_async(bool)),
    "AtomicRef.wait_until_async": of(lambda: fl.AtomicRef(None).wait_until_async(bool)),
    "Condvar.wait_async": lambda: notified("wait_async"),
    "Condvar.wait_while_async": lambda: notified("wait_while_async", lambda value: value == 0),
}
LOCKS: dict[str, Recipe] = {
    "Mutex.lock_async": of(lambda: locked(fl.Mutex(0).lock_async())),
    "RwLock.read_async": of(lambda: locked(fl.RwLock(0).read_async())),
    "RwLock.write_async": of(lambda: locked(fl.RwLock(0).write_async())),
    "RwLock.upgradable_async": of(lambda: locked(fl.RwLock(0).upgradable_async())),
    "UpgradableGuard.upgrade_async": of(upgrade),
}
# They wait for another that initializes; who comes first makes the value himself.
INITIALIZE = ("Once.call_async", "Lazy.get_async", "OnceCell.get_or_init_async")


def test_every_async_call_has_a_recipe() -> None:
    """A new one cannot be forgotten here."""
    assert async_callables() == {*POINTS, *LOCKS, *INITIALIZE}


@pytest.mark.parametrize("name", POINTS)
def test_a_waiting_call_is_woken_and_one_in_a_cancelled_scope_does_not_begin(run: Run, name: str) -> None:
    """Level-triggered, and nothing has been done; see the end of each recipe."""
    scopes, outcomes = list[fl.Scope](), list[str]()

    async def wait(call: Call) -> None:
        async with fl.scope() as scope:
            scopes.append(scope)
            for _ in range(2):
                with pytest.raises(fl.Cancelled):
                    await call()
                outcomes.append("cancelled")

    async def cancel() -> None:
        await until_async(run, lambda: scopes)
        for _ in range(3):
            await turn(run)
        assert not outcomes, "it did not wait"
        scopes[0].cancel()

    with POINTS[name]() as call:
        run(lambda: gather(run, lambda: wait(call), cancel))

    assert outcomes == ["cancelled"] * 2


@pytest.mark.parametrize("name", LOCKS)
def test_locks_are_no_cancellation_points(run: Run, name: str) -> None:
    """So that `finally` can clean up."""
    outcomes = list[str]()

    async def main() -> None:
        async with fl.scope() as scope:
            scope.cancel()
            with LOCKS[name]() as call:
                outcomes.append(await call())

    run(main)
    assert outcomes == ["locked"]


@pytest.mark.parametrize("name", INITIALIZE)
def test_who_waits_for_another_that_initializes_is_woken(run: Run, name: str) -> None:
    """The other goes on, and its value is there."""
    once, lazy_calls, cell = fl.Once(), fl.Event(), fl.OnceCell[int]()
    scopes, outcomes = list[fl.Scope](), list[str]()

    async def make() -> int:
        await lazy_calls.wait_async()
        return 7

    lazy = fl.Lazy(make)
    calls: dict[str, Call] = {
        "Once.call_async": lambda: once.call_async(make),
        "Lazy.get_async": lazy.get_async,
        "OnceCell.get_or_init_async": lambda: cell.get_or_init_async(make),
    }

    async def first() -> None:
        await calls[name]()
        outcomes.append("made")

    async def second() -> None:
        await turn(run)
        async with fl.scope() as scope:
            scopes.append(scope)
            try:
                await calls[name]()
            finally:
                outcomes.append("cancelled" if scope.cancelled else "went on")

    async def cancel() -> None:
        await until_async(run, lambda: scopes)
        for _ in range(3):
            await turn(run)
        scopes[0].cancel()
        await until_async(run, lambda: outcomes)
        lazy_calls.set()

    run(lambda: gather(run, first, second, cancel))
    assert outcomes == ["cancelled", "made"]
