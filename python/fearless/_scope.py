"""Scopes: threads that cannot outlive the ``with`` block that started them, and cancellation.

The native half (``_core.Scope``) is the cancellation tree and the count of running tasks. Not here: a scope's tasks
(``_scope_tasks.py``), what a block raises (``_scope_failures.py``), what a caller asks of its scope
(``_scope_here.py``), what a task of an event loop waits with (``_loops.py``).
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Self, get_args

from fearless import _loops, _native, _scope_failures, _scope_here, _scope_tasks
from fearless._arguments import name_or_none
from fearless._scope_failures import LEAVES_BARE, Outcome
from fearless._scope_tasks import Policy
from fearless.errors import Cancelled

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Scope", "scope"]

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
    return Scope(timeout, policy, shield=shield, name=name_or_none(name))


class Scope(_scope_tasks.ScopeTasks):
    """What ``scope()`` returns: the block's tasks, and the way to cancel them.

    Thread safety: internally synchronized; the block itself belongs to one thread.
    """

    def __init__(
        self, timeout: float | None = None, policy: Policy = "cancel", *, shield: bool = False, name: str | None = None
    ) -> None:
        """Prepare a scope of ``timeout`` seconds; it begins with the ``with`` block."""
        super().__init__(policy, name)
        self._timeout = timeout
        self._shield = shield
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
            _scope_here.entered[native.key] = weakref.ref(self)
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
            if error is None and self._interrupt is None and not self._failures and not native.timed_out:
                self._check()
                return False
            return self._conclude(native, _scope_failures.sort(error, ()), error)
        finally:
            self._interrupt = None
            del error, struck  # a traceback holds this frame, which is not to hold the exceptions

    async def __aenter__(self) -> Self:
        """Begin the scope: the async calls of this task belong to it until the block is left.

        Raises: ``RuntimeError`` if no task of asyncio or trio runs here.
        """
        self._refuse_twice()
        self._place, self._is_async = _loops.place(), True
        self._native = _native.Scope.enter_task(self._timeout, shield=self._shield)
        self._place.enter(self._native)
        _scope_here.entered[self._native.key] = weakref.ref(self)
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
                if self._join_threads(native):
                    return
            except BaseException as new:
                if is_second:
                    new.add_note(self._still_running(native))
                    raise
                self._interrupt, cancels, is_second = new, True, True

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
                if self._join_threads(native):
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

    def _join_threads(self, native: _native.Scope) -> bool:
        """Join the threads and refuse more tasks, unless another thread has spawned one meanwhile: then say false."""
        joined = list(self._threads)
        for thread in joined:
            thread.join()
        with self._lock:
            # The native count covers `_running`, and in a forked child it has forgotten the parent's tasks.
            self._closed = not native.running and self._threads == joined
            return self._closed

    def _end(self, native: _native.Scope) -> None:
        if self._place is not None:
            self._place.leave(native)
        with self._lock:
            self._closed = True
        _scope_here.entered.pop(native.key, None)
        native.exit()

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
                self._check()
                return outcome.is_of(native)
            return False
        finally:
            del outcome, error  # a traceback holds this frame, which is not to hold the exceptions

    def _check(self) -> None:
        # Leaving a scope is a wait; but a shield is there so that all of a `finally` can run.
        if not self._shield:
            _native.checkpoint()
