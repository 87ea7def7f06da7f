"""Folding in order on several threads: parts that lie side by side are combined as soon as both are there.

Not here: who folds the items of a part.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

__all__ = ["Folding"]

A = TypeVar("A")


class _Part(NamedTuple, Generic[A]):
    start: int
    stop: int
    value: A


class Folding(Generic[A]):
    """The parts of a fold that nobody is working on. No two of them touch.

    Thread safety: internally synchronized; ``make`` and ``combine`` run outside the lock.
    """

    def __init__(self, make: Callable[[], A], combine: Callable[[A, A], A]) -> None:
        self._make = make
        self._combine = combine
        self._lock = threading.Lock()
        self._by_start: dict[int, _Part[A]] = {}
        self._by_stop: dict[int, _Part[A]] = {}

    def begin(self, start: int) -> tuple[int, A]:
        """Return where the part to go on with begins, and its value: the one that ends at ``start``, or a new one."""
        with self._lock:
            left = self._take(self._by_stop.get(start))
        return (start, self._make()) if left is None else (left.start, left.value)

    def end(self, start: int, stop: int, value: A) -> None:
        """Give back a part, combined with its neighbours."""
        part = _Part(start, stop, value)
        while True:
            with self._lock:
                left = self._take(self._by_stop.get(part.start))
                right = None if left is not None else self._take(self._by_start.get(part.stop))
                if left is None and right is None:
                    self._by_start[part.start] = self._by_stop[part.stop] = part
                    return
            if left is not None:
                part = _Part(left.start, part.stop, self._combine(left.value, part.value))
            elif right is not None:
                part = _Part(part.start, right.stop, self._combine(part.value, right.value))

    def result(self) -> A:
        """Return the value of the one part that is left; a new one if there were no items."""
        (part,) = self._by_start.values() or (_Part(0, 0, self._make()),)
        return part.value

    def _take(self, part: _Part[A] | None) -> _Part[A] | None:
        if part is not None:
            del self._by_start[part.start], self._by_stop[part.stop]
        return part
