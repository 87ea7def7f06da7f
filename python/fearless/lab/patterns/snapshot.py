"""Readers look at the present value, which nobody changes; a writer changes a copy and puts that in its place."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import fearless as fl
from fearless.lab.job import Item, Job, Result

SHARED = "a bare atomic"
KEEP_IN_MIND = "never change a published value"
UPDATE = "again when overtaken"
ORDERED = False
NEEDS = "read"


def fold_reads(job: Job, items: Sequence[Item], workers: int) -> Result:
    """One reference to the state; who is overtaken by another writer copies and changes again."""
    current = fl.AtomicRef(job.start())

    def step(item: Item) -> None:
        seen = job.read(current.load(), item)
        part = job.work(seen)
        if part is not None:
            current.update(lambda state: job.update(copy(state), part))

    fl.par(items, workers=workers).for_each(step)
    return current.load()
