"""The fixture `spawn`: threads that must have ended when their test ends."""

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
