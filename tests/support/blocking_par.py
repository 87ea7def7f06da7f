"""Runs of `par` whose caller has done its part, or has none, and waits for another worker.

Not here: what is asserted of them.
"""

import threading
from collections.abc import Iterable
from unittest.mock import patch

import fearless as fl
from fearless import _crew
from tests.support.blocking import Situation
from tests.support.until import BOUND, blocked_receivers, queued


class Collect(Situation):
    """`collect`, while another worker is blocked in its item."""

    kind = "par"
    undoes = False
    keeps_process = True

    def __init__(self) -> None:
        super().__init__()
        self.tx, self.rx = fl.channel(None)
        self.expected = 0

    def call(self, timeout: float | None = None) -> object:
        del timeout
        caller, both = threading.get_ident(), threading.Barrier(2)

        def work(_item: int) -> None:
            both.wait(BOUND)  # one item each
            if threading.get_ident() != caller:
                self.rx.recv()

        return self.run(fl.par(range(2), workers=2, chunk=1).map(work))

    def run(self, par: "fl.parallel.Par[None]") -> object:
        """End the chain."""
        return par.collect()

    def is_blocked(self, ident: int | None) -> bool:
        return blocked_receivers(self.rx) == 1 and super().is_blocked(ident)

    def check_nothing_happened(self) -> None:
        assert (queued(self.rx), blocked_receivers(self.rx)) == (self.expected, 0)

    def make_ready(self) -> None:
        self.tx.send("go on")
        self.expected += 1

    def check_usable(self) -> None:
        if not self.expected:
            self.make_ready()
        self.call()
        assert queued(self.rx) == 0

    def close(self) -> None:
        self.tx.close()
        self.rx.close()


class ForEach(Collect):
    """`for_each`."""

    def run(self, par: "fl.parallel.Par[None]") -> object:
        par.for_each(repr)
        return None


class Fold(Collect):
    """`fold`."""

    def run(self, par: "fl.parallel.Par[None]") -> object:
        return par.fold(list, lambda part, _item: part, lambda left, _right: left)


class Reduce(Collect):
    """`reduce`."""

    def run(self, par: "fl.parallel.Par[None]") -> object:
        return par.reduce(lambda left, _right: left, None)


class Sum(Collect):
    """`sum`."""

    def run(self, par: "fl.parallel.Par[None]") -> object:
        return par.map(bool).sum()


class Count(Collect):
    """`count`."""

    def run(self, par: "fl.parallel.Par[None]") -> object:
        return par.count()


class Min(Collect):
    """`min`."""

    def run(self, par: "fl.parallel.Par[None]") -> object:
        return par.min(key=repr)


class Max(Collect):
    """`max`."""

    def run(self, par: "fl.parallel.Par[None]") -> object:
        return par.max(key=repr)


class Any_(Collect):  # noqa: N801 - `Any` is taken
    """`any`, of which no item decides."""

    def run(self, par: "fl.parallel.Par[None]") -> object:
        return par.any(bool)


class All(Collect):
    """`all`, of which no item decides."""

    def run(self, par: "fl.parallel.Par[None]") -> object:
        return par.all(lambda item: item is None)


class Iterate(Collect):
    """Iterating, while the worker is blocked in its item."""

    def call(self, timeout: float | None = None) -> object:
        del timeout
        return list(self.results(fl.par([0], workers=1).map(lambda _: self.rx.recv())))

    def results(self, par: "fl.parallel.Par[object]") -> Iterable[object]:
        """What to iterate."""
        return par


class Unordered(Iterate):
    """`unordered`."""

    def results(self, par: "fl.parallel.Par[object]") -> Iterable[object]:
        return par.unordered()


class Invoke(Collect):
    """`invoke`, while another worker is blocked in its function."""

    def call(self, timeout: float | None = None) -> object:
        del timeout
        both = threading.Barrier(2)

        def wait_here() -> None:
            both.wait(BOUND)

        def wait_there() -> None:
            both.wait(BOUND)
            self.rx.recv()

        with patch.object(_crew, "usable_cores", return_value=2):  # whatever the machine has
            return fl.invoke(wait_here, wait_there)
