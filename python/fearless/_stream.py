"""Results of ``par`` one by one, while workers go on: what iterating a chain does.

Chunks are numbered as they are pulled. A worker needs a permit to pull one, and the consumer gives it back when it
comes to the chunk's results: that is the bound on what is read ahead. In order nobody can get stuck, as the chunk that
is wanted next is the oldest of those that have a permit.

Not here: runs that end with one value (``_run.py``).
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from itertools import islice
from typing import Any, NamedTuple, TypeAlias

from fearless import _loops, _native
from fearless._progress import Bar
from fearless._run import Plan, adapted, check_finished, note_item
from fearless._scope import Scope, scope
from fearless._scope_failures import LEAVES_BARE
from fearless._scope_options import ScopeOptions
from fearless.channels import channel
from fearless.errors import Cancelled
from fearless.threads import Options, new_task, start_thread

__all__ = ["stream"]

Fuse: TypeAlias = Callable[[Iterator[Any]], Iterator[Any]]

_AHEAD = 4  # chunks for each worker that are in work, or done and not taken

# Whoever stops iterating in the middle and keeps the iterator must not keep the process.
_DAEMON = Options(daemon=True)


class _Part(NamedTuple):
    """What came of a chunk: its results, and after them perhaps a failure."""

    number: int
    items: int
    results: list[Any]
    error: BaseException | None


def stream(plan: Plan, fuse: Fuse, *, ordered: bool) -> Iterator[Any]:
    """Yield the results of ``fuse(items)`` for every chunk of the items, holding none that was handed out."""
    _loops.refuse("iterating `par`")
    _native.checkpoint()
    flow = _Flow(plan, fuse)
    try:
        flow.start()
        parts = flow.parts()
        with Bar(plan.items) if plan.progress else nullcontext() as bar:
            for _, items, results, error in _in_order(parts) if ordered else parts:
                flow.permits.release()
                results.reverse()
                while results:
                    yield results.pop()
                try:
                    if error is not None:
                        raise error
                finally:
                    del error  # its traceback holds this frame
                if bar is not None:
                    bar.advance(items)
        flow.conclude()
    finally:
        flow.stop()


def _in_order(parts: Iterable[_Part]) -> Iterator[_Part]:
    early: dict[int, _Part] = {}
    wanted = 0
    for part in parts:
        early[part.number] = part
        del part
        while wanted in early:
            wanted += 1
            yield early.pop(wanted - 1)


class _Flow:
    """What the workers and the consumer of an iteration share.

    Thread safety: internally synchronized; ``start``, ``parts``, ``conclude`` and ``stop`` are the consumer's.
    """

    def __init__(self, plan: Plan, fuse: Fuse) -> None:
        self.permits = _native.Semaphore(_AHEAD * plan.workers)
        self._workers = plan.workers
        self._fuse = fuse
        self._pull = _native.Mutex(_Pull(plan))
        self._cursor = _native.Cursor((), 0, 1)  # stopped, it ends every chunk at its next item
        self._tx, self._rx = channel(None)
        self._task: _native.Task[None] = new_task(self._drive, (), {})
        self._task._disregard()  # noqa: SLF001 - one package; what is stopped before its end drops what ended it
        self._thread: threading.Thread | None = None
        self._process = os.getpid()
        self._idents: set[int] = set()
        self._failed = False  # nothing more is pulled; what comes before the failure is done all the same
        self._lock = threading.Lock()
        # Guarded by the lock while the consumer is at work; later the collector may call `stop` on any thread.
        self._scope: Scope | None = None
        self._stopped = False

    def start(self) -> None:
        """Start the first worker, which starts the others."""
        self._thread = start_thread(self._task, _DAEMON)  # type: ignore[arg-type]  # `new_task` makes ours

    def parts(self) -> Iterator[_Part]:
        """Yield what workers have done, as it comes, until the last of them has ended."""
        while True:
            if os.getpid() != self._process:
                raise RuntimeError("an iteration of `par` cannot go on in a forked child: its workers are the parent's")
            came = [part for part in (next(self._rx, None),) if part is not None]
            if not came:
                return
            yield came.pop()  # a name for it would keep its failure, whose traceback leads back here

    def conclude(self) -> None:
        """Raise what ended the workers beside failures, as ``SystemExit``."""
        self._task.result()

    def stop(self, is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        """End the workers, at their next item or in their wait, and join them. Again is harmless.

        At the end of the interpreter the names of this module may be gone, so ``is_finalizing`` is no such name.
        """
        if is_finalizing() or os.getpid() != self._process:
            return  # the workers, being daemons, stand still for good; or are the parent's, with any lock they held
        with self._lock:
            self._stopped = True
            threads = self._scope
        self._cursor.stop()
        if threads is not None:
            threads.cancel()
        # A worker may be the one who drops the iterator, through the collector, and cannot join itself.
        if self._thread is not None and threading.get_ident() not in self._idents:
            self._thread.join()
        self._task.cancel()
        self._tx.close()
        self._rx.close()

    def _drive(self) -> None:
        try:
            with scope() as threads:
                with self._lock:
                    self._scope = threads
                    stopped = self._stopped
                if stopped:
                    return
                for _ in range(self._workers - 1):
                    try:
                        ScopeOptions(threads, _DAEMON).spawn(self._work)
                    except RuntimeError:
                        break  # the system gives no more threads; those there are do the work
                self._work()
        finally:
            self._scope = None
            self._tx.close()

    def _work(self) -> None:
        """Be a worker: pull chunks and hand on what comes of them, until there are no more."""
        self._idents.add(threading.get_ident())
        spent = 0.0
        while True:
            self.permits.acquire()
            with self._pull as guard:
                pulled = None if self._failed else guard.value.next(spent)
            if pulled is None:
                self.permits.release()  # whoever waits for one has to see the end, too
                return
            number, start, items, error = pulled
            results: list[Any] = []
            begun = time.perf_counter()
            failure = self._go_through(self._cursor.chunk(items, start), results)
            spent = time.perf_counter() - begun
            self._tx.send(_Part(number, len(items), results, failure or error))
            del pulled, items, error, results, failure

    def _go_through(self, chunk: _native.Chunk, results: list[Any]) -> BaseException | None:
        try:
            results.extend(self._fuse(chunk))  # a failure leaves those that came before it
            check_finished(chunk, self._cursor)
        except (Cancelled, *LEAVES_BARE):
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, the consumer raises it
            self._failed = True
            note_item(error, chunk.position - 1, chunk)
            return error
        return None


class _Pull:
    """The items, pulled in numbered chunks.

    Thread safety: externally synchronized; a mutex owns it.
    """

    def __init__(self, plan: Plan) -> None:
        self._iterator = iter(plan.items)
        self._number = 0
        self._position = 0
        self._size = plan.chunk or 1
        self._adapts = plan.chunk is None
        self._pulling = 0.0  # seconds, of the chunk before
        self._over = False  # an iterator is not asked again once it has ended, or failed

    def next(self, spent: float) -> tuple[int, int, list[Any], BaseException | None] | None:
        """Return number, position and items of the next chunk, and what the source raised after them.

        ``spent`` seconds went into the work on a chunk before; what pulling one takes counts as well, as whoever has a
        slow source wants to see an item before 1023 others are there.
        """
        if self._over:
            return None
        if self._adapts and self._number:
            self._size = adapted(self._size, max(spent, self._pulling))
        items: list[Any] = []
        error: BaseException | None = None
        begun = time.perf_counter()
        self._over = True
        try:
            items.extend(islice(self._iterator, self._size))
            self._over = len(items) < self._size
        except (Cancelled, *LEAVES_BARE):
            raise
        except BaseException as failure:  # noqa: BLE001 - whatever it is, the consumer raises it
            error = failure
        self._pulling = time.perf_counter() - begun
        if error is None and not items:
            return None
        number, start = self._number, self._position
        self._number, self._position = number + 1, start + len(items)
        return number, start, items, error
