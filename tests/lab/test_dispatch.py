"""What patterns cost by themselves: every one that fits has a figure, and a process that cannot start has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fearless.lab import catalog, dispatch
from fearless.lab.job import Job
from fearless.lab.resolve import Target, resolve
from tests.lab import tiny

THREADED = [name for name in catalog.PATTERNS if name not in ("serial", "processes")]
KINDS: dict[str, dict[str, Any]] = {
    "none": {},
    "update": {"start": lambda _: [], "update": lambda *_: None},
    "merge": {"start": lambda _: [], "update": lambda *_: None, "merge": lambda *_: None},
    "add": {"start": lambda _: {"lines": 0}},
}


def job(**methods: Any) -> Job:
    """A job whose work must not be called: the pattern's own cost is asked for."""

    def work(_: object, item: int) -> int:
        raise AssertionError(item)

    return Job(type("Source", (), {"work": work, **methods})(), name="source")


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures that mean nothing, soon."""
    monkeypatch.setattr(dispatch, "SAMPLE_SECONDS", 0.0002)
    monkeypatch.setattr(dispatch, "TRIES", 1)


@pytest.mark.parametrize("kind", KINDS)
def test_every_pattern_that_fits_has_a_cost(kind: str) -> None:
    """With a state of the same kind; the user's work is not run for it."""
    asked = job(**KINDS[kind])
    names = [name for name in THREADED if not isinstance(catalog.fit(name, asked.state), str)]

    found = dispatch.measure(asked, names, 2)

    assert asked.state == kind
    assert set(found) == {*names, dispatch.CHUNK, dispatch.THREAD}
    assert all(seconds >= 0.0 for seconds in found.values())
    assert found[dispatch.THREAD] > 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_stages_that_do_nothing_stand_for_the_users(kind: str) -> None:
    """As many of them, so that a pipeline has as many messages to pass on; the state is of the same kind."""

    def stage(item: int) -> int:
        raise AssertionError(item)

    methods = {"stages": lambda _: [stage, stage, stage], **KINDS[kind]}
    asked = Job(type("Source", (), methods)(), name="source")
    idle = dispatch._idle(asked)

    assert (idle.state, len(idle.stages)) == (asked.state, 3)
    assert dispatch.measure(asked, ["channel"], 2)["channel"] >= 0.0


def test_a_pattern_that_does_not_fit_is_an_error() -> None:
    """The runner asks for those that fit, so this is a mistake of ours."""
    with pytest.raises(ValueError, match="atomic must fit a job with state none"):
        dispatch.measure(job(), ["atomic"], 2)


def test_the_slope_leaves_out_what_comes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that counts operations: 1000 to begin with, 3 for each item."""
    spent = 0

    def body(count: int) -> None:
        nonlocal spent
        spent += 1000 + 3 * count

    monkeypatch.setattr("time.process_time", lambda: float(spent))

    assert dispatch.slope(body) == 3.0


def test_a_process_tells_when_it_is_ready_and_carries_items(tmp_path: Path) -> None:
    """Loading the user's file is part of the start."""
    squares = resolve(Target(tiny.write(tmp_path, tiny.SQUARES)))

    found = dispatch.process(squares, squares.items())

    assert found is not None
    start, carried = found
    assert carried is not None
    assert start > carried > 0.0


def test_what_cannot_be_pickled_has_no_cost(tmp_path: Path) -> None:
    """The job itself: no process. Its items: no transfer. The pattern will tell the error."""
    source = """
    from fearless import workload

    @workload
    class Locks:
        def items(self):
            return range(3)

        def work(self, item):
            return lambda: item
    """
    locks = resolve(Target(tiny.write(tmp_path, source, "locks.py")))

    assert dispatch.process(job(), [1]) is None
    found = dispatch.process(locks, locks.items())
    assert found is not None
    assert found[1] is None
