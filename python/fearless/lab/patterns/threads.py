"""A scope of threads, each with a slice of the items and a state of its own; the states are merged after the join."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise

import fearless as fl
from fearless.lab.job import Item, Job, Part, Result

SHARED = "nothing"
KEEP_IN_MIND = "one slow slice delays all"
UPDATE = "in parts"
ORDERED = True


def collect(job: Job, items: Sequence[Item], workers: int) -> list[Part]:
    """Every part, in order."""

    def handle(piece: Sequence[Item]) -> list[Part]:
        return [job.work(item) for item in piece]

    with fl.scope() as scope:
        tasks = [scope.spawn(handle, piece) for piece in slices(items, workers)]
    return [part for task in tasks for part in task.join()]


def fold(job: Job, items: Sequence[Item], workers: int) -> Result:
    """A state for each slice, merged in the order of the items."""

    def handle(piece: Sequence[Item]) -> Result:
        state = job.start()
        for item in piece:
            state = job.update(state, job.work(item))
        return state

    with fl.scope() as scope:
        tasks = [scope.spawn(handle, piece) for piece in slices(items, workers)]
    return reduce(job.merge, [task.join() for task in tasks])


def fold_reads(job: Job, items: Sequence[Item], workers: int) -> Result:
    """A state for each slice, looked at by the thread that has it."""

    def handle(piece: Sequence[Item]) -> Result:
        state = job.start()
        for item in piece:
            part = job.work(job.read(state, item))
            state = state if part is None else job.update(state, part)
        return state

    with fl.scope() as scope:
        tasks = [scope.spawn(handle, piece) for piece in slices(items, workers)]
    return reduce(job.merge, [task.join() for task in tasks])


def slices(items: Sequence[Item], count: int) -> list[Sequence[Item]]:
    """``items`` in ``count`` slices whose lengths differ by one at the most; fewer if there are fewer items."""
    count = min(count, len(items))
    edges = [len(items) * index // count for index in range(count + 1)]
    return [items[first:end] for first, end in pairwise(edges)]
