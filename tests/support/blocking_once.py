"""Calls that wait for another thread to initialize. Not here: what is asserted of them (`tests/generic/`)."""

from typing import Any, ClassVar

import fearless as fl
from tests.support.blocking import Gate, Situation
from tests.support.threads import Spawned
from tests.support.until import BOUND


class GetOrInit(Situation):
    """`OnceCell.get_or_init`, while another thread initializes."""

    kind: ClassVar[str] = "once"
    takes_timeout = True

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate()
        self.thing = self.make()
        self.running = Spawned(self.begin)
        assert self.gate.entered.wait(BOUND)

    def make(self) -> Any:
        return fl.OnceCell()

    def begin(self) -> object:
        return self.thing.get_or_init(self.gate)

    def call(self, timeout: float | None = None) -> object:
        assert self.thing.get_or_init(str, timeout) == "through"
        return None

    def is_blocked(self, ident: int | None) -> bool:
        del ident
        return "1 waiting" in repr(self.thing)

    def check_nothing_happened(self) -> None:
        assert "waiting" not in repr(self.thing)

    def make_ready(self) -> None:
        self.gate.open.set()
        assert self.running.ended.wait(BOUND)

    def check_usable(self) -> None:
        self.make_ready()
        assert self.thing.get() == "through"

    def close(self) -> None:
        self.make_ready()


class Set(GetOrInit):
    """`OnceCell.set`; the other thread fails, so that this one sets it."""

    def begin(self) -> object:
        def fail() -> None:
            self.gate()
            raise ZeroDivisionError

        try:
            self.thing.get_or_init(fail)
        except ZeroDivisionError:
            return None
        raise AssertionError("it did not fail")

    def call(self, timeout: float | None = None) -> object:
        self.thing.set("mine", timeout)
        return None

    def check_usable(self) -> None:
        self.make_ready()
        assert self.thing.get_or_init(lambda: "mine") == "mine"


class OnceCall(GetOrInit):
    """`Once.call`."""

    def make(self) -> Any:
        return fl.Once()

    def begin(self) -> object:
        return self.thing.call(self.gate)

    def call(self, timeout: float | None = None) -> object:
        assert self.thing.call(str, timeout) is False
        return None

    def check_usable(self) -> None:
        self.make_ready()
        assert self.thing.is_done


class LazyGet(GetOrInit):
    """`Lazy.get`."""

    def make(self) -> Any:
        return fl.Lazy(self.gate)

    def begin(self) -> object:
        return self.thing.get()

    def call(self, timeout: float | None = None) -> object:
        assert self.thing.get(timeout) == "through"
        return None
