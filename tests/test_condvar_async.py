"""Condition variables for tasks: who is told, and what a cancelled task leaves.

Not here: threads (`test_condvar.py`).
"""

import asyncio
import gc
import weakref
from collections import Counter

import pytest
import trio

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.loops import Run, gather, run_asyncio, run_trio, turn, until_async
from tests.support.until import BOUND, until, waiting


@pytest.mark.guarantee("condvar", "async")
class TestTasks:
    def test_items_go_between_tasks(self, run: Run, mutex: fl.Mutex[list[int]], condvar: fl.Condvar) -> None:
        """A task that waits lets the others take the lock."""
        got: list[int] = []

        async def take() -> None:
            for _ in range(50):
                async with mutex.lock_async() as guard:
                    await condvar.wait_while_async(guard, lambda items: not items)
                    got.append(guard.value.pop())

        async def put() -> None:
            for number in range(100):
                async with mutex.lock_async() as guard:
                    guard.value.append(number)
                    condvar.notify_one()

        run(lambda: gather(run, take, put, take))

        assert Counter(got) == Counter(range(100))
        assert not mutex.locked()

    def test_a_thread_tells_a_task(
        self, run: Run, mutex: fl.Mutex[list[int]], condvar: fl.Condvar, spawn: Spawn
    ) -> None:
        """And the task holds the lock when it goes on."""

        def put() -> None:
            until(lambda: waiting(condvar) == 1)
            with mutex as guard:
                guard.value.append(7)
                condvar.notify_one()

        async def main() -> list[int]:
            async with mutex.lock_async() as guard:
                await condvar.wait_async(guard)
                return list(guard.value)

        thread = spawn(put)
        assert run(main) == [7]
        thread.join(BOUND)

    @pytest.mark.guarantee("condvar", "cancel")
    def test_a_cancelled_task_holds_the_lock_again(self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar) -> None:
        """Even if it has to wait for that, however often it is cancelled."""
        seen = []

        async def wait() -> None:
            async with mutex.lock_async() as guard:
                try:
                    await condvar.wait_async(guard)
                finally:
                    seen.append(guard.value == [])

        async def main() -> None:
            task = asyncio.create_task(wait())
            await until_async(run_asyncio, lambda: waiting(condvar) == 1)
            async with mutex.lock_async():
                task.cancel()
                await until_async(run_asyncio, lambda: mutex.stats()["waiting"] == 1)
                task.cancel()
                await turn(run_asyncio)
                assert not task.done()
            with pytest.raises(asyncio.CancelledError):
                await task

        run_asyncio(main)

        assert seen == [True]
        assert not mutex.locked()

    def test_a_cancelled_task_of_trio_holds_the_lock_again(
        self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar
    ) -> None:
        """And its scope ends."""
        seen = []

        async def wait() -> None:
            async with mutex.lock_async() as guard:
                try:
                    await condvar.wait_async(guard)
                finally:
                    seen.append(guard.value == [])

        async def main() -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(wait)
                while waiting(condvar) != 1:
                    await turn(run_trio)
                nursery.cancel_scope.cancel()

        run_trio(main)

        assert seen == [True]
        assert not mutex.locked()

    def test_a_task_that_is_cancelled_with_a_notification_passes_it_on(
        self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar
    ) -> None:
        """The next in the queue goes on."""
        told = []

        async def wait(name: str) -> None:
            async with mutex.lock_async() as guard:
                await condvar.wait_async(guard)
                told.append(name)

        async def main() -> None:
            first = asyncio.create_task(wait("first"))
            await until_async(run_asyncio, lambda: waiting(condvar) == 1)
            second = asyncio.create_task(wait("second"))
            await until_async(run_asyncio, lambda: waiting(condvar) == 2)
            condvar.notify_one()
            first.cancel()
            await second

        run_asyncio(main)

        assert told == ["second"]

    def test_the_kinds_of_guards_are_not_mixed_up(self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar) -> None:
        """A thread must not sleep for its task; a task has to own what it waits with."""

        async def main() -> None:
            async with mutex.lock_async() as guard:
                with pytest.raises(TypeError, match="await wait_async"):
                    condvar.wait(guard)
            with pytest.raises(fl.GuardReleased):
                await condvar.wait_async(guard)

        run_asyncio(main)
        assert not mutex.locked()

    @pytest.mark.guarantee("condvar", "GC")
    def test_a_task_whose_condvar_nobody_can_reach_is_collected(self) -> None:
        """Nobody can notify it any more."""

        async def main() -> "weakref.ref[asyncio.Task[None]]":
            mutex, condvar = fl.Mutex(0), fl.Condvar()

            async def wait() -> None:
                async with mutex.lock_async() as guard:
                    await condvar.wait_async(guard)

            task = asyncio.create_task(wait())
            await until_async(run_asyncio, lambda: waiting(condvar) == 1)
            seen = weakref.ref(task)
            del task
            gc.collect()
            assert seen() is not None
            return seen

        with asyncio.Runner() as runner:
            runner.get_loop().set_exception_handler(lambda *_: None)  # that the task was still pending
            seen = runner.run(main())
            until(lambda: gc.collect() is not None and seen() is None)
