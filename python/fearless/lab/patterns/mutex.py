"""One state that all workers share behind one lock; the work is done outside of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import fearless as fl
from fearless.lab.job import Job

SHARED = "one lock"
KEEP_IN_MIND = "keep work outside the lock"
UPDATE = "one at a time"
ORDERED = False


def fold(job: Job, items: Sequence[Any], workers: int) -> Any:
    """One state, updated by one worker at a time."""
    shared = fl.Mutex(job.start())

    def step(item: Any) -> None:
        part = job.work(item)
        with shared as guard:
            guard.value = job.update(guard.value, part)

    fl.par(items, workers=workers).for_each(step)
    with shared as guard:
        return guard.value
