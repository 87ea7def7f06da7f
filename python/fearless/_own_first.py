"""What ``concurrent.futures.wait`` and ``as_completed`` wait with, in a task of a pool, for tasks of its own.

They wait on an event of ``threading``, which the pool cannot see. So before such a wait the calls that nobody has begun
are made here: there may be no other worker to come to them. A wait with a timeout makes none, as no call can be stopped
in time. Not here: which tasks these are; the native half of a task knows.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fearless._native import Task

__all__ = ["Waiters"]


class _Event(threading.Event):
    """The event of one wait.

    Thread safety: internally synchronized; only the thread that waits adds to the calls.
    """

    def __init__(self) -> None:
        super().__init__()
        self.tasks: deque[Task[Any]] = deque()

    def wait(self, timeout: float | None = None) -> bool:
        """Make the calls until the event is set, and then wait. No lock is held: the stock functions wait like that."""
        while timeout is None and self.tasks and not self.is_set():
            self.tasks.popleft()._run_own()  # noqa: SLF001 - the native half is ours
        return super().wait(timeout)


class Waiters:
    """A task's list of waiters, as the stock functions see it: whoever is appended will make the task's call first.

    They hold the task's condition meanwhile, so the event is not set by anybody.

    Thread safety: externally synchronized, by the task's condition.
    """

    __slots__ = ("_task", "_waiters")

    def __init__(self, task: Task[Any], waiters: list[Any]) -> None:
        self._task = task
        self._waiters = waiters

    def append(self, waiter: Any) -> None:
        """Add one of the waiters of ``concurrent.futures``."""
        if type(waiter.event) is threading.Event and not waiter.event.is_set():
            waiter.event = _Event()
        if isinstance(waiter.event, _Event):
            waiter.event.tasks.append(self._task)
        self._waiters.append(waiter)

    def remove(self, waiter: Any) -> None:
        """Take it out again."""
        self._waiters.remove(waiter)
