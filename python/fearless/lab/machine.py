"""What the machine grants: CPUs by affinity and control group, CPUs that are really there, time that is stolen.

Effective cores are measured, not counted: k spinners do a counted number of iterations each, and the speed-up over
one is the number. A spin by the wall clock would be done in time whether it had a core or not.
"""

from __future__ import annotations

import os
import platform
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

ITERATIONS = 1_500_000  # 30 to 100 ms of one core
STEAL = 7  # the field in /proc/stat, after user nice system idle iowait irq softirq
FEW = 4  # quartiles of fewer values say nothing

# A spinner as a process of its own: says that it is ready, waits for a line, spins, says how long it took.
SPINNER = f"""
import sys, time
def spin(n=0):
    for i in range({ITERATIONS}):
        n ^= i
spin()
while True:
    print(flush=True)
    if not sys.stdin.readline():
        break
    start = time.perf_counter()
    spin()
    print(time.perf_counter() - start)
"""


@dataclass(frozen=True, slots=True)
class Calibration:
    """One look at the machine: the seconds of one spinner, and how many times faster the spinners were together."""

    alone: float
    cores: float


def platform_name() -> str:
    """System, release and processor."""
    return f"{platform.system()}-{platform.release()}-{platform.machine()}"


def cpu_count() -> int:
    """CPUs that the system shows."""
    return os.cpu_count() or 1


def affinity() -> int | None:
    """CPUs this process may run on; None where there is no such limit."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def cgroup_cpus(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> float | None:
    """CPUs that the control group grants: the smallest quota from ours up to the root; None if there is no limit."""
    found: list[float] = []
    for controllers, path in _own_groups(own):
        if controllers == "":
            found += _quotas(root, path, _quota_v2)
        elif "cpu" in controllers.split(","):
            found += _quotas(root / "cpu", path, _quota_v1)
    return min(found, default=None)


def cgroup_version(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> int | None:
    """The version of control groups that limits CPUs here, 1 or 2; None where there are none."""
    groups = _own_groups(own)
    if any("cpu" in controllers.split(",") for controllers, _ in groups):
        return 1
    return 2 if groups and (root / "cgroup.controllers").exists() else None


def cpuset(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> int | None:
    """CPUs that our control group names; None if it names none."""
    for controllers, path in _own_groups(own):
        if controllers == "":
            text = _read(root / path.lstrip("/") / "cpuset.cpus.effective")
        elif "cpuset" in controllers.split(","):
            folder = root / "cpuset" / path.lstrip("/")
            text = _read(folder / "cpuset.effective_cpus") or _read(folder / "cpuset.cpus")
        else:
            continue
        if text:
            return _counted(text)
    return None


def throttled_periods(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> int | None:
    """Periods so far in which our control group had used up its quota; None where nobody counts."""
    for controllers, path in _own_groups(own):
        if controllers == "" or "cpu" in controllers.split(","):
            folder = root / path.lstrip("/") if controllers == "" else root / "cpu" / path.lstrip("/")
            for line in _read(folder / "cpu.stat").splitlines():
                if line.startswith("nr_throttled "):
                    return int(line.split()[1])
    return None


def processor_name(information: Path = Path("/proc/cpuinfo")) -> str:
    """The processor, as far as the system tells."""
    try:
        lines = information.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def steal_ticks() -> tuple[int, int] | None:
    """(stolen, all) ticks of all CPUs since the start of the machine; None where the system does not say."""
    try:
        fields = [int(one) for one in Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:9]]
    except (OSError, IndexError, ValueError):
        return None
    if len(fields) < STEAL + 1:
        return None
    return fields[STEAL], sum(fields)


def steal_share(before: tuple[int, int] | None, after: tuple[int, int] | None) -> float | None:
    """The share of CPU time that was stolen between two readings."""
    if before is None or after is None or after[1] <= before[1]:
        return None
    return (after[0] - before[0]) / (after[1] - before[1])


def spread(values: Sequence[float]) -> float | None:
    """Half the distance of the quartiles over the median: 0.02 is 2 %. None for fewer than four values."""
    if len(values) < FEW:
        return None
    low, _, high = quantiles(values, n=4)
    return (high - low) / 2 / median(values)


def calibrate_with_threads(spinners: int) -> Calibration:
    """One calibration by threads of this process; for interpreters without a GIL. Blocks: some 0.2 s."""
    # The first threads of a process pay for what they share from then on; seen as 1.65 cores where two were free.
    _timed(spinners)
    before = _timed(1)
    together = _timed(spinners)
    after = _timed(1)
    alone = (before + after) / 2
    return Calibration(alone, spinners * alone / together)


def calibrate_with_processes(executable: str, spinners: int) -> Calibration:
    """One calibration by processes of ``executable``; works with a GIL, too. Blocks: some 0.4 s."""
    command = [executable, "-I", "-S", "-c", SPINNER]
    team: list[subprocess.Popen[str]] = []
    try:
        for _ in range(spinners):
            team.append(_spinner(command))  # noqa: PERF401  # one by one: what was started is in the list to be ended
        for one in team:
            _heard(one)
        before = _raced(team[:1])
        together = _raced(team)
        after = _raced(team[:1])
    finally:
        for one in team:
            one.kill()
            one.communicate()
    alone = (before + after) / 2
    return Calibration(alone, spinners * alone / together)


def _spinner(command: Sequence[str]) -> subprocess.Popen[str]:
    # In a group of its own: Ctrl-C at the terminal is for the lab, which ends it.
    return subprocess.Popen(  # noqa: S603  # our code
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        process_group=0 if os.name == "posix" else None,
    )


def _raced(team: Sequence[subprocess.Popen[str]]) -> float:
    """The mean seconds that each of ``team`` took while all were spinning."""
    for one in team:
        if one.stdin is not None:
            one.stdin.write("\n")
            one.stdin.flush()
    taken = [float(_heard(one)) for one in team]
    for one in team:
        _heard(one)
    return sum(taken) / len(taken)


def _heard(one: subprocess.Popen[str]) -> str:
    line = one.stdout.readline() if one.stdout is not None else ""
    if not line:
        raise RuntimeError(f"a spinner ended with code {one.wait()} before it had answered")
    return line


def _timed(count: int) -> float:
    """The mean seconds that each of ``count`` threads took for its iterations while all were spinning."""
    taken: list[float] = []
    gate = threading.Barrier(count)

    def run() -> None:
        gate.wait(60.0)
        start = time.perf_counter()
        _spin()
        taken.append(time.perf_counter() - start)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return sum(taken) / len(taken)


def _spin(n: int = 0) -> None:
    for i in range(ITERATIONS):
        n ^= i


def _own_groups(own: Path) -> list[tuple[str, str]]:
    """Controllers and path of each of our groups; no controllers means version 2."""
    lines = (line.split(":", 2) for line in _read(own).splitlines())
    return [(line[1], line[2]) for line in lines if len(line) == 3]  # noqa: PLR2004  # id:controllers:path


def _counted(text: str) -> int:
    """CPUs in a list such as ``0-3,7``."""
    ranges = [part.partition("-") for part in text.split(",")]
    return sum(int(last or first) - int(first) + 1 for first, _, last in ranges)


def _quotas(root: Path, path: str, read: Callable[[Path], float | None]) -> list[float]:
    """The quotas of a group and of all groups around it."""
    group = root / path.lstrip("/")
    folders = [group, *group.parents]
    return [quota for folder in folders if folder.is_relative_to(root) and (quota := read(folder)) is not None]


def _quota_v2(folder: Path) -> float | None:
    quota, _, period = _read(folder / "cpu.max").partition(" ")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None


def _quota_v1(folder: Path) -> float | None:
    quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
