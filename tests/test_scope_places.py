"""Which scope a thread or a task is in when blocks do not end in the reverse order, or where they began.

A generator that waits in the middle of a block does that. And who may spawn from outside. Not here: blocks that are
struck by a signal (`test_scope_struck.py`).
"""

import contextlib
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from types import FrameType
from typing import Any

import pytest

import fearless as fl
from fearless import threads
from tests.plugins.threads import Spawn
from tests.support.loops import Run, gather, until_async
from tests.support.until import BOUND, in_join, until

CANCEL = pytest.mark.guarantee("scope", "cancel")


def stay() -> Iterator[fl.Scope]:
    """A block that waits in its middle."""
    with fl.scope() as scope:
        yield scope


async def stay_async() -> AsyncIterator[fl.Scope]:
    """The same of a coroutine."""
    async with fl.scope() as scope:
        yield scope


@CANCEL
def test_a_generator_may_end_after_the_block_that_it_was_begun_in() -> None:
    """The thread is then in neither of the scopes, of which one was cancelled."""
    for _ in range(2):
        generator = stay()
        with fl.scope() as outer:
            next(generator)
            outer.cancel()
        assert next(generator, None) is None
        fl.checkpoint()
        assert fl.current_scope() is None

    first, second = stay(), stay()
    scopes = [next(first), next(second)]
    assert next(first, None) is None
    assert fl.current_scope() is scopes[1]
    assert next(second, None) is None
    assert fl.current_scope() is None


@CANCEL
def test_a_block_that_another_thread_leaves(spawn: Spawn) -> None:
    """It is joined there, cancelled or not; then neither thread is in the scope any more."""
    begun = fl.Latch(1)

    def work() -> None:
        begun.arrive()
        fl.sleep(3600)

    stack = contextlib.ExitStack()
    scope = stack.enter_context(fl.scope())
    task = scope.spawn(work)
    begun.wait(BOUND)

    def leave() -> fl.Scope | None:
        with fl.scope() as own:
            stack.close()
            assert fl.current_scope() is own
        return fl.current_scope()

    leaving = spawn(leave)
    until(lambda: in_join(leaving.ident))
    scope.cancel()
    assert leaving.join(BOUND) is None
    assert task.cancelled()
    assert fl.current_scope() is None
    fl.checkpoint()


def test_a_scope_that_nobody_can_leave_any_more_is_left() -> None:
    """As when a signal handler raises after it was entered, and before the block began."""
    with fl.scope() as outer:
        fl.scope(0).__enter__()
        fl.checkpoint()
        assert fl.current_scope() is outer


@CANCEL
@pytest.mark.guarantee("scope", "async")
class TestAsyncGenerators:
    def test_one_may_end_before_the_block_that_began_in_it(self, run: Run) -> None:
        """The task is then in the other, and at last in none."""

        async def main() -> None:
            first, second = stay_async(), stay_async()
            scopes = [await anext(first), await anext(second)]
            assert await anext(first, None) is None
            assert fl.current_scope() is scopes[1]
            assert await anext(second, None) is None
            assert fl.current_scope() is None

        run(main)

    def test_one_may_end_in_another_task_whose_scope_is_cancelled(self, run: Run) -> None:
        """Its tasks are cancelled, and the loop goes on meanwhile."""
        gate, ready, scopes, tasks = threading.Event(), fl.Event(), list[fl.Scope](), list[fl.Task[object]]()
        generator = stay_async()

        def work() -> None:
            try:
                ready.set()
                fl.sleep(3600)
            finally:
                assert gate.wait(BOUND)

        async def begin() -> None:
            scopes.append(await anext(generator))
            tasks.append(scopes[0].spawn(work))
            await ready.wait_async()

        async def end() -> None:
            passed = []
            async with fl.scope() as scope:
                scope.cancel()
                passed.append(await anext(generator, None))
            assert not passed, "the block was left without the cancellation of the scope around it"
            assert fl.current_scope() is None

        async def release() -> None:
            await until_async(run, lambda: tasks[0].running() and scopes[0].cancelled)
            gate.set()

        async def main() -> None:
            await gather(run, begin)
            await gather(run, end, release)

        run(main)
        assert tasks[0].cancelled()


def test_a_block_is_not_left_while_a_thread_outside_is_about_to_spawn(
    spawn: Spawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even when the task that it spawns has ended before."""
    start, started, go = threads.start_thread, threading.Event(), threading.Event()

    def start_slowly(*args: Any) -> threading.Thread:
        thread = start(*args)
        thread.join(BOUND)
        started.set()
        assert go.wait(BOUND)
        return thread

    def own(scopes: list[fl.Scope]) -> None:
        with fl.scope() as scope:
            scopes.append(scope)
            assert started.wait(BOUND)

    monkeypatch.setattr(threads, "start_thread", start_slowly)
    scopes = list[fl.Scope]()
    owner = spawn(own, scopes)
    until(lambda: scopes, "a scope")
    spawner = spawn(scopes[0].spawn, int)
    until(lambda: in_join(owner.ident) or owner.ended.is_set(), "the block left, or its owner waiting")
    assert not owner.ended.is_set()
    go.set()
    assert spawner.join(BOUND).result(BOUND) == 0
    owner.join(BOUND)


def test_a_block_is_left_although_somebody_keeps_the_frames_of_spawn(
    spawn: Spawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As debuggers do, with all that the frames hold."""
    start, kept = threads.start_thread, list[object]()

    def start_seen(*args: Any) -> threading.Thread:
        frame: FrameType | None = sys._getframe()
        while frame is not None:
            kept.append((frame, dict(frame.f_locals)))
            frame = frame.f_back
        return start(*args)

    def own() -> int:
        with fl.scope() as scope:
            task = scope.spawn(abs, -32)
        return task.result(BOUND)

    monkeypatch.setattr(threads, "start_thread", start_seen)
    assert spawn(own).join(BOUND) == 32
    assert kept


@CANCEL
def test_what_a_cancellation_knows_its_scope_by_does_not_leave_it() -> None:
    """Only the block does."""
    with fl.scope() as scope:
        scope.cancel()
        with pytest.raises(fl.Cancelled) as cancelled:
            fl.checkpoint()
        cancelled.value._scope.exit()
        assert fl.current_scope() is scope
