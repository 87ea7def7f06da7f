"""`async with scope()` in asyncio and trio: joining, cancellation both ways, deadlines, what the scope reaches.

Not here: what every async call does in a cancelled scope (`tests/generic/test_blocking_async.py`).
"""

# ruff: noqa: PT012 - a scope raises when its block is left, so the block is what may raise

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
import trio

import fearless as fl
from tests.support.blocking import Gate
from tests.support.failing import fail, fail_when_cancelled, members
from tests.support.loops import Run, gather, run_asyncio, turn, until_async
from tests.support.until import BOUND, blocked_receivers

ASYNC = pytest.mark.guarantee("scope", "async")
CANCEL = pytest.mark.guarantee("scope", "cancel")
TIMEOUT = pytest.mark.guarantee("scope", "timeout")


@ASYNC
class TestJoining:
    def test_leaving_the_block_joins_threads_while_other_tasks_run(self, run: Run) -> None:
        """The loop goes on: another task lets the thread end. No thread is left."""
        gate, threads = Gate(), list[threading.Thread]()

        def work() -> str:
            threads.append(threading.current_thread())
            return gate()

        async def leave() -> None:
            async with fl.scope() as scope:
                assert fl.current_scope() is scope
                tasks = [scope.spawn(work), scope.submit(pool, gate)]
            assert [task.result(0) for task in tasks] == ["through"] * 2
            assert not any(thread.is_alive() for thread in threads)
            assert fl.current_scope() is None

        async def release() -> None:
            await until_async(run, lambda: threads and gate.entered.is_set())
            assert fl.current_scope() is None
            gate.open.set()

        async def main() -> None:
            await gather(run, leave, release)

        with fl.ThreadPool(1) as pool:
            run(main)

    @CANCEL
    def test_the_first_failure_cancels_the_block_and_the_tasks(self, run: Run) -> None:
        """The coroutine is woken in its wait, which has taken nothing."""
        error = ValueError("first")
        tx, rx = fl.channel(1)

        async def main() -> None:
            with pytest.raises(ExceptionGroup) as caught:
                async with fl.scope() as scope:
                    task = scope.spawn(rx.recv)
                    await until_async(run, lambda: blocked_receivers(rx) == 1)
                    scope.spawn(fail, error)
                    await rx.recv_async()
                    pytest.fail("the block went on")
            assert members(caught.value) == [error]
            assert task.cancelled()
            await tx.send_async("kept")
            assert await rx.recv_async() == "kept"

        run(main)
        tx.close()
        rx.close()

    def test_a_block_needs_a_task(self) -> None:
        """Outside of a loop there is none."""
        with pytest.raises(RuntimeError, match="belongs to a task of asyncio or trio; none runs here"):
            fl.scope().__aenter__().send(None)


@ASYNC
@CANCEL
class TestCancelling:
    @pytest.mark.parametrize("where", ["block", "join"])
    def test_cancelling_the_task_cancels_the_scope_and_waits_for_its_tasks(self, run: Run, where: str) -> None:
        """The library's own exception leaves bare, the failures as its context."""
        error, tasks, ended = KeyError("while cleaning up"), list[fl.Task[Any]](), list[BaseException]()
        begun, stay = threading.Event(), Gate()

        async def work() -> None:
            try:
                async with fl.scope() as scope:
                    tasks.extend([scope.spawn(fail_when_cancelled, error, begun), scope.spawn(stay)])
                    if where == "block":
                        await fl.select_async(fl.never())
            except BaseException as raised:
                ended.append(raised)
                raise

        async def cancel(again: Callable[[], object]) -> None:
            await until_async(run, lambda: begun.is_set() and stay.entered.is_set())
            again()
            await until_async(run, tasks[0].done)
            again()  # and once more, while the join goes on
            for _ in range(5):
                await turn(run)
            assert not ended
            stay.open.set()

        async def in_asyncio() -> None:
            task = asyncio.ensure_future(work())
            await cancel(task.cancel)
            with pytest.raises(asyncio.CancelledError):
                await task

        async def in_trio() -> None:
            async with trio.open_nursery() as nursery:
                limit = trio.CancelScope()

                async def limited() -> None:
                    with limit:
                        await work()

                nursery.start_soon(limited)
                await cancel(limit.cancel)

        run(in_asyncio if run is run_asyncio else in_trio)
        assert isinstance(ended[0], asyncio.CancelledError | trio.Cancelled)
        assert members(ended[0].__context__) == [error]

    def test_a_scope_is_its_tasks_alone(self, run: Run) -> None:
        """Another task of the same loop goes on; a swallowed cancellation comes again, also without a wait."""
        tx, rx = fl.channel(4)
        scopes = list[fl.Scope]()

        async def inside() -> None:
            async with fl.scope() as scope:
                scopes.append(scope)
                await until_async(run, lambda: scope.cancelled)
                for _ in range(2):
                    for call in (lambda: tx.send_async("lost"), rx.recv_async, lambda: fl.select_async(rx)):
                        with pytest.raises(fl.Cancelled):
                            await call()
                    with pytest.raises(fl.Cancelled):
                        fl.checkpoint()
                mutex = fl.Mutex(1)
                async with mutex.lock_async() as guard:
                    guard.value = 2

        async def beside() -> None:
            await until_async(run, lambda: scopes)
            scopes[0].cancel()
            fl.checkpoint()
            await tx.send_async("kept")
            assert await rx.recv_async() == "kept"

        async def main() -> None:
            await gather(run, inside, beside)

        run(main)
        tx.close()
        rx.close()

    def test_a_tree_of_threads_and_tasks(self, run: Run) -> None:
        """A task's scope in a thread's in a task's: the outermost ends all, and each passes it on."""
        tx, rx = fl.channel(1)
        left = list[str]()

        async def inner() -> None:
            async with fl.scope() as scope:
                scope.spawn(rx.recv)
                try:
                    await rx.recv_async()
                finally:
                    left.append("inner")

        def in_thread() -> None:
            try:
                run(inner)
            finally:
                left.append("thread")

        async def main() -> None:
            async with fl.scope() as scope:
                task = scope.spawn(in_thread)
                await until_async(run, lambda: blocked_receivers(rx) == 2)
                scope.cancel()
            assert task.cancelled()

        run(main)
        assert (left, blocked_receivers(rx)) == (["inner", "thread"], 0)
        tx.close()
        rx.close()

    def test_a_cancellation_in_a_group_of_the_library_is_taken_out_of_it(self, run: Run) -> None:
        """A nursery and a task group make groups of what their block raises; a failure beside it stays."""
        other = ValueError("other")

        async def main() -> None:
            async with fl.scope() as scope:
                scope.cancel()
                raise BaseExceptionGroup("made by a nursery", [self.cancelled()])
            with pytest.raises(ExceptionGroup) as caught:
                async with fl.scope() as scope:
                    scope.cancel()
                    raise BaseExceptionGroup("made by a nursery", [self.cancelled(), other])
            (rest,) = members(caught.value)
            assert members(rest) == [other]

        run(main)

    @staticmethod
    def cancelled() -> BaseException:
        """The cancellation of the scope of this task."""
        try:
            fl.checkpoint()
        except fl.Cancelled as cancelled:
            return cancelled
        raise AssertionError("the scope is not cancelled")


@ASYNC
@TIMEOUT
class TestDeadlines:
    @pytest.mark.parametrize("where", ["block", "join", "outer"])
    def test_the_time_runs_out(self, run: Run, where: str) -> None:
        """In a wait of the block, or of the join; its own or that of a scope around it."""

        async def main() -> None:
            with pytest.raises(fl.Timeout, match=r"the scope ran out of its 0\.02 s"):
                async with fl.scope(0.02) as scope, fl.scope(BOUND if where == "outer" else None) as inner:
                    task = inner.spawn(fl.sleep, 3600)
                    if where != "join":
                        await fl.select_async(fl.never())
            assert task.cancelled()
            assert scope.cancelled

        run(main)

    def test_a_shield_keeps_it_out(self, run: Run) -> None:
        """For cleaning up; afterwards it is seen again."""
        tx, rx = fl.channel(1)

        async def main() -> None:
            with pytest.raises(fl.Timeout):
                async with fl.scope(0.02):
                    with pytest.raises(fl.Cancelled):
                        await rx.recv_async()
                    async with fl.scope(shield=True):
                        await tx.send_async("kept")
                    with pytest.raises(fl.Cancelled):
                        await rx.recv_async()

        run(main)
        assert rx.recv() == "kept"
        tx.close()
        rx.close()
