"""Calls of `fearless.compat` that wait. Not here: what is asserted of them (`tests/generic/`)."""

from typing import Any

from fearless import compat
from tests.support.blocking import Situation
from tests.support.threads import Holder, start
from tests.support.until import BOUND


class CompatLock(Situation):
    """`acquire`, while another thread holds the lock."""

    kind = "compat"
    cancellation_point = False

    def __init__(self) -> None:
        super().__init__()
        self.lock = self.make()
        self.holder = Holder(self.lock.acquire, lambda _: self.lock.release())

    def make(self) -> Any:
        """Make the lock."""
        return compat.Lock()

    def call(self, timeout: float | None = None) -> object:
        del timeout
        assert self.lock.acquire()
        self.lock.release()
        return None

    def is_blocked(self, ident: int | None) -> bool:
        del ident
        return bool(self.lock.stats()["waiting"] == 1)

    def check_nothing_happened(self) -> None:
        assert self.lock.stats() == {"acquired": 1, "waiting": 0}

    def make_ready(self) -> None:
        self.holder.let_go()

    def check_usable(self) -> None:
        self.holder.let_go()
        with self.lock:
            assert self.lock.locked()
        assert not self.lock.locked()

    def close(self) -> None:
        self.holder.let_go()


class CompatLockWith(CompatLock):
    """The `with` statement."""

    def call(self, timeout: float | None = None) -> object:
        del timeout
        with self.lock:
            return None


class CompatRLock(CompatLock):
    """`acquire` of a reentrant lock."""

    def make(self) -> Any:
        """Make the lock."""
        return compat.RLock()


class CompatRLockWith(CompatLockWith):
    """The `with` statement."""

    def make(self) -> Any:
        """Make the lock."""
        return compat.RLock()


class CompatWait(Situation):
    """`wait` of a condition that nobody notifies."""

    kind = "compat"
    can_be_ready = False

    def __init__(self) -> None:
        super().__init__()
        self.condition = compat.Condition()

    def call(self, timeout: float | None = None) -> object:
        with self.condition:
            return self.condition.wait(timeout)

    def is_blocked(self, ident: int | None) -> bool:
        del ident
        return self.condition._waiting() == 1

    def check_nothing_happened(self) -> None:
        assert self.condition._waiting() == 0
        assert not self.condition._is_owned()

    def release(self) -> None:
        with self.condition:
            self.condition.notify()

    def check_usable(self) -> None:
        with self.condition:
            self.condition.notify_all()
            assert not self.condition.wait(0)


class CompatWaitFor(CompatWait):
    """`wait_for` with a predicate that is false."""

    can_be_ready = True

    def __init__(self) -> None:
        super().__init__()
        self.over = False

    def call(self, timeout: float | None = None) -> object:
        with self.condition:
            return self.condition.wait_for(lambda: self.over, timeout)

    def make_ready(self) -> None:
        with self.condition:
            self.over = True
            self.condition.notify()

    release = make_ready


class CompatAcquire(Situation):
    """`acquire` of a semaphore without permits."""

    kind = "compat"

    def __init__(self) -> None:
        super().__init__()
        self.semaphore = self.make()

    def make(self) -> compat.Semaphore:
        """Make a semaphore whose permits are all taken."""
        return compat.Semaphore(0)

    def call(self, timeout: float | None = None) -> object:
        return self.semaphore.acquire(timeout=timeout)

    def is_blocked(self, ident: int | None) -> bool:
        del ident
        return self.semaphore._cond._waiting() == 1

    def check_nothing_happened(self) -> None:
        assert self.semaphore._cond._waiting() == 0
        assert not self.semaphore._lock.locked()

    def make_ready(self) -> None:
        self.semaphore.release()

    def check_usable(self) -> None:
        self.semaphore.acquire(blocking=False)
        self.semaphore.release()
        assert self.semaphore.acquire(timeout=BOUND)


class CompatPermit(CompatAcquire):
    """The `with` statement."""

    def call(self, timeout: float | None = None) -> object:
        del timeout
        with self.semaphore:
            return None


class CompatBounded(CompatAcquire):
    """`acquire` of a bounded semaphore."""

    def make(self) -> compat.Semaphore:
        """Make a semaphore whose permits are all taken."""
        semaphore = compat.BoundedSemaphore(1)
        semaphore.acquire()
        return semaphore


class CompatBoundedPermit(CompatPermit):
    """The `with` statement of a bounded semaphore."""

    make = CompatBounded.make


class CompatEvent(Situation):
    """`wait` of a flag that is not set."""

    kind = "compat"

    def __init__(self) -> None:
        super().__init__()
        self.event = compat.Event()

    def call(self, timeout: float | None = None) -> object:
        return self.event.wait(timeout)

    def is_blocked(self, ident: int | None) -> bool:
        del ident
        return self.event._cond._waiting() == 1

    def check_nothing_happened(self) -> None:
        assert self.event._cond._waiting() == 0
        assert not self.event._lock.locked()

    def make_ready(self) -> None:
        self.event.set()

    def check_usable(self) -> None:
        self.event.set()
        assert self.event.wait(BOUND)


class CompatBarrier(Situation):
    """`wait` of the first of two."""

    kind = "compat"
    can_be_ready = False

    def __init__(self) -> None:
        super().__init__()
        self.barrier = compat.Barrier(2)

    def call(self, timeout: float | None = None) -> object:
        return self.barrier.wait(timeout)

    def is_blocked(self, ident: int | None) -> bool:
        del ident
        return self.barrier._cond._waiting() == 1

    def check_nothing_happened(self) -> None:
        assert (self.barrier.n_waiting, self.barrier.broken) == (0, False)
        assert self.barrier._cond._waiting() == 0

    def release(self) -> None:
        self.barrier.wait()

    def check_usable(self) -> None:
        other = start(self.barrier.wait, BOUND)
        assert {self.barrier.wait(BOUND), other.join()} == {0, 1}
