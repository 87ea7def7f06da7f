"""`submit_async`, and submitting on the thread of an event loop.

Not here: awaiting the task (`test_task_async.py`), and threads that wait for room (`test_thread_pool.py`).
"""

import asyncio
import inspect
from collections.abc import Iterator

import pytest

import fearless as fl
from tests.support.blocking import Gate
from tests.support.loops import Run, gather, run_asyncio, turn, until_async
from tests.support.pools import blocked_submitters
from tests.support.until import BOUND, until

pytestmark = pytest.mark.guarantee("thread_pool", "async")


@pytest.fixture
def full(gate: Gate) -> Iterator[fl.ThreadPool]:
    """Make a pool whose worker is in the gate, and whose backlog is full."""
    with fl.ThreadPool(1, backlog=1) as pool:
        pool.submit(gate)
        assert gate.entered.wait(BOUND)
        pool.submit(int)
        yield pool
        gate.open.set()


async def until_blocked(run: Run, pool: fl.ThreadPool, count: int) -> None:
    """Give way until so many wait for room."""
    await until_async(run, lambda: blocked_submitters(pool) == count)


def test_it_waits_for_room_and_all_come_in(full: fl.ThreadPool, gate: Gate, run: Run) -> None:
    """More coroutines than there is room, and a thread among them; one at a time where the backlog is 0."""
    results: list[int] = []

    async def submit() -> None:
        task = await full.submit_async(pow, 2, exp=5)
        results.append(await task)

    async def main() -> None:
        async def opener() -> None:
            await until_blocked(run, full, 5)
            thread = fl.spawn(lambda: full.submit(pow, 2, 5))
            await until_blocked(run, full, 6)
            assert results == []
            gate.open.set()
            results.append(await (await thread))

        await gather(run, *[submit] * 5, opener)

    run(main)
    assert results == [32] * 6
    with fl.ThreadPool(1, backlog=0) as other:

        async def again() -> None:
            for _ in range(20):
                assert await (await other.submit_async(abs, -1)) == 1

        async def both() -> None:
            await gather(run, again, again, again)

        run(both)


def test_a_cancelled_one_has_submitted_nothing_and_lets_others_in(full: fl.ThreadPool, gate: Gate) -> None:
    """Also in the turn in which it was told of room; what was moved into it is closed."""
    ran: list[str] = []
    tx, rx = fl.channel(1)

    async def submit(name: str, *rest: object) -> None:
        await full.submit_async(lambda *_: ran.append(name), *rest)

    async def main() -> None:
        fickle = asyncio.create_task(submit("fickle", tx.move()))
        await until_blocked(run_asyncio, full, 1)
        patient = asyncio.create_task(submit("patient"))
        await until_blocked(run_asyncio, full, 2)
        gate.open.set()
        until(lambda: full._queue.promised > 0, "a promise")  # the loop stands still
        fickle.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fickle
        await patient

    run_asyncio(main)
    full.shutdown()
    assert ran == ["patient"]
    assert list(rx) == []
    rx.close()


def test_shutting_down_refuses_those_that_wait(full: fl.ThreadPool, run: Run) -> None:
    """And those that come after it."""

    async def submit() -> None:
        with pytest.raises(RuntimeError, match="the pool is shut down"):
            await full.submit_async(int)

    async def close() -> None:
        await until_blocked(run, full, 2)
        full.shutdown(wait=False)

    async def main() -> None:
        await gather(run, submit, submit, close)
        await submit()

    run(main)


def test_a_worker_is_let_in_over_the_bound(full: fl.ThreadPool, gate: Gate) -> None:
    """A loop that runs on it would wait for itself."""

    async def main() -> "list[fl.Task[int]]":
        return [await full.submit_async(abs, -number) for number in range(9)]

    gate.open.set()
    tasks = full.submit(run_asyncio, main).result(BOUND)
    assert [task.result(BOUND) for task in tasks] == list(range(9))


def test_submit_on_the_thread_of_a_loop_does_not_wait(full: fl.ThreadPool, run: Run) -> None:
    """It says what to await; a worker's call, and one for which there is room, go ahead."""

    async def main() -> None:
        with pytest.raises(fl.Full, match=r"^submit: the backlog is full, .*; await pool.submit_async\(...\)$"):
            full.submit(int)
        await turn(run)

    run(main)


def test_a_call_that_is_never_awaited_does_nothing() -> None:
    """It is a coroutine's."""
    with fl.ThreadPool(1) as pool:
        call = pool.submit_async(int)
        assert inspect.isawaitable(call)
        del call
        assert "0 of 1 workers busy, 0 queued" in repr(pool)
        with pytest.raises(TypeError, match="fn must be callable, got 3"):
            pool.submit_async(3)  # type: ignore[arg-type,unused-coroutine]  # that is the point
