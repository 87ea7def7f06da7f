"""The marker `guarantee`: which promise about which type a test shows. `tests/matrix.py` makes a page of them."""

import pytest

TYPES = ("channel", "mutex", "atomic_int", "task", "scope", "thread_pool", "par")
GUARANTEES = ("Ctrl-C", "timeout", "cancel", "fork", "exit", "GC", "async", "select", "both builds")


def pytest_configure(config: pytest.Config) -> None:
    """Announce the marker."""
    config.addinivalue_line("markers", "guarantee(type, promise): the test shows that the type keeps the promise")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a marker that names no type or no promise of the matrix."""
    for item in items:
        for kind, promise in guarantees(item):
            if kind not in TYPES or promise not in GUARANTEES:
                raise pytest.UsageError(f"{item.nodeid}: no cell ({kind}, {promise}) in the matrix")


def guarantees(item: pytest.Item) -> list[tuple[str, str]]:
    """Return the cells of the matrix that a test fills."""
    return [(str(mark.args[0]), str(mark.args[1])) for mark in item.iter_markers("guarantee")]
