"""Workers send their parts to one owner; only the owner touches the state.

Work that has stages goes through a pipeline instead: each stage has workers of its own, and bounded channels join them.
"""

from __future__ import annotations

from collections.abc import Sequence

import fearless as fl
from fearless.lab.job import Item, Job, Part, Result

SHARED = "one owner"
KEEP_IN_MIND = "close every sender when done"
UPDATE = "one at a time"
ORDERED = False
OWNER = True  # a thread beside the workers
STAGES = {  # what differs where the work has stages
    "summary": "Each stage has workers of its own, and bounded channels join them.",
    "shared": "parts handed over",
    "keep_in_mind": "slowest stage sets the pace",
    "ordered": True,
}


def collect(job: Job, items: Sequence[Item], workers: int) -> list[Part]:
    """Every part; the owner puts them in order by their numbers."""
    tx, rx = fl.channel(128)

    def produce(tx: fl.Sender[tuple[int, Part]]) -> None:
        def step(number: int) -> None:
            tx.send((number, job.work(items[number])))

        fl.par(range(len(items)), workers=workers).for_each(step)

    with rx, fl.scope() as scope:
        scope.spawn(produce, tx.move())
        parts = dict(rx)
    return [parts[number] for number in range(len(items))]


def fold(job: Job, items: Sequence[Item], workers: int) -> Result:
    """One state; parts reach it in the order in which they are done."""
    tx, rx = fl.channel(128)
    state = job.start()

    def produce(tx: fl.Sender[Part]) -> None:
        fl.par(items, workers=workers).for_each(lambda item: tx.send(job.work(item)))

    with rx, fl.scope() as scope:
        scope.spawn(produce, tx.move())
        for part in rx:
            state = job.update(state, part)
    return state


def collect_stages(job: Job, items: Sequence[Item], workers: int) -> list[Part]:
    """Every part, in order; an item has one owner at a time."""
    steps = [fl.stage(one, workers=workers) for one in job.stages]
    with fl.pipeline(items, *steps, capacity=128) as results:
        parts = list(results)
    return parts  # noqa: RET504  # not in the block: to a type checker that could swallow an error


def fold_stages(job: Job, items: Sequence[Item], workers: int) -> Result:
    """One state, updated by the caller with what leaves the last stage."""
    state = job.start()
    steps = [fl.stage(one, workers=workers) for one in job.stages]
    with fl.pipeline(items, *steps, capacity=128) as results:
        for part in results:
            state = job.update(state, part)
    return state
