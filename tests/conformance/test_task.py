"""CPython's own suite for futures, on `Task`."""

from tests.conformance.stock import Ours, suite

future = suite("test_future")


class TestFuture(Ours, future.FutureTests):  # type: ignore[name-defined,misc]
    """Every case of the stock `Future`, private state included."""
