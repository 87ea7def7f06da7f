"""Scopes: threads that cannot outlive the ``with`` block that started them, and cancellation.

The native half (``_core.Scope``) is the cancellation tree and the count of running tasks. Not here: what a block raises
(``_scope_failures.py``), what a caller asks of its scope (``_scope_here.py``), tasks and how their threads start
(``threads.py``), what a task of an event loop waits with (``_loops.py``).
"""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, Self, TypeVar, get_args

from fearless import _loops, _native, _scope_failures, _scope_here, threads
from fearless._scope_failures import LEAVES_BARE, LEFT, Outcome
from fearless._scope_options import ScopeOptions
from fearless.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from types import TracebackType

    from fearless.threads import Task

__all__ = ["Scope", "scope"]

P = ParamSpec("P")
T = TypeVar("T")

Policy = Literal["cancel", "collect", "first"]
_POLICIES = get_args(Policy)


def scope(
    timeout: float | None = None, policy: Policy = "cancel", *, shield: bool = False, name: str | None = None
) -> Scope:
    """Threads that cannot outlive the ``with`` block that started them.

    Leaving the block joins every task. Cancelling a scope makes every wait inside it raise ``Cancelled``, which the
    scope swallows. Failures are raised together as an ``ExceptionGroup``; ``KeyboardInterrupt`` and ``SystemExit``
    leave bare. When ``timeout`` seconds have passed the scope is cancelled and raises ``Timeout`` once its tasks have
    ended.

    ``policy`` says which task cancels the others: with ``"cancel"`` the first that fails; with ``"collect"`` none, and
    all failures are raised at the end; with ``"first"`` the first that succeeds, which is ``scope.winner`` then, and
    failures are raised only if none succeeds. A failure of the block itself always cancels the tasks.

    A ``shield`` keeps out the cancellations and deadlines of the scopes around, for cleaning up in ``finally``.
    Tasks and threads are named after ``name`` unless they are given names of their own.

    In a coroutine of asyncio or trio it is ``async with``. The scope belongs to the task of the event loop: the async
    calls of that task obey it, and those of other tasks do not. Cancelling the task cancels the scope.

    Ctrl-C cancels the tasks and joins on; a second one leaves at once, the scopes around as well, and names the threads
    that still run.

    Thread safety: internally synchronized; a task may spawn into its own scope.

    Example:
        >>> import fearless as fl
        >>> with fl.scope() as scope:
        ...     total = scope.spawn(sum, range(10))
        >>> total.join()
        45
    """
    if policy not in _POLICIES:
        text = f"policy must be 'cancel', 'collect' or 'first', got {policy!r}"
        raise ValueError(text)
    return Scope(timeout, policy, shield=shield, name=name)


class Scope(_native.ScopeBlock):
    """What ``scope()`` returns: the block's tasks, and the way to cancel them.

    Thread safety: internally synchronized; the block itself belongs to one thread.
    """

    def __init__(
        self, timeout: float | None = None, policy: Policy = "cancel", *, shield: bool = False, name: str | None = None
    ) -> None:
        """Prepare a scope of ``timeout`` seconds; it begins with the ``with`` block."""
        self._timeout = timeout
        self._policy = policy
        self._shield = shield
        self._name = name
        self._number = itertools.count(1)
        self._native: _native.Scope | None = None
        # Re-entrant: a signal handler may cancel the scope while its thread is inside.
        self._lock = threading.RLock()
        # Guarded by the lock. A task that ends well is let go of at once, with its result.
        self._closed = False
        self._leaving = False
        self._started = 0
        self._running: dict[Task[Any], None] = {}
        self._failures: list[BaseException] = []
        self._winner: Task[Any] | None = None
        self._threads: list[threading.Thread] = []
        self._place: _loops.Place | None = None
        # The first interrupt while the block is left.
        self._interrupt: BaseException | None = None

    def __enter__(self) -> Self:
        """Begin the scope: this thread's waits belong to it until the block is left."""
        self._refuse_twice()
        if _native.in_event_loop():
            text = "`with scope()` would stop the running event loop; use `async with`, or a worker thread"
            raise RuntimeError(text)
        # A signal handler may raise anywhere. Until it has a name here the native scope is dropped then, and so left.
        native = _native.Scope.enter(self._timeout, shield=self._shield)
        try:
            self._native = native
            _scope_here.entered[native.key] = self
        except BaseException:
            native.exit()
            raise
        return self

    def _leave(self, error: BaseException | None, struck: BaseException | None) -> bool:
        """Leave the block, which ended with ``error``; again if a handler of a signal raised ``struck`` before that."""
        native = self._entered()
        try:
            try:
                if self._is_left_by_force(native, error):
                    return False
                self._join(native, error, struck)
            finally:
                self._end(native)
            return self._conclude(native, _scope_failures.sort(error, ()), error)
        finally:
            self._interrupt = None
            del error, struck  # a traceback holds this frame, which is not to hold the exceptions

    async def __aenter__(self) -> Self:
        """Begin the scope: the async calls of this task belong to it until the block is left.

        Raises: ``RuntimeError`` if no task of asyncio or trio runs here.
        """
        self._refuse_twice()
        self._place = _loops.place()
        self._native = _native.Scope.enter_task(self._timeout, shield=self._shield)
        self._place.enter(self._native)
        _scope_here.entered[self._native.key] = self
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """Join every task, then raise what went wrong. The join is shielded from cancellation."""
        native, stops = self._entered(), (_loops.current().cancelled,)
        try:
            try:
                if self._is_left_by_force(native, error):
                    return False
                await self._join_async(native, error)
            finally:
                self._end(native)
            return self._conclude(native, _scope_failures.sort(error, stops), error)
        finally:
            self._interrupt = None
            del kind, error, traceback  # as in `_leave`

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
        Raises: ``RuntimeError`` if the block has been left or the pool is shut down.
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

    def __repr__(self) -> str:
        named = "" if self._name is None else f" {self._name!r}"
        if self._native is None:
            return f"<Scope{named} not entered>"
        state = "left" if self._closed else "cancelled" if self.cancelled else "open"
        policy = "" if self._policy == "cancel" else f", policy {self._policy!r}"
        remaining = None if self._closed else self._native.remaining
        left = "" if remaining is None else f", {remaining:.1f} s left"
        return f"<Scope{named} {state}{policy}{left}, {self._started} tasks, {len(self._running)} running>"

    def _refuse_twice(self) -> None:
        if self._native is not None:
            raise RuntimeError("a scope can be entered once; make a new one")

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
        try:
            self._adopt(native, task)
            counted = None if self._place is None else native  # a coroutine must not wait for threads
            thread = threads.start_thread(task, options, counted)
        except BaseException:
            task.cancel()
            raise
        with self._lock:
            if len(self._threads) >= 2 * max(16, len(self._running)):
                self._threads = [other for other in self._threads if other.is_alive()]
            self._threads.append(thread)
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
        """Take the outcome of a task; runs on the thread that ended it."""
        native, failure = self._entered(), task._exception  # noqa: SLF001 - no wait: this thread may be cancelled
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

    def _is_left_by_force(self, native: _native.Scope, error: BaseException | None) -> bool:
        """Whether the block was left by a second Ctrl-C, which has left a scope inside it; a note is added then."""
        if error is None or not _scope_failures.has_left_a_scope(error):
            return False
        self.cancel()
        if native.running:
            error.add_note(self._still_running(native))
        return True

    def _join(self, native: _native.Scope, error: BaseException | None, struck: BaseException | None) -> None:
        """Wait for the tasks and their threads; cancel them first if the block failed, and at the first interrupt.

        If it was a Ctrl-C that ended the block, by ``error``, an interrupt is the second. One was ``struck`` already.
        """
        cancels, is_second = error is not None, isinstance(error, KeyboardInterrupt)
        if struck is not None:
            if is_second:
                self.cancel()
                struck.add_note(self._still_running(native))
                raise struck
            self._interrupt, cancels, is_second, struck = struck, True, True, None
        self._leaving = True
        while True:
            try:
                if cancels:
                    self.cancel()
                self._wait(native)
                if native.running:
                    continue
                for thread in list(self._threads):
                    thread.join()
                if self._close(native):
                    return
            except BaseException as new:
                if is_second:
                    new.add_note(self._still_running(native))
                    raise
                self._interrupt, cancels, is_second = new, True, True

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

    async def _join_async(self, native: _native.Scope, error: BaseException | None) -> None:
        """Do the same as a coroutine: the loop's cancellation of the task counts as an interrupt."""
        cancels, is_second = error is not None, isinstance(error, KeyboardInterrupt)
        loop, self._leaving = _loops.current(), True
        while True:
            try:
                if cancels:
                    self.cancel()
                await self._wait_async(native)
                if native.running:
                    continue
                for thread in list(self._threads):
                    thread.join()
                if self._close(native):
                    return
            except Cancelled:
                # It is stopped: from now on with a shield. Or the scope of another task is, which ends a generator.
                cancels = not native.stopped
            except BaseException as new:
                if not is_second:
                    self._interrupt, cancels, is_second = new, True, True
                elif not isinstance(new, loop.cancelled):
                    new.add_note(self._still_running(native))
                    raise

    def _wait(self, native: _native.Scope) -> None:
        """Wait until all have ended, or one has that the pool was to know of, or one was submitted meanwhile."""
        stopped = native.stopped
        while not native.join(stopped, self._run_queued(native)):
            stopped = True
            self._cancel_waiting()

    async def _wait_async(self, native: _native.Scope) -> None:
        if native.stopped:
            self._cancel_waiting()
            await _loops.current().shield(lambda: native.join_async(self._beside(), shield=True))
        else:
            await native.join_async(self._beside(), shield=False)

    def _close(self, native: _native.Scope) -> bool:
        """Refuse more tasks, unless another thread has spawned one meanwhile, which has to be joined, too."""
        with self._lock:
            # The native count covers `_running`, and in a forked child it has forgotten the parent's tasks.
            more = native.running or any(thread.is_alive() for thread in self._threads)
            self._closed = not more
            return self._closed

    def _end(self, native: _native.Scope) -> None:
        if self._place is not None:
            self._place.leave(native)
        with self._lock:
            self._closed = True
        _scope_here.entered.pop(native.key, None)
        native.exit()

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

    def _conclude(self, native: _native.Scope, outcome: Outcome, error: BaseException | None) -> bool:
        """Raise what the block has to raise; true if ``error`` was this scope's own cancellation."""
        if self._winner is not None:
            self._failures = [failure for failure in self._failures if isinstance(failure, LEAVES_BARE)]
        outcome.timed_out = native.timed_out and self._winner is None
        if outcome.interrupt is None:
            outcome.interrupt = self._interrupt
        outcome.failures, self._failures, self._interrupt = self._failures, [], None
        try:
            if outcome.raise_all(native, error, f"the scope ran out of its {self._timeout} s", self._started):
                # Leaving a scope is a wait; but a shield is there so that all of a `finally` can run.
                if not self._shield:
                    _native.checkpoint()
                return outcome.is_of(native)
            return False
        finally:
            del outcome, error  # a traceback holds this frame, which is not to hold the exceptions
