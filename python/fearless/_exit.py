"""The end of the process: pools finish their work, then their workers end.

The interpreter joins every non-daemon thread before it goes, so a worker that waits for tasks would keep it for ever.
One more thread, ``fearless-exit``, starts with the first pool, waits for the main thread's end and then closes every
pool. That takes nothing private: ``atexit`` would run too late, after the join.

Not here: the pools.
"""

from __future__ import annotations

import os
import threading
import weakref

from fearless import _native

__all__ = ["watch"]


class _Watch:
    """The pools of this process, and whether its main thread has ended.

    Thread safety: internally synchronized.
    """

    def __init__(self) -> None:
        # Re-entrant: a signal handler or a finalizer that comes in between may use a pool.
        self._lock = threading.RLock()
        self._queues: weakref.WeakSet[_native.PoolQueue] = weakref.WeakSet()
        self._thread: threading.Thread | None = None
        self._over = False

    def add(self, queue: _native.PoolQueue) -> None:
        with self._lock:
            if self._over:
                raise RuntimeError("cannot schedule new futures: the main thread has ended")
            self._queues.add(queue)
            if self._thread is None:
                thread = threading.Thread(target=self._close_all, name="fearless-exit", daemon=False)
                self._thread = thread  # first, so that whoever comes in between starts no second one
                try:
                    thread.start()
                except BaseException:
                    # Struck while it started it may run all the same; then a second one does no harm.
                    self._thread = None
                    raise

    def _close_all(self) -> None:
        threading.main_thread().join()
        with self._lock:
            self._over = True
            queues = list(self._queues)
        for queue in queues:
            queue.close()


_watch = _Watch()


def watch(queue: _native.PoolQueue) -> None:
    """Close the pool of ``queue`` when the main thread has ended.

    Raises: ``RuntimeError`` if it has.
    """
    _watch.add(queue)


def _after_fork() -> None:
    """Begin anew in the child, which has neither the thread nor the workers. Its lock may be held by a lost thread."""
    global _watch  # noqa: PLW0603 - the module is the watch
    _watch = _Watch()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
