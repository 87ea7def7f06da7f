"""`scope` beside threads that are started and joined by hand: 1, 8 and 64 at once.

One shape more has as many threads as there are cores, each with private work.

Not here: a single thread without a scope (`bench_task.py`).
"""

from __future__ import annotations

import threading
from itertools import repeat

from benchmarks import machine, work
from benchmarks.harness import Body, Shape
from fearless import scope

SIZES = (1, 8, 64)
UNIT = 2_000_000  # nanoseconds of work for each thread


def nothing() -> None:
    """Do nothing."""


def by_hand(size: int) -> Body:
    """Start so many threads, then join them."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            threads = [threading.Thread(target=nothing) for _ in range(size)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    return body


def scoped(size: int) -> Body:
    """Spawn so many tasks into a scope, and leave it."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            with scope() as block:
                for _ in range(size):
                    block.spawn(nothing)

    return body


def spawn(size: int) -> Shape:
    """Compare for one number of threads."""
    shape = Shape(f"spawn/scope of {size}", f"{size} threads, from the first start to the last join")
    shape.alone("Thread.start, join", lambda _: by_hand(size))
    shape.alone("scope().spawn", lambda _: scoped(size), goals=(1.1, 1.1))
    return shape


def unit(turns: int) -> None:
    """Do counted work on nothing that another thread has."""
    for _ in repeat(None, turns + 0):
        pass


def in_turn(size: int, turns: int) -> Body:
    """Do the work of all in this thread."""

    def body(count: int) -> None:
        for _ in repeat(None, count * size):
            unit(turns)

    return body


def at_once(size: int, turns: int) -> Body:
    """Do it in a thread for each."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            with scope() as block:
                for _ in range(size):
                    block.spawn(unit, turns)

    return body


def scale() -> Shape:
    """Private work on all cores: what is left of them when a scope shares it out."""
    cores = machine.available_cores()
    turns = work.turns(UNIT)
    shape = Shape(f"scale/{cores} threads", f"{cores} times {UNIT // 1_000_000} ms of private work")
    shape.alone("in turn", lambda _: in_turn(cores, turns))
    shape.alone("scope().spawn", lambda _: at_once(cores, turns))
    return shape


def shapes() -> list[Shape]:
    """The shapes of this file."""
    return [*(spawn(size) for size in SIZES), scale()]
