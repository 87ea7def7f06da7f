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


def cpu_times() -> tuple[int, int] | None:
    """Return the ticks that were stolen by other guests of the host, and all ticks; `None` where nobody counts them."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return None
    fields = [int(field) for field in stat.read_text().splitlines()[0].split()[1:9]]
    return fields[7], sum(fields)


def stolen(before: tuple[int, int] | None) -> float | None:
    """Return the share of time stolen since `before`."""
    now = cpu_times()
    if before is None or now is None or now[1] == before[1]:
        return None
    return round((now[0] - before[0]) / (now[1] - before[1]), 4)


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
        "commit": commit(),
    }
