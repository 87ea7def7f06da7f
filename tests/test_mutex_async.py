"""A mutex for tasks: who holds it, who may use its guard, and what a cancelled task leaves.

Not here: threads (`test_mutex.py`), and what a guard forwards (`test_guard.py`).
"""

import asyncio
import gc
import weakref
from typing import Any

import pytest
import trio

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.loops import Main, Run, gather, run_asyncio, run_trio, turn, until_async
from tests.support.until import BOUND, until

pytestmark = pytest.mark.guarantee("mutex", "async")


async def until_waiting(run: Run, mutex: fl.Mutex[Any], count: int = 1) -> None:
    """Give way until so many are enqueued."""
    while mutex.stats()["waiting"] != count:
        await turn(run)


def add_slowly(run: Run, mutex: fl.Mutex[int], times: int) -> Main:
    """A task that reads, gives way and writes, which loses an addition unless the lock holds."""

    async def add() -> None:
        for _ in range(times):
            async with mutex.lock_async() as guard:
                before = guard.value
                await turn(run)
                guard.value = before + 1

    return add


class TestHolding:
    def test_tasks_take_turns(self, run: Run) -> None:
        """A section that gives way in its middle is still alone."""
        mutex = fl.Mutex(0)

        run(lambda: gather(run, *[add_slowly(run, mutex, 20)] * 5))

        assert mutex.copy() == 100

    @pytest.mark.guarantee("mutex", "both builds")
    def test_two_loops_and_two_threads_take_turns(self, spawn: Spawn) -> None:
        """One lock for tasks of both libraries and for threads; each addition counts."""
        mutex = fl.Mutex(0)

        def in_thread() -> None:
            for _ in range(200):
                with mutex as guard:
                    guard.value += 1

        def in_loop(run: Run) -> None:
            run(lambda: gather(run, *[add_slowly(run, mutex, 40)] * 3))

        loops = [spawn(in_loop, run) for run in (run_asyncio, run_trio)]
        for thread in [*loops, spawn(in_thread), spawn(in_thread)]:
            thread.join(BOUND)

        assert mutex.copy() == 2 * 3 * 40 + 2 * 200

    def test_an_awaited_guard_can_be_kept_and_released(self, run: Run) -> None:
        """As that of `lock`, for when no block fits."""
        mutex = fl.Mutex("value")

        async def main() -> None:
            guard = await mutex.lock_async()
            assert (guard.value, mutex.locked()) == ("value", True)
            guard.release()
            assert not mutex.locked()

        run(main)

    def test_a_block_without_a_name_holds_the_lock(self, run: Run) -> None:
        """Though nothing refers to the guard."""
        mutex = fl.Mutex(0)

        async def main() -> None:
            async with mutex.lock_async():
                gc.collect()
                assert mutex.locked()
            assert not mutex.locked()

        run(main)

    def test_a_thread_behind_a_task_that_does_not_run_gets_the_lock(self, spawn: Spawn) -> None:
        """The task was told first, but its loop is busy; the lock is not kept for it."""
        mutex = fl.Mutex(0)

        async def main() -> None:
            guard = await mutex.lock_async()
            task = asyncio.create_task(add_slowly(run_asyncio, mutex, 1)())
            await until_waiting(run_asyncio, mutex)
            thread = spawn(mutex.replace, 5)
            until(lambda: mutex.stats()["waiting"] == 2)
            guard.release()
            thread.join(BOUND)  # the loop stands still
            await task

        run_asyncio(main)

        assert mutex.copy() == 6


class TestMisuse:
    def test_a_task_that_locks_what_it_holds_is_told(self, run: Run) -> None:
        """It would wait for itself; so would its thread, and a task for its thread."""
        mutex = fl.Mutex(0)

        async def main() -> None:
            async with mutex.lock_async():
                with pytest.raises(fl.DeadlockError, match="lock_async: a task of this thread"):
                    await mutex.lock_async()
                with pytest.raises(fl.DeadlockError, match="lock: a task of this thread"):
                    mutex.lock()
            with mutex, pytest.raises(fl.DeadlockError, match="lock_async: this thread holds"):
                await mutex.lock_async()

        run(main)

    def test_another_task_and_another_thread_cannot_use_a_guard(self, run: Run, spawn: Spawn) -> None:
        """Though the task runs on the same thread."""
        mutex = fl.Mutex([1])

        async def main() -> None:
            async with mutex.lock_async() as guard:

                async def other() -> None:
                    with pytest.raises(fl.GuardReleased, match="only the thread or task"):
                        guard.value.append(2)

                await gather(run, other)
                with pytest.raises(fl.GuardReleased, match="only the thread or task"):
                    spawn(lambda: guard[0]).join(BOUND)
                assert guard[0] == 1

        run(main)

    def test_it_has_to_be_awaited_in_a_task(self) -> None:
        """There is nobody to hold the lock."""
        mutex = fl.Mutex(0)
        step: Any = mutex.lock_async().__await__()

        with pytest.raises(RuntimeError, match="lock_async has to be awaited in a task"):
            step.send(None)

        assert not mutex.locked()

    def test_an_error_that_leaves_a_block_poisons(self, run: Run) -> None:
        """As that of `with`; a later task is told, and can look inside."""
        mutex = fl.Mutex(0, poison=True)

        async def main() -> None:
            with pytest.raises(ZeroDivisionError):
                async with mutex.lock_async():
                    raise ZeroDivisionError
            with pytest.raises(fl.PoisonError, match="ZeroDivisionError"):
                await mutex.lock_async()
            async with mutex.lock_async(poisoned=True) as guard:
                assert guard.value == 0
            assert not mutex.locked()

        run(main)


class TestCancel:
    @pytest.mark.guarantee("mutex", "cancel")
    def test_a_cancelled_task_leaves_the_queue(self) -> None:
        """The lock goes to the one behind it."""
        mutex = fl.Mutex(0)

        async def main() -> None:
            async with mutex.lock_async():
                first = asyncio.create_task(add_slowly(run_asyncio, mutex, 1)())
                await until_waiting(run_asyncio, mutex, 1)
                second = asyncio.create_task(add_slowly(run_asyncio, mutex, 1)())
                await until_waiting(run_asyncio, mutex, 2)
                first.cancel()
                await until_waiting(run_asyncio, mutex, 1)
            await second

        run_asyncio(main)

        assert mutex.copy() == 1
        assert not mutex.locked()

    def test_a_task_that_is_cancelled_in_the_turn_of_its_wake_up_passes_it_on(self) -> None:
        """It was told that the lock is free, and never tries."""
        mutex = fl.Mutex(0)

        async def main() -> None:
            guard = await mutex.lock_async()
            first = asyncio.create_task(add_slowly(run_asyncio, mutex, 1)())
            await until_waiting(run_asyncio, mutex, 1)
            second = asyncio.create_task(add_slowly(run_asyncio, mutex, 1)())
            await until_waiting(run_asyncio, mutex, 2)
            guard.release()
            first.cancel()
            await second
            assert first.cancelled()

        run_asyncio(main)

        assert mutex.copy() == 1

    def test_a_trio_scope_ends_the_wait(self) -> None:
        """And the lock is untouched."""
        mutex = fl.Mutex(0)

        async def main() -> None:
            async with mutex.lock_async(), trio.open_nursery() as nursery:
                nursery.start_soon(add_slowly(run_trio, mutex, 1))
                await until_waiting(run_trio, mutex)
                nursery.cancel_scope.cancel()
            assert mutex.stats()["waiting"] == 0

        run_trio(main)

        assert mutex.copy() == 0


class TestCollection:
    @pytest.mark.guarantee("mutex", "GC")
    def test_a_waiting_task_lives_as_long_as_its_mutex(self) -> None:
        """Only the mutex refers to it; once nobody refers to the mutex both are collected."""

        async def main() -> Any:
            mutex = fl.Mutex(0)
            guard = await mutex.lock_async()
            task = asyncio.create_task(add_slowly(run_asyncio, mutex, 1)())
            await until_waiting(run_asyncio, mutex)
            seen = weakref.ref(task)
            del task
            gc.collect()
            assert seen() is not None
            guard.release()
            await until_async(run_asyncio, lambda: not mutex.locked() and mutex.stats()["acquired"] == 2)
            return seen

        seen = run_asyncio(main)
        until(lambda: gc.collect() is not None and seen() is None)
