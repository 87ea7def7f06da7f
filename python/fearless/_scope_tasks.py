"""The tasks of a scope: how they get in, which of them end the others, and those that a worker runs itself.

The native half (``_core.Scope``) counts them. Not here: the block that they run beside, and waiting for them
(``_scope.py``); how a thread starts (``threads.py``).
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

from fearless import _native, threads
from fearless._scope_failures import LEAVES_BARE, LEFT
from fearless._scope_options import ScopeOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from fearless.threads import Task

__all__ = ["Policy", "ScopeTasks"]

P = ParamSpec("P")
T = TypeVar("T")

Policy = Literal["cancel", "collect", "first"]


class ScopeTasks(_native.ScopeBlock):
    """The half of a ``Scope`` that has its tasks.

    Thread safety: internally synchronized.
    """

    def __init__(self, policy: Policy, name: str | None) -> None:
        """Prepare for tasks that are named after ``name``."""
        self._policy = policy
        self._name = name
        self._number = itertools.count(1)
        self._native: _native.Scope | None = None
        self._is_async = False
        # Re-entrant: a signal handler may cancel the scope while its thread is inside.
        self._lock = threading.RLock()
        # Guarded by the lock, but that a task which ends well leaves `_running` without it: at once, with its result.
        self._closed = False
        self._leaving = False
        self._started = 0
        self._running: dict[Task[Any], None] = {}
        self._failures: list[BaseException] = []
        self._winner: Task[Any] | None = None
        self._threads: list[threading.Thread] = []

    def spawn(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Task[T]:
        """Run ``function(*args, **kwargs)`` in a thread of its own, which ends before the block is left.

        Raises: ``RuntimeError`` if the block has been left, or the thread cannot be started.
        """
        return self._start(threads.PLAIN, function, args, kwargs)

    def options(self, *, name: str | None = None) -> ScopeOptions:
        """Return a ``spawn`` with options: ``scope.options(name="loader").spawn(load, path)``."""
        return ScopeOptions(self, threads.options(name=name))

    def submit(self, pool: Executor, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Task[T]:
        """Run ``function(*args, **kwargs)`` on a ``ThreadPool``, as a task of this scope.

        Blocks: while the pool's backlog is full; a cancellation point; Ctrl-C gets through.
        Raises: ``RuntimeError`` if the block has been left; ``TypeError`` if ``pool`` is no ``ThreadPool``; else as
        ``ThreadPool.submit``.
        """
        if not isinstance(pool, _native.ThreadPool):
            raise TypeError(f"pool must be a fearless.ThreadPool, got {pool!r}")
        native = self._entered()
        task = threads.new_task(function, args, kwargs, native, self._next_name())
        try:
            self._adopt(native, task)
            pool._enqueue(task)  # noqa: SLF001 - scopes and pools are one package
        except BaseException:
            task.cancel()
            raise
        if native.stopped:
            task.cancel()  # the scope need not wait until a worker comes to it
        elif self._leaving:
            native.look_again()  # the owner may be the only worker
        return task

    def _offer(self, pool: Executor, function: Callable[[], T]) -> Task[T] | None:
        """Submit ``function`` as a task of this scope if the pool has room now."""
        native = self._entered()
        task = threads.new_task(function, (), {}, native)
        try:
            self._adopt(native, task)
            return task if pool._offer(task) else None  # type: ignore[attr-defined]  # noqa: SLF001 - as in `submit`
        except BaseException:
            task.cancel()
            raise

    def cancel(self) -> None:
        """Cancel every wait inside the scope, now and later. Tasks that have not started never will."""
        self._entered().cancel()
        self._cancel_waiting()

    @property
    def cancelled(self) -> bool:
        """Whether this scope, or one around it, is cancelled."""
        return self._native is not None and self._native.stopped

    @property
    def winner(self) -> Task[Any] | None:
        """Of a scope with ``policy="first"`` the task that succeeded first; ``None`` while, or if, there is none."""
        return self._winner

    def _entered(self) -> _native.Scope:
        if self._native is None:
            raise RuntimeError("the scope has not been entered; use it in a `with` statement")
        return self._native

    def _start(
        self,
        options: threads.Options,
        function: Callable[..., T],
        args: tuple[object, ...],
        kwargs: dict[str, object],
    ) -> Task[T]:
        native = self._entered()
        if options.name is None and self._name is not None:
            options = replace(options, name=self._next_name())
        task = threads.new_task(function, args, kwargs, native, options.name)
        # The task may end before its thread is on the list, and the caller need not be a task of the scope.
        with native.hold():
            try:
                self._adopt(native, task)
                counted = native if self._is_async else None  # a coroutine must not wait for threads
                thread = threads.start_thread(task, options, counted)
                with self._lock:
                    if len(self._threads) >= 2 * max(16, len(self._running)):
                        self._threads = [other for other in self._threads if other.is_alive()]
                    self._threads.append(thread)
            except BaseException:
                task.cancel()
                raise
        return task

    def _next_name(self) -> str | None:
        return None if self._name is None else f"{self._name}-{next(self._number)}"

    def _adopt(self, native: _native.Scope, task: Task[T]) -> None:
        """Count the task before it can run; its end is reported by a callback, also if it never starts."""
        task.add_done_callback(self._ended)
        with self._lock:
            if not self._closed:
                self._started += 1
                self._running[task] = None
                native.count(task)
                return
        task.cancel()
        text = "the scope's block has been left; spawn before that"
        raise RuntimeError(text)

    def _ended(self, task: Task[Any]) -> None:
        """Take the outcome of a task; runs on the thread that ended it.

        It has the GIL then, for which the thread that has spawned it may be waiting. So the common end is short: one
        operation of a dict, which is atomic.
        """
        native, failure = self._entered(), task._exception  # noqa: SLF001 - no wait: this thread may be cancelled
        if failure is None and self._policy != "first":
            if self._running.pop(task, self) is not self:  # the scope took it
                native.count_out(task)
            return
        with self._lock:
            if task not in self._running:
                return
            del self._running[task]
            if failure is not None:
                self._failures.append(failure)
            ends_others = self._ends_others(native, task, failure)
        if ends_others:
            self.cancel()
        native.count_out(task)

    def _ends_others(self, native: _native.Scope, task: Task[Any], failure: BaseException | None) -> bool:
        """Whether the end of a task cancels the others; with the lock held."""
        if failure is not None:
            return self._policy == "cancel" or isinstance(failure, LEAVES_BARE)
        # One that succeeds although the scope is cancelled already is not what ended it.
        if self._policy != "first" or task.cancelled() or self._winner is not None or native.stopped:
            return False
        self._winner = task
        return True

    def _run_queued(self, native: _native.Scope) -> Task[Any] | None:
        """On a worker, run those tasks that its own pool has queued: there may be no other worker to come to them.

        Return one that another worker runs.
        """
        if native.stopped:
            self._cancel_waiting()
        while self._running:
            if not any([task._run_here() for task in self._tasks()]):  # noqa: C419, SLF001 - all; the native half is ours
                return self._beside()
        return None

    def _beside(self) -> Task[Any] | None:
        """Return a task that another worker of this worker's pool runs, or has to run, if there is one.

        The pool can know of a wait for one task. A coroutine runs none itself: that would hold up its loop.
        """
        return next((task for task in self._tasks() if task._beside), None)  # noqa: SLF001 - the native half is ours

    def _cancel_waiting(self) -> None:
        """Cancel the tasks that have not begun, as those in the queue of a busy pool."""
        for task in self._tasks():
            task.cancel()

    def _tasks(self) -> list[Task[Any]]:
        with self._lock:
            return list(self._running)

    def _still_running(self, native: _native.Scope) -> str:
        names = ", ".join(thread.name for thread in self._threads if thread.is_alive())
        running = min(native.running, len(self._running))  # the first may count threads, the second those before a fork
        return f"{LEFT} {running} of its tasks ran, in: {names or 'pool threads'}"
