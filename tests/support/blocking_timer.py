"""Waits for a timer that is due in an hour. Not here: what is asserted of them in general (`tests/generic/`)."""

import fearless as fl
from tests.support.blocking import Situation
from tests.support.until import BOUND


class TimerRecv(Situation):
    """A receive from a timer."""

    kind = "channel"
    takes_timeout = True
    can_be_released = False  # by time alone

    def __init__(self) -> None:
        super().__init__()
        self.timer = fl.after(3600.0)

    def call(self, timeout: float | None = None) -> object:
        return self.timer.recv(timeout)

    def check_nothing_happened(self) -> None:
        assert not self.timer.is_closed

    def make_ready(self) -> None:
        self.timer.close()
        self.timer = fl.after(0)

    def check_usable(self) -> None:
        self.make_ready()
        self.timer.recv(BOUND)
        assert self.timer.is_closed

    def close(self) -> None:
        self.timer.close()


class TimerNext(TimerRecv):
    """The iterator that waits for the next tick."""

    takes_timeout = False

    def call(self, timeout: float | None = None) -> object:
        del timeout
        return next(self.timer)
