"""Workers send their parts to one owner; only the owner touches the state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import fearless as fl
from fearless.lab.job import Job

SHARED = "one owner"
KEEP_IN_MIND = "close every sender when done"
UPDATE = "one at a time"
ORDERED = False
OWNER = True  # a thread beside the workers


def collect(job: Job, items: Sequence[Any], workers: int) -> list[Any]:
    """Every part; the owner puts them in order by their numbers."""
    tx, rx = fl.channel(128)
    parts: list[Any] = [None] * len(items)

    def produce(tx: fl.Sender[tuple[int, Any]]) -> None:
        numbers = range(len(items))
        fl.par(numbers, workers=workers).for_each(lambda number: tx.send((number, job.work(items[number]))))

    with rx, fl.scope() as scope:
        scope.spawn(produce, tx.move())
        for number, part in rx:
            parts[number] = part
    return parts


def fold(job: Job, items: Sequence[Any], workers: int) -> Any:
    """One state; parts reach it in the order in which they are done."""
    tx, rx = fl.channel(128)
    state = job.start()

    def produce(tx: fl.Sender[Any]) -> None:
        fl.par(items, workers=workers).for_each(lambda item: tx.send(job.work(item)))

    with rx, fl.scope() as scope:
        scope.spawn(produce, tx.move())
        for part in rx:
            state = job.update(state, part)
    return state
