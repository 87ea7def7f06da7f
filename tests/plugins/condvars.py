"""Fixtures for the tests of condition variables: a `mutex` around a list, and a `condvar`."""

import pytest

import fearless as fl


@pytest.fixture
def mutex() -> fl.Mutex[list[int]]:
    """A list behind a lock."""
    return fl.Mutex([])


@pytest.fixture
def condvar() -> fl.Condvar:
    """What tells of changes of the list."""
    return fl.Condvar()
