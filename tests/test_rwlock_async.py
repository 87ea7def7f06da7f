"""A rwlock for tasks: who holds it, who comes first, and what a cancelled task leaves.

Not here: threads (`test_rwlock.py`), and what a guard forwards (`test_rwlock_guards.py`).
"""

import asyncio
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import trio

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.loops import Main, Run, gather, run_asyncio, run_trio, turn, until_async
from tests.support.until import BOUND, until, waiting

pytestmark = pytest.mark.guarantee("rwlock", "async")


async def until_waiting(run: Run, rw: "fl.RwLock[Any]", count: int = 1) -> None:
    """Give way until so many are enqueued."""
    await until_async(run, lambda: waiting(rw) == count)


def add_slowly(run: Run, rw: "fl.RwLock[int]", times: int = 1) -> Main:
    """A task that reads, gives way and writes, which loses an addition unless it is alone."""

    async def add() -> None:
        for _ in range(times):
            async with rw.write_async() as guard:
                before = guard.value
                await turn(run)
                guard.value = before + 1

    return add


def upgrade_slowly(run: Run, rw: "fl.RwLock[int]", times: int = 1) -> Main:
    """The same, by an upgrade."""

    async def add() -> None:
        for _ in range(times):
            async with rw.upgradable_async() as guard:
                before = guard.value
                await turn(run)
                async with guard.upgrade_async() as writer:
                    await turn(run)
                    writer.value = before + 1

    return add


def look_twice(run: Run, rw: "fl.RwLock[int]", times: int = 1) -> Main:
    """A task that reads twice and finds the same."""

    async def look() -> None:
        for _ in range(times):
            async with rw.read_async() as guard:
                before = guard.value
                await turn(run)
                assert guard.value == before

    return look


class TestHolding:
    def test_writers_are_alone_and_readers_see_no_change(self, run: Run) -> None:
        """Though each section gives way in its middle."""
        rw = fl.RwLock(0)
        writers = [add_slowly(run, rw, 20)] * 3 + [upgrade_slowly(run, rw, 20)] * 2

        run(lambda: gather(run, *writers, *[look_twice(run, rw, 20)] * 4))

        assert rw.copy() == 100
        assert (rw.locked(), waiting(rw)) == (False, 0)

    def test_readers_read_at_the_same_time(self, run: Run) -> None:
        """Each stays in its block until all are in theirs."""
        rw = fl.RwLock("value")

        async def read() -> None:
            async with rw.read_async() as guard:
                await until_async(run, lambda: rw.stats()["reads"] == 3)
                assert guard.value == "value"

        run(lambda: gather(run, read, read, read))

    @pytest.mark.guarantee("rwlock", "both builds")
    def test_two_loops_and_two_threads_take_turns(self, spawn: Spawn) -> None:
        """One lock for tasks of both libraries and for threads; each addition counts."""
        rw = fl.RwLock(0)

        def in_thread() -> None:
            for _ in range(200):
                with rw.write() as guard:
                    guard.value += 1
                rw.read_with(abs)

        def in_loop(run: Run) -> None:
            tasks = [add_slowly(run, rw, 40), upgrade_slowly(run, rw, 40), look_twice(run, rw, 40)]
            run(lambda: gather(run, *tasks))

        loops = [spawn(in_loop, run) for run in (run_asyncio, run_trio)]
        for thread in [*loops, spawn(in_thread), spawn(in_thread)]:
            thread.join(BOUND)

        assert rw.copy() == 2 * 2 * 40 + 2 * 200

    @pytest.mark.parametrize("how", ["read_async", "upgradable_async", "write_async"])
    def test_an_awaited_guard_can_be_kept_and_released(self, run: Run, how: str) -> None:
        """As that of a thread, for when no block fits."""
        rw = fl.RwLock("value")

        async def main() -> None:
            guard = await getattr(rw, how)()
            assert (guard.value, rw.locked()) == ("value", True)
            guard.release()
            with pytest.raises(fl.GuardReleased):
                guard.value  # noqa: B018 - the read raises
            assert not rw.locked()

        run(main)

    @pytest.mark.parametrize("how", ["read_async", "upgradable_async", "write_async"])
    def test_a_block_without_a_name_holds_the_lock(self, run: Run, how: str) -> None:
        """Though nothing of the program refers to the guard; it is dead at the end."""
        rw = fl.RwLock(0)

        async def main() -> None:
            async with getattr(rw, how)():
                gc.collect()
                assert rw.locked()
            assert not rw.locked()
            async with getattr(rw, how)() as guard:
                pass
            with pytest.raises(fl.GuardReleased):
                guard.value  # noqa: B018 - the read raises

        run(main)

    @pytest.mark.parametrize("how", ["read", "write"])
    def test_a_thread_behind_tasks_that_do_not_run_gets_the_lock(self, how: str, spawn: Spawn) -> None:
        """They were told first, but their loop is busy; the lock is not kept for them."""
        rw = fl.RwLock(0)

        async def main() -> None:
            guard = await rw.write_async()
            tasks = [asyncio.create_task(task(run_asyncio, rw)()) for task in (add_slowly, look_twice, add_slowly)]
            await until_waiting(run_asyncio, rw, 3)
            thread = spawn(rw.replace, 5) if how == "write" else spawn(rw.copy)
            until(lambda: waiting(rw) == 4)
            guard.release()
            thread.join(BOUND)  # the loop stands still
            await asyncio.gather(*tasks)

        run_asyncio(main)

        assert rw.copy() == (7 if how == "write" else 2)


class TestTurns:
    def test_a_reader_queues_behind_a_writer_that_waits(self, run: Run) -> None:
        """Also when the lock is free and the writer has not run yet: a task passes no other by."""
        rw = fl.RwLock(0)
        order: list[str] = []

        async def write() -> None:
            async with rw.write_async():
                order.append("write")

        async def read() -> None:
            async with rw.read_async():
                order.append("read")

        async def main() -> None:
            guard = await rw.read_async()

            async def then() -> None:
                await until_waiting(run, rw)
                guard.release()
                await read()

            await gather(run, write, then)

        run(main)

        assert order == ["write", "read"]

    def test_a_cancelled_writer_lets_the_readers_behind_it_in(self) -> None:
        """Though the reader before it stays."""
        rw = fl.RwLock(0)

        async def main() -> None:
            async with rw.read_async():
                writer = asyncio.create_task(add_slowly(run_asyncio, rw)())
                await until_waiting(run_asyncio, rw)
                reader = asyncio.create_task(look_twice(run_asyncio, rw)())
                await until_waiting(run_asyncio, rw, 2)
                writer.cancel()
                await reader

        run_asyncio(main)

        assert (rw.copy(), waiting(rw)) == (0, 0)


class TestMisuse:
    def test_a_task_that_takes_what_it_holds_is_told(self, run: Run) -> None:
        """It would wait for itself; so would its thread, and a task for its thread."""
        rw = fl.RwLock(0)

        async def main() -> None:
            async with rw.read_async() as guard:
                for again in (rw.read_async, rw.write_async, rw.upgradable_async):
                    with pytest.raises(fl.DeadlockError, match=f"^{again.__name__}: this task, or another on its"):
                        await again()
                with pytest.raises(fl.DeadlockError, match="read: this thread"):
                    rw.read()
                with guard.clone() as second:
                    assert second.value == 0
            with rw.read(), pytest.raises(fl.DeadlockError):
                await rw.read_async()

        run(main)

    def test_an_upgrade_that_would_stop_the_loop_is_a_deadlock(self, run: Run) -> None:
        """Another task of the thread reads, and could not go on; to await the upgrade is fine."""
        rw = fl.RwLock(0)

        async def main() -> None:
            reader = await rw.read_async()

            async def upgrade() -> None:
                async with rw.upgradable_async() as guard:
                    with pytest.raises(fl.DeadlockError, match="upgrade: "):
                        guard.upgrade()
                    reader.release()
                    async with guard.upgrade_async() as writer:
                        writer.value = 1
                    with pytest.raises(fl.GuardReleased):
                        await guard.upgrade_async()

            await gather(run, upgrade)

        run(main)

        assert rw.copy() == 1

    def test_another_task_and_another_thread_cannot_use_a_guard(self, run: Run, spawn: Spawn) -> None:
        """Though the task runs on the same thread."""
        rw = fl.RwLock([1])

        async def main() -> None:
            async with rw.upgradable_async() as guard:

                async def other() -> None:
                    with pytest.raises(fl.GuardReleased, match="only the thread or task"):
                        guard.value.append(2)
                    with pytest.raises(fl.GuardReleased, match="only the thread or task"):
                        await guard.upgrade_async()

                await gather(run, other)
                with pytest.raises(fl.GuardReleased, match="only the thread or task"):
                    spawn(lambda: guard[0]).join(BOUND)
                assert guard[0] == 1

        run(main)

    def test_it_has_to_be_awaited_in_a_task(self) -> None:
        """There is nobody to hold the lock."""
        rw = fl.RwLock(0)
        step: Any = rw.read_async().__await__()

        with pytest.raises(RuntimeError, match="read_async has to be awaited in a task"):
            step.send(None)

        assert not rw.locked()

    def test_an_error_that_leaves_a_writers_block_poisons(self, run: Run) -> None:
        """A later task is told, and can look inside."""
        rw = fl.RwLock(0, poison=True)

        async def main() -> None:
            with pytest.raises(ZeroDivisionError):
                async with rw.read_async():
                    raise ZeroDivisionError
            assert not rw.is_poisoned
            with pytest.raises(ZeroDivisionError):
                async with rw.write_async():
                    raise ZeroDivisionError
            with pytest.raises(fl.PoisonError, match="ZeroDivisionError"):
                await rw.read_async()
            async with rw.read_async(poisoned=True) as guard:
                assert guard.value == 0
            assert not rw.locked()

        run(main)


class TestCancel:
    @pytest.mark.guarantee("rwlock", "cancel")
    @pytest.mark.parametrize("wait", [add_slowly, upgrade_slowly, look_twice])
    def test_a_cancelled_task_leaves_the_queue(self, wait: Callable[..., Main]) -> None:
        """The lock goes to the one behind it, also when the cancel comes in the turn of the wake-up."""
        rw = fl.RwLock(0)

        async def main() -> None:
            for is_told in (False, True):
                guard = await rw.write_async()
                first = asyncio.create_task(wait(run_asyncio, rw)())
                await until_waiting(run_asyncio, rw, 1)
                second = asyncio.create_task(add_slowly(run_asyncio, rw)())
                await until_waiting(run_asyncio, rw, 2)
                if is_told:
                    guard.release()
                first.cancel()
                if not is_told:
                    await until_waiting(run_asyncio, rw, 1)
                    guard.release()
                await second
                assert first.cancelled()

        run_asyncio(main)

        assert (rw.copy(), rw.locked(), waiting(rw)) == (2, False, 0)

    def test_a_cancelled_upgrade_leaves_a_guard_that_reads(self) -> None:
        """And readers that it kept out come in."""
        rw = fl.RwLock(0)

        async def main() -> None:
            reader = await rw.read_async()

            async def upgrade() -> None:
                async with rw.upgradable_async() as guard:
                    with pytest.raises(asyncio.CancelledError):
                        await guard.upgrade_async()
                    assert guard.value == 0

            upgrading = asyncio.create_task(upgrade())
            await until_waiting(run_asyncio, rw)
            late = asyncio.create_task(look_twice(run_asyncio, rw)())
            await until_waiting(run_asyncio, rw, 2)
            upgrading.cancel()
            await late
            reader.release()
            await upgrading

        run_asyncio(main)

        assert (rw.stats()["writes"], rw.locked()) == (0, False)

    def test_a_trio_scope_ends_the_wait(self) -> None:
        """And the lock is untouched."""
        rw = fl.RwLock(0)

        async def main() -> None:
            async with rw.read_async(), trio.open_nursery() as nursery:
                nursery.start_soon(add_slowly(run_trio, rw))
                await until_waiting(run_trio, rw)
                nursery.cancel_scope.cancel()
            assert waiting(rw) == 0

        run_trio(main)

        assert rw.copy() == 0


class TestCollection:
    @pytest.mark.guarantee("rwlock", "GC")
    def test_a_waiting_task_lives_as_long_as_its_lock(self) -> None:
        """Only the lock refers to it; once nobody refers to the lock both are collected."""

        async def main() -> Any:
            rw = fl.RwLock(0)
            guard = await rw.read_async()
            task = asyncio.create_task(add_slowly(run_asyncio, rw)())
            await until_waiting(run_asyncio, rw)
            seen = weakref.ref(task)
            del task
            gc.collect()
            assert seen() is not None
            guard.release()
            await until_async(run_asyncio, lambda: not rw.locked() and rw.stats()["writes"] == 1)
            return seen

        seen = run_asyncio(main)
        until(lambda: gc.collect() is not None and seen() is None)
