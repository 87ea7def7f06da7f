"""What the charts of the guide show: lines of measured points, from stored sessions of the benchmarks.

Holds which figures make a chart, and their words as a table and a caption. Draws nothing; `scripts/charts` does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fearless.lab import pages_costs, wording
from fearless.lab.pages_costs import BUILDS
from fearless.lab.stats import Estimate


@dataclass(frozen=True, slots=True)
class Series:
    """A line of a chart: for a tick of its axis the benchmark and the contender that were measured."""

    label: str
    points: Mapping[str, tuple[str, str]]
    over: str | None = None  # a contender: points are how many times as long that one takes, within rounds


@dataclass(frozen=True, slots=True)
class Chart:
    """Points over named ticks, once for each build. Their session is stored as ``SESSION-BUILD.json``."""

    title: str
    across: str  # what the ticks are
    up: str  # what a point is
    session: str
    ticks: Sequence[str]
    lines: Sequence[Series]
    unit: Literal["s", "x"] = "s"
    labels: Literal["legend", "first point"] = "legend"  # where lines are named; at points that are far apart


BOUNDS = ("0", "1", "16", "128", "1024")
UNBOUNDED = "unbounded"


def _slots(name: str, bounds: Sequence[str], unbounded: str) -> Series:
    """An item through a channel or a queue: one of so many slots, and one without a bound."""
    bounded = {slots: (f"spsc/{slots}", f"{name}({slots})") for slots in bounds}
    return Series(name, {**bounded, UNBOUNDED: (f"spsc/{UNBOUNDED}", unbounded)})


HOLDS = ("0", "100 ns", "1 us", "10 us")


def _gain(share: str, shapes: str) -> Series:
    """How much longer a plain lock takes, with so many writes."""
    points = {hold: (f"{shapes}/{hold}", "with RwLock") for hold in HOLDS}
    return Series(f"{share} writes", points, over="with threading.Lock")


SIZES = ("1 us", "10 us", "100 us", "1 ms", "10 ms")


def _beside_loop(name: str) -> Series:
    """How much longer than a plain loop it takes to have the tasks made by others."""
    return Series(name, {size: (f"crossover/{size}", "a plain loop") for size in SIZES}, over=name)


CHARTS: Mapping[str, Chart] = {
    "capacity": Chart(
        title="What an item costs on its way from one thread to another",
        across="slots",
        up="time for an item",
        session="spsc",
        ticks=(*BOUNDS, UNBOUNDED),
        lines=(
            _slots("channel", BOUNDS, "channel(None)"),
            _slots("queue.Queue", BOUNDS[1:], "queue.Queue()"),  # it has no rendezvous
            _slots("queue.SimpleQueue", (), "queue.SimpleQueue"),  # it has no bound
        ),
    ),
    "rwlock_gain": Chart(
        title="How many times as fast two threads are with an RwLock as with a plain lock",
        across="held for",
        up="times as fast",
        session="rw",
        ticks=HOLDS,
        lines=(
            _gain("no", "rw-read/2 threads"),
            *(_gain(share, f"rw-mix/{share} writes") for share in ("1 %", "10 %", "50 %")),
        ),
        unit="x",
    ),
    "crossover": Chart(
        title="How large a task must be for two threads to beat a plain loop",
        across="a task takes",
        up="times as long as a plain loop",
        session="crossover",
        ticks=SIZES,
        lines=tuple(_beside_loop(name) for name in ("scope().spawn", "ThreadPool(2)", "par(..., workers=2)")),
        unit="x",
        labels="first point",
    ),
}


def point(chart: Chart, line: Series, tick: str, build: str) -> Estimate | None:
    """The seconds of one point, or its ratio; ``None`` where there is nothing to measure.

    Raises: `KeyError` if it is missing.
    """
    if tick not in line.points:
        return None
    if line.over is not None:
        return pages_costs.gain(*line.points[tick], line.over, build, _session(chart))
    return pages_costs.estimate(*line.points[tick], build, _session(chart))


def table(name: str, build: str) -> tuple[Sequence[str], list[Sequence[str]]]:
    """The chart in figures, for one of `BUILDS`: a heading, and a row for each tick."""
    chart = CHARTS[name]
    heading = (f"{chart.across}, {build}", *(f"`{line.label}`" for line in chart.lines))
    return heading, [(tick, *(_cell(chart, line, tick, build) for line in chart.lines)) for tick in chart.ticks]


def caption(name: str) -> str:
    """Where and how it was measured: interpreters, builds, machine, what else ran there, commit, interval."""
    chart = CHARTS[name]
    stored = [_stored(chart, build) for build in BUILDS]
    found = {build: one["environment"] for build, one in zip(BUILDS, stored, strict=True)}
    rounds = min(shape["rounds"] for one in stored for shape in one["shapes"])
    pythons = [f"{one['interpreter']} {build}" for build, one in found.items()]
    first = next(iter(found.values()))
    cores = [_between(one["effective_cores"]) for one in found.values()]
    others = [f"{one['busy_elsewhere']:g}" for one in found.values()]
    commits = [f"`{commit}`" for commit in dict.fromkeys(one["commit"] for one in found.values())]
    return (
        f"{wording.listed(pythons)}, two threads, on a virtual machine with {first['cores']} cores of an "
        f"{first['processor']}, of which {wording.listed(cores)} were effective, while other processes kept "
        f"{wording.listed(others)} of them busy; commit {wording.listed(commits)}; the median of {rounds} "
        "rounds, and around it where 95 % of resampled medians fall"
    )


def digest(name: str) -> str:
    """What differs where a drawing would differ: a drawing carries it, so that an old one is found."""
    chart = CHARTS[name]
    shown = [[table(name, build) for build in BUILDS], caption(name), chart.title, chart.up]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:16]


def _between(found: Sequence[float]) -> str:
    """Where figures lie: ``1.98 to 2``, or one of them where they are equal."""
    return " to ".join(dict.fromkeys(f"{one:g}" for one in (min(found), max(found))))


def _cell(chart: Chart, line: Series, tick: str, build: str) -> str:
    found = point(chart, line, tick, build)
    if found is None:
        return "-"
    return pages_costs.times(found) if chart.unit == "x" else pages_costs.written(found)


def _session(chart: Chart) -> str:
    """How the names of its records begin."""
    return f"{chart.session}-"


def _stored(chart: Chart, build: str) -> dict[str, Any]:
    return pages_costs.stored(f"{_session(chart)}{BUILDS[build]}")
