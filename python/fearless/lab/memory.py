"""Peak memory of a process and of the worker processes it had; exact on Linux, elsewhere what `getrusage` says."""

from __future__ import annotations

import atexit
import os
import sys
from pathlib import Path

FOLDER = "FEARLESS_LAB_PEAKS"  # the environment variable that tells worker processes where to leave their peak


def own_peak() -> int | None:
    """The largest resident set of this process so far, in bytes; None where nobody knows.

    Not ``ru_maxrss`` on Linux: a new process inherits that from the one that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def report_at_exit() -> None:
    """In a worker process: leave its peak in the folder that the environment names, if it names one."""
    folder = os.environ.get(FOLDER)
    if folder:
        atexit.register(_report, Path(folder))


def workers_peak(folder: Path) -> int:
    """The peaks that worker processes left in ``folder``, added up, in bytes."""
    return sum(int(file.read_text(encoding="ascii")) for file in folder.glob("*.peak"))


def _report(folder: Path) -> None:
    if (peak := own_peak()) is not None:
        (folder / f"{os.getpid()}.peak").write_text(str(peak), encoding="ascii")
