"""Work that has stages: what is accepted, what every pattern makes of it, how errors and reports name them."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fearless.lab import catalog, facts
from fearless.lab._errors import WorkloadError, user_traceback
from fearless.lab.catalog import Pattern
from fearless.lab.facts import Candidate
from fearless.lab.job import Job, State
from fearless.lab.record import Record
from fearless.lab.report import html, text
from fearless.lab.resolve import Target, resolve
from tests.lab import synthetic, tiny

BOUND = 60.0  # seconds that a subprocess may take

KINDS: dict[State, dict[str, Any]] = {
    "none": {},
    "add": {"start": lambda _: 0},
    "merge": {
        "start": lambda _: {},
        "update": lambda _, state, part: state.update({part: part}),
        "merge": lambda _, state, other: state.update(other),
    },
    "update": {"start": lambda _: [], "update": lambda _, state, part: state.append(part)},
}
PAIRS = [
    (pattern, state)
    for pattern in catalog.PATTERNS
    for state in KINDS
    if not isinstance(catalog.fit(pattern, state, whole=True, staged=True), str)
]
UNORDERED = {("mutex", "update")}  # takes parts in the order in which they are done


def double(item: int) -> int:
    """The first stage."""
    return item * 2


def square(item: int) -> int:
    """The second."""
    return item * item


def job(state: State = "none", stages: Callable[[], Any] = lambda: [double, square]) -> Job:
    """A job over 40 numbers, which goes through these stages."""
    methods = {"items": lambda _: range(40), "stages": lambda _: stages(), **KINDS[state]}
    return Job(type("Source", (), methods)(), name="steps")


def fitting(pattern: str, of: Job) -> Pattern:
    """The pattern, which must fit."""
    found = catalog.fit_job(pattern, of)
    assert isinstance(found, Pattern), found
    return found


def result(pattern: str, of: Job, items: Any, workers: int = 2) -> Any:
    """What the pattern makes of it; where the order of parts is nobody's, sorted."""
    found = fitting(pattern, of).load()(of, items, workers)
    return sorted(found) if (pattern, of.state) in UNORDERED else found


FILE = """
from fearless import workload

def double(item):
    return item * 2

@workload
class Steps:
    \"\"\"Double and square a few numbers.\"\"\"

    count = 9

    def items(self):
        return range(self.count)

    def stages(self):
        return [double, self.square]

    def square(self, item):
        if item == 2 * self.broken:
            raise ValueError(f"no square of {item}")
        return item * item

    broken = -1
"""


def test_the_work_is_the_stages_in_order() -> None:
    """Each takes what the one before gave."""
    of = job()

    assert of.work(3) == 36
    assert of.stages == (double, square)
    assert of.stage_names == ("double", "square")


def test_a_job_in_one_piece_has_no_stages() -> None:
    """Whatever asks for them finds none."""
    plain = Job(type("Source", (), {"work": lambda _, item: item})(), name="plain")

    assert (plain.stages, plain.stage_names) == ((), ())


def test_a_stage_may_be_anything_that_can_be_called() -> None:
    """It is called by what it says of itself, else by its kind."""
    of = job(stages=lambda: (int, functools.partial(pow, 2), str))

    assert of.work("3") == "8"
    assert of.stage_names == ("int", "partial", "str")


async def waits(item: int) -> int:
    """A coroutine is no stage: it would pass on a coroutine object."""
    return item


WRONG = [
    (list, r"must give at least one function, got \[\]"),
    (lambda: double, r"must give a sequence of functions, as \[self.load, self.pack\]; got <function double"),
    (lambda: None, "must give a sequence of functions, .* got None"),
    (lambda: "double", "must give a sequence of functions, .* got 'double'"),
    (lambda: {double, square}, "must give a sequence of functions, .* got {"),
    (lambda: [double, 5], r"stages\(\): stage 2 must be a plain function of one argument, got 5"),
    (lambda: [waits], "stage 1 must be a plain function of one argument, got <function waits"),
]


@pytest.mark.parametrize(("stages", "message"), WRONG, ids=[message for _, message in WRONG])
def test_bad_stages_are_named(stages: Callable[[], Any], message: str) -> None:
    """With the workload, the rule and what was seen."""
    with pytest.raises(WorkloadError, match=rf"workload steps: .*{message}"):
        job(stages=stages)


def test_stages_that_raise_show_the_users_own_traceback() -> None:
    """As a file does that cannot be imported."""

    def broken() -> list[Any]:
        raise RuntimeError("no stages today")

    with pytest.raises(WorkloadError, match=r"workload steps: stages\(\) raised\n\n(.|\n)*no stages today$"):
        job(stages=broken)


@pytest.mark.parametrize(("pattern", "state"), [pair for pair in PAIRS if pair[0] != "processes"])
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_result_is_the_serial_one(pattern: str, state: State, workers: int) -> None:
    """Whatever the number of workers, also when there are fewer items than workers."""
    of = job(state)

    assert result(pattern, of, of.items(), workers) == result("serial", of, of.items())
    assert result(pattern, of, [7], workers) == result("serial", of, [7])


def test_every_pattern_runs_what_it_would_run_without_stages() -> None:
    """Stages leave no pattern out, and no reason changes."""
    for pattern in catalog.PATTERNS:
        for state in KINDS:
            plain, staged = catalog.fit(pattern, state), catalog.fit(pattern, state, staged=True)
            assert isinstance(plain, Pattern) == isinstance(staged, Pattern)
            assert isinstance(plain, Pattern) or plain == staged


def test_processes_load_the_stages_anew(tmp_path: Path) -> None:
    """Functions of the user's file, and methods of the workload."""
    of = resolve(Target(tiny.write(tmp_path, FILE, "steps.py")))

    assert result("processes", of, of.items()) == result("serial", of, of.items()) == [4 * n * n for n in range(9)]


def test_a_channel_runs_the_stages_as_a_pipeline() -> None:
    """Each has workers of its own, named for it; the others run an item from end to end in one worker."""
    seen: list[tuple[str, str]] = []

    def first(item: int) -> int:
        seen.append(("first", threading.current_thread().name))
        return item

    def second(item: int) -> int:
        seen.append(("second", threading.current_thread().name))
        return item

    of = job(stages=lambda: [first, second])
    result("channel", of, range(20), 2)

    assert {name for stage, name in seen if stage == "first"} <= {"first-1", "first-2"}
    assert {name for stage, name in seen if stage == "second"} <= {"second-1", "second-2"}
    assert len(seen) == 40


@pytest.mark.parametrize("state", KINDS)
def test_the_card_of_a_pipeline_is_its_own(state: State) -> None:
    """An item has one owner at a time; how many workers there are depends on the stages."""
    of = job(state)
    found = fitting("channel", of)

    assert (found.card.shared, found.card.staged, found.card.ordered) == ("parts handed over", True, True)
    assert len(found.card.keep_in_mind.split()) == 5
    assert found.card.summary.endswith(".")
    assert found.card.coordination_calls == 3  # pipeline, stage, and the loop over the results
    assert found.threads(3, len(of.stages)) == 3 * 2 + 2  # the source, and who takes the results
    assert not fitting("par", job()).card.staged
    assert fitting("par", job()).threads(3, 2) == 3


@pytest.mark.parametrize("pattern", ["serial", "par", "channel", "executor", "processes"])
def test_an_error_names_its_stage(pattern: str, tmp_path: Path) -> None:
    """In a note, which the user's traceback shows, also from another process."""
    path = tiny.write(tmp_path, FILE, f"broken_{pattern}.py")
    of = resolve(Target(path, {"broken": "3"}))

    with pytest.raises((ValueError, ExceptionGroup)) as caught:
        result(pattern, of, of.items())

    trace = user_traceback(caught.value)
    assert facts.raised(trace) == "ValueError: no square of 6"
    assert "in square" in trace
    assert f"in stage 2 of {'a pipeline' if pattern == 'channel' else 'workload Steps'}, square" in trace


def staged_record(speeds: synthetic.Speeds) -> Record:
    """A record of a workload with three stages, whose channel is a pipeline."""
    record = synthetic.record(synthetic.runs(speeds), state="none")
    cards = [replace(one, staged=one.name == "channel") for one in record.cards]
    return replace(record, cards=cards, workload=replace(record.workload, stages=("load", "compress", "digest")))


def test_a_pipeline_may_be_faster_than_its_workers_for_each_stage() -> None:
    """Three stages of two workers are six."""
    found = facts.from_record(staged_record({("serial", 1): 1.0, ("par", 2): 1.8, ("channel", 2): 2.6}), "3.13t")
    pipeline, par = found.candidate(("channel", 2)), found.candidate(("par", 2))
    single = replace(found, serial_share_single=0.0, serial_share=0.0)

    assert (pipeline.stages, par.stages) == (3, 0)
    assert (single.limit(pipeline), single.limit(par)) == (6, 2)


def test_a_pipeline_says_that_its_workers_are_for_each_stage() -> None:
    """Wherever it is named."""
    assert Candidate("channel", 2, {0: 1.0}, stages=3).name == "channel with 2 workers for each stage"
    assert Candidate("channel", 1, {0: 1.0}).name == "channel with 1 worker"


def test_a_report_names_the_stages_and_counts_them() -> None:
    """In the heading, in the column of workers, and below the table what that means."""
    record = staged_record({("serial", 1): 1.0, ("par", 2): 1.8, ("channel", 2): 1.9})
    plain = synthetic.record(synthetic.runs({("serial", 1): 1.0, ("par", 2): 1.8, ("channel", 2): 1.9}))
    lines = [line.text for line in text.lines(record)]

    assert "stages: load, compress, digest)" in " ".join(lines[:3])
    assert [line.split()[:2] for line in lines if line.startswith("  channel")] == [["channel", "3x2"]]
    assert [line.split()[:2] for line in lines if line.startswith("  par")] == [["par", "2"]]
    assert "3x2: three stages with two workers each" in " ".join(lines)
    assert "<td>3x2</td>" in html.fragment(record)
    assert "3x2" not in "\n".join(line.text for line in text.lines(plain))


def compared(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The command on ``steps.py`` in ``folder``."""
    command = [sys.executable, "-m", "fearless", "compare", "steps.py", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=BOUND, check=False, cwd=folder)


def test_a_workload_with_stages_goes_all_the_way(tmp_path: Path) -> None:
    """Really measured, in processes of their own: each pattern's result is the serial one."""
    tiny.write(tmp_path, FILE, "steps.py")
    done = compared(tmp_path, "--patterns", "par,channel,executor", "--budget", "20", "--json", "record.json")
    record = Record.read(tmp_path / "record.json")

    assert done.returncode in {0, 1}, done.stderr
    assert "stages: double, square)" in done.stdout.replace("\n", " ")
    assert record.workload.stages == ("double", "square")
    assert {run.pattern for run in record.runs} == {"serial", "par", "channel", "executor"}
    assert all(run.ok for run in record.runs)
    assert {run.threads for run in record.runs if run.pattern == "channel" and run.workers == 2} == {6}
    assert [(card.name, card.staged) for card in record.cards if card.staged] == [("channel", True)]
    assert record.profiles[0].dispatch["channel"] > 0.0


def test_the_command_tells_which_stage_failed(tmp_path: Path) -> None:
    """The patterns that meet the same error share one traceback of the user's code, with the note."""
    tiny.write(tmp_path, FILE, "steps.py")
    done = compared(tmp_path, "--patterns", "channel", "--budget", "5", "--arg", "broken=3")

    assert done.returncode == 2
    assert "error: serial, channel failed:\nTraceback" in done.stderr
    assert "ValueError: no square of 6\nin stage 2 of workload Steps, square\n" in done.stderr


def test_the_command_tells_what_is_wrong_with_stages(tmp_path: Path) -> None:
    """Without a traceback: the rule and the value are enough."""
    tiny.write(tmp_path, FILE.replace("[double, self.square]", "[]"), "steps.py")
    done = compared(tmp_path)

    assert done.returncode == 2
    assert done.stderr == "error: workload Steps: stages() must give at least one function, got []\n"
