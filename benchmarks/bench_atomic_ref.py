"""`AtomicRef` as the place of a value that is replaced as a whole, beside a lock around an attribute and the peers.

Not here: what a program does with the value, and how often it is replaced.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat
from typing import Any

from benchmarks import peers
from benchmarks.bench_atomic_int import Cell, each
from benchmarks.harness import Body, Shape, empty
from fearless import AtomicRef


def read_locked(cell: Any) -> Body:
    """Read under a lock."""
    lock = cell.lock

    def body(count: int) -> None:
        for _ in repeat(None, count):
            with lock:
                cell.value  # noqa: B018 - the look is what is measured

    return body


def write_locked(cell: Any) -> Body:
    """Replace under a lock."""
    lock = cell.lock

    def body(count: int) -> None:
        for _ in repeat(None, count):
            with lock:
                cell.value = None

    return body


def reading(load: Callable[[], object]) -> Body:
    """Read by a bound method."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            load()

    return body


def writing(store: Callable[[object], object]) -> Body:
    """Replace by a bound method."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            store(None)

    return body


def load(threads: int) -> Shape:
    """Read, in a number of threads."""
    shape = Shape(f"ref-load/{threads} thread{'' if threads == 1 else 's'}", "a read, by each thread")
    shape.add("with threading.Lock: cell.value", each(threads, Cell, read_locked))
    shape.add("empty loop", empty(threads))
    shape.add("AtomicRef.load()", each(threads, lambda: AtomicRef(None), lambda ref: reading(ref.load)))
    for name, new in makers():
        shape.add(f"{name}.get()", each(threads, new, lambda ref: reading(ref.get)))
    return shape


def store(threads: int) -> Shape:
    """Replace, in a number of threads."""
    shape = Shape(f"ref-store/{threads} thread{'' if threads == 1 else 's'}", "a store, by each thread")
    shape.add("with threading.Lock: cell.value = None", each(threads, Cell, write_locked))
    shape.add("AtomicRef.store(None)", each(threads, lambda: AtomicRef(None), lambda ref: writing(ref.store)))
    for name, new in makers():
        shape.add(f"{name}.set(None)", each(threads, new, lambda ref: writing(ref.set)))
    return shape


def makers() -> list[tuple[str, Callable[[], Any]]]:
    """The peers that are there."""
    found: list[tuple[str, Callable[[], Any]]] = []
    if ft_utils := peers.find("ft_utils.concurrency"):
        found.append(("ft_utils AtomicReference", lambda: ft_utils.AtomicReference(None)))
    if cereggii := peers.find("cereggii"):
        found.append(("cereggii AtomicRef", lambda: cereggii.AtomicRef(None)))
    return found


def shapes() -> list[Shape]:
    """The shapes of this file."""
    return [load(1), load(2), store(1), store(2)]
