"""Calls that wait for a notification of a condition variable. Not here: what is asserted of them (`tests/generic/`)."""

import fearless as fl
from tests.support.blocking import Situation


class CondvarWait(Situation):
    """`wait`, while nobody notifies."""

    kind = "condvar"
    takes_timeout = True
    can_be_ready = False

    def __init__(self) -> None:
        super().__init__()
        self.mutex: fl.Mutex[int] = fl.Mutex(0)
        self.condvar = fl.Condvar()

    def call(self, timeout: float | None = None) -> object:
        with self.mutex as guard:
            self.condvar.wait(guard, timeout)
        return None

    def is_blocked(self, ident: int | None) -> bool:
        del ident
        return self.condvar.stats()["waiting"] == 1 and not self.mutex.locked()

    def check_nothing_happened(self) -> None:
        assert self.condvar.stats() == {"notified": 0, "waiting": 0}
        assert not self.mutex.locked()

    def release(self) -> None:
        self.condvar.notify_one()

    def check_usable(self) -> None:
        with self.mutex as guard, self.assert_times_out():
            self.condvar.wait(guard, 0)
        assert not self.mutex.locked()

    def close(self) -> None:
        self.condvar.notify_all()

    @staticmethod
    def assert_times_out() -> "_TimesOut":
        return _TimesOut()


class _TimesOut:
    """Expects a `Timeout`, and needs no pytest."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        assert kind is fl.Timeout, f"it ended with {kind}"
        return True


class CondvarWaitWhile(CondvarWait):
    """`wait_while`, while its predicate is true."""

    can_be_ready = True

    def call(self, timeout: float | None = None) -> object:
        with self.mutex as guard:
            self.condvar.wait_while(guard, lambda value: value == 0, timeout)
        return None

    def make_ready(self) -> None:
        self.mutex.replace(1)
        self.condvar.notify_one()

    def release(self) -> None:
        self.make_ready()

    def close(self) -> None:
        self.make_ready()
