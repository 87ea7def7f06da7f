"""Every pattern on every kind of workload, in this process: the result is the serial one, and the card is true."""

from __future__ import annotations

import ast
import asyncio
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fearless.lab import catalog
from fearless.lab._errors import LabError
from fearless.lab.catalog import Pattern
from fearless.lab.job import Job, State
from fearless.lab.resolve import Target, resolve
from tests.lab import tiny

SHARED = {"nothing", "parts handed over", "one owner", "one lock", "several locks", "a bare atomic"}

KINDS: dict[State, dict[str, Any]] = {
    "none": {},
    "add": {"start": lambda _: {"sum": 0, "count": 0}, "work": lambda _, item: {"sum": item, "count": 1}},
    "merge": {
        "start": lambda _: {},
        "update": lambda _, state, part: state.update({part: part}),
        "merge": lambda _, state, other: state.update(other),
    },
    "update": {"start": lambda _: set(), "update": lambda _, state, part: state.add(part)},
}

# What each pattern runs; the rest it must refuse with a reason.
RUNS: dict[str, set[State]] = {
    "serial": {"none", "add", "merge", "update"},
    "par": {"none", "add", "merge"},
    "threads": {"none", "add", "merge"},
    "mutex": {"add", "merge", "update"},
    "channel": {"none", "add", "merge", "update"},
    "atomic": {"add"},
    "pool": {"none", "add", "merge", "update"},
    "executor": {"none", "add", "merge", "update"},
    "rwlock": set(),  # for work that looks at the state: see test_reads
    "processes": {"none", "add", "merge", "update"},
    "asyncio": {"none", "add", "merge", "update"},  # where there is a work_async
    "sharded": {"add"},  # and where items have keys: see test_keys
    "snapshot": set(),  # as rwlock
}
PAIRS = [(pattern, state) for pattern, states in RUNS.items() for state in sorted(states)]
HERE = [pair for pair in PAIRS if pair[0] != "processes"]


def job(state: State) -> Job:
    """A job over 40 numbers."""
    methods = {"items": lambda _: range(40), "work": lambda _, item: item * item, **KINDS[state]}
    return Job(type("Source", (), {**methods, "work_async": work_async})(), name=state)


async def work_async(self: Any, item: Any) -> Any:
    """The same as the work of the workload, after a wait in which others go on."""
    await asyncio.sleep(0)
    return self.work(item)


def fitting(pattern: str, state: State, *, whole: bool = False) -> Pattern:
    """The pattern, which must fit."""
    found = catalog.fit(pattern, state, whole=whole, awaits=True)
    assert isinstance(found, Pattern), found
    return found


def result(pattern: str, of: Job, items: Sequence[Any], workers: int = 2) -> Any:
    """What the pattern makes of the job."""
    return fitting(pattern, of.state, whole=catalog.whole_total(of)).load()(of, items, workers)


@pytest.mark.parametrize(("pattern", "state"), HERE)
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_result_is_the_serial_one(pattern: str, state: State, workers: int) -> None:
    """Whatever the number of workers, also when there are fewer items than workers."""
    of = job(state)

    assert result(pattern, of, of.items(), workers) == result("serial", of, of.items())
    assert result(pattern, of, [7], workers) == result("serial", of, [7])


@pytest.mark.parametrize("pattern", [name for name in RUNS if "add" in RUNS[name] and name != "processes"])
def test_one_total_is_added_too(pattern: str) -> None:
    """A state that is an int, not a dict."""
    methods = {"work": lambda _, item: item, "start": lambda _: 0}
    of = Job(type("Source", (), {**methods, "work_async": work_async})(), name="total")

    assert result(pattern, of, range(40)) == sum(range(40))


def test_processes_run_every_kind(tmp_path: Path) -> None:
    """The state, merged or updated by the caller, and the list of parts: each in processes of their own."""
    whole = resolve(Target(tiny.write(tmp_path, tiny.SQUARES)))
    updated = resolve(Target(tiny.write(tmp_path, tiny.SQUARES.replace("merge", "_merge"), "updated.py")))
    parts = resolve(Target(tiny.write(tmp_path, tiny.SQUARES.partition("    def start")[0] + WORK, "parts.py")))

    assert [one.state for one in (whole, updated, parts)] == ["merge", "update", "none"]
    for one in (whole, updated, parts):
        assert result("processes", one, one.items()) == result("serial", one, one.items())


WORK = """
    def work(self, item):
        return item + 1
"""


@pytest.mark.parametrize("pattern", catalog.PATTERNS)
@pytest.mark.parametrize("state", list(KINDS))
def test_a_pattern_runs_what_the_table_says_or_gives_a_reason(pattern: str, state: State) -> None:
    """There is no third way."""
    found = catalog.fit(pattern, state, awaits=True)

    assert isinstance(found, Pattern) == (state in RUNS[pattern])
    assert isinstance(found, Pattern) or found.startswith(("needs ", "the workload shares no state"))


@pytest.mark.parametrize("pattern", [name for name in RUNS if "add" in RUNS[name]])
def test_an_error_in_the_work_reaches_the_caller(pattern: str, tmp_path: Path) -> None:
    """As itself, or as the one member of a group."""
    broken = "raise ValueError(f'item {item}')"
    source = ADD.replace("return item", broken)
    of = resolve(Target(tiny.write(tmp_path, source)))

    with pytest.raises((ValueError, ExceptionGroup)) as caught:
        result(pattern, of, [3])

    error = caught.value
    while isinstance(error, ExceptionGroup):
        (error,) = error.exceptions
    assert str(error) == "item 3"


ADD = """
from fearless import workload

@workload
class Add:
    def items(self):
        return range(5)

    def start(self):
        return 0

    def work(self, item):
        return item

    async def work_async(self, item):
        return self.work(item)
"""


@pytest.mark.parametrize(("pattern", "state"), PAIRS)
def test_the_card_is_complete(pattern: str, state: State) -> None:
    """Its words come from a closed list, five are to be kept in mind, and the numbers are counted."""
    card = fitting(pattern, state).card

    assert card.name == pattern
    assert card.shared in SHARED
    assert len(card.keep_in_mind.split()) == 5
    assert 2 <= card.lines <= 25
    assert (card.coordination_calls > 0) == (pattern != "serial")
    assert card.summary.endswith(".")


def test_lines_and_calls_are_counted_by_the_tree() -> None:
    """On a pattern small enough to count by hand: the def, and one line with par, map, fold and merge."""
    card = fitting("par", "merge").card

    assert (card.lines, card.coordination_calls) == (2, 4)


def test_a_lock_and_what_runs_under_it_are_counted() -> None:
    """The mutex is made once, taken twice, and par runs for_each."""
    card = fitting("mutex", "merge").card

    assert (card.lines, card.coordination_calls) == (9, 5)


@pytest.mark.parametrize("pattern", catalog.PATTERNS)
def test_a_pattern_is_plain_code(pattern: str) -> None:
    """A reader could have written it: the toolkit and the standard library, and of the lab the type of a job."""
    tree = ast.parse(catalog.source(pattern))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert {name for name in modules if name and name.startswith("fearless")} == {"fearless.lab.job"}
    assert len(catalog.source(pattern).splitlines()) < 80


def test_the_patterns_stand_in_the_order_of_simplicity() -> None:
    """Which is the order in which they are given, however they were asked for."""
    assert catalog.check_names(["processes", "par", "serial", "par"]) == ("serial", "par", "processes")


UPDATES = {"one at a time", "in parts", "again when overtaken"}


def test_a_pattern_says_how_updates_meet() -> None:
    """From a closed list; a writer of a snapshot that was overtaken begins again."""
    said = {name: catalog._constants(f"fearless.lab.patterns.{name}")["UPDATE"] for name in catalog.PATTERNS}

    assert set(said.values()) == UPDATES
    assert [name for name, how in said.items() if how == "again when overtaken"] == ["snapshot"]


def test_an_unknown_pattern_lists_the_known() -> None:
    """All of them."""
    with pytest.raises(LabError, match="no pattern 'parr'; known: serial, par, threads, mutex, channel, atomic, pool"):
        catalog.check_names(["par", "parr"])


def test_every_file_in_the_folder_is_a_known_pattern() -> None:
    """And every known pattern has its file."""
    folder = Path(importlib.import_module("fearless.lab.patterns").__path__[0])

    assert {file.stem for file in folder.glob("[!_]*.py")} == set(catalog.PATTERNS)
