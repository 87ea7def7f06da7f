"""Data parallel: ``par`` applies functions to many items, on several threads, in chunks.

The stages of a chain are fused: a chunk of items goes through all of them in one pass, as nested ``map`` and ``filter``
iterators around the chunk, so that the cost per item is that of a loop in C. Chunks are handed out by one atomic
cursor, or, where the items have no index, pulled under a lock. Not here: calls that are unlike each other
(``pools.py``).
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Generic, Literal, SupportsIndex, TypeVar

from fearless._arguments import at_least, usable_cores
from fearless._folding import Folding
from fearless._run import Plan, Schedule, run

__all__ = ["Par", "par"]

T = TypeVar("T")
R = TypeVar("R")
A = TypeVar("A")


def par(
    items: Iterable[T],
    *,
    workers: SupportsIndex | None = None,
    chunk: SupportsIndex | Literal["auto"] = "auto",
    schedule: Schedule = "guided",
) -> Par[T]:
    """Work on ``items`` in parallel: chain stages, then end with ``collect``, ``fold`` or ``for_each``.

    ``workers`` threads share the items, the calling one included; by default as many as there are usable cores.
    Sequences and arrays are read in place and must not change meanwhile; other iterables are pulled piece by piece, by
    one worker at a time. ``schedule`` is ``"guided"``: chunks shrink with what is left, down to ``chunk`` items, which
    evens out uneven work; or ``"static"``: all chunks have ``chunk`` items, by default an even share.

    The first failure stops every worker at its next item and is raised as it is, with a note that names the item.
    Ctrl-C and the cancellation of the scope around it stop them too.

    Raises: ``ValueError`` if ``workers`` or ``chunk`` is less than 1 or ``schedule`` is unknown.

    Example:
        >>> import fearless as fl
        >>> fl.par(range(10), workers=2).filter(lambda n: n % 2).map(lambda n: n * n).collect()
        [1, 9, 25, 49, 81]
    """
    if schedule not in ("guided", "static"):
        raise ValueError(f"schedule must be 'guided' or 'static', got {schedule!r}")
    iter(items)  # refuses what is not iterable here, and not when a run begins
    most = usable_cores() if workers is None else at_least("workers", workers, 1)
    least = None if chunk == "auto" else at_least("chunk", chunk, 1)
    return Par(Plan(items, most, least, schedule), ())


class Par(Generic[T]):
    """Items and the stages they go through. Nothing runs before ``collect``, ``fold`` or ``for_each``.

    Thread safety: immutable; but a run may use up the items, as any iteration does.
    """

    __slots__ = ("_plan", "_stages")

    def __init__(self, plan: Plan, stages: tuple[tuple[type[Any], Callable[..., Any]], ...]) -> None:
        self._plan = plan
        self._stages = stages

    def map(self, fn: Callable[[T], R]) -> Par[R]:
        """Add a stage that replaces every item by ``fn(item)``."""
        return Par(self._plan, (*self._stages, (map, _callable("fn", fn))))

    def filter(self, predicate: Callable[[T], object]) -> Par[T]:
        """Add a stage that drops every item for which ``predicate(item)`` is false."""
        return Par(self._plan, (*self._stages, (filter, _callable("predicate", predicate))))

    def collect(self) -> list[T]:
        """Run the stages; return what comes out of them, in the order of the items.

        Blocks: until the last item is done; a cancellation point; Ctrl-C gets through.
        Raises: what a stage raised; ``RuntimeError`` in a thread that runs an event loop.
        """
        parts: dict[int, list[T]] = {}

        def work(start: int, _stop: int, items: Iterator[T]) -> None:
            parts[start] = list(items)

        self._run(work)
        return list(chain.from_iterable(parts[start] for start in sorted(parts)))

    def for_each(self, fn: Callable[[T], object]) -> None:
        """Run the stages and call ``fn(item)`` for what comes out of them, in no particular order.

        Blocks: until the last item is done; a cancellation point; Ctrl-C gets through.
        Raises: what a stage or ``fn`` raised; ``RuntimeError`` in a thread that runs an event loop.
        """
        _callable("fn", fn)

        def work(_start: int, _stop: int, items: Iterator[T]) -> None:
            deque(map(fn, items), maxlen=0)

        self._run(work)

    def fold(self, make: Callable[[], A], op: Callable[[A, T], A], combine: Callable[[A, A], A]) -> A:
        """Run the stages and fold what comes out of them into one value.

        A worker starts a part with ``make()`` and goes on with ``part = op(part, item)``; two parts that lie side by
        side become ``combine(left, right)``. Parts keep the order of the items, so ``combine`` has to be associative
        but need not commute. ``op`` and ``combine`` may change their first argument and return it.

        Blocks: until the last item is done; a cancellation point; Ctrl-C gets through.
        Raises: what a stage or one of the functions raised; ``RuntimeError`` in a thread that runs an event loop.

        Example:
            >>> import fearless as fl
            >>> fl.par(["a", "b", "c"], workers=2).fold(str, str.__add__, str.__add__)
            'abc'
        """
        folding: Folding[A] = Folding(_callable("make", make), _callable("combine", combine))
        _callable("op", op)

        def work(start: int, stop: int, items: Iterator[T]) -> None:
            first, part = folding.begin(start)
            folding.end(first, stop, functools.reduce(op, items, part))

        self._run(work)
        return folding.result()

    def _run(self, work: Callable[[int, int, Iterator[T]], None]) -> None:
        def fuse(start: int, stop: int, items: Iterator[Any]) -> None:
            for stage, function in self._stages:
                items = stage(function, items)
            work(start, stop, items)

        run(self._plan, fuse)


def _callable(name: str, function: Callable[..., R]) -> Callable[..., R]:
    if not callable(function):
        raise TypeError(f"{name} must be callable, got {function!r}")
    return function
