"""`Barrier` for tasks: who meets whom, and what a cancelled task leaves.

Not here: threads (`test_barrier.py`).
"""

import asyncio

import pytest
import trio

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.loops import Main, Run, gather, run_asyncio, run_trio, turn, until_async
from tests.support.until import BOUND, until

BUILDS = pytest.mark.guarantee("barrier", "both builds")
ASYNC = pytest.mark.guarantee("barrier", "async")


def breaks(barrier: fl.Barrier) -> None:
    """Wait at a barrier that somebody breaks meanwhile."""
    with pytest.raises(fl.BrokenBarrierError):
        barrier.wait()


def meet(run: Run, barrier: fl.Barrier, places: list[int], times: int) -> Main:
    """A task that meets the others so many times."""

    async def party() -> None:
        for _ in range(times):
            places.append(await barrier.wait_async())
            await turn(run)

    return party


@ASYNC
class TestTasks:
    def test_tasks_meet(self, run: Run) -> None:
        """Meeting after meeting."""
        places: list[int] = []
        calls: list[int] = []
        barrier = fl.Barrier(3, lambda: calls.append(1))

        run(lambda: gather(run, *[meet(run, barrier, places, 20)] * 3))

        assert sorted(places) == sorted([0, 1, 2] * 20)
        assert (len(calls), barrier.n_waiting) == (20, 0)

    @BUILDS
    def test_two_loops_and_two_threads_meet(self, spawn: Spawn) -> None:
        """One barrier for tasks of both libraries and for threads."""
        barrier = fl.Barrier(4)
        places: list[int] = []

        def in_loop(run: Run) -> None:
            run(meet(run, barrier, places, 50))

        def in_thread() -> None:
            places.extend(barrier.wait(BOUND) for _ in range(50))

        threads = [spawn(in_loop, run_asyncio), spawn(in_loop, run_trio), spawn(in_thread), spawn(in_thread)]
        for thread in threads:
            thread.join(BOUND)

        assert sorted(places) == sorted([0, 1, 2, 3] * 50)
        assert barrier.stats() == {"passed": 50, "waiting": 0}

    @pytest.mark.guarantee("barrier", "cancel")
    def test_a_cancelled_task_breaks_the_barrier(self, spawn: Spawn) -> None:
        """In asyncio and trio; the thread that waits is told."""
        barrier = fl.Barrier(3)

        async def in_asyncio() -> None:
            task = asyncio.ensure_future(barrier.wait_async())
            await until_async(run_asyncio, lambda: barrier.n_waiting == 2)
            task.cancel()
            await asyncio.wait([task])

        async def in_trio() -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(barrier.wait_async)
                while barrier.n_waiting != 2:
                    await turn(run_trio)
                nursery.cancel_scope.cancel()

        library: Run
        for library, main in ((run_asyncio, in_asyncio), (run_trio, in_trio)):
            blocked = spawn(breaks, barrier)
            until(lambda: barrier.n_waiting == 1)
            library(main)
            blocked.join()
            assert (barrier.broken, barrier.n_waiting) == (True, 0)
            barrier.reset()

    def test_a_task_that_is_cancelled_after_all_have_come_breaks_nothing(self) -> None:
        """Its wake-up was on the way."""
        barrier = fl.Barrier(2)

        async def main() -> None:
            task = asyncio.ensure_future(barrier.wait_async())
            await until_async(run_asyncio, lambda: barrier.n_waiting == 1)
            assert barrier.wait(0) == 1
            task.cancel()
            await asyncio.wait([task])

        run_asyncio(main)

        assert (barrier.broken, barrier.stats()["passed"]) == (False, 1)

    def test_a_task_is_told_that_it_is_broken(self, run: Run) -> None:
        """By an abort, and when it comes later."""
        barrier = fl.Barrier(3)

        async def party() -> None:
            for _ in range(2):
                with pytest.raises(fl.BrokenBarrierError, match=r"^wait_async: the barrier is broken"):
                    await barrier.wait_async()

        async def abort() -> None:
            while barrier.n_waiting != 2:
                await turn(run)
            barrier.abort()

        run(lambda: gather(run, party, party, abort))

    def test_an_action_that_fails_in_a_task(self, run: Run) -> None:
        """Its error comes to the task that came last."""
        barrier = fl.Barrier(2, lambda: 1 // 0)
        outcomes: list[str] = []

        async def party() -> None:
            try:
                await barrier.wait_async()
            except (ZeroDivisionError, fl.BrokenBarrierError) as error:
                outcomes.append(type(error).__name__)

        run(lambda: gather(run, party, party))

        assert sorted(outcomes) == ["BrokenBarrierError", "ZeroDivisionError"]
