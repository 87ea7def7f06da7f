"""Fixtures for tests with threads: `spawn`, whose threads must end with the test, and `quick_switches`."""

import sys
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, Protocol, TypeVar

import pytest

from tests.support.threads import Spawned, start

P = ParamSpec("P")
T = TypeVar("T")


class Spawn(Protocol):
    """Runs a function in a thread of its own."""

    def __call__(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Spawned[T]:
        """Start the thread."""


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Start threads; after the test each must have ended, or end at once."""
    started: list[Spawned[Any]] = []

    def run(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Spawned[T]:
        started.append(spawned := start(function, *args, **kwargs))
        return spawned

    yield run
    alive = [spawned.thread.name for spawned in started if not spawned.ended.wait(5.0)]
    assert not alive, f"the test left threads behind: {alive}"


@pytest.fixture
def quick_switches() -> Iterator[None]:
    """Let the interpreter switch threads often where there is a GIL, so that a gap in a section is met."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)
