"""Chunks of items go to whoever is free; each worker has a state of its own, and the states are merged at the end."""

from __future__ import annotations

from collections.abc import Sequence

import fearless as fl
from fearless.lab.job import Item, Job, Part, Result

SHARED = "nothing"
KEEP_IN_MIND = "work must not share state"
UPDATE = "in parts"
ORDERED = True


def collect(job: Job, items: Sequence[Item], workers: int) -> list[Part]:
    """Every part, in order."""
    return fl.par(items, workers=workers).map(job.work).collect()


def fold(job: Job, items: Sequence[Item], workers: int) -> Result:
    """Partial states, merged in the order of the items."""
    return fl.par(items, workers=workers).map(job.work).fold(job.start, job.update, job.merge)


def fold_reads(job: Job, items: Sequence[Item], workers: int) -> Result:
    """Partial states, each looked at by the worker that has it."""

    def step(state: Result, item: Item) -> Result:
        part = job.work(job.read(state, item))
        return state if part is None else job.update(state, part)

    return fl.par(items, workers=workers).fold(job.start, step, job.merge)
