"""From which size on a task is worth a thread, a pool, or a share of `par`: beside a plain loop.

Tasks do counted work and share nothing. One operation is two tasks, since two can run at once. Not here: what handing
over costs by itself (`bench_thread_pool.py`, `bench_scope.py`, `bench_par.py`).
"""

from __future__ import annotations

from contextlib import ExitStack
from itertools import repeat

from benchmarks.bench_thread_pool import counted
from benchmarks.harness import Body, Shape
from fearless import ThreadPool, par, scope

SIZES = {"1 us": 1_000, "10 us": 10_000, "100 us": 100_000, "1 ms": 1_000_000, "10 ms": 10_000_000}
WORKERS = 2
BURST = 100  # tasks in the queue of the pool


def serial(nanoseconds: int) -> Body:
    """One after the other."""
    call = counted(nanoseconds)

    def body(count: int) -> None:
        for _ in repeat(None, 2 * count):
            call(None)

    return body


def spawned(nanoseconds: int) -> Body:
    """A thread for each task, two at a time."""
    call = counted(nanoseconds)

    def body(count: int) -> None:
        for _ in repeat(None, count):
            with scope() as threads:
                threads.spawn(call, None)
                threads.spawn(call, None)

    return body


def pooled(stack: ExitStack, nanoseconds: int) -> Body:
    """A call for each task, through a pool that is open all the time."""
    call, submit = counted(nanoseconds), stack.enter_context(ThreadPool(WORKERS)).submit

    def body(count: int) -> None:
        for done in range(0, 2 * count, BURST):
            for task in [submit(call, None) for _ in range(min(BURST, 2 * count - done))]:
                task.result()

    return body


def chunked(nanoseconds: int) -> Body:
    """A share of all tasks for each of two workers, of which the caller is one."""
    call = counted(nanoseconds)

    def body(count: int) -> None:
        par(range(2 * count), workers=WORKERS).for_each(call)

    return body


def crossover(size: str) -> Shape:
    """Tasks of one size."""
    nanoseconds = SIZES[size]
    shape = Shape(f"crossover/{size}", f"two tasks of {size}")
    shape.alone("a plain loop", lambda _: serial(nanoseconds))
    shape.alone("scope().spawn", lambda _: spawned(nanoseconds))
    shape.alone("ThreadPool(2)", lambda stack: pooled(stack, nanoseconds))
    shape.alone("par(..., workers=2)", lambda _: chunked(nanoseconds))
    return shape


def shapes() -> list[Shape]:
    """The shapes of this file."""
    return [crossover(size) for size in SIZES]
