"""One state that all workers share behind one lock; the work is done outside of it."""

from __future__ import annotations

from collections.abc import Sequence

import fearless as fl
from fearless.lab.job import Item, Job, Result

SHARED = "one lock"
KEEP_IN_MIND = "keep work outside the lock"
UPDATE = "one at a time"
ORDERED = False


def fold(job: Job, items: Sequence[Item], workers: int) -> Result:
    """One state, updated by one worker at a time."""
    shared = fl.Mutex(job.start())

    def step(item: Item) -> None:
        part = job.work(item)
        with shared as guard:
            guard.value = job.update(guard.value, part)

    fl.par(items, workers=workers).for_each(step)
    with shared as guard:
        return guard.value


def fold_reads(job: Job, items: Sequence[Item], workers: int) -> Result:
    """One state, looked at or updated by one worker at a time."""
    shared = fl.Mutex(job.start())

    def step(item: Item) -> None:
        with shared as guard:
            seen = job.read(guard.value, item)
        part = job.work(seen)
        if part is not None:
            with shared as guard:
                guard.value = job.update(guard.value, part)

    fl.par(items, workers=workers).for_each(step)
    with shared as guard:
        return guard.value
