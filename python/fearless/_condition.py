"""`Condition` of `fearless.compat`: the interface of `threading.Condition` over the native queue of those who wait.

Not here: the queue, the wait and the block, which are native, and the locks.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from fearless import _native
from fearless._native import RLock, checkpoint

_T = TypeVar("_T")


class AnyLock(Protocol):
    """What a condition asks of its lock."""

    def acquire(self, blocking: bool = ..., timeout: float = ...) -> bool: ...  # noqa: FBT001 - as in threading

    def release(self) -> object: ...


class Condition(_native.Condition):
    """Threads that wait, holding a lock, for others to change what the lock guards.

    `lock` is a `Lock`, an `RLock` (one is made if none is given), one of `threading`'s, or any object with their
    methods.

    Thread safety: internally synchronized; wait and notify while holding the lock.

    Example:
        >>> ready = Condition()
        >>> with ready:
        ...     ready.notify_all()
    """

    acquire: Callable[..., bool]
    """Take the lock: its own method."""
    release: Callable[[], object]
    """Free the lock: its own method."""

    def __init__(self, lock: AnyLock | None = None) -> None:
        self._lock: Any = RLock() if lock is None else lock
        self.acquire = self._lock.acquire
        self.release = self._lock.release
        # How the lock lets go of all its acquisitions at once, and takes them back, if it knows how to; else as the
        # native half does it.
        for name in ("_release_save", "_acquire_restore", "_is_owned"):
            if hasattr(self._lock, name):
                setattr(self, name, getattr(self._lock, name))

    def __repr__(self) -> str:
        return f"<Condition({self._lock}, {self._waiting()})>"

    def locked(self) -> bool:
        """Whether anybody holds the lock at this moment."""
        locked: bool = self._lock.locked()
        return locked

    def wait(self, timeout: float | None = None) -> bool:
        """Let the lock go, wait to be notified, and take the lock back; return whether it was notified.

        Blocks: until a notification, `timeout` seconds at most, and then until the lock is free; a cancellation point.
        Ctrl-C gets through to the first part. The lock is held again, whatever the call raises.
        Raises: `RuntimeError` if the lock is not held; `OverflowError` if `timeout` is more than `TIMEOUT_MAX`;
        `ValueError` if it is NaN, with which `threading` tries once or never ends.
        """
        if not self._is_owned():
            raise RuntimeError("cannot wait with a lock that is not acquired")
        return self._wait(timeout)

    def wait_for(self, predicate: Callable[[], _T], timeout: float | None = None) -> _T:
        """Wait until `predicate()` is true; return what it returned last, which is false after `timeout` seconds.

        Blocks: until a notification after which the predicate holds, like `wait`; a cancellation point.
        Raises: what `wait` and the predicate raise.
        """
        checkpoint()
        due = None if timeout is None else time.monotonic() + timeout
        left = timeout
        result = predicate()
        while not result:
            self.wait(left)
            result = predicate()
            if due is not None:
                left = due - time.monotonic()
                if left <= 0:
                    break
        return result

    def notify(self, n: int = 1) -> None:
        """Wake the `n` threads that have waited longest, or as many as wait.

        Raises: `RuntimeError` if the lock is not held.
        """
        if not self._is_owned():
            raise RuntimeError("cannot notify with a lock that is not acquired")
        self._notify(n)

    def notify_all(self) -> None:
        """Wake all threads that wait.

        Raises: `RuntimeError` if the lock is not held.
        """
        self.notify(self._waiting())

    def notifyAll(self) -> None:  # noqa: N802 - as in threading
        """Wake all threads that wait; its name of old, which warns."""
        warnings.warn("notifyAll() is deprecated, use notify_all() instead", DeprecationWarning, stacklevel=2)
        self.notify_all()

    def _is_owned(self) -> bool:
        # A lock that does not know its holder: somebody's is everybody's.
        if self._lock.acquire(False):
            self._lock.release()
            return False
        return True

    def _at_fork_reinit(self) -> None:
        self._lock._at_fork_reinit()  # noqa: SLF001 - the name that threading gave it
