"""`ThreadPool` beside `ThreadPoolExecutor`: fire, submit and result, map.

The pools have two workers, and the calls do nothing or counted work. Not here: work that is shared out in chunks
(`bench_par.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import repeat

from benchmarks import work
from benchmarks.harness import Body, Shape, empty
from fearless import ThreadPool

WORKERS = 2
BURST = 100
WORK = {"a no-op": 0, "10 us": 10_000, "1 ms": 1_000_000}
Use = Callable[[Executor], Body]


def nothing(_item: object = None) -> None:
    """Do nothing."""


def one_at_a_time(pool: Executor) -> Body:
    """Submit a call and wait for its result before the next: each one wakes a worker, and the worker the caller."""
    submit = pool.submit

    def body(count: int) -> None:
        for _ in repeat(None, count):
            submit(nothing).result()

    return body


def in_bursts(pool: Executor) -> Body:
    """Submit a hundred calls, then read their results."""
    submit = pool.submit

    def body(count: int) -> None:
        for done in range(0, count, BURST):
            futures = [submit(nothing) for _ in range(min(BURST, count - done))]
            for future in futures:
                future.result()

    return body


def mapped(function: Callable[[object], object]) -> Use:
    """Map over items, a task for each."""

    def use(pool: Executor) -> Body:
        def body(count: int) -> None:
            for _ in pool.map(function, repeat(None, count)):
                pass

        return body

    return use


def counted(nanoseconds: int) -> Callable[[object], None]:
    """A call that takes so long on a core of its own."""
    turns = work.turns(nanoseconds)

    def call(_item: object) -> None:
        for _ in repeat(None, turns):
            pass

    return call


def using(make: Callable[[int], Executor], use: Use) -> Callable[[ExitStack], Body]:
    """Open the pool for the session."""
    return lambda stack: use(stack.enter_context(make(WORKERS)))


def beside(name: str, unit: str, use: Use, goals: tuple[float, float] | None = None) -> Shape:
    """Compare the two pools in one use."""
    shape = Shape(name, unit)
    shape.alone("ThreadPoolExecutor(2)", using(ThreadPoolExecutor, use))
    shape.add("empty loop", empty())
    shape.alone("ThreadPool(2)", using(ThreadPool, use), goals)
    return shape


def shapes() -> list[Shape]:
    """The shapes of this file."""
    return [
        beside("submit/bursts of 100", "a call that is submitted, and its result", in_bursts, goals=(0.1, 0.1)),
        beside("submit/one at a time", "a call that is submitted, and its result", one_at_a_time),
        *(
            beside(f"map/{name}", f"an item of {name}", mapped(counted(cost) if cost else nothing))
            for name, cost in WORK.items()
        ),
    ]
