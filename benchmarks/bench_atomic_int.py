"""`AtomicInt` and `Mutex` as counters, beside a lock around a number: alone and with two threads on one counter.

Threads call bound methods: counting references to a shared object would cost a free-threaded interpreter more than
the addition. Not here: locks around anything but a number (`bench_mutex.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from itertools import repeat
from typing import Any

from benchmarks import peers
from benchmarks.harness import Body, Make, Shape, empty
from fearless import AtomicInt, Mutex


class Cell:
    """A number in an attribute, as a program would keep it beside its lock."""

    __slots__ = ("lock", "value")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.value = 0


def locked(cell: Cell) -> Body:
    """Add under a lock."""
    lock = cell.lock

    def body(count: int) -> None:
        for _ in repeat(None, count):
            with lock:
                cell.value += 1

    return body


def guarded(mutex: Mutex[int]) -> Body:
    """Add by a guard."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            with mutex as guard:
                guard.value += 1

    return body


def successor(value: int) -> int:
    """Add one."""
    return value + 1


def updated(mutex: Mutex[int]) -> Body:
    """Add by a function."""
    update = mutex.update

    def body(count: int) -> None:
        for _ in repeat(None, count):
            update(successor)

    return body


def adding(add: Callable[[int], object]) -> Body:
    """Add one by a bound method."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            add(1)

    return body


def calling(increment: Callable[[], object]) -> Body:
    """Add one by a bound method that takes no number."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            increment()

    return body


def each(threads: int, make: Callable[[], Any], body: Callable[[Any], Body]) -> Make:
    """Let threads add to one counter, with a body each."""

    def bodies(_stack: ExitStack) -> list[Body]:
        counter = make()
        return [body(counter) for _ in range(threads)]

    return bodies


def count(threads: int) -> Shape:
    """Add one, in a number of threads on one counter."""
    alone = threads == 1
    shape = Shape(f"count/{threads} thread{'' if alone else 's'}", "an addition, by each thread")
    shape.add("with threading.Lock: cell.value += 1", each(threads, Cell, locked))
    shape.add("empty loop", empty(threads))
    shape.add("AtomicInt.add(1)", each(threads, AtomicInt, lambda number: adding(number.add)), (0.2, 0.2))
    shape.add("AtomicInt.fetch_add(1)", each(threads, AtomicInt, lambda number: adding(number.fetch_add)))
    shape.add("Mutex.update(successor)", each(threads, lambda: Mutex(0), updated), (0.4, 0.4) if alone else None)
    shape.add("with Mutex: guard.value += 1", each(threads, lambda: Mutex(0), guarded), (1.25, 1.4) if alone else None)
    add_peers(shape, threads)
    return shape


def add_peers(shape: Shape, threads: int) -> None:
    """Let the peers contend that are there."""
    if ft_utils := peers.find("ft_utils.concurrency"):
        new = partial(ft_utils.AtomicInt64, 0)
        shape.add("ft_utils AtomicInt64.incr()", each(threads, new, lambda number: calling(number.incr)))
    if cereggii := peers.find("cereggii"):
        new = partial(cereggii.AtomicInt64, 0)
        shape.add("cereggii AtomicInt64.increment_and_get()", each(threads, new, by_handle))


def by_handle(number: Any) -> Body:
    """Add one by a handle, which cereggii wants each thread to have of its own."""
    return calling(number.get_handle().increment_and_get)


def shapes() -> list[Shape]:
    """The shapes of this file."""
    return [count(1), count(2)]
