"""`Mutex` beside `threading.Lock`: enter and leave, alone and with two threads on one lock; two locks at once.

Two threads share the lock by what is measured, so every contender is used as one would write it, in a `with`
statement; bound methods, which spare a free-threaded interpreter the count of references to a shared object, contend
apart. Not here: counters (`bench_atomic_int.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from itertools import repeat
from typing import Any

from benchmarks import peers, work
from benchmarks.harness import Body, Make, Shape, empty
from fearless import Mutex, lock_all

HOLDS = {"0": 0, "100 ns": 100, "1 us": 1_000, "10 us": 10_000}


def passing(lock: Any) -> Body:
    """Enter and leave; a guard, where there is one, is bound to a name."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            with lock as _guard:
                pass

    return body


def holding(lock: Any, turns: int) -> Body:
    """Hold the lock for counted work, and do as much outside."""

    def body(count: int) -> None:
        own = turns + 0  # an object of this thread: counting references to a shared one would be measured, too
        for _ in repeat(None, count):
            with lock as _guard:
                for _ in repeat(None, own):
                    pass
            for _ in repeat(None, own):
                pass

    return body


def working(turns: int) -> Body:
    """Do the same work without a lock."""

    def body(count: int) -> None:
        own = turns + 0
        for _ in repeat(None, count):
            for _ in repeat(None, own):
                pass
            for _ in repeat(None, own):
                pass

    return body


def calling(acquire: Callable[[], object], release: Callable[[], object]) -> Body:
    """Acquire and release by bound methods."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            acquire()
            release()

    return body


def updating(lock: Mutex[None]) -> Body:
    """Enter, call an empty function, leave: no guard is made."""
    update = lock.update

    def same(value: None) -> None:
        return value

    def body(count: int) -> None:
        for _ in repeat(None, count):
            update(same)

    return body


def bound() -> Body:
    """Acquire and release a `threading.Lock` by its bound methods."""
    lock = threading.Lock()
    return calling(lock.acquire, lock.release)


def one_thread() -> Shape:
    """Enter and leave, alone."""
    shape = Shape("lock-pass/1 thread", "enter and leave")
    shape.alone("with threading.Lock", lambda _: passing(threading.Lock()))
    shape.add("empty loop", empty())
    shape.alone("with Mutex as guard", lambda _: passing(Mutex(None)), goals=(1.0, 1.3))
    shape.alone("Mutex.update(same)", lambda _: updating(Mutex(None)))
    shape.alone("acquire, release of threading.Lock", lambda _: bound())
    shape.alone("with threading.RLock", lambda _: passing(threading.RLock()))
    if aiologic := peers.find("aiologic"):
        shape.alone("with aiologic.Lock", lambda _: passing(aiologic.Lock()))
    return shape


def nesting(one: threading.Lock, other: threading.Lock) -> Body:
    """Enter and leave two locks, in an order that the code keeps to."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            with one, other:
                pass

    return body


def together(one: Mutex[None], other: Mutex[None]) -> Body:
    """Enter and leave two mutexes, in no order that anybody has to keep to."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            with lock_all(one, other) as _guards:
                pass

    return body


def two_locks() -> Shape:
    """Two locks at once, alone."""
    shape = Shape("lock-all/1 thread", "enter and leave two locks")
    shape.alone("two threading.Locks, nested", lambda _: nesting(threading.Lock(), threading.Lock()))
    shape.add("empty loop", empty())
    shape.alone("lock_all of two Mutexes", lambda _: together(Mutex(None), Mutex(None)))
    return shape


def shared(make: Callable[[], Any], body: Callable[[Any], Body]) -> Make:
    """Two threads on one lock, with a body each."""

    def bodies(_stack: ExitStack) -> list[Body]:
        lock = make()
        return [body(lock), body(lock)]

    return bodies


def two_threads(name: str, nanoseconds: int) -> Shape:
    """Two threads on one lock; each holds it, and then does as much outside."""
    turns = work.turns(nanoseconds) if nanoseconds else 0
    shape = Shape(f"lock-pass/2 threads/{name}", f"enter, hold for {name}, leave, as long outside; by both")

    def body(lock: Any) -> Body:
        return holding(lock, turns) if nanoseconds else passing(lock)

    shape.add("with threading.Lock", shared(threading.Lock, body))
    shape.add("no lock", shared(lambda: None, lambda _: working(turns)) if nanoseconds else empty(2))
    shape.add("with Mutex as guard", shared(lambda: Mutex(None), body))
    if not nanoseconds:
        shape.add("Mutex.update(same)", shared(lambda: Mutex(None), updating))
    if aiologic := peers.find("aiologic"):
        shape.add("with aiologic.Lock", shared(aiologic.Lock, body))
    return shape


def shapes() -> list[Shape]:
    """The shapes of this file."""
    return [one_thread(), two_locks(), *(two_threads(*hold) for hold in HOLDS.items())]
