"""What `doctor` found out about a machine and its interpreters, and what follows for measuring on them.

Holds the types and the findings: which facts limit what can be shown here. Measures nothing and prints nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median

from fearless.lab import wording
from fearless.lab._codec import dump, encode
from fearless.lab.stats import SEED

FINE, LIMITED = 0, 1
FEW_CORES = 0.75  # of those granted
MUCH_NOISE = 0.15
MUCH_STEAL = 0.02  # less is usual on shared machines
MUCH_DIFFERENCE = 0.10  # what R15 tells apart
DEAR_READ = 1e-6  # seconds, for a key of a dict: twenty times what it should take
COARSE_CLOCK = 1e-6  # seconds
ROUNDS = 5  # of a comparison
RESAMPLES = 2_000
SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock that durations are taken from."""

    source: str  # "clock_gettime(CLOCK_MONOTONIC)"
    monotonic: bool
    resolution: float  # seconds between the two nearest readings that were seen
    read: float  # seconds that reading it takes
    hardware: str | None = None  # the kernel's clock source


@dataclass(frozen=True, slots=True)
class Machine:
    """What is granted, and what happened while it was looked at."""

    platform: str
    processor: str
    cpu_count: int
    affinity: int | None
    cgroup: int | None  # the version of control groups, 1 or 2
    cgroup_cpus: float | None  # the quota
    cpuset: int | None  # CPUs that the control group names
    throttled: int | None  # periods in which the quota was used up, while it was looked at
    steal: float | None
    load: float | None  # programs that wanted a CPU in the minute before

    @property
    def allowed(self) -> float:
        """CPUs granted by all limits together."""
        limits = (self.affinity, self.cgroup_cpus, self.cpuset)
        return min([float(self.cpu_count), *(float(one) for one in limits if one)])


@dataclass(frozen=True, slots=True)
class Checked:
    """One interpreter."""

    label: str
    executable: str
    version: str
    implementation: str
    free_threaded: bool
    build: str  # compiler and what it was told
    debug: bool
    gil: bool  # after the imports
    gil_enabled_by: str | None
    imported: Sequence[str]
    clock: Clock
    versions: Mapping[str, str]
    dict_read: float  # seconds for a key of a dict made by the reading thread
    dict_read_foreign: float  # made by another thread
    cores: Sequence[float] = ()  # effective ones, look by look
    alone: Sequence[float] = ()  # seconds of one spinner, look by look

    @property
    def effective_cores(self) -> float | None:
        """The middle of the looks."""
        return median(self.cores) if self.cores else None

    @property
    def smallest_difference(self) -> float | None:
        """The relative difference that five rounds show between equals, in 19 of 20 cases at the most.

        Neighbouring looks at the same work stand for a round of two equal patterns. None for too few looks.
        """
        ratios = [later / one for one, later in pairwise(self.alone)]
        if len(ratios) < ROUNDS:
            return None
        draw = random.Random(SEED)  # noqa: S311  # resampling wants a repeatable generator, not a secret one
        off = sorted(abs(median(draw.choices(ratios, k=ROUNDS)) - 1) for _ in range(RESAMPLES))
        return off[round(SHARE * (RESAMPLES - 1))]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know; ``limits`` if it limits what can be shown here, ``hint`` says what to do about it."""

    text: str
    limits: bool = False
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What `doctor` found. Shows itself as text, and in a notebook as HTML.

    Thread safety: immutable.
    """

    machine: Machine
    pythons: Sequence[Checked]
    seconds: float  # for which the cores were looked at
    schema: int = field(default=1)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What follows: limits first."""
        found = [*_of_machine(self.machine)]
        for one in self.pythons:
            found += _of_interpreter(one, self.machine, several=len(self.pythons) > 1)
        return tuple(sorted(found, key=lambda one: not one.limits))

    @property
    def exit_code(self) -> int:
        """0: nothing limits what can be shown here; 1: something does."""
        return LIMITED if any(one.limits for one in self.findings) else FINE

    def to_json(self) -> str:
        """Facts and findings as JSON text."""
        return dump({**encode(self), "findings": encode(self.findings), "exit_code": self.exit_code})

    def write(self, path: str | Path) -> None:
        """Write them to ``path``."""
        Path(path).write_text(self.to_json(), encoding="utf-8")

    def __str__(self) -> str:
        from fearless.lab.report import doctor

        return "\n".join(line.text for line in doctor.lines(self))

    def _repr_html_(self) -> str:
        from fearless.lab.report import doctor

        return doctor.fragment(self)


def _of_machine(one: Machine) -> Iterator[Finding]:
    if one.allowed < 2:  # noqa: PLR2004  # two threads
        text = f"{one.allowed:g} CPU is granted, so no two threads can run at once"
        yield Finding(text, limits=True, hint="lift the limit of affinity or control group, or use another machine")
    else:
        yield Finding(
            f"nothing past {wording.counted(int(one.allowed), 'thread')} is measured here; what is said is predicted"
        )
    if one.throttled:
        text = f"the control group's quota was used up in {wording.counted(one.throttled, 'period')}"
        yield Finding(text, limits=True, hint="a quota stops all threads for a part of each period: raise it")
    if one.steal is not None and one.steal >= MUCH_STEAL:
        text = f"the hypervisor took {wording.percent(one.steal)} of the CPU time"
        yield Finding(text, limits=True, hint="measure at another hour, or on a machine of its own")


def _of_interpreter(one: Checked, machine: Machine, *, several: bool) -> Iterator[Finding]:
    where = f"{one.label}: " if several else ""
    for found in (*_of_build(one), *_of_looks(one, machine), *_of_clock(one.clock)):
        yield Finding(where + found.text, found.limits, found.hint)


def _of_build(one: Checked) -> Iterator[Finding]:
    if one.debug:
        yield Finding("it is a debug build, several times slower than a release", limits=True, hint="use a release")
    if one.gil and one.free_threaded:
        by = f" by {one.gil_enabled_by}" if one.gil_enabled_by else ""
        hint = "update or leave out that module, or set PYTHON_GIL=0 at your own risk"
        yield Finding(f"the GIL was turned on{by}, so threads take turns", limits=True, hint=hint)
    elif one.gil:
        yield Finding("the GIL is on: threads gain where work waits or lets go of it, and nowhere else")
    if one.dict_read_foreign >= DEAR_READ and one.dict_read_foreign > DEAR_READ + one.dict_read:
        known = f"{wording.seconds(one.dict_read_foreign)} a key, and {_fine(one.dict_read)} where the reader made it"
        hint = "let each thread fill a dict of its own and merge them: par does"
        yield Finding(
            f"the first dict.get or Counter.update on a dict that another thread made costs {known}", hint=hint
        )


def _of_looks(one: Checked, machine: Machine) -> Iterator[Finding]:
    cores, least = one.effective_cores, one.smallest_difference
    if cores is not None and cores < FEW_CORES * machine.allowed:
        text = f"only {cores:.2f} of {machine.allowed:g} cores were free"
        yield Finding(text, limits=True, hint="measure when other programs are idle")
    if least is not None:
        text = f"differences below {_share(least)} cannot be seen here in {ROUNDS} rounds"
        hint = "measure when other programs are idle, or with a larger --budget"
        yield Finding(text, limits=least >= MUCH_DIFFERENCE, hint=hint if least >= MUCH_DIFFERENCE else None)


def _of_clock(clock: Clock) -> Iterator[Finding]:
    if not clock.monotonic:
        yield Finding("the clock can go backwards", limits=True, hint="use another machine to measure")
    if clock.resolution > COARSE_CLOCK:
        text = f"the clock moves in steps of {wording.seconds(clock.resolution)}"
        yield Finding(text, limits=True, hint="let a run last a thousand such steps or more")


def _fine(seconds: float) -> str:
    """Down to nanoseconds."""
    return f"{seconds * 1e9:.0f} ns" if seconds < 1e-6 else wording.seconds(seconds)  # noqa: PLR2004  # a microsecond


def _share(value: float) -> str:
    """A share in per cent, with a tenth where it is small."""
    return f"{value * 100:.1f} %" if value < 0.1 else wording.percent(value)  # noqa: PLR2004  # ten per cent
