"""Worker processes take chunks of the items; items go there and parts, or merged states, come back as bytes.

New processes are started, never forked: a fork of a program with threads copies their locks, held or not. What the
start costs is part of the pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial, reduce
from multiprocessing import get_context

from fearless.lab.job import Item, Job, Part, Result

SHARED = "parts handed over"
KEEP_IN_MIND = "what is passed gets pickled"
UPDATE = "in parts"
ORDERED = True


def collect(job: Job, items: Sequence[Item], workers: int) -> list[Part]:
    """Every part, in order."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(job.work, items, chunksize=chunk_size(items, workers)))


def fold(job: Job, items: Sequence[Item], workers: int) -> Result:
    """A state for each chunk, merged in the order of the items."""
    size = chunk_size(items, workers)
    chunks = [items[first : first + size] for first in range(0, len(items), size)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return reduce(job.merge, pool.map(partial(fold_chunk, job), chunks))


def gather(job: Job, items: Sequence[Item], workers: int) -> Result:
    """One state, updated by the caller, for want of a merge."""
    state = job.start()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for part in pool.map(job.work, items, chunksize=chunk_size(items, workers)):
            state = job.update(state, part)
    return state


def fold_chunk(job: Job, chunk: Sequence[Item]) -> Result:
    """The state of one chunk, in a worker process."""
    state = job.start()
    for item in chunk:
        state = job.update(state, job.work(item))
    return state


def chunk_size(items: Sequence[Item], workers: int) -> int:
    """Items in a chunk: eight chunks for each worker."""
    return max(1, -(-len(items) // (8 * workers)))
