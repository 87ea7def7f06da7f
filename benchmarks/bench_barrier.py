"""`Barrier` beside `threading.Barrier`: a meeting of one, and of two threads.

Not here: events (`bench_event.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from itertools import repeat
from typing import Any

from benchmarks import peers
from benchmarks.harness import Body, Make, Shape, empty
from fearless import Barrier


def meeting(barrier: Any) -> Body:
    """Meet again and again."""
    wait = barrier.wait

    def body(count: int) -> None:
        for _ in repeat(None, count):
            wait()

    return body


def together(make: Callable[[int], Any]) -> Make:
    """Two threads meet."""

    def bodies(_stack: ExitStack) -> list[Body]:
        barrier = make(2)
        return [meeting(barrier), meeting(barrier)]

    return bodies


def shapes() -> list[Shape]:
    """The shapes of this file."""
    alone = Shape("barrier/1 thread", "a meeting of one, who never waits")
    alone.alone("threading.Barrier", lambda _: meeting(threading.Barrier(1)))
    alone.add("empty loop", empty())
    alone.alone("Barrier", lambda _: meeting(Barrier(1)))
    both = Shape("barrier/2 threads", "a meeting of two threads")
    both.add("threading.Barrier", together(threading.Barrier))
    both.add("Barrier", together(Barrier))
    if aiologic := peers.find("aiologic"):
        both.add("aiologic.Barrier", together(aiologic.Barrier))
    return [alone, both]
