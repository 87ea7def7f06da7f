"""Waits for a value of an atomic. Not here: what is asserted of them in general (`tests/generic/`)."""

from typing import ClassVar

import fearless as fl
from tests.support.blocking import Situation
from tests.support.until import BOUND

Atomic = fl.AtomicBool | fl.AtomicFloat | fl.AtomicInt | fl.AtomicRef[object]


class Until(Situation):
    """`wait_until`, for a value that nobody has set yet."""

    takes_timeout = True
    atomic: Atomic

    def is_blocked(self, ident: int | None) -> bool:
        del ident
        return self.atomic.stats()["waiting"] == 1

    def check_nothing_happened(self) -> None:
        assert self.atomic.stats() == {"waiting": 0}

    def check_usable(self) -> None:
        self.make_ready()
        self.call(BOUND)
        self.check_nothing_happened()


class IntUntil(Until):
    """An integer that is to become positive."""

    kind: ClassVar[str] = "atomic_int"

    def __init__(self) -> None:
        super().__init__()
        self.number = self.atomic = fl.AtomicInt(0)

    def call(self, timeout: float | None = None) -> object:
        return self.number.wait_until(lambda value: value > 0, timeout)

    def make_ready(self) -> None:
        self.number.add(1)


class BoolUntil(Until):
    """A flag that is to be set."""

    kind: ClassVar[str] = "atomic_bool"

    def __init__(self) -> None:
        super().__init__()
        self.flag = self.atomic = fl.AtomicBool()

    def call(self, timeout: float | None = None) -> object:
        return self.flag.wait_until(bool, timeout)

    def make_ready(self) -> None:
        self.flag.store(True)


class FloatUntil(Until):
    """A float that is to become positive."""

    kind: ClassVar[str] = "atomic_float"

    def __init__(self) -> None:
        super().__init__()
        self.number = self.atomic = fl.AtomicFloat()

    def call(self, timeout: float | None = None) -> object:
        return self.number.wait_until(lambda value: value > 0, timeout)

    def make_ready(self) -> None:
        self.number.add(0.5)


class RefUntil(Until):
    """A reference that is to lead somewhere."""

    kind: ClassVar[str] = "atomic_ref"

    def __init__(self) -> None:
        super().__init__()
        self.ref: fl.AtomicRef[object] = fl.AtomicRef(None)
        self.atomic = self.ref

    def call(self, timeout: float | None = None) -> object:
        return self.ref.wait_until(lambda value: value is not None, timeout)

    def make_ready(self) -> None:
        self.ref.store("value")
