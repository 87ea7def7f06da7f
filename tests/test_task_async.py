"""`await task`: the outcome, whom a cancellation reaches, and what stays alive meanwhile.

Not here: threads that wait (`test_task.py`), and `asyncio.wrap_future`, which is there, too.
"""

import asyncio
import concurrent.futures as cf
import gc
import threading
import weakref
from typing import Any

import pytest
import trio

import fearless as fl
from tests.support.blocking import Gate
from tests.support.loops import Run, gather, run_asyncio, run_trio, turn, until_async
from tests.support.until import BOUND, until

pytestmark = pytest.mark.guarantee("task", "async")


async def outcome(task: "fl.Task[Any]") -> Any:
    """Await it, as a coroutine that a task of asyncio can be made of."""
    return await task


def fail(error: BaseException) -> None:
    """Raise what is given."""
    raise error


def test_many_wait_for_one_task(run: Run) -> None:
    """Those that come before the end and those that come after it; threads end it."""
    gate, seen = Gate(), list[object]()

    def work() -> str:
        gate()
        return "done"

    with fl.ThreadPool(1) as pool:
        task = pool.submit(work)

        async def one() -> None:
            seen.append(await task)

        async def opener() -> None:
            await until_async(run, gate.entered.is_set)
            await turn(run)
            gate.open.set()

        async def main() -> None:
            await gather(run, one, one, opener, one)
            assert await task == "done"

        run(main)
    assert seen == ["done"] * 3


def test_what_a_task_ends_with_is_raised(run: Run) -> None:
    """Its error, its cancellation; an end of iteration is no result; a task set by hand is awaited, too."""

    async def main() -> None:
        with pytest.raises(ValueError, match="no"):
            await fl.spawn(fail, ValueError("no"))
        with pytest.raises(RuntimeError, match="the task raised StopIteration") as caught:
            await fl.spawn(fail, StopIteration(3))
        assert isinstance(caught.value.__cause__, StopIteration)
        made: fl.Task[int] = fl.Task()
        assert made.cancel()
        with pytest.raises(cf.CancelledError):
            await made
        watched: fl.Task[int] = fl.Task()
        assert not cf.wait([watched], 0).done  # shared from now on
        await gather(run, lambda: outcome(watched), lambda: asyncio_or_trio_set(run, watched))

    run(main)


async def asyncio_or_trio_set(run: Run, task: "fl.Task[int]") -> None:
    """End the task after others have had a turn."""
    await turn(run)
    task.set_result(3)


def test_a_coroutine_that_is_cancelled_leaves_the_task_alone() -> None:
    """In both libraries; others that wait for it have its result."""
    gate = Gate()
    task = fl.spawn(gate)
    until(gate.entered.is_set, "the task running")

    async def in_asyncio() -> None:
        waiting = asyncio.create_task(outcome(task))
        await turn(run_asyncio)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    async def in_trio() -> None:
        with trio.move_on_after(0) as scope:
            await task
        assert scope.cancelled_caught

    run_asyncio(in_asyncio)
    run_trio(in_trio)
    assert task.running()
    gate.open.set()

    run_asyncio(lambda: outcome(task))
    assert task.done()


def test_a_task_that_awaits_itself_is_refused() -> None:
    """Its loop would run for ever."""
    made = threading.Event()

    async def wait() -> None:
        made.wait(BOUND)
        await me

    me = fl.spawn(run_asyncio, wait)
    made.set()
    with pytest.raises(fl.DeadlockError, match=r"^await: this thread is running the task itself"):
        me.result()


@pytest.mark.guarantee("task", "GC")
def test_a_coroutine_lives_as_long_as_the_task_and_is_collected_with_it() -> None:
    """Though the loop holds it weakly."""

    class Thing:
        pass

    async def main() -> None:
        for ends in (True, False):
            task: fl.Task[int] = fl.Task()
            thing = Thing()
            watch = weakref.ref(thing)
            done: list[int] = []

            async def wait(task: "fl.Task[int]" = task, thing: Thing = thing, done: list[int] = done) -> None:
                done.append(await task)
                del thing

            asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # of the one that is destroyed
            asyncio.ensure_future(wait())  # noqa: RUF006 - that is the point
            del wait, thing
            await turn(run_asyncio)
            gc.collect()
            assert watch() is not None
            if ends:
                task.set_result(3)
                await until_async(run_asyncio, lambda done=done: done == [3])  # type: ignore[misc]
            del task
            await until_async(run_asyncio, lambda watch=watch: gc.collect() >= 0 and watch() is None)  # type: ignore[misc]

    run_asyncio(main)
