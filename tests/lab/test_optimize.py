"""`compare` for an aim: the axis that R15 and R16 go by, what the verdict says of the other aims, and the record."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest

import fearless.lab.runner
from fearless.lab import explain
from fearless.lab._errors import LabError
from fearless.lab.cli import run
from fearless.lab.comparison import compare
from fearless.lab.facts import AIMS
from fearless.lab.record import Record, Run, Verdict
from fearless.lab.report import html, text
from fearless.lab.report.printer import Printer
from tests.lab import synthetic


def thrifty(run: Run, **figures: Any) -> Run:
    """``run`` with other figures."""
    return replace(run, **figures)


def measured(optimize: str, **changes: Any) -> Record:
    """A decided record of free-threaded runs, chosen for an aim."""
    record = synthetic.record(synthetic.runs(synthetic.FREE_THREADED), **changes)
    return explain.decided(replace(record, optimize=optimize))


def verdict(record: Record) -> Verdict:
    """The verdict for the first interpreter."""
    assert record.verdict is not None
    return record.verdict


@pytest.mark.parametrize(
    ("aim", "pattern"), [("throughput", "par"), ("cpu", "serial"), ("memory", "serial"), ("simplicity", "par")]
)
def test_the_pick_is_the_simplest_within_10_percent_on_the_axis(aim: str, pattern: str) -> None:
    """And the verdict has the pick under every aim beside it."""
    found = verdict(measured(aim))

    assert found.pattern == pattern == found.aims[aim]
    assert set(found.aims) == set(AIMS)


def test_for_latency_a_result_that_comes_with_the_join_counts_as_late() -> None:
    """Workers of par have a state each until the end, the caller of a pool one that grows. It is called predicted."""
    found = verdict(measured("latency"))

    assert found.pattern == "pool"
    assert "(predicted)" in explain.headline(measured("latency"), found)
    assert "latency (predicted)" in explain.finding_text(found, "R15")


def test_a_pattern_that_needs_less_memory_wins_for_memory() -> None:
    """The figures are those of the runs, and the price in time is named."""
    runs = [
        thrifty(run, peak_bytes=10_000_000) if run.pattern == "mutex" else run
        for run in synthetic.runs(synthetic.FREE_THREADED)
    ]
    record = explain.decided(replace(synthetic.record(runs), optimize="memory"))
    found = verdict(record)

    assert (found.kind, found.pattern) == ("recommend", "mutex")
    reason = explain.finding_text(found, "R15")
    assert "within 10 % of the least memory (mutex with 2 workers, 9.54 MB)" in reason
    assert "; it takes 1.3" in reason
    assert "for the least memory" in explain.headline(record, found)


def test_simplicity_takes_the_first_that_beats_serial_by_10_percent() -> None:
    """However much faster others are."""
    speeds = {("serial", 1): 1.0, ("par", 2): 1.3, ("mutex", 2): 1.9}
    record = synthetic.record(synthetic.runs(speeds))

    assert verdict(explain.decided(record)).pattern == "mutex"
    assert verdict(explain.decided(replace(record, optimize="simplicity"))).pattern == "par"


def test_nothing_is_simple_enough_to_be_worth_nothing() -> None:
    """If nothing beats serial by 10 %, the plain loop is the simplest."""
    speeds = {("serial", 1): 1.0, ("par", 2): 1.05, ("mutex", 2): 1.02}
    found = verdict(explain.decided(replace(synthetic.record(synthetic.runs(speeds)), optimize="simplicity")))

    assert found.kind == "serial"
    assert explain.finding_text(found, "R15") == "nothing beats serial by 10 % (provisional)"


def test_a_pattern_without_a_figure_on_the_axis_is_left_out_and_named() -> None:
    """Memory that nobody could read is not little memory."""
    runs = [
        thrifty(run, peak_bytes=None) if run.pattern == "executor" else run
        for run in synthetic.runs(synthetic.FREE_THREADED)
    ]
    found = verdict(explain.decided(replace(synthetic.record(runs), optimize="memory")))

    assert "not measured for executor" in explain.finding_text(found, "R15")


def test_the_report_says_what_each_other_aim_would_pick() -> None:
    """On the terminal and in a notebook."""
    record = measured("throughput")
    terminal = " ".join(line.text.strip() for line in text.lines(record, 100))

    assert "for the least CPU time or for the least memory it would be serial" in terminal
    assert "for simplicity it would be par as well" in terminal
    assert "for simplicity it would be par as well" in html.fragment(record)


def test_measured_costs_bring_the_rules_on_sizes_and_locks() -> None:
    """R3, R4 and R7 speak once dispatch and hold were measured, R2 of a pool that the job is not worth."""
    profile = synthetic.profile(
        dispatch={"chunk": 2e-6, "pool": 0.05, "executor": 1e-5}, hold_seconds=2e-4, gap_seconds=1e-3
    )
    found = verdict(measured("throughput", profiles=[profile]))
    spoken = {one.rule: one.text for one in found.because}

    assert {"R2", "R3", "R4", "R7", "R13"} <= set(spoken)
    assert "with 8 cores par is predicted to reach" in spoken["R13"]
    assert "worth fewer than 100 dispatches of pool" in spoken["R2"]
    assert "load one lock to 0.33" in spoken["R7"]
    assert spoken["R7"].endswith("(provisional)")
    assert found.pattern == "par"


def test_with_six_worker_counts_the_scaling_is_fitted() -> None:
    """From runs that follow the law, the count beyond which more workers lose."""
    counts = (2, 3, 4, 6, 8, 12)
    speeds = {("par", n): n / (1 + 0.05 * (n - 1) + 0.01 * n * (n - 1)) for n in counts}
    profile = synthetic.profile(dispatch={"chunk": 2e-6})
    runs = synthetic.runs({("serial", 1): 1.0, **speeds})
    found = verdict(explain.decided(synthetic.record(runs, profiles=[profile])))

    assert "fitted to 7 worker counts" in explain.finding_text(found, "R13")
    assert "more are predicted to lose" in explain.finding_text(found, "R13")


def test_without_measured_costs_those_rules_are_silent() -> None:
    """Nothing is made up beside what was measured."""
    spoken = {one.rule for one in verdict(measured("throughput")).because}

    assert not spoken & {"R2", "R3", "R4", "R6", "R7", "R13"}


@pytest.mark.parametrize("aim", AIMS)
def test_the_aim_is_in_the_record_and_survives_the_file(aim: str) -> None:
    """A verdict can be made again from the file alone."""
    record = measured(aim)
    again = Record.from_json(record.to_json())

    assert again.optimize == aim
    assert explain.decided(again).verdict == record.verdict == again.verdict


def test_compare_takes_the_aim_and_refuses_an_unknown_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule and the value are named; the aim reaches the record."""
    record = synthetic.record(synthetic.runs(synthetic.FREE_THREADED))
    monkeypatch.setattr(fearless.lab.runner, "measure", lambda *_: record)

    assert compare("word-index", optimize="cpu").record.optimize == "cpu"
    with pytest.raises(LabError, match=r"optimize must be one of throughput, .*, got 'speed'"):
        compare("word-index", optimize="speed")


def test_the_option_chooses_and_refuses_what_is_no_aim(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The headline says what the choice was made for; an unknown aim ends with 2 and names the known ones."""
    record = synthetic.record(synthetic.runs(synthetic.FREE_THREADED))
    monkeypatch.setattr(fearless.lab.runner, "measure", lambda *_: record)
    out = io.StringIO()

    assert run(["compare", "word-index", "--optimize", "memory"], Printer(out, out)) == 0
    assert "Verdict: stay serial (for the least memory; confidence 100 %)" in out.getvalue()
    assert run(["compare", "word-index", "--optimize", "speed"], Printer(out, out)) == 2
    assert "throughput" in out.getvalue() + capsys.readouterr().err
