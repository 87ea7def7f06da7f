"""The interfaces of `threading`, for programs that switch by changing an import.

`Lock`, `RLock`, `Condition`, `Semaphore`, `BoundedSemaphore`, `Event` and `Barrier` take the arguments of their
namesakes in `threading` and give the same results. All other public names are those of `threading`, so a program may
say `import fearless.compat as threading`. What differs is what a wait promises: Ctrl-C reaches it, a cancelled scope
wakes it (but never one for a lock), and no waiter starves.

Not here: `Lock` and `RLock`, which are native, `Condition` (`_condition.py`), and locks that own their data
(`fearless.Mutex`).
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from threading import (
    TIMEOUT_MAX,
    BrokenBarrierError,
    ExceptHookArgs,
    Thread,
    ThreadError,
    Timer,
    active_count,
    current_thread,
    enumerate,  # noqa: A004 - its name in threading
    excepthook,
    get_ident,
    get_native_id,
    getprofile,
    gettrace,
    local,
    main_thread,
    setprofile,
    settrace,
    stack_size,
)
from typing import Literal

from fearless._condition import Condition
from fearless._native import Lock, RLock, checkpoint

if sys.version_info >= (3, 12):
    from threading import setprofile_all_threads, settrace_all_threads

__all__ = [
    "TIMEOUT_MAX",
    "Barrier",
    "BoundedSemaphore",
    "BrokenBarrierError",
    "Condition",
    "Event",
    "ExceptHookArgs",
    "Lock",
    "RLock",
    "Semaphore",
    "Thread",
    "ThreadError",
    "Timer",
    "active_count",
    "current_thread",
    "enumerate",
    "excepthook",
    "get_ident",
    "get_native_id",
    "getprofile",
    "gettrace",
    "local",
    "main_thread",
    "setprofile",
    "settrace",
    "stack_size",
]
if sys.version_info >= (3, 12):
    __all__ += ["setprofile_all_threads", "settrace_all_threads"]


class _Guarded:
    """State that threads wait for, under one lock."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._cond = Condition(self._lock)

    def _shown(self, state: object) -> str:
        kind = type(self)
        return f"<{kind.__module__}.{kind.__qualname__} at {id(self):#x}: {state}>"

    def _at_fork_reinit(self) -> None:
        self._cond._at_fork_reinit()  # noqa: SLF001 - same


class Semaphore(_Guarded):
    """A number of permits; who finds none waits.

    Thread safety: internally synchronized; any thread may acquire, and any may release.

    Example:
        >>> permits = Semaphore(2)
        >>> with permits:
        ...     permits.acquire(blocking=False), permits.acquire(blocking=False)
        (True, False)
    """

    def __init__(self, value: int = 1) -> None:
        if value < 0:
            raise ValueError(f"a semaphore starts with a value >= 0, got {value}")
        super().__init__()
        self._value = value

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:  # noqa: FBT001, FBT002 - as in threading
        """Take a permit; return whether there was one. With `blocking=False` try once.

        Blocks: until there is a permit, `timeout` seconds at most; a cancellation point; Ctrl-C gets through.
        Raises: `ValueError` if a `timeout` is given with `blocking=False`.
        """
        if not blocking and timeout is not None:
            raise ValueError("can't specify a timeout for a non-blocking acquire")
        if blocking:
            checkpoint()
        with self._lock:
            if not self._value and not (blocking and self._cond.wait_for(lambda: self._value, timeout)):
                return False
            self._value -= 1
            return True

    def __enter__(self) -> bool:
        """Take a permit for a `with` block.

        Blocks: until there is a permit; a cancellation point; Ctrl-C gets through.
        """
        return self.acquire()

    def __exit__(self, *_exception: object) -> None:
        self.release()

    def release(self, n: int = 1) -> None:
        """Give `n` permits back, or more.

        Raises: `ValueError` if `n` is less than 1.
        """
        if n < 1:
            raise ValueError(f"n must be >= 1, got {n}")
        with self._lock:
            self._give(n)

    def _give(self, n: int) -> None:
        self._value += n
        self._cond.notify(n)

    def __repr__(self) -> str:
        return self._shown(f"value={self._value}")


class BoundedSemaphore(Semaphore):
    """A semaphore that refuses to get back more permits than it had.

    Thread safety: internally synchronized; any thread may acquire, and any may release.
    """

    def __init__(self, value: int = 1) -> None:
        super().__init__(value)
        self._initial_value = value

    def _give(self, n: int) -> None:
        if self._value + n > self._initial_value:
            raise ValueError(
                f"released too often: {self._value} of {self._initial_value} permits are back, got {n} more"
            )
        super()._give(n)

    def __repr__(self) -> str:
        return self._shown(f"value={self._value}/{self._initial_value}")


class Event(_Guarded):
    """A flag that threads wait for.

    Thread safety: internally synchronized; any thread may call any method.

    Example:
        >>> event = Event()
        >>> event.set()
        >>> event.wait()
        True
    """

    def __init__(self) -> None:
        super().__init__()
        self._flag = False

    def is_set(self) -> bool:
        """Whether the flag is set at this moment."""
        return self._flag

    def isSet(self) -> bool:  # noqa: N802 - as in threading
        """Whether the flag is set; its name of old, which warns."""
        warnings.warn("isSet() is deprecated, use is_set() instead", DeprecationWarning, stacklevel=2)
        return self._flag

    def set(self) -> None:
        """Set the flag, and wake all who wait for it."""
        with self._lock:
            self._flag = True
            self._cond.notify_all()

    def clear(self) -> None:
        """Take the flag back. Who was woken before still returns true."""
        with self._lock:
            self._flag = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the flag; return whether it was set.

        Blocks: until the flag is set, `timeout` seconds at most; a cancellation point; Ctrl-C gets through.
        """
        checkpoint()
        if self._flag:
            return True
        with self._lock:
            return self.is_set() or self._cond.wait(timeout)

    def __repr__(self) -> str:
        return self._shown("set" if self._flag else "unset")


class _Round:
    """The threads that pass a barrier together."""

    __slots__ = ("arrived", "left", "outcome")

    def __init__(self) -> None:
        self.arrived = 0
        self.left: list[int] = []  # places of threads that gave up
        self.outcome: Literal["passed", "broken"] | None = None

    def enter(self) -> int:
        """Take a place."""
        self.arrived += 1
        return self.left.pop() if self.left else self.arrived - 1

    def leave(self, place: int) -> None:
        """Give a place up."""
        self.arrived -= 1
        self.left.append(place)


class Barrier(_Guarded):
    """Threads wait here for each other; when `parties` have come, all go on.

    The last to come calls `action()` first, if there is one. When a wait runs out of time, when `action` raises, or
    after `abort`, the barrier is broken: whoever waits or comes gets a `BrokenBarrierError`, until `reset`.

    Thread safety: internally synchronized; any thread may call any method. `action` runs while the barrier is locked.
    """

    def __init__(self, parties: int, action: Callable[[], object] | None = None, timeout: float | None = None) -> None:
        if parties < 1:
            raise ValueError(f"parties must be >= 1, got {parties}")
        super().__init__()
        self._parties = parties
        self._action = action
        self._timeout = timeout
        self._round = _Round()
        self._broken = False

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the others; return a number from 0 to `parties - 1` that no other thread of the round gets.

        Blocks: until `parties` threads have come, `timeout` seconds at most (if none is given, those of the barrier); a
        cancellation point; Ctrl-C gets through, and the others go on waiting for one more.
        Raises: `BrokenBarrierError`.
        """
        checkpoint()
        with self._lock:
            if self._broken:
                raise BrokenBarrierError
            entered = self._round
            place = entered.enter()
            if entered.arrived == self._parties:
                self._open()
            else:
                self._await(entered, place, self._timeout if timeout is None else timeout)
            return place

    def _open(self) -> None:
        """Let the round pass."""
        try:
            if self._action is not None:
                self._action()
        except BaseException:
            self._break()
            raise
        self._end("passed")

    def _await(self, entered: _Round, place: int, timeout: float | None) -> None:
        """Wait for the end of the round."""
        try:
            outcome = self._cond.wait_for(lambda: entered.outcome, timeout)
        except BaseException:
            if entered.outcome is None:
                entered.leave(place)
            raise
        if outcome is None:
            self._break()
        if outcome != "passed":
            raise BrokenBarrierError

    def _end(self, outcome: Literal["passed", "broken"]) -> None:
        """Wake those of this round; who comes now is of the next."""
        self._round.outcome = outcome
        self._round = _Round()
        self._cond.notify_all()

    def _break(self) -> None:
        self._broken = True
        self._end("broken")

    def reset(self) -> None:
        """Begin anew; whoever waits gets a `BrokenBarrierError`."""
        with self._lock:
            self._broken = False
            self._end("broken")

    def abort(self) -> None:
        """Break the barrier."""
        with self._lock:
            self._break()

    @property
    def parties(self) -> int:
        """How many threads have to come."""
        return self._parties

    @property
    def n_waiting(self) -> int:
        """How many wait at this moment."""
        return self._round.arrived

    @property
    def broken(self) -> bool:
        """Whether the barrier is broken."""
        return self._broken

    def __repr__(self) -> str:
        return self._shown("broken" if self._broken else f"waiters={self.n_waiting}/{self._parties}")
