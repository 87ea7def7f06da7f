"""A pool that is busy until a test lets it go."""

from collections.abc import Iterator

import pytest

import fearless as fl
from tests.support.blocking import Gate
from tests.support.until import BOUND


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A gate that is open when the test is over."""
    made = Gate()
    yield made
    made.open.set()


@pytest.fixture
def busy(gate: Gate) -> Iterator[fl.ThreadPool]:
    """Make a pool whose only worker is in the gate."""
    with fl.ThreadPool(1, name="busy") as pool:
        pool.submit(gate)
        assert gate.entered.wait(BOUND)
        yield pool
        gate.open.set()
