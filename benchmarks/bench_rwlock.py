"""`RwLock` beside the rwlocks that can be had: reading alone, and two threads that read and write.

Each contender is used as one would write it, in a `with` statement. The work is done inside the lock and as much again
outside, so two threads can gain by reading together where they can run together. Not here: plain locks
(`bench_mutex.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from itertools import repeat
from typing import Any

from benchmarks import peers, work
from benchmarks.harness import Body, Make, Shape, empty
from fearless import RwLock

HOLDS = {"0": 0, "100 ns": 100, "1 us": 1_000, "10 us": 10_000}
WRITES = {"1 %": 100, "10 %": 10, "50 %": 2}  # one in so many
Way = Callable[[], AbstractContextManager[Any]]
"""Gives what is entered to read, or to write."""


def ours() -> tuple[Way, Way]:
    """Return how to read and to write an `RwLock`."""
    rw = RwLock(None)
    return rw.read, rw.write


def mutual() -> tuple[Way, Way]:
    """Return a plain lock, which lets nobody read together. It is reached by a call, as the others are."""
    lock = threading.Lock()

    def same() -> Any:
        return lock

    return same, same


def ft_utils(module: Any) -> tuple[Way, Way]:
    """Return how to read and to write the lock of ft_utils."""
    lock = module.RWLock()
    return partial(module.RWReadContext, lock), partial(module.RWWriteContext, lock)


def readerwriterlock(module: Any) -> tuple[Way, Way]:
    """Return how to read and to write the fair lock of readerwriterlock, whose handles cannot be shared."""
    lock = module.RWLockFair()
    return lock.gen_rlock, lock.gen_wlock


def fasteners(module: Any) -> tuple[Way, Way]:
    """Return how to read and to write the lock of fasteners."""
    lock = module.ReaderWriterLock()
    return lock.read_lock, lock.write_lock


def rwlocker(module: Any) -> tuple[Way, Way]:
    """Return how to read and to write the phase-fair lock of rwlocker."""
    lock = module.RWLockReaderPhaseFair()
    return lambda: lock.read, lambda: lock.write


PEERS: dict[str, tuple[str, Callable[[Any], tuple[Way, Way]]]] = {
    "ft_utils.RWLock": ("ft_utils.synchronization", ft_utils),
    "readerwriterlock.RWLockFair": ("readerwriterlock.rwlock", readerwriterlock),
    "fasteners.ReaderWriterLock": ("fasteners", fasteners),
    "rwlocker.RWLockReaderPhaseFair": ("rwlocker.thread_rwlock", rwlocker),
}


def contenders() -> dict[str, Callable[[], tuple[Way, Way]]]:
    """Return what makes each lock that is there, the ones of others after a plain lock and ours."""
    found = {"threading.Lock": mutual, "RwLock": ours}
    for name, (module, make) in PEERS.items():
        if peer := peers.find(module):
            found[name] = partial(make, peer)
    return found


def entering(way: Way) -> Body:
    """Enter and leave; a guard, where there is one, is bound to a name."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            with way() as _guard:
                pass

    return body


def calling(acquire: Callable[[], object], release: Callable[[], object]) -> Body:
    """Acquire and release by bound methods."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            acquire()
            release()

    return body


def applying(apply: Callable[[Callable[[None], object]], object]) -> Body:
    """Enter, call an empty function, leave: no guard is made."""

    def nothing(value: None) -> None:
        return value

    def body(count: int) -> None:
        for _ in repeat(None, count):
            apply(nothing)

    return body


def mixing(ways: tuple[Way, Way], writes: int, turns: int) -> Body:
    """Read, and write each so many times; hold for counted work, and do as much outside."""
    read, write = ways

    def body(count: int) -> None:
        own, left = turns + 0, writes  # objects of this thread
        for _ in repeat(None, count):
            left -= 1
            if left:
                way = read
            else:
                left, way = writes, write
            with way() as _guard:
                for _ in repeat(None, own):
                    pass
            for _ in repeat(None, own):
                pass

    return body


def by_ft_utils(module: Any) -> Shape:
    """Read alone, with the fastest lock of others as the yardstick."""
    shape = Shape("rw-read/1 thread/ft_utils", "enter to read, and leave")
    shape.alone("with ft_utils.RWReadContext", lambda _: entering(ft_utils(module)[0]))
    shape.alone("with RwLock.read() as guard", lambda _: entering(ours()[0]), goals=(0.8, 0.8))
    shape.alone("with RwLock.write() as guard", lambda _: entering(ours()[1]))
    return shape


def by_ft_utils_methods(module: Any) -> Shape:
    """Read alone without a block, with the bare methods of the fastest lock of others as the yardstick."""
    shape = Shape("rw-read/1 thread/ft_utils methods", "take the lock to read, and let go")
    lock = module.RWLock()
    shape.alone("ft_utils lock_read, unlock_read", lambda _: calling(lock.lock_read, lock.unlock_read))
    shape.alone("RwLock.read_with(nothing)", lambda _: applying(RwLock(None).read_with), goals=(1.1, 1.1))
    return shape


def one_thread() -> Shape:
    """Read alone."""
    shape = Shape("rw-read/1 thread", "enter to read, and leave")
    for name, make in contenders().items():
        shape.alone(f"with {name}", lambda _, make=make: entering(make()[0]))  # type: ignore[misc]
        if name == "threading.Lock":
            shape.add("empty loop", empty())
    shape.alone("RwLock.read_with(nothing)", lambda _: applying(RwLock(None).read_with))
    shape.alone("with RwLock.write()", lambda _: entering(ours()[1]))
    return shape


def shared(make: Callable[[], tuple[Way, Way]], writes: int, turns: int) -> Make:
    """Two threads on one lock."""

    def bodies(_stack: ExitStack) -> list[Body]:
        ways = make()
        return [mixing(ways, writes, turns), mixing(ways, writes, turns)]

    return bodies


def two_threads(share: str, hold: str) -> Shape:
    """Two threads on one lock, which they take to write in one of so many times."""
    writes = WRITES.get(share, 0)
    turns = work.turns(HOLDS[hold]) if HOLDS[hold] else 0
    name = f"rw-mix/{share} writes/{hold}" if writes else f"rw-read/2 threads/{hold}"
    shape = Shape(name, f"enter, hold for {hold}, leave, as long outside; by both")
    for contender, make in contenders().items():
        # Never to write is to count down from nothing.
        shape.add(f"with {contender}", shared(make, writes or -1, turns))
    return shape


def shapes() -> list[Shape]:
    """The shapes of this file."""
    found = [one_thread()]
    if module := peers.find("ft_utils.synchronization"):
        found += [by_ft_utils(module), by_ft_utils_methods(module)]
    return found + [two_threads(share, hold) for share in ("0 %", *WRITES) for hold in HOLDS]
