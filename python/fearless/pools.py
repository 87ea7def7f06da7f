"""Thread pools: workers that are used again, and one queue.

The native half holds the queue and the loop of a worker; here is what starts threads, and what ends them with the
process. Not here: work that is shared out in chunks (``parallel.py``).
"""

from __future__ import annotations

import functools
import itertools
import logging
import os
import sys
import threading
import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, ParamSpec, SupportsIndex, TypeAlias, TypeVar

from fearless import _exit, _native, parallel
from fearless._arguments import at_least, name_or_none, seconds, usable_cores
from fearless.errors import Cancelled, Timeout
from fearless.threads import Task, new_task

if TYPE_CHECKING:
    from fearless._run import Schedule
    from fearless.parallel import Par

__all__ = ["ThreadPool"]

P = ParamSpec("P")
T = TypeVar("T")

_Preparation: TypeAlias = tuple[Callable[..., object] | None, tuple[Any, ...]]

_MOST_BY_DEFAULT = 32
_number = itertools.count(1)


class ThreadPool(_native.ThreadPool, Executor):
    """Workers that take calls from one queue: a ``concurrent.futures.Executor``.

    ``workers`` is the most threads there will be; one is started only when a task finds none idle. By default they are
    the usable cores and four more, at most 32: enough for tasks that wait a little; for pure computation pass the
    number of cores. ``backlog`` bounds the tasks that wait for a worker: ``submit`` then waits for room, so that a fast
    producer cannot fill the memory; with 0 a task goes only to a worker that is free. ``initializer(*initargs)`` runs
    first in every worker; if it fails, so does every task. It may do what a task may.

    Leaving the ``with`` block waits for all tasks, as the end of the process does. A task sees the context variables
    of its ``submit``, is outside every scope, and may submit to its own pool, even when the backlog is full.

    Thread safety: internally synchronized; any thread may call any method.

    Example:
        >>> import fearless as fl
        >>> with fl.ThreadPool(2) as pool:
        ...     task = pool.submit(pow, 2, 8)
        ...     list(pool.map(abs, [-1, 2, -3]))
        [1, 2, 3]
        >>> task.result()
        256
    """

    def __init__(
        self,
        workers: SupportsIndex | None = None,
        *,
        backlog: SupportsIndex | None = None,
        name: str | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
    ) -> None:
        """Make a pool, and start nothing: the first call does.

        Raises: ``ValueError`` if ``workers`` is less than 1 or ``backlog`` less than 0; ``TypeError`` if one of them is
        no whole number, ``name`` no ``str``, or ``initializer`` not callable.
        """
        most = default_workers() if workers is None else min(at_least("workers", workers, 1), sys.maxsize)
        named = name_or_none(name) or f"ThreadPool-{next(_number)}"
        if initializer is not None and not callable(initializer):
            raise TypeError(f"initializer must be callable, got {initializer!r}")
        self._open(most, None if backlog is None else min(at_least("backlog", backlog, 0), sys.maxsize))
        _exit.watch(self._queue)
        self._name = named
        self._initializer = initializer
        self._initargs = initargs
        self._worker_number = itertools.count()
        self._threads: set[threading.Thread] = set()

    def map(
        self,
        fn: Callable[..., T],
        /,
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
        ordered: bool = True,
    ) -> Iterator[T]:
        """Submit ``fn`` for every item of the iterables, side by side; return an iterator over the results, in order.

        With ``ordered=False`` they come as their calls end, failures included, so that a slow one holds up no other.

        All is submitted before this returns, or, with ``buffersize``, that many; then one more with each result that is
        taken, for which the pool has to be kept. ``timeout`` seconds bound the whole, counted from here. The iterator,
        if it was asked for a result, cancels what has not begun when it raises or is closed. ``chunksize``, of
        ``ProcessPoolExecutor``, is ignored.

        Blocks: while the backlog is full, and then in the iterator until the next result is there; a cancellation
        point; Ctrl-C gets through.
        Raises: as ``submit``; ``ValueError`` if ``timeout`` is negative or NaN, or ``buffersize`` less than 1; the
        iterator raises ``Timeout``, or what ``fn`` raised.
        """
        del chunksize
        limit = seconds(timeout)
        most = None if buffersize is None else at_least("buffersize", buffersize, 1)
        end = None if limit is None else time.monotonic() + limit
        calls = zip(*iterables, strict=False)
        tasks: _InOrder[T] | _AsTheyEnd[T] = _InOrder() if ordered else _AsTheyEnd(self._queue)
        try:
            for args in itertools.islice(calls, most):
                tasks.add(self.submit(fn, *args))
        except BaseException:
            tasks.close()
            raise
        this = weakref.ref(self)  # an iterator that is kept must not keep the workers

        def submit_next() -> list[Task[T]]:
            return [_still_there(this()).submit(fn, *args) for args in itertools.islice(calls, 1)]

        # Not begun: as with the stock executor, all calls are made if nobody wants a result.
        return _results(tasks, end, submit_next)

    def par(
        self,
        items: Iterable[T],
        *,
        workers: SupportsIndex | None = None,
        chunk: SupportsIndex | Literal["auto"] = "auto",
        schedule: Schedule = "guided",
        progress: bool = False,
    ) -> Par[T]:
        """Work on ``items`` in parallel on this pool; see ``fl.par``, whose options these are.

        ``workers`` threads share the items, by default as many as the pool has. The calling thread is one of them, so
        that a busy pool cannot hold it up, and a task of the pool may do this; the others are tasks, for which there is
        room in the pool now, and which are cancelled if the items run out first. Iterating starts threads of its own.

        Raises: as ``fl.par``.
        """
        most = self.workers if workers is None else workers
        chain = parallel.par(items, workers=most, chunk=chunk, schedule=schedule, progress=progress)
        return chain._on(self)  # noqa: SLF001 - chains and pools are one package

    def options(self, *, timeout: float | None = None, name: str | None = None) -> PoolOptions:
        """Return a ``submit`` with options: ``pool.options(timeout=2.0).submit(fetch, url)``.

        ``timeout`` seconds after the call has begun (time in the queue does not count) every wait inside it raises
        ``Cancelled``, and the task fails with ``Timeout``. A call that does not wait is not stopped, and if it returns
        its result stands. ``name`` is the task's.

        Raises: ``ValueError`` if ``timeout`` is negative or NaN; ``TypeError`` if it is no number, or ``name`` is no
        ``str``.

        Example:
            >>> import fearless as fl
            >>> with fl.ThreadPool(1) as pool:
            ...     task = pool.options(timeout=0.01).submit(fl.sleep, 60)
            >>> task.exception()
            Timeout('the task ran out of its 0.01 s')
        """
        return PoolOptions(self, seconds(timeout), name_or_none(name))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - Executor's
        """Take no more tasks; run those that are queued, or with ``cancel_futures`` cancel them. Again is harmless.

        Blocks: with ``wait``, until the last worker has ended; a cancellation point; Ctrl-C gets through.
        Raises: ``DeadlockError`` when a worker of the pool waits for it.
        """
        self._queue.close(cancel=cancel_futures)
        if wait:
            self._queue.join()
            for thread in tuple(self._threads):
                # One may have been struck before it started; the calling one may have come here by a fork.
                if thread.ident is not None and thread is not threading.current_thread():
                    thread.join()

    def _start_worker(self, place: list[Any]) -> None:
        """Start one more worker, which takes the one item of ``place`` when it begins.

        The native half calls this when a task has found none idle. After an error it takes the place itself, so that
        no worker begins.
        """
        _exit.watch(self._queue)  # again: in a forked child nobody does yet
        # A thread keeps its arguments while it runs; out of the list it can drop the initializer, which may refer to
        # the pool.
        place[0] = (self._initializer, self._initargs)
        name = f"{self._name}_{next(self._worker_number)}"
        thread = threading.Thread(target=_work, args=(self._queue, place), name=name, daemon=False)
        self._threads.add(thread)
        try:
            thread.start()
        except BaseException:
            if thread.ident is None:
                self._threads.discard(thread)
            raise


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """A ``submit`` with options; see ``ThreadPool.options``.

    Thread safety: immutable.
    """

    pool: ThreadPool
    timeout: float | None
    name: str | None

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Task[T]:
        """Have ``fn(*args, **kwargs)`` called by a worker; see ``ThreadPool.submit``.

        Blocks: as ``ThreadPool.submit``.
        Raises: as ``ThreadPool.submit``.
        """
        task: Task[T]
        if self.timeout is None or not callable(fn):  # what cannot be called is refused there
            task = new_task(fn, args, kwargs, name=self.name)
        else:
            # Flat: ends of channels are moved into a call by its own arguments.
            task = new_task(_within, (self.timeout, fn, *args), kwargs, name=self.name)
        self.pool._enqueue(task)  # noqa: SLF001 - one class in two parts
        return task


def _within(timeout: float, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
    """Call ``fn`` in a scope of its own, which is no more than a deadline: errors leave it as they are."""
    scope = _native.Scope.enter(timeout)
    try:
        return fn(*args, **kwargs)
    except Cancelled as error:
        if error._scope.is_same(scope):  # noqa: SLF001 - they are one mechanism
            text = f"the task ran out of its {timeout} s"
            raise Timeout(text) from None
        raise
    finally:
        scope.exit()


def _work(queue: _native.PoolQueue, place: list[Any]) -> None:
    """Be a worker. It knows the queue, not the pool, so that an unreachable pool can end."""
    preparation: _Preparation
    try:
        preparation = place.pop()
    except IndexError:
        return  # it was given up
    process = os.getpid()
    is_prepared = _prepare(queue, *preparation)
    if os.getpid() != process:
        return  # the initializer forked: the pool of the child does not know this thread
    if is_prepared:
        del preparation
        queue.work()
    else:
        queue.break_down()


def _prepare(queue: _native.PoolQueue, initializer: Callable[..., object] | None, initargs: tuple[Any, ...]) -> bool:
    if initializer is not None:
        try:
            queue.prepare(initializer, tuple(initargs))
        except BaseException:
            logging.getLogger("concurrent.futures").critical("Exception in initializer:", exc_info=True)
            return False
    return True


def _still_there(pool: ThreadPool | None) -> ThreadPool:
    if pool is None:
        raise RuntimeError("cannot schedule new futures: nobody has kept the pool; keep it until the results are taken")
    return pool


class _InOrder(Generic[T]):
    """Submitted tasks, to be taken in that order."""

    def __init__(self) -> None:
        self._tasks: deque[Task[T]] = deque()

    def __len__(self) -> int:
        return len(self._tasks)

    def add(self, task: Task[T]) -> None:
        self._tasks.append(task)

    def result(self, timeout: float | None) -> T:
        """Wait for the next result."""
        return _result(self._tasks.popleft(), timeout)

    def close(self) -> None:
        _cancel(self._tasks)


class _AsTheyEnd(Generic[T]):
    """Submitted tasks, to be taken as they end: each then enters itself in ``_ended``, and is counted."""

    def __init__(self, queue: _native.PoolQueue) -> None:
        self._queue = queue  # not the pool, which must be able to end
        self._tasks: OrderedDict[Task[T], None] = OrderedDict()
        self._ended: deque[Task[T]] = deque()
        self._count = _native.Semaphore(0, bounded=False)  # as many permits as `_ended` has tasks that nobody came for

    def __len__(self) -> int:
        return len(self._tasks)

    def add(self, task: Task[T]) -> None:
        self._tasks[task] = None
        # Without `self`: an iterator that was dropped does not live until its last call has ended.
        task.add_done_callback(functools.partial(_enter, self._ended, self._count))

    def result(self, timeout: float | None) -> T:
        """Wait for the next result."""
        if timeout is None and not self._ended:
            self._make_own()
        try:
            if timeout is None:
                self._queue.await_end(self._count)
            else:
                self._count.acquire(timeout=timeout)
        except Timeout:
            text = "result: no task ended within the timeout"
            raise Timeout(text) from None
        del self._tasks[self._ended[0]]
        return _result(self._ended.popleft(), None)

    def _make_own(self) -> None:
        """In the task that submitted them, make the first call that nobody has begun: there may be no other worker."""
        # Calls begin in order, so before it there are no more than there are workers.
        task = next((task for task in self._tasks if not task.running()), None)
        if task is not None:
            task._run_own()  # noqa: SLF001 - the native half is ours

    def close(self) -> None:
        _cancel(self._tasks)


def _enter(ended: deque[Task[T]], count: _native.Semaphore, task: Task[T]) -> None:
    ended.append(task)
    count.release()


def _results(
    tasks: _InOrder[T] | _AsTheyEnd[T], end: float | None, submit_next: Callable[[], Iterable[Task[T]]]
) -> Iterator[T]:
    """Yield the results, holding no reference to one that was handed out."""
    try:
        while tasks:
            for task in submit_next():
                tasks.add(task)
                del task
            yield tasks.result(None if end is None else max(0.0, end - time.monotonic()))
    finally:
        tasks.close()


def _result(task: Task[T], timeout: float | None) -> T:
    try:
        return task.result(timeout)
    except BaseException:
        _cancel((task,))
        raise
    finally:
        del task  # the traceback of an exception would keep it, and with it the exception


def _cancel(tasks: Iterable[Task[Any]]) -> None:
    for task in tasks:
        if not task.cancel():
            task._disregard()  # noqa: SLF001 - one package; the first failure speaks for those that nobody gets to


def default_workers() -> int:
    """Return how many workers a pool has when nobody says."""
    return min(_MOST_BY_DEFAULT, usable_cores() + 4)
