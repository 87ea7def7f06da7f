"""`Semaphore` beside `threading`'s: enter and leave, alone and with two threads on one permit.

Not here: locks (`bench_mutex.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from itertools import repeat
from typing import Any

from benchmarks import peers
from benchmarks.harness import Body, Make, Shape, empty
from fearless import Semaphore


def passing(semaphore: Any) -> Body:
    """Enter and leave."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            with semaphore:
                pass

    return body


def calling(acquire: Callable[[], object], release: Callable[[], object]) -> Body:
    """Acquire and release by bound methods."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            acquire()
            release()

    return body


def shared(make: Callable[[], Any]) -> Make:
    """Two threads on one semaphore."""

    def bodies(_stack: ExitStack) -> list[Body]:
        semaphore = make()
        return [passing(semaphore), passing(semaphore)]

    return bodies


def shapes() -> list[Shape]:
    """The shapes of this file."""
    alone = Shape("semaphore/1 thread", "enter and leave, with a permit free")
    alone.alone("with threading.BoundedSemaphore", lambda _: passing(threading.BoundedSemaphore(1)))
    alone.add("empty loop", empty())
    alone.alone("with threading.Semaphore", lambda _: passing(threading.Semaphore(1)))
    alone.alone("with Semaphore", lambda _: passing(Semaphore(1)))
    ours = Semaphore(1)
    alone.alone("acquire, release of Semaphore", lambda _: calling(ours.acquire, ours.release))
    contended = Shape("semaphore/2 threads", "enter and leave, by both, with one permit")
    contended.add("with threading.BoundedSemaphore", shared(lambda: threading.BoundedSemaphore(1)))
    contended.add("with Semaphore", shared(lambda: Semaphore(1)))
    if aiologic := peers.find("aiologic"):
        alone.alone("with aiologic.BoundedSemaphore", lambda _: passing(aiologic.BoundedSemaphore(1)))
        contended.add("with aiologic.BoundedSemaphore", shared(lambda: aiologic.BoundedSemaphore(1)))
    return [alone, contended]
