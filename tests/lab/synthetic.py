"""Records with known answers, made without measuring anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fearless.lab.record import (
    Card,
    Corpus,
    Environment,
    Interpreter,
    Profile,
    Record,
    Run,
    WorkloadInfo,
)

CARDS = (
    Card("serial", "nothing", "one core does all work", 6, 0),
    Card("par", "nothing", "parts must join in order", 9, 2),
    Card("threads", "nothing", "slices may differ in length", 14, 3),
    Card("mutex", "one lock", "hold it only to update", 12, 3, update_in_parts=False),
    Card("channel", "one owner", "close it when all sent", 18, 5, update_in_parts=False),
    Card("pool", "parts handed over", "one future for each item", 11, 3),
    Card("executor", "parts handed over", "one future for each item", 11, 3),
    Card("processes", "parts handed over", "items and results are pickled", 12, 3),
)
STEADY = (1.0, 1.02, 0.99, 1.01, 0.98, 1.0)  # factors of a quiet machine, one a round

Speeds = Mapping[tuple[str, int], float]


def interpreter(label: str = "3.13t", *, gil: bool = False, cores: float | None = 1.95) -> Interpreter:
    """An interpreter; by default a free-threaded one."""
    return Interpreter(
        label=label,
        executable=f"/python/{label}",
        version=label.rstrip("t") + ".1",
        free_threaded=label.endswith("t"),
        gil=gil,
        effective_cores=cores,
        noise=0.012,
    )


def profile(label: str = "3.13t", **changes: Any) -> Profile:
    """A serial run of CPU-bound work whose parts are quickly merged."""
    known: dict[str, Any] = {
        "python": label,
        "items": 1000,
        "seconds": 1.0,
        "cpu_seconds": 1.0,
        "work_seconds": 0.98,
        "work_cv": 0.5,
        "update_seconds": 0.2,
        "merge_seconds": 0.02,
        "blocked_seconds": 0.0,
    }
    return Profile(**{**known, **changes})


def runs(speeds: Speeds, label: str = "3.13t", *, factors: Sequence[float] = STEADY, gil: bool = False) -> list[Run]:
    """Runs of one second over the speed-up, times the factor of their round and a little jitter."""
    return [
        Run(
            pattern=pattern,
            workers=workers,
            python=label,
            round=number,
            seconds=(1 + 0.004 * ((number * 7 + place * 3) % 5 - 2)) * factor / speed,
            cpu_seconds=factor / speed * (min(workers, speed) if pattern != "serial" else 1.0),
            waiting_seconds=0.01 if pattern not in {"serial", "executor", "processes"} else None,
            peak_bytes=(40 + 3 * place) * 1024 * 1024,
            result_sha256="ab" * 32,
            equal=True,
            gil=gil,
        )
        for number, factor in enumerate(factors)
        for place, ((pattern, workers), speed) in enumerate(speeds.items())
    ]


def record(
    *groups: Sequence[Run],
    interpreters: Sequence[Interpreter] | None = None,
    profiles: Sequence[Profile] | None = None,
    state: str = "merge",
    **changes: Any,
) -> Record:
    """A record of the given runs, by default on one free-threaded interpreter."""
    found = [run for group in groups for run in group]
    rounds = len({run.round for run in found})
    known: dict[str, Any] = {
        "environment": Environment("Linux-x86_64", 2, affinity=2, interpreters=interpreters or [interpreter()]),
        "workload": WorkloadInfo(
            "word-index",
            summary="Count the words in every source file.",
            items=1412,
            state=state,  # type: ignore[arg-type]  # a test may name it as text
            corpus=Corpus(1412, 8_000_000, "3f2a9c01aa77" + "0" * 52),
        ),
        "runs": found,
        "profiles": [profile()] if profiles is None else profiles,
        "cards": CARDS,
        "budget_seconds": 60.0,
        "rounds": rounds,
    }
    return Record(**{**known, **changes})


FREE_THREADED: Speeds = {
    ("serial", 1): 1.0,
    ("par", 2): 1.85,
    ("threads", 2): 1.88,
    ("mutex", 2): 1.4,
    ("channel", 2): 1.3,
    ("pool", 2): 1.8,
    ("executor", 2): 1.5,
    ("processes", 2): 1.2,
}
WITH_GIL: Speeds = {
    ("serial", 1): 1.0,
    ("par", 2): 0.99,
    ("threads", 2): 0.98,
    ("mutex", 2): 0.95,
    ("channel", 2): 0.9,
    ("pool", 2): 0.93,
    ("executor", 2): 0.85,
    ("processes", 2): 1.02,
}
