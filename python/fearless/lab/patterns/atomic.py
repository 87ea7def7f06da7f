"""Totals that all workers add to, each a bare atomic; there is no lock, and nothing to merge."""

from __future__ import annotations

from collections.abc import Sequence

import fearless as fl
from fearless.lab.job import Item, Job, Result

SHARED = "a bare atomic"
KEEP_IN_MIND = "totals change one by one"
UPDATE = "in parts"
ORDERED = False
NEEDS = "add"


def count(job: Job, items: Sequence[Item], workers: int) -> Result:
    """One total."""
    total = fl.AtomicInt(job.start())

    def step(item: Item) -> None:
        total.add(job.work(item))

    fl.par(items, workers=workers).for_each(step)
    return total.load()


def tally(job: Job, items: Sequence[Item], workers: int) -> Result:
    """A total for each key."""
    totals = {key: fl.AtomicInt(value) for key, value in job.start().items()}

    def step(item: Item) -> None:
        for key, amount in job.work(item).items():
            totals[key].add(amount)

    fl.par(items, workers=workers).for_each(step)
    return {key: total.load() for key, total in totals.items()}
