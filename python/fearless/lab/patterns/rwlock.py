"""One state behind a lock for readers and writers: many look at it at once, and one at a time changes it."""

from __future__ import annotations

from collections.abc import Sequence

import fearless as fl
from fearless.lab.job import Item, Job, Result

SHARED = "one lock"
KEEP_IN_MIND = "short reads do not pay"
UPDATE = "one at a time"
ORDERED = False
NEEDS = "read"


def fold_reads(job: Job, items: Sequence[Item], workers: int) -> Result:
    """One state, read by all workers and updated by one at a time."""
    shared = fl.RwLock(job.start())

    def step(item: Item) -> None:
        with shared.read() as view:
            seen = job.read(view.value, item)
        part = job.work(seen)
        if part is not None:
            with shared.write() as guard:
                guard.value = job.update(guard.value, part)

    fl.par(items, workers=workers).for_each(step)
    with shared.read() as view:
        return view.value
