"""Threads: one call in a thread of its own, and the handle of a call that some thread makes.

``Task`` is that handle, for threads and for pools. Not here: threads that end with a block (``_scope.py``), and workers
that are used again (``pools.py``).
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, ParamSpec, TypeVar

from fearless import _native, _unretrieved  # noqa: F401  # for the native half: a call that failed may have no stack left to import it
from fearless._arguments import name_or_none

__all__ = ["Options", "Task", "options", "spawn"]

P = ParamSpec("P")
T = TypeVar("T")

_number = itertools.count(1)


class Task(_native.Task[T], Future[T]):
    """One call, made by another thread, and its outcome.

    A ``concurrent.futures.Future``: what takes one (``wait``, ``as_completed``, ``asyncio.wrap_future``) takes a task.
    ``join()`` is ``result()``, and ``await task`` the same in a coroutine. A failure is raised with the
    traceback of the thread it happened in.

    Thread safety: internally synchronized; any thread may call any method.
    """

    __slots__ = ()

    def __init__(self) -> None:
        """Make a pending task without a call: whoever makes it ends it, by ``set_result`` or ``set_exception``."""
        # Future.__init__ would make a condition, which is most of what a future costs; the native half needs none.


@dataclass(frozen=True, slots=True)
class Options:
    """How to start a thread; see ``options``.

    Thread safety: immutable.
    """

    name: str | None = None
    daemon: bool = False

    def spawn(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Task[T]:
        """Run ``fn(*args, **kwargs)`` in a thread of its own; see ``spawn``."""
        task: Task[T] = new_task(fn, args, kwargs, name=self.name)
        start_thread(task, self)
        return task


def options(*, name: str | None = None, daemon: bool = False) -> Options:
    """Return a ``spawn`` with options: ``options(name="loader").spawn(load, path)``.

    ``name`` is the thread's. A ``daemon`` thread does not keep the process from ending, which stops it wherever it is.

    Raises: ``TypeError`` if ``name`` is no ``str``.
    """
    return Options(name_or_none(name), daemon)


def spawn(fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Task[T]:
    """Run ``fn(*args, **kwargs)`` in a thread of its own.

    The thread sees the context variables of this moment and is outside every scope; the process waits for it at exit.
    An end of a channel that was moved into the call is closed when the call ends.

    Raises: ``RuntimeError`` if the thread cannot be started, ``TypeError`` if ``fn`` is not callable.

    Example:
        >>> import fearless as fl
        >>> task = fl.spawn(sum, range(10))
        >>> task.join()
        45
    """
    task: Task[T] = new_task(fn, args, kwargs)
    start_thread(task, PLAIN)
    return task


def new_task(
    fn: Callable[..., T],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    scope: _native.Scope | None = None,
    name: str | None = None,
) -> Task[T]:
    """Make a task that runs in ``scope``; for what starts threads or fills pools."""
    task: Task[T] = _native.new_task(fn, args, kwargs, scope=scope, name=name)
    return task


def start_thread(task: Task[Any], options: Options, counted: _native.Scope | None = None) -> threading.Thread:
    """Start the thread that runs ``task`` and return it; the task is cancelled if that fails.

    The thread itself is ``counted`` in a scope as a task is: to join it when it was counted down takes no time.
    """
    name = options.name or f"fearless-{next(_number)}"
    task._name = name  # noqa: SLF001 - the native half is ours
    run = task._run if counted is None else partial(_run_counted, task, counted)  # noqa: SLF001 - same
    thread = threading.Thread(target=run, name=name, daemon=options.daemon)
    try:
        thread.start()
    except BaseException:
        # Also after Ctrl-C, which may come when the thread exists already: then it finds nothing to run.
        task._abandon()  # noqa: SLF001 - same
        raise
    return thread


def _run_counted(task: Task[Any], scope: _native.Scope) -> None:
    scope.task_started()
    try:
        task._run()  # noqa: SLF001 - the native half is ours
    finally:
        scope.task_ended()


PLAIN = Options()
