"""A future for each item, from the toolkit's thread pool; the caller takes the parts in order."""

from __future__ import annotations

from collections.abc import Sequence

import fearless as fl
from fearless.lab.job import Item, Job, Part, Result

SHARED = "parts handed over"
KEEP_IN_MIND = "each item costs a future"
UPDATE = "one at a time"
ORDERED = True


def collect(job: Job, items: Sequence[Item], workers: int) -> list[Part]:
    """Every part, in order."""
    with fl.ThreadPool(workers) as pool:
        return list(pool.map(job.work, items))


def fold(job: Job, items: Sequence[Item], workers: int) -> Result:
    """One state, updated by the caller."""
    state = job.start()
    with fl.ThreadPool(workers) as pool:
        for part in pool.map(job.work, items):
            state = job.update(state, part)
    return state
