"""The fixture `make`: channels whose ends are closed after the test."""

from collections.abc import Callable
from typing import Any

import pytest

import fearless as fl

Ends = tuple["fl.Sender[Any]", "fl.Receiver[Any]"]
Make = Callable[[int | None], Ends]


@pytest.fixture
def make(request: pytest.FixtureRequest) -> Make:
    """Make channels of a capacity."""

    def channel(capacity: int | None) -> Ends:
        tx, rx = fl.channel(capacity)
        request.addfinalizer(tx.close)
        request.addfinalizer(rx.close)
        return tx, rx

    return channel
