"""`par` beside `Executor.map` and `map`: what an item costs that needs no work.

Not here: what threads gain on real work; `fearless compare` measures that.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from benchmarks.harness import Body, Shape, empty
from fearless import par

WORKERS = 2


def same(item: int) -> int:
    """Return the item."""
    return item


def executor(stack: ExitStack) -> Body:
    """Map with a future for each item."""
    pool = stack.enter_context(ThreadPoolExecutor(WORKERS))
    return lambda count: list(pool.map(same, range(count)))


def in_parallel(_stack: ExitStack) -> Body:
    """Map in chunks."""
    return lambda count: par(range(count), workers=WORKERS).map(same).collect()


def serial(_stack: ExitStack) -> Body:
    """Map in this thread."""
    return lambda count: list(map(same, range(count)))


def shapes() -> list[Shape]:
    """The shapes of this file."""
    beside_map = Shape("par/beside map", "an item")
    beside_map.alone("list(map(...))", serial)
    beside_map.add("empty loop", empty())
    beside_map.alone("par(...).map(...).collect()", in_parallel, goals=(2.0, 2.0))
    beside_executor = Shape("par/beside Executor.map", "an item")
    beside_executor.alone("list(ThreadPoolExecutor.map(...))", executor)
    beside_executor.add("empty loop", empty())
    beside_executor.alone("par(...).map(...).collect()", in_parallel, goals=(0.02, 0.02))
    return [beside_map, beside_executor]
