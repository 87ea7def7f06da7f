"""The report of a failure that nobody asked for: to the log and to ``sys.unraisablehook``.

Not here: who keeps it and what disarms it (the native half of a task).
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable

from fearless import _native

__all__ = ["Unretrieved"]

_LOGGER = logging.getLogger("fearless")


class Unretrieved:
    """Kept by a task beside its exception; dies with it and then reports, unless it was disarmed.

    All slots are set from outside: no Python code may run while it is made. Unset or ``None``, ``error`` is disarmed.
    ``process`` is the one in which the task failed: a forked child has a copy, and leaves the report to its parent.

    Thread safety: internally synchronized.
    """

    __slots__ = ("error", "name", "process")

    error: BaseException | None
    name: str | None
    process: int

    def __del__(self, is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        """Report. At the end of the interpreter the modules that a handler needs, or ours, may be gone: not then."""
        error = getattr(self, "error", None)
        if error is None or is_finalizing() or self.process != os.getpid():
            return
        text = f"task {self.name!r}" if self.name is not None else "a task"
        text = f"{text} failed and nobody asked for its outcome"
        try:
            # Without a handler the log would print what the hook prints as well.
            if _LOGGER.hasHandlers():
                _LOGGER.error("%s", text, exc_info=error)
        finally:
            _native.write_unraisable(error, text)
