"""Room below the recursion limit, for what must not stop half-way: taking a job, ending it, leaving a scope.

The limit can be met at any call, also in the clean-up after it was met. Whoever asks first meets it before there is
anything to clean up. Not here: what is done without room.
"""

from __future__ import annotations

__all__ = ["has_room", "require_room"]

_LEVELS = 30  # more than what is below the deepest of our functions that ask


def has_room() -> bool:
    """Whether there is room on the stack of the caller."""
    try:
        require_room()
    except RecursionError:
        return False
    return True


def require_room(levels: int = _LEVELS) -> None:
    """Raise ``RecursionError`` unless there is room."""
    if levels > 1:
        require_room(levels - 1)
