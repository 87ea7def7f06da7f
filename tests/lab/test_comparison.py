"""`compare` as a function: what it asks of the runner, and what its result offers. Measures nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

import fearless.lab.runner
from fearless.lab import explain
from fearless.lab._errors import LabError
from fearless.lab.comparison import Comparison, compare
from fearless.lab.record import Record
from fearless.lab.runner import Plan, Progress
from tests.lab import synthetic


class Runner:
    """Stands in for the runner: keeps the plan, and gives a record of free-threaded runs."""

    def __init__(self) -> None:
        self.plans: list[Plan] = []
        self.enough: Callable[[Record], bool] | None = None

    def measure(
        self,
        plan: Plan,
        on_progress: Callable[[Progress], None] | None = None,
        enough: Callable[[Record], bool] | None = None,
        more: Callable[[Record, str], int] | None = None,
    ) -> Record:
        assert more is not None  # what work that waits is tried with, beside the rest
        self.plans.append(plan)
        self.enough = enough
        if on_progress is not None:
            on_progress(Progress(0.25, "par on 3.13t", 3, 1))
        return synthetic.record(synthetic.runs(synthetic.FREE_THREADED))


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Runner:
    """The runner, replaced."""
    stand_in = Runner()
    monkeypatch.setattr(fearless.lab.runner, "measure", stand_in.measure)
    return stand_in


def workload_of_a_module(item: int) -> int:
    """A plain function that can be imported."""
    return item


def test_the_verb_is_a_function_of_the_lab() -> None:
    """Also after a module of a similar name was loaded."""
    assert fearless.lab.compare is compare
    assert fearless.lab.Comparison is Comparison
    with pytest.raises(AttributeError, match="no attribute 'race'"):
        _ = fearless.lab.race


def test_what_is_asked_for_reaches_the_plan(runner: Runner) -> None:
    """Patterns in their order, parameters, workers, budget; the running interpreter if none is named."""
    compare("word-index", args={"folder": "x"}, patterns=["mutex", "par"], workers=[2], budget=5)
    (plan,) = runner.plans

    assert (plan.target.name, plan.target.args, plan.patterns) == ("word-index", {"folder": "x"}, ("par", "mutex"))
    assert (plan.workers, plan.budget, len(plan.interpreters)) == ([2], 5, 1)


def test_the_budget_is_for_each_interpreter(runner: Runner) -> None:
    """Two side by side get as many rounds as one alone."""
    compare("word-index", budget=5, pythons=[sys.executable, sys.executable])
    (plan,) = runner.plans

    assert plan.budget == 10


def test_a_function_goes_by_module_and_name(runner: Runner) -> None:
    """Other processes must be able to load it."""
    compare(workload_of_a_module, items="*.py")

    assert runner.plans[0].target.name == f"{__name__}:workload_of_a_module"
    assert runner.plans[0].target.items == "*.py"


def test_a_function_of_a_session_alone_is_refused(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do instead."""
    monkeypatch.setattr(workload_of_a_module, "__module__", "__main__")
    monkeypatch.delattr("__main__.__file__", raising=False)

    with pytest.raises(LabError, match=r"save it to a file and name it, as in 'job\.py:workload_of_a_module'"):
        compare(workload_of_a_module)
    assert runner.plans == []


@pytest.mark.parametrize("unknown", [{"patterns": ["parr"]}, {"pythons": ["python9.9"]}])
def test_what_is_unknown_is_refused_before_anything_runs(runner: Runner, unknown: dict[str, list[str]]) -> None:
    """Naming what is known."""
    with pytest.raises(LabError, match="known"):
        compare("word-index", patterns=unknown.get("patterns"), pythons=unknown.get("pythons", ()))
    assert runner.plans == []


def test_the_result_has_record_verdict_text_and_page(runner: Runner) -> None:
    """Everything the command line shows."""
    found = compare("word-index")

    assert found.verdict is not None
    assert found.verdict.pattern == "par"
    assert "Verdict: use par with 2 workers" in str(found)
    assert "use par with 2 workers" in found._repr_html_()
    assert found.exit_code == 0
    assert found.hints == []
    cut = synthetic.record(synthetic.runs(synthetic.FREE_THREADED, factors=(1.0, 1.0)), interrupted=True)
    (hint,) = Comparison(explain.decided(cut)).hints
    assert hint == "it was interrupted: run it again and let it come to an end"
    assert runner.plans


def test_progress_is_told_in_words(runner: Runner) -> None:
    """The share done, and what runs now."""
    told: list[tuple[float, str]] = []
    compare("word-index", progress=lambda share, text: told.append((share, text)))

    assert told == [(0.25, "round 2: par on 3.13t")]
    assert runner.plans


def test_measuring_ends_when_the_verdict_is_sure(runner: Runner) -> None:
    """Not while it is open, and not on an empty record."""
    compare("word-index")
    assert runner.enough is not None

    assert runner.enough(synthetic.record(synthetic.runs(synthetic.FREE_THREADED)))
    assert not runner.enough(synthetic.record(synthetic.runs(synthetic.FREE_THREADED, factors=(1.0, 1.0))))
    assert not runner.enough(synthetic.record())


def decided(**changes: str | bool | None) -> Comparison:
    """A comparison in which the runs of `mutex` were changed."""
    runs = [
        replace(run, **changes) if run.pattern == "mutex" else run  # type: ignore[arg-type]  # a field by name
        for run in synthetic.runs(synthetic.FREE_THREADED)
    ]
    return Comparison(explain.decided(synthetic.record(runs)))


def test_a_pattern_that_differs_or_raises_ends_with_code_1() -> None:
    """Although the others have a verdict."""
    for changes in ({"equal": False}, {"error": "Traceback\nValueError: x", "seconds": None}):
        found = decided(**changes)

        assert found.verdict is not None
        assert found.verdict.pattern == "par"
        assert found.exit_code == 1


def test_no_serial_run_ends_with_code_2_unless_interrupted() -> None:
    """Nothing is known then."""
    empty = explain.decided(synthetic.record())

    assert Comparison(empty).exit_code == 2
    assert Comparison(replace(empty, interrupted=True)).exit_code == 1


def test_the_same_error_is_shown_once() -> None:
    """For all the patterns that met it."""
    trace = 'Traceback (most recent call last):\n  File "job.py", line 7, in work\nValueError: bad item\n'
    runs = [
        replace(run, seconds=None, error=trace + "note: item 3\n" * (run.pattern == "par"))
        if run.pattern != "serial"
        else run
        for run in synthetic.runs({("serial", 1): 1.0, ("par", 2): 1.0, ("mutex", 2): 1.0})
    ]
    found = Comparison(explain.decided(synthetic.record(runs)))

    assert found.failures == {"par, mutex": trace + "note: item 3\n"}
