"""One run of ``par``: workers that take chunks until there are none, and what stops them before.

Not here: what is done with a chunk (``parallel.py``).
"""

from __future__ import annotations

import contextlib
import reprlib
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

from fearless import _loops, _native
from fearless._crew import run_together
from fearless._progress import Bar
from fearless._recursion import require_room
from fearless._scope import Scope, scope
from fearless._scope_failures import LEAVES_BARE
from fearless.errors import Cancelled

if TYPE_CHECKING:
    from fearless.pools import ThreadPool
    from fearless.threads import Task

__all__ = ["Plan", "Schedule", "adapted", "check_finished", "note_item", "run"]

Schedule: TypeAlias = Literal["guided", "dynamic", "static"]
Work: TypeAlias = Callable[[int, int, Iterator[Any]], object]

_LONGEST = 1024  # items in a chunk, where nobody said
_QUICK = 0.001  # seconds; chunks that are done sooner grow, so that pulling them does not become the work


class Plan(NamedTuple):
    """What to run over, and how it is shared out. ``chunk`` is None where nobody said."""

    items: Iterable[Any]
    workers: int
    chunk: int | None
    schedule: Schedule
    pool: ThreadPool | None = None  # which helps, instead of threads of the run's own
    progress: bool = False


class Source(Protocol):
    """Where workers get chunks."""

    cursor: _native.Cursor
    workers: int

    def take(self, spent: float) -> _native.Chunk | None:
        """Return the next chunk for a worker that needed ``spent`` seconds for the one before; None at the end."""


class Failure(NamedTuple):
    """An error, where in the run it happened, and the chunk in which it did, if it was in an item."""

    position: int
    error: BaseException
    chunk: _native.Chunk | None


def run(plan: Plan, work: Work) -> None:
    """Do ``work(start, stop, items)`` for every chunk, on the calling thread and on others, or until it returns true.

    Raises the failure of the first item that failed.
    """
    require_room()
    _loops.refuse("`par`")
    source = _source(plan)
    failures: list[Failure] = []
    try:
        with Bar(plan.items) if plan.progress else nullcontext() as bar, scope() as threads:
            _Sharing(source, work, failures, threads, bar).share(plan)
    except Cancelled:
        if not failures:
            raise  # otherwise it gives way to them, as it does where a scope is left
    if failures:
        failure = min(failures, key=lambda failure: failure.position)
        if failure.chunk is not None:
            note_item(failure.error, failure.position, failure.chunk)
        try:
            raise failure.error
        finally:
            # The error's traceback holds this frame, and with it the list and so the error.
            failures.clear()
            del failure


class _Sharing:
    """What the workers of a run share."""

    def __init__(self, source: Source, work: Work, failures: list[Failure], threads: Scope, bar: Bar | None) -> None:
        self._source = source
        self._work = work
        self._failures = failures
        self._scope = threads
        self._bar = bar

    def share(self, plan: Plan) -> None:
        """Have all workers at work, this thread among them, until they are done."""
        try:
            if plan.pool is not None:
                self._work_with(plan.pool)
            elif self._source.workers == 1:
                self.work()
            else:
                run_together([self.work] * self._source.workers, plan.workers)
        except (Cancelled, *LEAVES_BARE):
            raise
        except BaseException as error:  # noqa: BLE001 - `run` raises it: the pool is shut down, or a limit was met
            self._fail(None, error)

    def _work_with(self, pool: ThreadPool) -> None:
        """Be a worker, helped by tasks of a pool if it comes to them: those that have not begun by the end never do."""
        helpers: list[Task[None]] = []
        try:
            for _ in range(self._source.workers - 1):
                helper = self._scope._offer(pool, self.work)  # noqa: SLF001 - scopes and runs are one package
                if helper is None:
                    break  # its backlog is full
                helpers.append(helper)
            self.work()
        finally:
            for helper in helpers:
                helper.cancel()

    def work(self) -> None:
        """Be a worker: take chunks until there are none. A failure is noted, and stops all."""
        chunk: _native.Chunk | None = None
        started = time.perf_counter()
        try:
            while True:
                now = time.perf_counter()
                chunk, spent, started = None, now - started, now
                if (chunk := self._source.take(spent)) is None:
                    return
                if self._work(chunk.start, chunk.stop, chunk):
                    self._stop()
                    return
                check_finished(chunk, self._source.cursor)
                if self._bar is not None:
                    self._bar.advance(chunk.stop - chunk.start)
        except (Cancelled, *LEAVES_BARE):
            # The scope stops the others and knows what to raise.
            self._source.cursor.stop()
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, `run` raises it
            self._fail(chunk, error)

    def _fail(self, chunk: _native.Chunk | None, error: BaseException) -> None:
        if chunk is None:
            failure = Failure(sys.maxsize, error, None)
        elif chunk.position == chunk.start or chunk.finished:
            failure = Failure(chunk.position, error, None)  # before the first item, or in what comes after the last
        else:
            failure = Failure(chunk.position - 1, error, chunk)
        self._failures.append(failure)
        self._stop()

    def _stop(self) -> None:
        self._source.cursor.stop()
        self._scope.cancel()  # for workers that wait inside an item


class _Indexed:
    """A sequence: chunks are ranges of a cursor."""

    def __init__(self, plan: Plan, items: Any) -> None:
        total = len(items)
        guided = plan.schedule == "guided"
        chunk = plan.chunk or (-(-total // plan.workers) if plan.schedule == "static" else 1) or 1
        self.workers = max(1, min(plan.workers, -(-total // chunk)))
        self.cursor = _native.Cursor(items, total, chunk, self.workers if guided else None)

    def take(self, _spent: float) -> _native.Chunk | None:
        return self.cursor.take()


class _Pulled:
    """Any other iterable: chunks are pulled from its iterator by one worker at a time."""

    def __init__(self, plan: Plan) -> None:
        self.workers = plan.workers
        self.cursor = _native.Cursor((), 0, 1)
        self._iterator = _native.Mutex(iter(plan.items))
        self._position = 0  # guarded by the mutex, as the next two
        self._size = plan.chunk or 1
        self._over = False  # an iterator is not asked again once it has ended, or failed
        self._adapts = plan.chunk is None

    def take(self, spent: float) -> _native.Chunk | None:
        with self._iterator as guard:
            if self._over or self.cursor.stopped:
                return None
            if self._adapts:
                self._size = adapted(self._size, spent)
            self._over = True
            items = list(islice(guard.value, self._size))
            self._over = len(items) < self._size
            start, self._position = self._position, self._position + len(items)
        return self.cursor.chunk(items, start) if items else None


def _source(plan: Plan) -> Source:
    # A deque is indexed by walking. Arrays do not register as sequences; a table that is indexed by label has no such
    # interface.
    is_sequence = isinstance(plan.items, Sequence) and not isinstance(plan.items, deque)
    if is_sequence or hasattr(plan.items, "__array_interface__"):
        with contextlib.suppress(OverflowError):  # more than can be numbered, as `range(10**30)` has
            return _Indexed(plan, plan.items)
    return _Pulled(plan)


def adapted(size: int, spent: float) -> int:
    """Return how many items the next chunk has to have, where one of ``size`` took ``spent`` seconds."""
    if spent < _QUICK:
        return min(size * 2, _LONGEST)
    return max(size // 2, 1) if spent > 8 * _QUICK else size


def check_finished(chunk: _native.Chunk, cursor: _native.Cursor) -> None:
    """Refuse a chunk that stages have left before its end, unless the run was stopped."""
    if not (chunk.finished or cursor.stopped):
        raise RuntimeError("a stage raised StopIteration, which would have ended its chunk unseen")


def note_item(error: BaseException, position: int, chunk: _native.Chunk) -> None:
    """Name the item in the error."""
    try:
        item = reprlib.repr(chunk.last())
    except Exception:  # noqa: BLE001 - an item without a repr must not hide the error
        item = "an item that has no repr"
    with contextlib.suppress(Exception):  # nor must one that takes no note
        error.add_note(f"fearless.par: in item {position} of the run: {item}")
