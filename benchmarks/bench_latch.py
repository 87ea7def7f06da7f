"""`Latch` beside what one writes today: a count behind a `threading.Condition`.

Not here: events (`bench_event.py`), meetings (`bench_barrier.py`).
"""

from __future__ import annotations

import threading
from itertools import repeat
from typing import Any

from benchmarks import peers
from benchmarks.harness import Body, Shape, empty
from fearless import Latch


class Counted:
    """A latch of the standard library's parts."""

    def __init__(self, count: int) -> None:
        """Expect so many arrivals."""
        self._left = count
        self._changed = threading.Condition()

    def arrive(self) -> None:
        """Arrive."""
        with self._changed:
            self._left -= 1
            if not self._left:
                self._changed.notify_all()

    def wait(self) -> None:
        """Wait for the last arrival."""
        with self._changed:
            self._changed.wait_for(lambda: not self._left)


def arriving(latch: Counted | Latch) -> Body:
    """Arrive; more are always to come."""
    arrive = latch.arrive

    def body(count: int) -> None:
        for _ in repeat(None, count):
            arrive()

    return body


def waiting(latch: Counted | Latch) -> Body:
    """Wait for an open latch."""
    latch.arrive()
    wait = latch.wait

    def body(count: int) -> None:
        for _ in repeat(None, count):
            wait()

    return body


def shapes() -> list[Shape]:
    """The shapes of this file."""
    many = 2**62
    arrive = Shape("latch/arrive", "an arrival that is not the last")
    arrive.alone("a count behind threading.Condition", lambda _: arriving(Counted(many)))
    arrive.add("empty loop", empty())
    arrive.alone("Latch", lambda _: arriving(Latch(many)))
    wait = Shape("latch/wait", "wait for a latch that is open")
    wait.alone("a count behind threading.Condition", lambda _: waiting(Counted(1)))
    wait.alone("Latch", lambda _: waiting(Latch(1)))
    if aiologic := peers.find("aiologic"):
        wait.alone("aiologic.CountdownEvent", lambda _: countdown(aiologic))
    return [arrive, wait]


def countdown(aiologic: Any) -> Body:
    """Wait for a countdown of aiologic that is over."""
    wait = aiologic.CountdownEvent(0).wait

    def body(count: int) -> None:
        for _ in repeat(None, count):
            wait()

    return body
