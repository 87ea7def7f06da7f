"""Calls that wait for permits, events, latches and barriers. Not here: what is asserted of them (`tests/generic/`)."""

import fearless as fl
from tests.support.blocking import Situation
from tests.support.threads import Spawned, start
from tests.support.until import BOUND, until


class Acquire(Situation):
    """`acquire`, while another has the only permit."""

    kind = "semaphore"
    takes_timeout = True
    permits = 1

    def __init__(self) -> None:
        super().__init__()
        self.semaphore = fl.Semaphore(self.permits)
        self.semaphore.acquire()
        self.free = self.permits - 1

    def call(self, timeout: float | None = None) -> object:
        self.semaphore.acquire(self.permits, timeout)
        self.semaphore.release(self.permits)
        return None

    def is_blocked(self, ident: int | None) -> bool:
        del ident
        return self.semaphore.stats()["waiting"] == 1

    def check_nothing_happened(self) -> None:
        assert self.semaphore.stats() == {"free": self.free, "waiting": 0}

    def make_ready(self) -> None:
        self.semaphore.release()
        self.free = self.permits

    def check_usable(self) -> None:
        if self.free < self.permits:
            self.make_ready()
        self.call(0)
        assert self.semaphore.stats() == {"free": self.permits, "waiting": 0}


class AcquireAll(Acquire):
    """`acquire` of all permits, some of which are free."""

    permits = 3


class WithSemaphore(Acquire):
    """The `with` statement."""

    takes_timeout = False

    def call(self, timeout: float | None = None) -> object:
        del timeout
        with self.semaphore:
            return None


class WithPermits(Acquire):
    """The `with` statement for several permits."""

    permits = 2

    def call(self, timeout: float | None = None) -> object:
        with self.semaphore.permits(2, timeout):
            return None


class SelectSemaphore(Acquire):
    """A select that would take permits."""

    permits = 2

    def call(self, timeout: float | None = None) -> object:
        fl.select(fl.never(), self.semaphore.permits(2), timeout=timeout)
        self.semaphore.release(2)
        return None


class EventWait(Situation):
    """`wait` for an event that is clear."""

    kind = "event"
    takes_timeout = True

    def __init__(self) -> None:
        super().__init__()
        self.event = fl.Event()
        self.times_set = 0

    def call(self, timeout: float | None = None) -> object:
        self.event.wait(timeout)
        return None

    def is_blocked(self, ident: int | None) -> bool:
        del ident
        return self.event.stats()["waiting"] == 1

    def check_nothing_happened(self) -> None:
        assert self.event.stats() == {"set": self.times_set, "waiting": 0}

    def make_ready(self) -> None:
        self.event.set()
        self.times_set = 1

    def check_usable(self) -> None:
        self.make_ready()
        self.event.wait(0)


class SelectEvent(EventWait):
    """A select on it."""

    def call(self, timeout: float | None = None) -> object:
        return fl.select(fl.never(), self.event, timeout=timeout)


class LatchWait(Situation):
    """`wait` for a latch that lacks an arrival."""

    kind = "latch"
    takes_timeout = True

    def __init__(self) -> None:
        super().__init__()
        self.latch = fl.Latch(1)

    def call(self, timeout: float | None = None) -> object:
        self.latch.wait(timeout)
        return None

    def is_blocked(self, ident: int | None) -> bool:
        del ident
        return self.latch.stats()["waiting"] == 1

    def check_nothing_happened(self) -> None:
        assert self.latch.stats()["waiting"] == 0

    def make_ready(self) -> None:
        assert self.latch.arrive() == 0

    def check_usable(self) -> None:
        if self.latch.count:
            self.make_ready()
        self.latch.wait(0)


class SelectLatch(LatchWait):
    """A select on it."""

    def call(self, timeout: float | None = None) -> object:
        return fl.select(fl.never(), self.latch, timeout=timeout)


class BarrierWait(Situation):
    """`wait` at a barrier that lacks one party. Giving up there breaks the barrier, so the call does something."""

    kind = "barrier"
    takes_timeout = True
    undoes = False

    def __init__(self) -> None:
        super().__init__()
        self.barrier = fl.Barrier(2)
        self.party: Spawned[int] | None = None

    def call(self, timeout: float | None = None) -> object:
        return self.barrier.wait(timeout)

    def is_blocked(self, ident: int | None) -> bool:
        del ident
        return self.barrier.n_waiting == 1

    def check_nothing_happened(self) -> None:
        assert self.barrier.n_waiting == (self.party is not None)

    def make_ready(self) -> None:
        self.party = start(self.barrier.wait)
        until(lambda: self.barrier.n_waiting == 1)

    def release(self) -> None:
        assert self.barrier.wait(BOUND) == 1

    def check_usable(self) -> None:
        if self.party is None:
            self.barrier.reset()
            self.make_ready()
        self.release()
        assert self.party is not None
        assert self.party.join() == 0
        self.party = None

    def close(self) -> None:
        self.barrier.abort()
