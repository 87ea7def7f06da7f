"""What a caller asks of the scope that it is in.

Not here: scopes themselves (``_scope.py``).
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from fearless import _native

if TYPE_CHECKING:
    from fearless._scope import Scope

__all__ = ["checkpoint", "current_scope", "entered", "sleep"]

entered: dict[int, weakref.ref[Scope]] = {}
"""The open scopes, by the keys of their native halves.

One that was dropped without being left stays as a dead reference until another gets its key. A dictionary of weak
values would not keep that, but it is written in Python, and each scope would pay for it.
"""


def checkpoint() -> None:
    """Raise ``Cancelled`` if the scope of the caller is cancelled; for long computations that never wait.

    Thread safety: any thread may call it.
    """
    _native.checkpoint()


def sleep(seconds: float) -> None:
    """Sleep for a number of seconds.

    Blocks: for ``seconds``; a cancellation point; Ctrl-C gets through.
    Raises: ``ValueError`` if ``seconds`` is negative or NaN.
    """
    _native.sleep_for(seconds)


def current_scope() -> Scope | None:
    """Return the scope that the caller works in: that of the block it is in, or of the task it runs.

    In a coroutine that is the scope of the task of the event loop.
    """
    # A fork has a native scope alone; then it is the one around that.
    found = (entered.get(key, _nothing)() for key in _native.Scope.current_keys())
    return next((scope for scope in found if scope is not None), None)


def _nothing() -> None:
    return None
