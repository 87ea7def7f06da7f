"""Functions that fail in scopes, and what came of it. Not here: the tests (`tests/test_scope*.py`)."""

import threading
from typing import NoReturn

import fearless as fl
from tests.support.until import BOUND


def fail(error: BaseException) -> NoReturn:
    """Raise it."""
    raise error


def fail_together(barrier: threading.Barrier, error: BaseException) -> NoReturn:
    """Raise it when everybody has come to the barrier, so that all have begun."""
    barrier.wait(BOUND)
    raise error


def fail_when_cancelled(error: BaseException, begun: threading.Event | None = None) -> None:
    """Wait until the scope is cancelled, and raise in the clean-up."""
    if begun is not None:
        begun.set()
    try:
        fl.sleep(3600)
    finally:
        fail(error)


def members(group: BaseException | None) -> list[BaseException]:
    """Return what is in the group."""
    assert isinstance(group, BaseExceptionGroup)
    return list(group.exceptions)
