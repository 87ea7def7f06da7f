"""The marker `guarantee`: which promise about which type a test shows. `tests/matrix.py` makes a page of them."""

import json
from pathlib import Path

import pytest

TYPES = (
    "channel",
    "mutex",
    "rwlock",
    "condvar",
    "once",
    "semaphore",
    "event",
    "latch",
    "barrier",
    "atomic_bool",
    "atomic_float",
    "atomic_int",
    "atomic_ref",
    "sharded_counter",
    "compat",
    "task",
    "scope",
    "thread_pool",
    "par",
)
GUARANTEES = ("Ctrl-C", "timeout", "cancel", "fork", "exit", "GC", "async", "select", "both builds")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option by which the matrix is made."""
    parser.addoption("--guarantees", metavar="FILE", help="write what the collected tests show, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Announce the marker."""
    config.addinivalue_line("markers", "guarantee(type, promise): the test shows that the type keeps the promise")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse a marker that names no cell of the matrix; write the cells if asked to."""
    cells: dict[str, dict[str, list[str]]] = {kind: {promise: [] for promise in GUARANTEES} for kind in TYPES}
    for item in items:
        for mark in item.iter_markers("guarantee"):
            kind, promise = mark.args
            if kind not in TYPES or promise not in GUARANTEES:
                raise pytest.UsageError(f"{item.nodeid}: no cell ({kind}, {promise}) in the matrix")
            cells[kind][promise].append(_name(item))
    if file := config.getoption("--guarantees"):
        Path(file).write_text(json.dumps(cells))


def _name(item: pytest.Item) -> str:
    """Name a test without its parameters, as in `generic/test_gc.py::test_a_dead_cycle_is_collected`."""
    return item.nodeid.removeprefix("tests/").partition("[")[0]
