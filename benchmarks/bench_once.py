"""What is made once: the cost of asking for what is there, beside what the standard library has for it.

`functools.cache` may call its function several times when threads come together; a lock around a test does not. Not
here: waiting for who makes it, which is a wait like any other.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from contextlib import ExitStack
from itertools import repeat

from benchmarks.harness import Body, Shape, empty
from fearless import Lazy, Once, OnceCell


def repeated(call: Callable[[], object]) -> Callable[[ExitStack], Body]:
    """Make a call again and again, after a first one."""
    call()

    def body(count: int) -> None:
        for _ in repeat(None, count):
            call()

    return lambda _stack: body


class Locked:
    """The usual way by hand: a lock around a test."""

    def __init__(self) -> None:
        """Nothing is made yet."""
        self._lock = threading.Lock()
        self._value: object = None

    def get(self) -> object:
        """Return the value."""
        with self._lock:
            if self._value is None:
                self._value = object()
            return self._value


def shapes() -> list[Shape]:
    """The shapes of this file."""
    get = Shape("once/get", "a value that is there")
    get.alone("a lock and a test", repeated(Locked().get))
    get.add("empty loop", empty())
    get.alone("functools.cache", repeated(functools.cache(object)))
    get.alone("Lazy.get", repeated(Lazy(object).get))
    cell: OnceCell[object] = OnceCell()
    get.alone("OnceCell.get_or_init", repeated(lambda: cell.get_or_init(object)))
    once = Once()
    get.alone("Once.call", repeated(lambda: once.call(object)))
    return [get]
