"""`ThreadPool` beside `ThreadPoolExecutor`: fire, submit and result, map, and how long a call waits for its worker.

The pools have two workers, and the calls do nothing or counted work. Not here: work that is shared out in chunks
(`bench_par.py`).

`dispatch` measures the time from `submit` to the first line of the call, of each call, and shows its median and its
99th percentile. A call behind N others waits for them, so its wait is the cost of N calls once more; what it says of
the pool is how far the unlucky calls are from the median. A pool that lets a worker sleep beside a queue, wakes one
too late or serves out of order has a long tail. Hence the goal is for the tail, and our own median is the yardstick.
So that N is the same for all that count, each of N calls submits its successor when it begins. The workers are held
until the first N are queued; those do not count. Nobody else runs meanwhile: the pool's two workers are all that two
cores carry.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import repeat
from time import perf_counter

from benchmarks import work
from benchmarks.harness import Body, Shape, empty
from fearless import ThreadPool

WORKERS = 2
BURST = 100
QUEUED = {1: 2_000, 100: 10_000, 10_000: 10_000}  # calls in the queue, and calls that count in a sample
LONGEST = 60.0  # seconds that a sample may take
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


def waits(pool: Executor, queued: int, links: int) -> list[float]:
    """Return the seconds from `submit` to the first line of calls that each have `queued - 1` before them.

    They come in chains of `links`, one beside the other.
    """
    chains: list[list[float]] = [[] for _ in range(queued)]
    gate, all_over, over = threading.Event(), threading.Event(), list[None]()

    def call(submitted: float, left: int, chain: list[float]) -> None:
        chain.append(perf_counter() - submitted)
        if left:
            pool.submit(call, perf_counter(), left - 1, chain)
            return
        over.append(None)
        if len(over) == queued:
            all_over.set()

    for _ in range(WORKERS):
        pool.submit(gate.wait, LONGEST)
    for chain in chains:
        pool.submit(call, perf_counter(), links, chain)
    gate.set()
    if not all_over.wait(LONGEST):
        raise TimeoutError(f"{len(over)} of {queued} chains of calls ended within {LONGEST} s")
    return [wait for chain in chains for wait in chain[1:]]


def waiting(share: float, queued: int) -> Use:
    """Find the wait that `share` of the calls do not exceed."""

    def use(pool: Executor) -> Body:
        def body(count: int) -> float:
            longest = sorted(waits(pool, queued, count // queued))
            return longest[round(share * (len(longest) - 1))]

        return body

    return use


def dispatch(queued: int) -> Shape:
    """How long a call waits for its worker when so many are queued."""
    unit = f"a call's wait for its worker, with {queued:,} queued"
    shape = Shape(f"dispatch/{queued:,} queued", unit, operations=QUEUED[queued], told=True)
    shape.alone("ThreadPool(2), median", using(ThreadPool, waiting(0.5, queued)))
    shape.alone("ThreadPool(2), 99 %", using(ThreadPool, waiting(0.99, queued)), goals=(5.0, 5.0))
    shape.alone("ThreadPoolExecutor(2), median", using(ThreadPoolExecutor, waiting(0.5, queued)))
    shape.alone("ThreadPoolExecutor(2), 99 %", using(ThreadPoolExecutor, waiting(0.99, queued)))
    return shape


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
        *(dispatch(queued) for queued in QUEUED),
    ]
