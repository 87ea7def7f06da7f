"""`Task`, by `spawn` and `join`, beside a `threading.Thread` that is started and joined.

Not here: the tasks of a scope (`bench_scope.py`) and of a pool (`bench_thread_pool.py`).
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from itertools import repeat

from benchmarks.harness import Shape, empty
from fearless import Task, spawn


def nothing() -> None:
    """Do nothing."""


def threads(count: int) -> None:
    """Start and join a thread."""
    for _ in repeat(None, count):
        thread = threading.Thread(target=nothing)
        thread.start()
        thread.join()


def tasks(count: int) -> None:
    """Spawn and join a task."""
    for _ in repeat(None, count):
        spawn(nothing).join()


def futures(count: int) -> None:
    """Settle a future and read it, all in one thread."""
    for _ in repeat(None, count):
        future: Future[None] = Future()
        future.set_result(None)
        future.result()


def settled(count: int) -> None:
    """Settle a task and read it, all in one thread."""
    for _ in repeat(None, count):
        task: Task[None] = Task()
        task.set_result(None)
        task.result()


def shapes() -> list[Shape]:
    """The shapes of this file."""
    one = Shape("spawn/1 task", "a thread that is started and joined")
    one.alone("Thread.start, join", lambda _: threads)
    one.alone("spawn(...).join()", lambda _: tasks, goals=(1.1, 1.1))
    future = Shape("future", "a future that is made, settled and read")
    future.alone("concurrent.futures.Future", lambda _: futures)
    future.add("empty loop", empty())
    future.alone("Task", lambda _: settled)
    return [one, future]
