"""Blocked sends and receives. Not here: what is asserted of them in general (`tests/generic/`)."""

from typing import ClassVar

import pytest

import fearless as fl
from tests.support.blocking import Situation
from tests.support.until import BOUND, blocked_receivers, blocked_senders, queued


class _Channel(Situation):
    kind = "channel"
    takes_timeout = True
    capacity: ClassVar[int | None] = 1

    def __init__(self) -> None:
        super().__init__()
        self.tx, self.rx = fl.channel(self.capacity)
        self.expected = 0  # items in the queue when nothing has happened

    def check_nothing_happened(self) -> None:
        assert (queued(self.rx), blocked_senders(self.rx), blocked_receivers(self.rx)) == (self.expected, 0, 0)

    def close(self) -> None:
        self.tx.close()
        self.rx.close()


class Send(_Channel):
    """A send into a full channel."""

    def __init__(self) -> None:
        super().__init__()
        for number in range(self.capacity or 0):
            self.tx.send(f"kept {number}")
            self.expected += 1

    def call(self, timeout: float | None = None) -> object:
        self.tx.send("sent", timeout)
        return None

    def is_blocked(self, ident: int | None) -> bool:
        del ident
        return blocked_senders(self.rx) == 1

    def make_ready(self) -> None:
        self.rx.recv(BOUND)
        self.expected -= 1

    def release(self) -> None:
        self.rx.recv(BOUND)

    def check_usable(self) -> None:
        kept = [self.rx.recv(BOUND) for _ in range(self.expected)]
        assert kept == [f"kept {number}" for number in range(self.expected)]
        with pytest.raises(fl.Empty):
            self.rx.try_recv()
        if self.capacity:
            self.tx.send("later")
            assert self.rx.recv(BOUND) == "later"


class SendRendezvous(Send):
    """A send that no receiver meets."""

    capacity = 0
    can_be_ready = False  # somebody would have to be blocked at the other end


class Recv(_Channel):
    """A receive from an empty channel."""

    def call(self, timeout: float | None = None) -> object:
        return self.rx.recv(timeout)

    def is_blocked(self, ident: int | None) -> bool:
        del ident
        return blocked_receivers(self.rx) == 1

    def make_ready(self) -> None:
        self.tx.send("came")
        self.expected += 1

    def check_usable(self) -> None:
        for _ in range(self.expected):
            assert self.rx.recv(BOUND) == "came"
        if self.capacity != 0:
            self.tx.send("later")
            assert self.rx.recv(BOUND) == "later"
        with pytest.raises(fl.Empty):
            self.rx.try_recv()


class RecvRendezvous(Recv):
    """A receive that no sender meets."""

    capacity = 0
    can_be_ready = False  # somebody would have to be blocked at the other end

    def release(self) -> None:
        self.tx.send("came")


class RecvUnbounded(Recv):
    """A receive from an empty channel without bound."""

    capacity = None


class Next(Recv):
    """The iterator that waits for the next item."""

    takes_timeout = False

    def call(self, timeout: float | None = None) -> object:
        del timeout
        return next(self.rx)


class SendMany(Send):
    """A batch into a full channel."""

    def call(self, timeout: float | None = None) -> object:
        self.tx.send_many(["sent"], timeout)
        return None


class RecvMany(Recv):
    """A batch from an empty channel."""

    def call(self, timeout: float | None = None) -> object:
        return self.rx.recv_many(1, timeout)


class Select(Recv):
    """A select over two receivers and a timer that is never due."""

    def __init__(self) -> None:
        super().__init__()
        self.other_tx, self.other = fl.channel(1)

    def call(self, timeout: float | None = None) -> object:
        return fl.select(self.other, self.rx, fl.never(), timeout=timeout).value

    def check_nothing_happened(self) -> None:
        super().check_nothing_happened()
        assert (queued(self.other), blocked_receivers(self.other)) == (0, 0)

    def close(self) -> None:
        super().close()
        self.other_tx.close()
        self.other.close()


class SelectRendezvous(Select):
    """A select that no sender meets."""

    capacity = 0
    can_be_ready = False  # somebody would have to be blocked at the other end

    def release(self) -> None:
        self.tx.send("came")


class SelectSend(Send):
    """A select that would send into a full channel."""

    def call(self, timeout: float | None = None) -> object:
        return fl.select(self.tx.sending("sent"), timeout=timeout)


class Merge(Recv):
    """The step of a merge when no receiver has an item."""

    takes_timeout = False

    def call(self, timeout: float | None = None) -> object:
        del timeout
        return next(fl.merge(self.rx))
