"""The facts as they are read from a record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fearless.lab import facts
from tests.lab import synthetic


def test_runs_become_candidates_the_simplest_first() -> None:
    """One for each pattern and number of workers, with medians over its rounds."""
    found = facts.from_record(synthetic.record(synthetic.runs(synthetic.FREE_THREADED)), "3.13t")

    assert [one.pattern for one in found.candidates] == [
        "serial",
        "par",
        "threads",
        "mutex",
        "channel",
        "pool",
        "executor",
        "processes",
    ]
    assert found.rounds == 6
    par = found.candidate(("par", 2))
    assert par.median == pytest.approx(1 / 1.85, rel=0.02)
    assert par.peak_bytes == 43 * 1024 * 1024
    assert found.candidate(("serial", 1)).waiting_share is None


def test_a_pattern_that_differs_or_fails_once_is_no_candidate() -> None:
    """Not even with the rounds in which it did well."""
    runs = synthetic.runs({("serial", 1): 1.0, ("par", 2): 1.8, ("mutex", 2): 1.2})
    runs[1] = replace(runs[1], equal=False, difference="the result['a'] is 1, serial has 2")
    runs[2] = replace(runs[2], seconds=None, error="Traceback ...\n  File ...\nValueError: bad item\n")
    found = facts.from_record(synthetic.record(runs), "3.13t")

    assert [one.pattern for one in found.candidates] == ["serial"]
    assert found.differing == {"par": "the result['a'] is 1, serial has 2"}
    assert found.failed == {"mutex": "ValueError: bad item"}


@pytest.mark.parametrize(
    ("trace", "line"),
    [
        ('Traceback\n  File "job.py", line 1\n    f()\nValueError: x\n', "ValueError: x"),
        ('Traceback\n  File "job.py", line 1\nValueError: x\nnote: item 3\n', "ValueError: x"),
        ("the process was ended by SIGKILL", "the process was ended by SIGKILL"),
        ('  File "job.py", line 1', 'File "job.py", line 1'),
        ("", "no message was recorded"),
    ],
)
def test_the_error_is_the_line_after_the_last_frame(trace: str, line: str) -> None:
    """Notes may follow it, and there may be no frames at all."""
    assert facts.raised(trace) == line


def test_speed_up_needs_a_round_that_has_both() -> None:
    """Otherwise there is no ratio, and not a ratio of medians either."""
    runs = synthetic.runs({("serial", 1): 1.0, ("par", 2): 1.8})
    only = [run for run in runs if (run.pattern == "serial") == (run.round < 3)]
    found = facts.from_record(synthetic.record(only), "3.13t")

    assert found.speedup(found.candidate(("par", 2))) is None
    assert found.rounds == 0


def test_what_limits_a_speed_up_depends_on_the_pattern() -> None:
    """States of their own are merged while everybody waits; one state is updated while the others work on."""
    runs = synthetic.runs({("serial", 1): 1.0, ("par", 2): 1.8, ("mutex", 2): 1.4})
    profile = synthetic.profile(work_seconds=0.4, update_seconds=0.6, merge_seconds=0.25)
    found = facts.from_record(synthetic.record(runs, profiles=[profile]), "3.13t")

    assert found.limit(found.candidate(("par", 2))) == pytest.approx(1 / 0.6)  # 0.2 of the job is serial
    assert found.limit(found.candidate(("mutex", 2))) == pytest.approx(1 / 0.6)  # 0.6 of it is updates


def test_the_gil_counts_as_on_if_it_was_on_after_any_run() -> None:
    """An import can turn it on half-way."""
    runs = synthetic.runs({("serial", 1): 1.0, ("par", 2): 1.0})
    runs[3] = replace(runs[3], gil=True)

    assert facts.from_record(synthetic.record(runs), "3.13t").gil is True


def test_a_round_costs_the_budget_over_its_rounds() -> None:
    """Unless the run was cut short: then what the first round took is known."""
    whole = synthetic.record(synthetic.runs({("serial", 1): 1.0, ("par", 2): 2.0}))
    short = replace(whole, interrupted=True)

    assert facts.from_record(whole, "3.13t").round_seconds == 10.0
    assert facts.from_record(short, "3.13t").round_seconds == pytest.approx(1.5, rel=0.02)
    none = replace(whole, rounds=0, runs=[run for run in whole.runs if run.round == 0])
    assert facts.from_record(none, "3.13t").round_seconds == 60.0  # at the least


def test_the_budget_is_for_each_interpreter() -> None:
    """So is what a round costs: two side by side take twice as long, and no more seconds of ``--budget``."""
    record = synthetic.record(
        synthetic.runs({("serial", 1): 1.0}),
        interpreters=[synthetic.interpreter(), replace(synthetic.interpreter(), label="other")],
    )

    assert facts.from_record(record, "3.13t").round_seconds == 5.0


def test_without_a_profile_the_facts_are_unknown_not_zero() -> None:
    """A rule that needs one stays silent."""
    found = facts.from_record(synthetic.record(synthetic.runs(synthetic.FREE_THREADED), profiles=[]), "3.13t")

    assert (found.waiting, found.released, found.serial_share, found.cpu_per_item) == (None,) * 4
    assert found.limit(found.candidate(("par", 2))) is None


def test_an_unknown_interpreter_names_the_known() -> None:
    """The error lists what the record has."""
    with pytest.raises(KeyError, match=r"3\.13t"):
        facts.from_record(synthetic.record(), "3.14")


def test_measured_costs_are_facts() -> None:
    """What the profile says of dispatch, of the lock and of the transfer, and what an item waits."""
    profile = synthetic.profile(
        dispatch={"pool": 1e-6, "chunk": 2e-6},
        hold_seconds=3e-6,
        gap_seconds=4e-6,
        transfer_seconds=5e-6,
        blocked_seconds=0.5,
    )
    found = facts.from_record(synthetic.record(synthetic.runs({("serial", 1): 1.0}), profiles=[profile]), "3.13t")

    assert found.dispatch == {"pool": 1e-6, "chunk": 2e-6}
    assert (found.hold, found.gap, found.transfer) == (3e-6, 4e-6, 5e-6)
    assert found.wait == pytest.approx(0.5 / 1000)
    assert found.waiting_share == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("state", "shape", "joins", "adds"),
    [
        ("none", "none", True, False),
        ("add", "counter", True, True),
        ("merge", "arbitrary", True, False),
        ("update", "arbitrary", False, False),
    ],
)
def test_the_state_of_a_workload_says_what_is_shared(state: str, shape: str, joins: bool, adds: bool) -> None:  # noqa: FBT001
    """And whether parts of it can be joined, or only added to."""
    record = synthetic.record(synthetic.runs({("serial", 1): 1.0}), state=state)
    found = facts.from_record(record, "3.13t")

    assert (found.shape, found.joins, found.adds) == (shape, joins, adds)


def test_without_answers_nothing_is_known() -> None:
    """Neither what is shared nor whether it joins."""
    unknown = facts.Facts("", ())

    assert unknown.joins is None
    assert unknown.wait is None
    assert unknown.waiting_share is None
    assert not unknown.adds


def test_waiting_follows_from_what_is_known_of_an_item() -> None:
    """Share and seconds go over into each other."""
    told = facts.Facts("", (), cpu_per_item=1e-3, wait_per_item=3e-3)
    measured = facts.Facts("", (), cpu_per_item=1e-3, waiting=0.75)

    assert told.waiting_share == pytest.approx(0.75)
    assert measured.wait == pytest.approx(3e-3)
