"""`par` and `invoke` beside what does the same without them: what an item or a fork costs, and what two workers gain.

Work is counted turns of a loop. Not here: what threads gain on real work; `fearless compare` measures that.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import repeat
from typing import Any

from benchmarks import peers, work
from benchmarks.harness import Body, Shape, empty
from fearless import invoke, par

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


def spinner(microseconds: int) -> Callable[[int], int]:
    """Return a function of an item that works for so long."""
    turns = work.turns(1000 * microseconds)

    def spin(item: int) -> int:
        for _ in repeat(None, turns):
            pass
        return item

    return spin


def tens_serial(_stack: ExitStack) -> Body:
    """Items of 10 us, in this thread."""
    spin = spinner(10)
    return lambda count: list(map(spin, range(count)))


def tens_parallel(_stack: ExitStack) -> Body:
    """The same in chunks."""
    spin = spinner(10)
    return lambda count: par(range(count), workers=WORKERS).map(spin).collect()


def tens_stream(_stack: ExitStack) -> Body:
    """The same, one by one, while workers go on."""
    spin = spinner(10)
    return lambda count: list(par(range(count), workers=WORKERS).map(spin))


def tens_joblib(joblib: Any, _stack: ExitStack) -> Body:
    """The same with joblib's threads."""
    spin = spinner(10)
    return lambda count: joblib.Parallel(WORKERS, backend="threading")(joblib.delayed(spin)(n) for n in range(count))


def leaves_serial(_stack: ExitStack) -> Body:
    """Add up a tree whose leaves take 20 us, by recursion."""
    spin = spinner(20)

    def total(low: int, high: int) -> int:
        if high - low == 1:
            return spin(low)
        middle = (low + high) // 2
        return total(low, middle) + total(middle, high)

    return lambda count: total(0, count)


def leaves_forked(_stack: ExitStack) -> Body:
    """The same with a fork at every inner node."""
    spin = spinner(20)

    def total(low: int, high: int) -> int:
        if high - low == 1:
            return spin(low)
        middle = (low + high) // 2
        return sum(invoke(lambda: total(low, middle), lambda: total(middle, high)))

    return lambda count: invoke(lambda: total(0, count))


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
    tens = Shape("par/10 us", "an item")
    tens.alone("list(map(...))", tens_serial)
    tens.alone("par(...).map(...).collect()", tens_parallel, goals=(1.1, 0.6))
    tens.alone("for result in par(...).map(...)", tens_stream)
    nested = Shape("nested/tree sum, 20 us", "a leaf")
    nested.alone("recursion", leaves_serial)
    nested.alone("invoke at every node", leaves_forked, goals=(1.5, 0.9))
    return [beside_map, beside_executor, tens, nested, *beside_joblib()]


def beside_joblib() -> list[Shape]:
    """The shape with joblib in it, if that is installed."""
    joblib = peers.find("joblib")
    if joblib is None:
        return []
    shape = Shape("par/10 us beside joblib", "an item")
    shape.alone("joblib.Parallel, threading", partial(tens_joblib, joblib))
    shape.alone("par(...).map(...).collect()", tens_parallel, goals=(0.2, 0.2))
    return [shape]
