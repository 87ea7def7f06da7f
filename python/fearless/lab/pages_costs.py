"""What things cost, from stored measurements: the toolkit's benchmarks, and one comparison of the patterns.

Holds the way from the stored files to figures and their words. Measures nothing; the files come with the package.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fearless.lab import stats, wording
from fearless.lab.record import Record, Run
from fearless.lab.stats import Estimate
from fearless.lab.techniques import Cost

RESULTS = Path(__file__).parent / "guide" / "results"
BUILDS: Mapping[str, str] = {"with the GIL": "cpython-313", "free-threaded": "cpython-313t"}
COMPARISON = "compare-word-index"
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))
DIGITS = 3  # significant ones


@dataclass(frozen=True, slots=True)
class Compared:
    """What a pattern reached in the stored comparison, under one interpreter."""

    pattern: str
    speedup: Estimate  # over serial, within rounds
    waiting_share: float | None  # of the workers' time
    cpu_seconds: float | None
    peak_bytes: float | None


def said(cost: Cost, *, build: str) -> str:
    """The figure of ``cost`` with its interval, for one of `BUILDS`; words where there is no benchmark."""
    if cost.shape is None or cost.contender is None:
        return cost.what
    return f"{figure(cost.shape, cost.contender, build)} {cost.what}"


def figure(shape: str, contender: str, build: str) -> str:
    """``61.2 ns [60.1, 63.0]``: the median, and where 95 % of resampled medians fall. Raises: `KeyError`."""
    return written(estimate(shape, contender, build))


def times(found: Estimate) -> str:
    """A ratio as ``1.94x [1.90, 1.98]``."""
    low, high = found.bounds or (found.median, found.median)
    return f"{_digits(found.median)}x [{_digits(low)}, {_digits(high)}]"


def written(found: Estimate) -> str:
    """Seconds as ``61.2 ns [60.1, 63.0]``."""
    low, high = found.bounds or (found.median, found.median)
    scale, unit = next((pair for pair in UNITS if found.median >= pair[0]), UNITS[-1])
    first, second = _digits(low / scale), _digits(high / scale)
    return f"{_digits(found.median / scale)} {unit} [{first}, {second}]"


def estimate(shape: str, contender: str, build: str, session: str = "") -> Estimate:
    """What the benchmark measured, in seconds. Raises: `KeyError` if it did not measure that.

    ``session``: the beginning of the file's name, where it is not that of the session with every shape.
    """
    return stats.estimate(_samples(shape, contender, build, session))


def gain(shape: str, contender: str, other: str, build: str, session: str = "") -> Estimate:
    """How many times as long as ``contender`` the ``other`` takes, within rounds. Raises: `KeyError`, as `estimate`."""
    pairs = zip(_samples(shape, other, build, session), _samples(shape, contender, build, session), strict=True)
    return stats.estimate([slow / quick for slow, quick in pairs])


def _samples(shape: str, contender: str, build: str, session: str) -> list[float]:
    """The seconds of an operation, one for each round."""
    shapes = {one["shape"]: one for one in stored(f"{session}{BUILDS[build]}")["shapes"]}
    rows = {row["contender"]: row for row in shapes[shape]["contenders"]}
    found: list[float] = rows[contender]["seconds"]
    return found


def machine(session: str = "") -> str:
    """Where the benchmarks ran, and how their figures are to be read."""
    found = [stored(f"{session}{name}")["environment"] for name in BUILDS.values()]
    pythons = [f"{one['interpreter']} {build}" for build, one in zip(BUILDS, found, strict=True)]
    first = found[0]
    return (
        f"{wording.listed(pythons)}, on a virtual machine with {first['cores']} cores of an {first['processor']}; "
        "in brackets where 95 % of resampled medians fall. Times are for orientation"
    )


def comparison() -> dict[str, list[Compared]]:
    """The stored comparison: for each interpreter the patterns, the simplest first, serial left out."""
    record = _record()
    return {one.label: _compared(record, one.label) for one in record.environment.interpreters}


def comparison_machine() -> str:
    """What was compared, and where."""
    record = _record()
    pythons = [
        f"CPython {one.version} {'free-threaded' if one.free_threaded else 'with the GIL'} "
        f"({one.effective_cores or 0.0:.2f} effective cores)"
        for one in record.environment.interpreters
    ]
    processor = stored(BUILDS["with the GIL"])["environment"]["processor"]
    corpus = record.workload.corpus
    files = f" over {wording.counted(corpus.files, 'file')}" if corpus else ""
    return (
        f"`{record.workload.name}`{files}, {record.rounds} rounds, 2 workers; {wording.listed(pythons)}, on a virtual "
        f"machine with {record.environment.cpu_count} cores of an {processor}; "
        "in brackets where 95 % of resampled medians fall"
    )


def _compared(record: Record, label: str) -> list[Compared]:
    own = [run for run in record.runs if run.python == label and run.ok]
    serial = _seconds(run for run in own if run.pattern == "serial")
    names = [card.name for card in record.cards if card.name != "serial"]
    found = {name: [run for run in own if run.pattern == name] for name in names}
    return [_of_pattern(name, runs, serial) for name, runs in found.items() if runs]


def _of_pattern(name: str, runs: Sequence[Run], serial: Mapping[int, float]) -> Compared:
    ratios = stats.round_ratios(serial, _seconds(runs))
    return Compared(
        name,
        stats.estimate(list(ratios.values())),
        _median(run.waiting_share for run in runs),
        _median(run.cpu_seconds for run in runs),
        _median(run.peak_bytes for run in runs),
    )


def _seconds(runs: Iterable[Run]) -> dict[int, float]:
    return {run.round: run.seconds for run in runs if run.seconds is not None}


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return stats.estimate(known).median if known else None


@functools.cache
def _record() -> Record:
    return Record.read(RESULTS / f"{COMPARISON}.json")


@functools.cache
def stored(name: str) -> dict[str, Any]:
    """A record of the benchmarks, by the name of its file. Raises: `OSError` if there is none."""
    stored: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return stored


def _digits(value: float) -> str:
    """Three significant digits, never in exponent form."""
    texts = (f"{value:.{places}f}" for places in range(DIGITS - 1, -1, -1))
    return next((text for text in texts if len(text.replace(".", "")) <= DIGITS), f"{value:.0f}")
