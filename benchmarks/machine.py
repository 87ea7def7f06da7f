"""What a figure comes with: interpreter, build, machine, cores that were really there, versions, commit.

Not here: any benchmark.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TRIES = 3
SPINNER = """
import sys, time
def spin(turns):
    start = time.perf_counter()
    for _ in range(turns): pass
    return time.perf_counter() - start
spin(100_000)
print(flush=True)
sys.stdin.readline()
print(spin(6_000_000))
"""


def is_free_threaded() -> bool:
    """Whether the interpreter was built without a GIL."""
    return bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def has_gil() -> bool:
    """Whether the GIL is on at this moment: an import may turn it on."""
    asked = getattr(sys, "_is_gil_enabled", None)
    return True if asked is None else bool(asked())


def tag() -> str:
    """Name the interpreter in a file name, as in `cpython-313t`."""
    version = "".join(str(part) for part in sys.version_info[:2])
    return f"{sys.implementation.name}-{version}{'t' if is_free_threaded() else ''}"


def available_cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spinners(count: int) -> list[float]:
    """Let `count` processes do the same counted work at the same time; return the seconds of each.

    Processes, since threads would say nothing about cores while there is a GIL.
    """
    command = [sys.executable, "-I", "-c", SPINNER]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ours
        for _ in range(count)
    ]
    for process in running:
        assert process.stdout is not None  # noqa: S101 - it was asked for
        process.stdout.readline()
    for process in running:
        assert process.stdin is not None  # noqa: S101 - as above
        process.stdin.write("\n")
        process.stdin.flush()
    return [float(process.communicate()[0]) for process in running]


def effective_cores() -> float:
    """Measure how many times the work of one process all cores do at once."""
    cores = available_cores()
    found = []
    for _ in range(TRIES):
        (alone,) = spinners(1)
        found.append(sum(alone / each for each in spinners(cores)))
    return round(min(median(found), cores), 2)


class Clock:
    """What the processors did since it was made: time stolen by other guests of the host, time of other processes.

    Thread safety: externally synchronized.
    """

    def __init__(self) -> None:
        self._began = perf_counter()
        self._own = own_seconds()
        self._ticks = cpu_ticks()

    def stolen(self) -> float | None:
        """Return the share of time that was stolen; `None` where nobody counts it."""
        spent = self._spent()
        return None if spent is None else round(spent["steal"] / max(sum(spent.values()), 1), 4)

    def busy_elsewhere(self) -> float | None:
        """Return how many cores other processes kept busy; `None` where nobody counts it."""
        spent = self._spent()
        if spent is None:
            return None
        busy = sum(spent[name] for name in ("user", "nice", "system", "irq", "softirq")) / os.sysconf("SC_CLK_TCK")
        own = own_seconds() - self._own
        return round(max(0.0, busy - own) / (perf_counter() - self._began), 2)

    def _spent(self) -> dict[str, int] | None:
        now = cpu_ticks()
        if self._ticks is None or now is None:
            return None
        return {name: now[name] - self._ticks[name] for name in now}


TICKS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")


def cpu_ticks() -> dict[str, int] | None:
    """Return what all processors have done so far, in ticks; `None` where nobody counts."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return None
    fields = stat.read_text().splitlines()[0].split()[1:]
    return dict(zip(TICKS, map(int, fields), strict=False))


def own_seconds() -> float:
    """Return the processor time of this process and of the children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def processor() -> str:
    """Name the processor, as far as the system tells."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def commit() -> str:
    """Return the commit of the checkout, with a `+` if the sources differ from it."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603, S607 - git is found on PATH, nothing comes from outside
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--", "crates", "python", "Cargo.lock", "Cargo.toml")
    return (git("rev-parse", "--short=12", "HEAD") or "unknown") + ("+" if changed else "")


def versions(names: Sequence[str]) -> dict[str, str]:
    """Return the versions of the distributions that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def describe() -> dict[str, Any]:
    """Return what does not change during a session."""
    return {
        "interpreter": f"{platform.python_implementation()} {platform.python_version()}",
        "build": "free-threaded" if is_free_threaded() else "GIL",
        "switch_interval": sys.getswitchinterval(),
        "platform": platform.platform(),
        "processor": processor(),
        "cores": available_cores(),
        "niceness": os.nice(0) if hasattr(os, "nice") else None,
        "commit": commit(),
    }
