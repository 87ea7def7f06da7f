"""Calls that wait for a mutex which another thread holds. Not here: what is asserted of them (`tests/generic/`)."""

import fearless as fl
from tests.support.blocking import Situation
from tests.support.threads import Holder
from tests.support.until import waiting


class Lock(Situation):
    """`lock`, while another thread holds the mutex."""

    kind = "mutex"
    cancellation_point = False
    takes_timeout = True

    def __init__(self) -> None:
        super().__init__()
        self.mutex: fl.Mutex[object] = fl.Mutex(["value"])
        self.holder = Holder(self.mutex.lock, lambda guard: guard.release())
        self.acquired = self.mutex.stats()["acquired"]

    def call(self, timeout: float | None = None) -> object:
        self.mutex.lock(timeout).release()
        return None

    def is_blocked(self, ident: int | None) -> bool:
        del ident
        return waiting(self.mutex) == 1

    def check_nothing_happened(self) -> None:
        assert self.mutex.stats() == {"acquired": self.acquired, "waiting": 0}

    def make_ready(self) -> None:
        self.holder.let_go()

    def check_usable(self) -> None:
        self.holder.let_go()
        with self.mutex as guard:
            assert guard.value == ["value"]
        assert not self.mutex.locked()

    def close(self) -> None:
        self.holder.let_go()


class With(Lock):
    """The `with` statement."""

    takes_timeout = False

    def call(self, timeout: float | None = None) -> object:
        del timeout
        with self.mutex:
            return None


class Update(Lock):
    """`update`; its function is not called before the lock is held."""

    takes_timeout = False

    def call(self, timeout: float | None = None) -> object:
        del timeout
        return self.mutex.update(list)  # type: ignore[arg-type]  # the value is a list


class WithLock(Lock):
    """`with_lock`."""

    takes_timeout = False

    def call(self, timeout: float | None = None) -> object:
        del timeout
        return self.mutex.with_lock(repr)


class Replace(Lock):
    """`replace`."""

    takes_timeout = False

    def call(self, timeout: float | None = None) -> object:
        del timeout
        return self.mutex.replace(["value"])


class Copy(Lock):
    """`copy`."""

    takes_timeout = False

    def call(self, timeout: float | None = None) -> object:
        del timeout
        return self.mutex.copy()


class LockAll(Lock):
    """`lock_all`, while another thread holds one of the mutexes."""

    def __init__(self) -> None:
        super().__init__()
        self.free: fl.Mutex[object] = fl.Mutex(None)

    def call(self, timeout: float | None = None) -> object:
        with fl.lock_all(self.free, self.mutex, timeout=timeout):
            return None

    def check_nothing_happened(self) -> None:
        super().check_nothing_happened()
        assert not self.free.locked()
