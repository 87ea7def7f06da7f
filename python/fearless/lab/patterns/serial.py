"""One worker does everything, in order: the baseline that every other pattern has to beat."""

from __future__ import annotations

from collections.abc import Sequence

from fearless.lab.job import Item, Job, Part, Result

SHARED = "nothing"
KEEP_IN_MIND = "uses one core, nothing more"
UPDATE = "one at a time"
ORDERED = True


def collect(job: Job, items: Sequence[Item], workers: int) -> list[Part]:  # noqa: ARG001  # all patterns take the same
    """Every part, in order."""
    return [job.work(item) for item in items]


def fold(job: Job, items: Sequence[Item], workers: int) -> Result:  # noqa: ARG001  # same
    """One state, updated item by item."""
    state = job.start()
    for item in items:
        state = job.update(state, job.work(item))
    return state


def fold_reads(job: Job, items: Sequence[Item], workers: int) -> Result:  # noqa: ARG001  # same
    """One state, looked at and updated item by item."""
    state = job.start()
    for item in items:
        part = job.work(job.read(state, item))
        if part is not None:
            state = job.update(state, part)
    return state
