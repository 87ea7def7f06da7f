"""Is the GIL on, and which import turned it on? Asked after the run, as any import during it may have done so."""

from __future__ import annotations

import re
import sys
import sysconfig
import warnings
from collections.abc import Callable
from typing import Any

TURNED_ON = re.compile(r"The global interpreter lock \(GIL\) has been enabled to load module '([^']+)'")


def free_threaded() -> bool:
    """True if this interpreter was built to run without a GIL."""
    return bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def is_on() -> bool:
    """True if the GIL is on now."""
    probe: Callable[[], bool] = getattr(sys, "_is_gil_enabled", lambda: True)
    return probe()


class Culprit:
    """Listens for the warning that CPython gives when an import turns the GIL on.

    Thread safety: make one before other threads start; ``name`` may be read at any time.
    """

    def __init__(self) -> None:
        self.name: str | None = None
        if free_threaded() and getattr(sys.flags, "gil", None) == 1:
            self.name = "PYTHON_GIL=1 or -X gil=1"
        self._shown = warnings.showwarning
        warnings.filterwarnings("always", message="The global interpreter lock", category=RuntimeWarning)
        warnings.showwarning = self._show  # type: ignore[assignment]  # passes on whatever it does not name

    def _show(self, message: Warning | str, category: type[Warning], filename: str, lineno: int, *rest: Any) -> None:
        found = TURNED_ON.search(str(message))
        if found:
            self.name = self.name or found[1]
        else:
            self._shown(message, category, filename, lineno, *rest)
