"""Data parallel: ``par`` applies functions to many items, on several threads, in chunks.

The stages of a chain are fused: a chunk of items goes through all of them in one pass, as nested ``map`` and ``filter``
iterators around the chunk, so that the cost per item is that of a loop in C. Chunks are handed out by one atomic
cursor, or, where the items have no index, pulled under a lock. Not here: calls that are unlike each other
(``pools.py``).
"""

from __future__ import annotations

import functools
import operator
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, count
from typing import TYPE_CHECKING, Any, Generic, Literal, SupportsIndex, TypeVar, get_args

from fearless._arguments import at_least, usable_cores
from fearless._folding import Folding
from fearless._progress import require
from fearless._run import Plan, Schedule, run
from fearless._stream import stream

if TYPE_CHECKING:
    from fearless.pools import ThreadPool

__all__ = ["Par", "par"]

T = TypeVar("T")
R = TypeVar("R")
A = TypeVar("A")

_NOTHING: Any = object()  # the value of a part without items


def par(
    items: Iterable[T],
    *,
    workers: SupportsIndex | None = None,
    chunk: SupportsIndex | Literal["auto"] = "auto",
    schedule: Schedule = "guided",
    progress: bool = False,
) -> Par[T]:
    """Work on ``items`` in parallel: chain stages, then end with what is wanted of them, as ``collect`` or ``sum``.

    ``workers`` threads share the items, the calling one included; by default as many as there are usable cores.
    Sequences and arrays are read in place and must not change meanwhile; other iterables are pulled piece by piece, by
    one worker at a time. ``schedule`` is ``"guided"``: chunks shrink with what is left, down to ``chunk`` items, which
    evens out uneven work; ``"dynamic"``: all chunks have ``chunk`` items, by default one, and go to whoever is free; or
    ``"static"``: likewise, and by default an even share, which costs least where the work is even.

    The first failure stops every worker at its next item and is raised as it is, with a note that names the item.
    Ctrl-C and the cancellation of the scope around it stop them too.

    ``progress`` shows a bar on standard error, drawn by rich or tqdm at the ends of chunks.

    Raises: ``ValueError`` if ``workers`` or ``chunk`` is less than 1 or ``schedule`` is unknown; ``ImportError`` if
    there is nothing to draw a bar with.

    Example:
        >>> import fearless as fl
        >>> fl.par(range(10), workers=2).filter(lambda n: n % 2).map(lambda n: n * n).collect()
        [1, 9, 25, 49, 81]
    """
    if schedule not in get_args(Schedule):
        raise ValueError(f"schedule must be 'guided', 'dynamic' or 'static', got {schedule!r}")
    iter(items)  # refuses what is not iterable here, and not when a run begins
    most = usable_cores() if workers is None else at_least("workers", workers, 1)
    least = None if chunk == "auto" else min(at_least("chunk", chunk, 1), sys.maxsize)
    if progress:
        require()
    return Par(Plan(items, most, least, schedule, progress=progress), ())


class Par(Generic[T]):
    """Items and the stages they go through. Nothing runs before the end of the chain, as ``collect`` or ``sum``.

    Thread safety: immutable; but a run may use up the items, as any iteration does.
    """

    __slots__ = ("_plan", "_stages")

    def __init__(self, plan: Plan, stages: tuple[tuple[Callable[..., Any], Callable[..., Any]], ...]) -> None:
        self._plan = plan
        self._stages = stages

    def map(self, fn: Callable[[T], R]) -> Par[R]:
        """Add a stage that replaces every item by ``fn(item)``."""
        return Par(self._plan, (*self._stages, (map, _callable("fn", fn))))

    def filter(self, predicate: Callable[[T], object]) -> Par[T]:
        """Add a stage that drops every item for which ``predicate(item)`` is false."""
        return Par(self._plan, (*self._stages, (filter, _callable("predicate", predicate))))

    def flat_map(self, fn: Callable[[T], Iterable[R]]) -> Par[R]:
        """Add a stage that replaces every item by what ``fn(item)`` has in it, in its order."""
        return Par(self._plan, (*self._stages, (_flat_map, _callable("fn", fn))))

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

    def reduce(self, op: Callable[[T, T], T], initial: T) -> T:
        """Run the stages and combine ``initial`` and what comes out of them by ``op(left, right)``.

        The order of the items is kept and ``initial`` comes first, once; without items it is the result. Grouping
        follows the chunks, so ``op`` has to be associative: floats may differ from run to run in their last digits.

        Blocks: until the last item is done; a cancellation point; Ctrl-C gets through.
        Raises: what a stage or ``op`` raised; ``RuntimeError`` in a thread that runs an event loop.

        Example:
            >>> import fearless as fl
            >>> fl.par([3, 1, 2], workers=2).reduce(lambda left, right: left * right, 1)
            6
        """
        _callable("op", op)
        total = self._total(functools.partial(_reduce, op), op)
        return initial if total is _NOTHING else op(initial, total)

    def sum(self) -> T | int:
        """Run the stages and add up what comes out of them, beginning at 0 as the built-in ``sum`` does.

        The sums of the chunks are added in order. Sums of floats may therefore differ in their last digits: from the
        built-in's, and from run to run.

        Blocks: until the last item is done; a cancellation point; Ctrl-C gets through.
        Raises: what a stage or an addition raised; ``RuntimeError`` in a thread that runs an event loop.
        """
        total = self._total(_sum, operator.add)
        return 0 if total is _NOTHING else total

    def count(self) -> int:
        """Run the stages and count what comes out of them.

        Blocks: until the last item is done; a cancellation point; Ctrl-C gets through.
        Raises: what a stage raised; ``RuntimeError`` in a thread that runs an event loop.
        """
        total: Any = self._total(_count, operator.add)
        return 0 if total is _NOTHING else total

    def min(self, *, key: Callable[[T], Any] | None = None, default: R = _NOTHING) -> T | R:
        """Run the stages and return the least of what comes out of them, of equal ones the first.

        As of the built-in ``min``, ``key(item)`` is what is compared, and ``default`` the result without items. ``key``
        may be called more than once for an item.

        Blocks: until the last item is done; a cancellation point; Ctrl-C gets through.
        Raises: ``ValueError`` if nothing comes out and there is no ``default``; what a stage, ``key`` or a comparison
        raised; ``RuntimeError`` in a thread that runs an event loop.
        """
        return self._extreme(min, key, default)

    def max(self, *, key: Callable[[T], Any] | None = None, default: R = _NOTHING) -> T | R:
        """Run the stages and return the greatest of what comes out of them, of equal ones the first; see ``min``.

        Blocks: until the last item is done; a cancellation point; Ctrl-C gets through.
        Raises: ``ValueError`` if nothing comes out and there is no ``default``; what a stage, ``key`` or a comparison
        raised; ``RuntimeError`` in a thread that runs an event loop.
        """
        return self._extreme(max, key, default)

    def any(self, predicate: Callable[[T], object]) -> bool:
        """Run the stages until ``predicate(item)`` is true of what comes out of them; return whether it ever was.

        Then every worker stops, at its next item or in its wait. A failure that came before is raised all the same.

        Blocks: until that is known; a cancellation point; Ctrl-C gets through.
        Raises: what a stage or ``predicate`` raised; ``RuntimeError`` in a thread that runs an event loop.
        """
        return self._search(any, _callable("predicate", predicate), sought=True)

    def all(self, predicate: Callable[[T], object]) -> bool:
        """Run the stages until ``predicate(item)`` is false of what comes out of them; return whether it never was.

        Then every worker stops, at its next item or in its wait. A failure that came before is raised all the same.

        Blocks: until that is known; a cancellation point; Ctrl-C gets through.
        Raises: what a stage or ``predicate`` raised; ``RuntimeError`` in a thread that runs an event loop.
        """
        return not self._search(all, _callable("predicate", predicate), sought=False)

    def __iter__(self) -> Iterator[T]:
        """Run the stages on workers beside this thread, and give what comes out of them in the order of the items.

        Nothing runs before the first result is asked for. Workers read ahead of the consumer by a few chunks each, of
        ``chunk`` or up to 1024 items, and then wait, so an endless source is no harm; the schedule has no part in it.
        After a failure come the results before it, then the failure itself. Leaving the loop in any way, and letting
        the iterator go, stops the workers at their next item and joins them. The process does not wait for an iterator
        that is kept without being used up.

        One thread at a time may use the iterator.

        Blocks: in the iterator, until the next result is there; a cancellation point; Ctrl-C gets through.
        Raises: in the iterator: what the source or a stage raised; ``RuntimeError`` in a thread that runs an event
        loop, in a forked child, or if no thread can be started.

        Example:
            >>> import fearless as fl
            >>> for square in fl.par([1, 2, 3], workers=2).map(lambda n: n * n):
            ...     print(square)
            1
            4
            9
        """
        return stream(self._plan, self._fuse, ordered=True)

    def unordered(self) -> Iterator[T]:
        """Run the stages as iterating does, and give what comes out of them as it comes; a failure, too.

        Blocks: in the iterator, until a result is there; a cancellation point; Ctrl-C gets through.
        Raises: as iterating does.
        """
        return stream(self._plan, self._fuse, ordered=False)

    def _total(self, add_up: Callable[[Iterator[T]], A], combine: Callable[[A, A], A]) -> A:
        """Return the values of all chunks combined in order; ``_NOTHING`` if no chunk has one."""

        def join(left: A, right: A) -> A:
            return right if left is _NOTHING else left if right is _NOTHING else combine(left, right)

        folding: Folding[A] = Folding(lambda: _NOTHING, join)
        self._run(lambda start, stop, items: folding.end(start, stop, add_up(items)))
        return folding.result()

    def _extreme(self, extreme: Callable[..., Any], key: Callable[[T], Any] | None, default: R) -> T | R:
        if key is not None:
            _callable("key", key)
        found = self._total(
            lambda items: extreme(items, key=key, default=_NOTHING), lambda left, right: extreme((left, right), key=key)
        )
        if found is not _NOTHING:
            return found  # type: ignore[no-any-return]  # the built-in returns one of the items
        if default is _NOTHING:
            raise ValueError(f"{extreme.__name__} needs at least one item, got none; pass `default`")
        return default

    def _search(
        self, search: Callable[[Iterable[object]], bool], predicate: Callable[[T], object], *, sought: bool
    ) -> bool:
        """Whether ``search`` has come to ``sought`` in any chunk, which ends the run."""
        found: list[bool] = []

        def work(_start: int, _stop: int, items: Iterator[T]) -> bool:
            if search(map(predicate, items)) is not sought:
                return False
            found.append(True)
            return True

        self._run(work)
        return bool(found)

    def _on(self, pool: ThreadPool) -> Par[T]:
        """Return the chain with tasks of ``pool`` for helpers."""
        return Par(self._plan._replace(pool=pool), self._stages)

    def _run(self, work: Callable[[int, int, Iterator[T]], object]) -> None:
        run(self._plan, lambda start, stop, items: work(start, stop, self._fuse(items)))

    def _fuse(self, items: Iterator[Any]) -> Iterator[Any]:
        for stage, function in self._stages:
            items = stage(function, items)
        return items


def _flat_map(fn: Callable[[Any], Iterable[Any]], items: Iterator[Any]) -> Iterator[Any]:
    return chain.from_iterable(map(fn, items))


# The first item is taken by a loop, after whose end nobody asks again: after `next(items, ...)`, a stage that raised
# StopIteration would be asked for the item behind.
def _reduce(op: Callable[[A, A], A], items: Iterator[A]) -> A:
    for first in items:
        return functools.reduce(op, items, first)
    return _NOTHING  # type: ignore[no-any-return]  # stands for no value at all


def _sum(items: Iterator[Any]) -> Any:
    for first in items:
        return sum(items, 0 + first)
    return _NOTHING  # not 0, which what comes before need not be able to add


def _count(items: Iterator[Any]) -> int:
    number = count()
    deque(zip(items, number, strict=False), maxlen=0)  # `items` first: once they are used up, no number is taken
    return next(number)


def _callable(name: str, function: Callable[..., R]) -> Callable[..., R]:
    if not callable(function):
        raise TypeError(f"{name} must be callable, got {function!r}")
    return function
