"""One thread runs coroutines in turn: while one waits, another goes on. They change the state between two awaits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fearless.lab.job import Item, Job, Part, Result

SHARED = "nothing"
KEEP_IN_MIND = "nothing may block the loop"
UPDATE = "one at a time"
ORDERED = False
NEEDS = "work_async"


def collect(job: Job, items: Sequence[Item], workers: int) -> list[Part]:
    """Every part, put in order by its number."""
    numbered = iter(enumerate(items))
    parts: dict[int, Part] = {}

    async def take() -> None:
        for number, item in numbered:
            parts[number] = await job.work_async(item)

    together(take, workers)
    return [parts[number] for number in range(len(items))]


def fold(job: Job, items: Sequence[Item], workers: int) -> Result:
    """One state; no other coroutine runs between two awaits, so an update needs no lock."""
    left = iter(items)
    state = job.start()

    async def take() -> None:
        nonlocal state
        for item in left:
            part = await job.work_async(item)
            state = job.update(state, part)

    together(take, workers)
    return state


def fold_reads(job: Job, items: Sequence[Item], workers: int) -> Result:
    """One state, which others may have changed between the look at it and the update."""
    left = iter(items)
    state = job.start()

    async def take() -> None:
        nonlocal state
        for item in left:
            part = await job.work_async(job.read(state, item))
            if part is not None:
                state = job.update(state, part)

    together(take, workers)
    return state


def together(take: Callable[[], Coroutine[Any, Any, None]], workers: int) -> None:
    """Run so many of them at once, on a loop of their own; the items left are theirs in common."""

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(take())

    asyncio.run(main())
