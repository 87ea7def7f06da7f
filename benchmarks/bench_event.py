"""`Event` beside `threading.Event`: set and cleared with nobody there, waited for when set, and passed to and fro.

Not here: data that is passed on (`bench_channel.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from itertools import repeat
from typing import Any

from benchmarks import peers
from benchmarks.harness import Body, Make, Shape, empty
from fearless import Event


def flipping(event: Any) -> Body:
    """Set and clear."""
    switch_on, switch_off = event.set, event.clear

    def body(count: int) -> None:
        for _ in repeat(None, count):
            switch_on()
            switch_off()

    return body


def waiting(event: Any) -> Body:
    """Wait for what has happened."""
    event.set()
    wait = event.wait

    def body(count: int) -> None:
        for _ in repeat(None, count):
            wait()

    return body


def to_and_fro(make: Callable[[], Any]) -> Make:
    """Two threads wake each other in turn."""

    def bodies(_stack: ExitStack) -> list[Body]:
        mine, others = make(), make()

        def first(count: int) -> None:
            for _ in repeat(None, count):
                others.set()
                mine.wait()
                mine.clear()

        def second(count: int) -> None:
            for _ in repeat(None, count):
                others.wait()
                others.clear()
                mine.set()

        return [first, second]

    return bodies


def shapes() -> list[Shape]:
    """The shapes of this file."""
    makes: dict[str, Callable[[], Any]] = {"threading.Event": threading.Event, "Event": Event}
    flip = Shape("event/flip", "set and clear, with nobody waiting")
    wait = Shape("event/wait", "wait for an event that is set")
    turns = Shape("event/turns", "a round trip of two threads that wake each other")
    for name, make in makes.items():
        flip.alone(name, lambda _, make=make: flipping(make()))  # type: ignore[misc]  # a lambda with a default
        wait.alone(name, lambda _, make=make: waiting(make()))  # type: ignore[misc]
        turns.add(name, to_and_fro(make))
    wait.add("empty loop", empty())
    if aiologic := peers.find("aiologic"):  # its event is set once
        wait.alone("aiologic.Event", lambda _: waiting(aiologic.Event()))
    return [flip, wait, turns]
