"""Rounds of fresh processes: what is in the record, whatever the workload does."""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fearless.lab import catalog, runner
from fearless.lab._errors import LabError, WorkloadError
from fearless.lab.record import Record, Run
from fearless.lab.resolve import Target
from tests.lab import synthetic, tiny

QUICK = ["serial", "executor", "mutex"]


def job(body: str, *, setup: str = "") -> str:
    """A workload over three items whose work has the given body."""
    return f"""
import os, sys, threading
from fearless import workload
{setup}

@workload
class Job:
    def items(self):
        return range(3)

    def work(self, item):
        {body}
"""


def test_every_pattern_runs_once_a_round_in_changing_order(tmp_path: Path) -> None:
    """Machines drift, so neighbours in time are compared, and none is always first."""
    record = tiny.measured(tiny.write(tmp_path, tiny.SQUARES), QUICK, rounds=4)

    rounds = [[run.pattern for run in record.runs if run.round == number] for number in range(4)]
    assert [sorted(names) for names in rounds] == [sorted(QUICK)] * 4
    assert rounds[0][0] == "serial"
    assert len({tuple(names) for names in rounds}) > 1
    assert record.rounds == 4


def test_a_run_has_all_that_was_measured(tmp_path: Path) -> None:
    """And nothing that was not: without the toolkit there is no clock for waiting."""
    record = tiny.measured(tiny.write(tmp_path, tiny.SQUARES), QUICK)

    for run in record.runs:
        assert run.ok, run.error or run.difference
        assert run.equal is True
        assert run.seconds is not None
        assert run.seconds > 0
        assert run.cpu_seconds is not None
        assert run.peak_bytes is None or run.peak_bytes > 1_000_000
        assert (run.waiting_seconds is not None) == (run.pattern == "mutex")
        assert run.gil == getattr(sys, "_is_gil_enabled", lambda: True)()
    assert len({run.result_sha256 for run in record.runs}) == 1


def test_worker_processes_are_counted(tmp_path: Path) -> None:
    """Their memory and their CPU time are part of what the pattern takes."""
    record = tiny.measured(tiny.write(tmp_path, tiny.SQUARES), ["serial", "processes"])
    serial, processes = record.runs

    assert (serial.cpu_seconds or 0) < (processes.cpu_seconds or 0)
    if Path("/proc/self/status").exists():
        assert (processes.peak_bytes or 0) > 1.5 * (serial.peak_bytes or 0)


def test_the_record_says_what_was_run_and_where(tmp_path: Path) -> None:
    """Workload, profile, cards, refused patterns, interpreter; it survives JSON."""
    path = tiny.write(tmp_path, tiny.SQUARES)
    record = tiny.measured(path, [*QUICK, "atomic"])
    (interpreter,) = record.environment.interpreters
    (profile,) = record.profiles

    assert record.workload.name == "Squares"
    assert record.workload.source == path
    assert record.workload.parameters == {"size": 6}
    assert (record.workload.items, profile.items, record.workload.state) == (6, 6, "merge")
    assert [card.name for card in record.cards] == ["serial", "mutex", "executor"]
    assert [one.pattern for one in record.refused] == ["atomic"]
    assert interpreter.executable == sys.executable
    assert set(profile.dispatch) == {"mutex", "executor", "chunk", "thread"}
    assert profile.hold_seconds is not None
    assert profile.gap_seconds is not None
    assert profile.transfer_seconds is None
    assert interpreter.effective_cores is not None
    assert interpreter.gil == record.runs[0].gil
    assert Record.from_json(record.to_json()) == record


def test_a_built_in_tells_its_corpus() -> None:
    """The same files for everyone, so two records can be compared."""
    package = Path(runner.__file__).parent / "workloads"
    plan = replace(
        tiny.plan("line-metrics", ["serial", "atomic"]), target=Target("line-metrics", {"folder": str(package)})
    )

    record = runner.measure(plan)

    assert record.workload.source == "built-in"
    assert record.workload.corpus is not None
    assert record.workload.corpus.files == record.workload.items == len(list(package.glob("*.py")))
    assert all(run.ok for run in record.runs)


def test_serial_runs_even_if_nobody_asked(tmp_path: Path) -> None:
    """It is what the others are compared with."""
    record = tiny.measured(tiny.write(tmp_path, tiny.SQUARES), ["executor"])

    assert [run.pattern for run in record.runs] == ["serial", "executor"]


def test_a_pattern_that_differs_is_reported_and_the_others_go_on(tmp_path: Path) -> None:
    """Here work sees which thread it is on, as code that needs the main thread would."""
    source = job("return threading.current_thread() is threading.main_thread()")

    record = tiny.measured(tiny.write(tmp_path, source), ["serial", "executor", "processes"])
    found = {run.pattern: run for run in record.runs}

    assert found["executor"].equal is False
    assert found["executor"].difference == "the result[0] is False, serial has True"
    assert not found["executor"].ok
    assert found["processes"].equal is True


def test_a_pattern_that_fails_is_not_run_again(tmp_path: Path) -> None:
    """Its speed will not be looked at, so its time is given to the others."""
    source = job("return threading.current_thread() is threading.main_thread()")

    record = tiny.measured(tiny.write(tmp_path, source), ["serial", "executor"], rounds=2)

    assert [(run.pattern, run.round) for run in record.runs] == [("serial", 0), ("executor", 0), ("serial", 1)]


def test_an_error_in_one_pattern_is_the_users_own_traceback(tmp_path: Path) -> None:
    """With no frame of ours, and whichever way it came out of the pattern."""
    source = job("return helper(item)", setup=RAISES_ELSEWHERE)

    record = tiny.measured(tiny.write(tmp_path, source), ["serial", "executor", "par", "threads", "processes"])
    found = {run.pattern: run for run in record.runs}

    assert found["serial"].ok
    for name in ("executor", "processes", "par", "threads"):
        error = found[name].error
        assert error is not None
        assert "\nValueError: item 0 is bad\n" in error
        frames = [line for line in error.splitlines() if line.startswith("  File ")]
        assert [line.rpartition(" in ")[2] for line in frames] == ["work", "helper"]


RAISES_ELSEWHERE = """
def helper(item):
    import multiprocessing
    if threading.current_thread() is threading.main_thread() and multiprocessing.parent_process() is None:
        return item
    raise ValueError(f"item {item * 0} is bad")
"""


def test_a_workload_that_raises_everywhere_still_gives_a_record(tmp_path: Path) -> None:
    """Each pattern with its error; there is no profile."""
    record = tiny.measured(tiny.write(tmp_path, job("return 1 / 0")), ["serial", "executor"], rounds=3)

    assert [run.pattern for run in record.runs] == ["serial", "executor"]
    assert all(run.error and "ZeroDivisionError" in run.error for run in record.runs)
    assert record.profiles == ()


def test_a_workload_that_cannot_be_loaded_is_an_error(tmp_path: Path) -> None:
    """There is nothing to record."""
    with pytest.raises(WorkloadError, match="ZeroDivisionError"):
        runner.measure(tiny.plan(tiny.write(tmp_path, "1 / 0\n")))


def test_items_that_raise_are_an_error_with_the_users_traceback(tmp_path: Path) -> None:
    """It names the workload."""
    source = job("return item").replace("return range(3)", "return open('absent-file')")

    with pytest.raises(WorkloadError, match=r"(?s)cannot be run on Python 3.*absent-file"):
        runner.measure(tiny.plan(tiny.write(tmp_path, source)))


def test_an_unknown_pattern_is_an_error(tmp_path: Path) -> None:
    """Before anything is measured."""
    with pytest.raises(LabError, match="no pattern 'nobody'; known"):
        runner.measure(tiny.plan(tiny.write(tmp_path, tiny.SQUARES), ["nobody"]))


def test_a_process_that_dies_says_how(tmp_path: Path) -> None:
    """It left no answer, so its end and its last words are the error."""
    source = job("threading.current_thread() is threading.main_thread() or die()", setup=DIES)

    record = tiny.measured(tiny.write(tmp_path, source), ["serial", "executor"])

    assert record.runs[0].ok
    assert record.runs[1].error == "the process ended with code 7 before it had a result\nlast words\n"


DIES = """
import threading

ONE_OF_THEM = threading.Lock()

def die():
    ONE_OF_THEM.acquire()
    os.write(1, b"last words\\n")
    os._exit(7)
"""


def test_what_the_work_prints_is_not_taken_for_an_answer(tmp_path: Path) -> None:
    """Nor does it reach the terminal of the lab."""
    source = job("print('{}', item, flush=True); sys.stderr.write('noise'); return item")

    record = tiny.measured(tiny.write(tmp_path, source), ["serial", "executor"])

    assert all(run.ok for run in record.runs)


def test_a_check_decides_instead_of_equality(tmp_path: Path) -> None:
    """Its own words are the difference."""
    checked = job("return threading.current_thread().name") + CHECK

    record = tiny.measured(tiny.write(tmp_path, checked), ["serial", "executor", "mutex"])
    found = {run.pattern: run for run in record.runs}

    assert found["serial"].equal is True
    assert found["executor"].equal is True


CHECK = """
    def check(self, state):
        assert len(state) == 3
"""


def test_a_failed_check_is_the_difference(tmp_path: Path) -> None:
    """Also for serial: then nothing is comparable."""
    checked = job("return item") + CHECK.replace("== 3", "== 4, 'one is lost'")

    (run,) = tiny.measured(tiny.write(tmp_path, checked), ["serial"]).runs

    assert run.equal is False
    assert run.difference == "check() failed: one is lost"


def test_a_run_that_hangs_is_stopped(tmp_path: Path) -> None:
    """After twice the budget; what was measured before it stays."""
    source = job("threading.current_thread() is threading.main_thread() or threading.Event().wait(600); return item")

    record = runner.measure(tiny.plan(tiny.write(tmp_path, source), ["serial", "executor"], budget=1.5))

    assert record.runs[0].ok
    if len(record.runs) > 1:  # on a slow machine the budget ends before it
        assert str(record.runs[1].error).startswith("stopped after")


def test_the_budget_bounds_the_rounds(tmp_path: Path) -> None:
    """No round begins that would not end in time; the first one always begins."""
    record = runner.measure(tiny.plan(tiny.write(tmp_path, tiny.SQUARES), ["serial"], rounds=10_000, budget=2.0))

    assert 1 <= len(record.runs) < 100


def test_what_does_not_fit_into_the_budget_is_left_out(tmp_path: Path) -> None:
    """Of each pattern one number of workers goes on, so that there are rounds enough for a verdict.

    It is the one that was fastest with most patterns, if it was not far slower: here `pool` keeps it, `mutex` does not.
    """
    speeds = {("serial", 1): 9.0, ("par", 2): 5.0, ("par", 4): 3.0, ("channel", 2): 5.0, ("channel", 4): 4.0}
    speeds |= {("pool", 2): 4.0, ("pool", 4): 6.0, ("mutex", 2): 3.0, ("mutex", 4): 6.1}
    speeds |= {("threads", 2): 4.0, ("threads", 4): 2.0, ("processes", 2): 9.0}

    class Session(runner._Session):
        """One whose runs take a number of seconds by its clock, and none by ours."""

        seconds = 0.0

        def _run(self, job: runner._Job, number: int) -> Run:
            self.clock -= self.seconds
            return Run(job.pattern, job.workers, job.interpreter.label, number, speeds[job.pattern, job.workers])

        def _calibrate(self, number: int) -> None:
            """Nothing."""

    def measured(seconds: float, *workers: int) -> Record:
        one = synthetic.interpreter()
        session = Session(
            runner.Plan(Target("word-index"), [one], workers=workers or None, budget=1e6, most_rounds=3),
            tmp_path,
            lambda _: None,
        )
        session.jobs, session.seconds = [runner._Job(one, *key) for key in speeds], seconds
        session.rounds(lambda _: False)
        return session.record()

    slow = measured(3e4)  # a round takes a third of the budget
    gone = {("par", 2), ("channel", 2), ("pool", 2), ("mutex", 4), ("threads", 2)}
    assert {(one.pattern, one.workers) for one in slow.left_out} == gone
    assert {(run.pattern, run.workers) for run in slow.runs if run.round == 1} == speeds.keys() - gone
    assert slow.rounds == 3
    assert Record.from_json(slow.to_json()).left_out == slow.left_out
    assert not measured(1e4).left_out
    assert not measured(3e4, 2, 4).left_out  # somebody asked for them


def test_enough_ends_the_rounds_from_the_fifth_on(tmp_path: Path) -> None:
    """A verdict needs five; the record it is asked about holds all of them."""
    asked: list[int] = []

    def enough(record: Record) -> bool:
        asked.append(record.rounds)
        return record.rounds == 6

    record = runner.measure(tiny.plan(tiny.write(tmp_path, tiny.SQUARES), ["serial"], rounds=9), enough=enough)

    assert asked == [5, 6]
    assert record.rounds == 6


def test_progress_grows_and_names_what_runs(tmp_path: Path) -> None:
    """For a bar; it never goes back."""
    seen: list[runner.Progress] = []
    runner.measure(tiny.plan(tiny.write(tmp_path, tiny.SQUARES), QUICK, rounds=2), seen.append)

    shares = [one.share for one in seen]
    assert all(before <= after for before, after in itertools.pairwise(shares))
    assert all(0 <= share <= 1 for share in shares)
    assert {name for one in seen for name in catalog.PATTERNS if one.text.startswith(name)} == set(QUICK)
