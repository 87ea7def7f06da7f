"""One worker does everything, in order: the baseline that every other pattern has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fearless.lab.job import Job

SHARED = "nothing"
KEEP_IN_MIND = "uses one core, nothing more"
UPDATE = "one at a time"
ORDERED = True


def collect(job: Job, items: Sequence[Any], workers: int) -> list[Any]:  # noqa: ARG001  # all patterns take the same
    """Every part, in order."""
    return [job.work(item) for item in items]


def fold(job: Job, items: Sequence[Any], workers: int) -> Any:  # noqa: ARG001  # same
    """One state, updated item by item."""
    state = job.start()
    for item in items:
        state = job.update(state, job.work(item))
    return state
