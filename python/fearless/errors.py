"""The exceptions of fearless.

Each text names the rule that was broken and the value seen. An error that rejects an item carries it back as ``item``.
Not here: who raises them; the native core makes most of them.
"""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fearless._core import Scope as _NativeScope

__all__ = [
    "BrokenBarrierError",
    "Cancelled",
    "Closed",
    "DeadlockError",
    "Empty",
    "FearlessError",
    "Full",
    "GuardReleased",
    "MovedError",
    "PoisonError",
    "Timeout",
]


class FearlessError(Exception):
    """The root of every error of fearless."""


class Closed(FearlessError):
    """The other side of a channel is gone, or this end was closed. A rejected item is in ``item``."""

    item: Any


class Full(FearlessError, queue.Full):
    """There is no room now. The rejected item is in ``item``."""

    item: Any


class Empty(FearlessError, queue.Empty):
    """There is nothing to take now."""


class Timeout(FearlessError, TimeoutError):
    """The time a call was given has passed. A rejected item is in ``item``."""

    item: Any


class PoisonError(FearlessError):
    """An exception, or a fork, left a mutex's value in doubt; ``clear_poison()`` heals it."""


class BrokenBarrierError(FearlessError, threading.BrokenBarrierError):
    """A party gave up, or the barrier was aborted or reset; ``reset()`` makes it as it was at first."""


class DeadlockError(FearlessError):
    """The call could never return: it waits for what its own thread holds."""


class GuardReleased(FearlessError):
    """A guard was used after its release, or by a thread that does not own it."""


class MovedError(FearlessError):
    """The object was handed on with ``move()``; only the new owner may use it."""


class Cancelled(BaseException):
    """The scope that this thread works in was cancelled.

    Not an ``Exception``, so that ``except Exception`` lets it pass: it has to reach the scope it belongs to, which
    swallows it. Only scopes make it.
    """

    _scope: _NativeScope

    def __init__(self, *_arguments: object) -> None:
        """Refuse: a cancellation that belongs to no scope would have nobody to stop at."""
        text = "Cancelled cannot be raised by hand; call cancel() of the scope"
        raise TypeError(text)

    @classmethod
    def _of(cls, scope: _NativeScope) -> Cancelled:
        """The cancellation that belongs to ``scope``. For the native core."""
        cancelled = cls.__new__(cls, "the scope was cancelled")
        cancelled._scope = scope  # noqa: SLF001 - of this very class
        return cancelled
