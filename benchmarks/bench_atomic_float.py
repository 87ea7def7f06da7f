"""`AtomicFloat` as a sum, beside a lock around a float and a peer: alone and with two threads on one number.

Not here: whole numbers (`bench_atomic_int.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat
from typing import Any

from benchmarks import peers
from benchmarks.bench_atomic_int import Cell, each
from benchmarks.harness import Body, Shape, empty
from fearless import AtomicFloat


def locked(cell: Any) -> Body:
    """Add under a lock."""
    lock = cell.lock

    def body(count: int) -> None:
        for _ in repeat(None, count):
            with lock:
                cell.value += 0.5

    return body


def adding(add: Callable[[float], object]) -> Body:
    """Add a half by a bound method."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            add(0.5)

    return body


def total(threads: int) -> Shape:
    """Add a half, in a number of threads on one number."""
    shape = Shape(f"total/{threads} thread{'' if threads == 1 else 's'}", "an addition, by each thread")
    shape.add("with threading.Lock: cell.value += 0.5", each(threads, Cell, locked))
    shape.add("empty loop", empty(threads))
    shape.add("AtomicFloat.add(0.5)", each(threads, AtomicFloat, lambda number: adding(number.add)))
    shape.add("AtomicFloat.fetch_add(0.5)", each(threads, AtomicFloat, lambda number: adding(number.fetch_add)))
    if atomicx := peers.find("atomicx"):
        shape.add("atomicx AtomicFloat.add(0.5)", each(threads, lambda: atomicx.AtomicFloat(0.0), by_method))
    return shape


def by_method(number: Any) -> Body:
    """Add by its method."""
    return adding(number.add)


def shapes() -> list[Shape]:
    """The shapes of this file."""
    return [total(1), total(2)]
