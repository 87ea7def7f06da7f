"""CPython's own suites for `threading`'s locks, on `fearless.compat`.

A case that is set to `None` is left out; the line says why.
"""

import importlib
import importlib.util
import sys
from typing import Any

import pytest

from fearless import compat

if importlib.util.find_spec("test") is None or importlib.util.find_spec("test.lock_tests") is None:
    text = f"{sys.executable} comes without CPython's own test.lock_tests; CI asks that two interpreters have it"
    pytest.skip(text, allow_module_level=True)

suite: Any = importlib.import_module("test.lock_tests")


def at_home_in_threading(kind: type) -> type:
    """Return a subclass that says it comes from `threading`: the suite expects a `repr` without a dotted module."""
    return type(kind.__name__, (kind,), {"__module__": "threading"})


class TestLock(suite.LockTests):  # type: ignore[misc]
    """The native lock."""

    locktype = compat.Lock


class TestRLock(suite.RLockTests):  # type: ignore[misc]
    """The native reentrant lock."""

    locktype = compat.RLock


class TestConditionAsRLock(suite.RLockTests):  # type: ignore[misc]
    """A condition has the interface of its lock."""

    locktype = compat.Condition
    test_recursion_count = None  # neither threading.Condition nor ours passes _recursion_count() on


class TestEvent(suite.EventTests):  # type: ignore[misc]
    """Set, clear and wait."""

    eventtype = staticmethod(at_home_in_threading(compat.Event))


class TestCondition(suite.ConditionTests):  # type: ignore[misc]
    """Over the native queue."""

    condtype = compat.Condition


class TestSemaphore(suite.SemaphoreTests):  # type: ignore[misc]
    """Without a bound."""

    semtype = staticmethod(at_home_in_threading(compat.Semaphore))


class TestBoundedSemaphore(suite.BoundedSemaphoreTests):  # type: ignore[misc]
    """With a bound."""

    semtype = staticmethod(at_home_in_threading(compat.BoundedSemaphore))


class TestBarrier(suite.BarrierTests):  # type: ignore[misc]
    """Rounds, resets and aborts."""

    barriertype = staticmethod(at_home_in_threading(compat.Barrier))
