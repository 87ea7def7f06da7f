"""What all workers share lies in shards, so that two of them rarely meet: counters that add up, or a lock for each key.

Where items say which keys they touch, a worker takes the locks of those keys and no other.
"""

from __future__ import annotations

from collections.abc import Sequence

import fearless as fl
from fearless.lab.job import Item, Job, Result

SHARED = "a bare atomic"
KEEP_IN_MIND = "sum only when all ended"
UPDATE = "in parts"
ORDERED = False
NEEDS = "add or keys"
KEYS = {  # what differs where there is a lock for each key
    "summary": "Each entry of the state has its own lock; a worker takes those that its item touches.",
    "shared": "several locks",
    "keep_in_mind": "take several in one go",
}


def count(job: Job, items: Sequence[Item], workers: int) -> Result:
    """One total, in shards."""
    total = fl.ShardedCounter()

    def step(item: Item) -> None:
        total.add(job.work(item))

    fl.par(items, workers=workers).for_each(step)
    return job.start() + total.sum()


def tally(job: Job, items: Sequence[Item], workers: int) -> Result:
    """A total for each key, in shards."""
    state = job.start()
    totals = {key: fl.ShardedCounter() for key in state}

    def step(item: Item) -> None:
        for key, amount in job.work(item).items():
            totals[key].add(amount)

    fl.par(items, workers=workers).for_each(step)
    return {key: state[key] + total.sum() for key, total in totals.items()}


def fold_keys(job: Job, items: Sequence[Item], workers: int) -> Result:
    """A lock for each entry; an update gets the entries whose locks it holds, and no other."""
    locks = {key: fl.Mutex(value) for key, value in job.start().items()}

    def step(item: Item) -> None:
        part, named = job.work(item), list(job.keys(item))
        with fl.lock_all(*(locks[key] for key in named)) as guards:
            own = {key: guard.value for key, guard in zip(named, guards, strict=True)}
            own = job.update(own, part)
            for key, guard in zip(named, guards, strict=True):
                guard.value = own[key]

    fl.par(items, workers=workers).for_each(step)
    return {key: lock.with_lock(lambda value: value) for key, lock in locks.items()}
