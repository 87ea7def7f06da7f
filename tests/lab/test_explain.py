"""Verdicts on records whose answer is known, and the sentences around them."""

from __future__ import annotations

from dataclasses import replace

from fearless.lab import explain
from fearless.lab.record import Record, Verdict
from tests.lab import synthetic

GIL = synthetic.interpreter("3.13", gil=True)


def on_gil(**changes: float) -> Record:
    """A decided record of CPU-bound work on the GIL build; ``changes`` are speed-ups by pattern."""
    speeds = {**synthetic.WITH_GIL, **{(name, 2): value for name, value in changes.items()}}
    runs = synthetic.runs(speeds, "3.13", gil=True)
    profile = synthetic.profile("3.13", gil_released=0.02)
    return explain.decided(synthetic.record(runs, interpreters=[GIL], profiles=[profile]))


def free_threaded(speeds: synthetic.Speeds = synthetic.FREE_THREADED) -> Record:
    """A decided record on the free-threaded build."""
    return explain.decided(synthetic.record(synthetic.runs(speeds)))


def verdict_of(record: Record) -> Verdict:
    """The verdict for the first interpreter."""
    assert record.verdict is not None
    return record.verdict


def test_without_the_gil_the_simplest_thread_pattern_wins() -> None:
    """And what it reached stands beside what was possible."""
    record = free_threaded()
    verdict = verdict_of(record)

    assert (verdict.kind, verdict.pattern, verdict.workers) == ("recommend", "par", 2)
    assert explain.headline(record, verdict).startswith("use par with 2 workers: 1.85x [")
    assert "1.95 effective cores, 1.97 by Amdahl's law" in explain.finding_text(verdict, "R0")


def test_with_the_gil_the_verdict_is_serial_and_says_why() -> None:
    """The GIL comes first among the reasons, with its share and a way out."""
    verdict = verdict_of(on_gil())

    assert (verdict.kind, verdict.pattern) == ("serial", "serial")
    assert verdict.because[0].rule == "R0"
    assert "GIL was held for 98 % of the work" in verdict.because[0].text
    rejected = {one.pattern: one.text for one in verdict.rejected}
    assert "the GIL lets only one run" in rejected["mutex"]
    assert "less simple and not 10 % faster" in rejected["processes"]


def test_with_the_gil_processes_win_when_they_pay() -> None:
    """With start-up and transfer counted."""
    verdict = verdict_of(on_gil(processes=1.6))

    assert (verdict.kind, verdict.pattern, verdict.workers) == ("recommend", "processes", 2)
    assert "start-up and transfer counted" in explain.finding_text(verdict, "R18")


def test_an_open_question_names_the_two_and_what_would_settle_it() -> None:
    """In the headline and in the hint."""
    factors = (1.0, 1.02, 0.99, 1.01, 0.98, 1.0)
    runs = [
        replace(run, seconds=(run.seconds or 0) * (0.75 if run.pattern == "par" and run.round in {1, 4} else 1))
        for run in synthetic.runs({("serial", 1): 1.0, ("par", 2): 1.05}, factors=factors)
    ]
    record = explain.decided(synthetic.record(runs))
    verdict = verdict_of(record)
    hint = explain.hint(verdict)

    assert verdict.kind == "cannot tell"
    assert explain.headline(record, verdict) == "cannot tell serial and par apart"
    assert hint is not None
    assert hint.startswith("about ")
    assert "run it again with --budget " in hint


def test_a_verdict_has_no_hint() -> None:
    """There is nothing to settle."""
    assert explain.hint(verdict_of(free_threaded())) is None


def test_results_come_before_speed() -> None:
    """The fastest pattern is out when its result differs, and no speed of it is told."""
    runs = [
        replace(run, equal=False, difference="the result lacks 'the'") if run.pattern == "par" else run
        for run in synthetic.runs({**synthetic.FREE_THREADED, ("par", 2): 3.9})
    ]
    verdict = verdict_of(explain.decided(synthetic.record(runs)))

    assert verdict.pattern == "threads"
    assert verdict.because[0].text == "par: its result differs from serial's: the result lacks 'the'"
    assert "3.9" not in str(verdict)


def test_without_a_serial_run_nothing_can_be_told() -> None:
    """The reason is that of the serial run."""
    runs = [
        replace(run, seconds=None, error="Traceback\nZeroDivisionError: division by zero")
        if run.pattern == "serial"
        else run
        for run in synthetic.runs(synthetic.FREE_THREADED)
    ]
    verdict = verdict_of(explain.decided(synthetic.record(runs)))

    assert verdict.kind == "cannot tell"
    assert "no serial run to compare with: it failed: ZeroDivisionError" in verdict.because[-1].text


def test_a_short_job_stays_serial() -> None:
    """Whatever the others did."""
    runs = [replace(run, seconds=(run.seconds or 0) / 5000) for run in synthetic.runs(synthetic.FREE_THREADED)]
    verdict = verdict_of(explain.decided(synthetic.record(runs)))

    assert verdict.kind == "serial"
    assert verdict.because[0].rule == "R1"
    assert {one.text for one in verdict.rejected} == {"the job is too short for it"}


def test_an_empty_record_is_not_an_error() -> None:
    """Interrupted before the first run: there is a reason, and no verdict."""
    verdict = verdict_of(explain.decided(synthetic.record(interrupted=True)))

    assert verdict.kind == "cannot tell"
    assert verdict.because


def test_what_two_cores_taught_is_marked_provisional() -> None:
    """Each sentence that rests on R15 says so, and no other."""
    found = {(one.rule, "(provisional)" in one.text) for one in verdict_of(free_threaded()).because}

    assert ("R15", True) in found
    assert ("R15", False) not in found
    assert not {rule for rule, marked in found if marked} - {"R15"}


def test_several_interpreters_are_set_against_each_other() -> None:
    """Each has its verdict; one sentence compares the best of each, within rounds."""
    runs = [
        *synthetic.runs(synthetic.WITH_GIL, "3.13", gil=True),
        *synthetic.runs(synthetic.FREE_THREADED, "3.13t", factors=(1.3,) * 6),
    ]
    profiles = [synthetic.profile("3.13", gil_released=0.02), synthetic.profile("3.13t")]
    record = explain.decided(synthetic.record(runs, interpreters=[GIL, synthetic.interpreter()], profiles=profiles))

    assert [one.kind for one in record.verdicts] == ["serial", "recommend"]
    assert record.verdict == record.verdicts[0]
    (text,) = explain.across(record)
    assert text.startswith("3.13t, par with 2 workers, is 1.4")
    assert text.endswith("as fast as 3.13, serial")
    assert "see 3.13t" in explain.finding_text(record.verdicts[0], "R0")


def test_a_verdict_survives_its_way_through_json() -> None:
    """What was decided can be read back and shown again."""
    record = free_threaded()
    again = Record.from_json(record.to_json())

    assert again.verdict is not None
    assert again.verdict.pattern == "par"
    assert explain.headline(again, again.verdict) == explain.headline(record, verdict_of(record))


def test_an_interrupted_comparison_is_no_verdict_for_what_ran_first() -> None:
    """Serial is not the best because it alone had a run: processes were to come."""
    record = replace(
        synthetic.record(
            synthetic.runs({("serial", 1): 1.0, ("par", 2): 1.0}, label="3.13", gil=True, factors=(1.0,)),
            interpreters=[synthetic.interpreter("3.13", gil=True)],
            profiles=[synthetic.profile("3.13", gil_released=0.0)],
        ),
        interrupted=True,
    )
    cards = [card for card in record.cards if card.name in {"serial", "par", "processes"}]

    verdict = verdict_of(explain.decided(replace(record, cards=cards)))

    assert (verdict.kind, verdict.pattern) == ("cannot tell", None)
    assert "it ended before processes had a run" in explain.finding_text(verdict, "R16")
