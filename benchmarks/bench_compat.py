"""`fearless.compat` beside `threading`: locks, alone and with two threads on one; permits, flags, a round trip.

Two threads share the lock by what is measured, so every contender is used in a `with` statement, as one would write it.
Not here: locks that own their data (`bench_mutex.py`, from which the loops come).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from itertools import repeat
from typing import Any

from benchmarks import peers, work
from benchmarks.bench_mutex import HOLDS, calling, holding, passing, shared, working
from benchmarks.harness import Body, Make, Shape, empty
from fearless import compat


def bound(lock: Any) -> Body:
    """Acquire and release by bound methods."""
    return calling(lock.acquire, lock.release)


def one_thread() -> Shape:
    """Enter and leave a lock, alone."""
    shape = Shape("compat-lock/1 thread", "enter and leave")
    shape.alone("with threading.Lock", lambda _: passing(threading.Lock()))
    shape.add("empty loop", empty())
    shape.alone("with compat.Lock", lambda _: passing(compat.Lock()), goals=(0.8, 1.0))
    shape.alone("acquire, release of threading.Lock", lambda _: bound(threading.Lock()))
    shape.alone("acquire, release of compat.Lock", lambda _: bound(compat.Lock()))
    if aiologic := peers.find("aiologic"):
        shape.alone("with aiologic.Lock", lambda _: passing(aiologic.Lock()))
    return shape


def reentrant() -> Shape:
    """Enter and leave a reentrant lock, alone."""
    shape = Shape("compat-rlock/1 thread", "enter and leave")
    shape.alone("with threading.RLock", lambda _: passing(threading.RLock()))
    shape.alone("with compat.RLock", lambda _: passing(compat.RLock()), goals=(0.8, 1.0))
    if aiologic := peers.find("aiologic"):
        shape.alone("with aiologic.RLock", lambda _: passing(aiologic.RLock()))
    return shape


def two_threads(name: str, nanoseconds: int) -> Shape:
    """Two threads on one lock; each holds it, and then does as much outside."""
    turns = work.turns(nanoseconds) if nanoseconds else 0
    shape = Shape(f"compat-lock/2 threads/{name}", f"enter, hold for {name}, leave, as long outside; by both")

    def body(lock: Any) -> Body:
        return holding(lock, turns) if nanoseconds else passing(lock)

    goal = 1 / 0.9
    shape.add("with threading.Lock", shared(threading.Lock, body))
    shape.add("no lock", shared(lambda: None, lambda _: working(turns)) if nanoseconds else empty(2))
    shape.add("with compat.Lock", shared(compat.Lock, body), goals=(goal, goal))
    if aiologic := peers.find("aiologic"):
        shape.add("with aiologic.Lock", shared(aiologic.Lock, body))
    return shape


def passes(permits: Any) -> Body:
    """Take a permit and give it back."""
    return calling(permits.acquire, permits.release)


def asking(event: Any) -> Body:
    """Wait for a flag that is set."""
    event.set()
    wait = event.wait

    def body(count: int) -> None:
        for _ in repeat(None, count):
            wait()

    return body


def free(name: str, kind: str, make: Callable[[Any], Body]) -> Shape:
    """One thread does what need not wait."""
    shape = Shape(name, "a call, or a pair")
    shape.alone(f"threading.{kind}", lambda _: make(getattr(threading, kind)()))
    shape.alone(f"compat.{kind}", lambda _: make(getattr(compat, kind)()), goals=(1.0, 1.0))
    return shape


def ping_pong(kind: Callable[[int], Any]) -> Make:
    """Two threads wake each other in turn, by two semaphores."""

    def bodies(_stack: ExitStack) -> list[Body]:
        there, back = kind(0), kind(0)

        def serving(count: int) -> None:
            for _ in repeat(None, count):
                there.release()
                back.acquire()

        def returning(count: int) -> None:
            for _ in repeat(None, count):
                there.acquire()
                back.release()

        return [serving, returning]

    return bodies


def waking() -> Shape:
    """A round trip between two threads."""
    shape = Shape("compat-semaphore/ping-pong", "a round trip")
    shape.add("threading.Semaphore", ping_pong(threading.Semaphore))
    shape.add("compat.Semaphore", ping_pong(compat.Semaphore), goals=(1.0, 1.0))
    return shape


def shapes() -> list[Shape]:
    """The shapes of this file."""
    return [
        one_thread(),
        reentrant(),
        *(two_threads(*hold) for hold in HOLDS.items()),
        free("compat-semaphore/free", "Semaphore", passes),
        free("compat-event/set", "Event", asking),
        waking(),
    ]
