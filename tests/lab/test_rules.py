"""Each rule on facts whose answer is known, and what holds for every rule on any facts.

Not here: R15 to R18, which choose (`test_rules_choice.py`), and those that know costs (`test_rules_advice.py`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fearless.lab import explain, rules
from fearless.lab.facts import ORDER, Candidate, Facts
from tests.lab.known import SERIAL, Speeds, facts_of


def test_r0_rules_out_threads_while_the_gil_is_held() -> None:
    """And predicts what a free-threaded Python would give, calling it predicted."""
    speeds = {**SERIAL, ("par", 2): 1.0, ("mutex", 2): 0.97, ("processes", 2): 1.5}
    found = rules.r0(facts_of(speeds, gil=True, released=0.02))

    assert found is not None
    assert set(found.rules_out) == {"par", "mutex"}
    assert "the GIL was held for 98 % of the work and threads kept no more than 0.9" in found.text
    assert "predicted to give up to 1.9x" in found.text
    assert "--python" in found.text
    assert found.facts["usable_parallelism"] == 1.0


SLOW_THREADS = [Candidate("par", 2, {0: 1.0}, cpu_seconds=1.0)]


@pytest.mark.parametrize(
    ("known", "parallelism"),
    [
        ({"gil": True, "released": 0.0}, 1.0),
        ({"gil": True, "released": 0.9}, 1.95),  # no more than the cores
        ({"gil": True, "released": 0.3}, 1 / 0.7),
        ({"gil": False, "released": None}, 1.95),
        ({"gil": None, "released": 0.0}, 1.95),
        ({"gil": True, "released": 0.4, "candidates": SLOW_THREADS}, 1 / 0.6),  # too large to be a mistake
        ({"gil": True, "released": None}, None),  # nothing measured tells
    ],
)
def test_usable_parallelism(known: dict[str, Any], parallelism: float | None) -> None:
    """Cores without the GIL; with it, what Amdahl's law leaves of the work that holds it."""
    expected = None if parallelism is None else pytest.approx(parallelism)

    assert rules.usable_parallelism(replace(facts_of(SERIAL), **known)) == expected


def test_r0_believes_a_measured_speed_up_over_a_sampled_share() -> None:
    """A thread pattern that ran at 1.8x with the GIL on did use two cores."""
    speeds = {**SERIAL, ("par", 2): 1.8}

    assert rules.r0(facts_of(speeds, gil=True, released=0.02)) is None


@pytest.mark.parametrize(("cpu", "released", "speaks"), [(0.3, 0.05, True), (0.6, 0.05, False), (0.3, 0.3, False)])
def test_r0_believes_no_speed_up_in_less_than_a_core(cpu: float, released: float, *, speaks: bool) -> None:
    """On a busy machine threads that take turns get more of it than one; that is no sign that they ran at once."""
    facts = facts_of({**SERIAL, ("par", 2): 2.0}, gil=True, released=released)
    serial, par = facts.candidates
    starved = [replace(serial, cpu_seconds=0.3), replace(par, cpu_seconds=cpu)]

    assert (rules.r0(replace(facts, candidates=starved)) is not None) is speaks


def test_r0_believes_the_runs_where_the_sampled_share_is_too_large() -> None:
    """The share comes from a single run; threads that got the time of one core did take turns."""
    facts = facts_of({**SERIAL, ("par", 2): 1.0}, gil=True, released=0.3)

    assert rules.usable_parallelism(facts) == pytest.approx(1.0, rel=0.02)
    assert rules.r0(facts) is not None


def test_r0_is_silent_when_the_work_waits() -> None:
    """Threads that wait gain from overlapping their waits, GIL or not."""
    assert rules.r0(facts_of({**SERIAL, ("par", 2): 1.0}, gil=True, released=0.02, waiting=0.5)) is None


def test_r0_names_the_import_that_turned_the_gil_on() -> None:
    """On a free-threaded build the way out is another one."""
    found = rules.r0(
        facts_of({**SERIAL, ("par", 2): 1.0}, gil=True, released=0.0, free_threaded=True, gil_enabled_by="old_module")
    )

    assert found is not None
    assert "the GIL (turned on by the import of old_module) was held" in found.text
    assert "PYTHON_GIL=0" in found.text


def test_r0_points_to_the_free_threaded_run_beside_it() -> None:
    """What was measured needs no prediction."""
    speeds = {**SERIAL, ("par", 2): 1.0}
    found = rules.r0(facts_of(speeds, gil=True, released=0.0, free_threaded_label="3.13t"))

    assert found is not None
    assert "see 3.13t" in found.text
    assert "predicted" not in found.text


@pytest.mark.parametrize("known", [{"gil": False}, {"gil": True, "released": 0.96}])
def test_r0_says_when_there_is_only_one_core(known: dict[str, Any]) -> None:
    """Without the GIL, or with work that releases it, nothing can run at once there, and it is not the GIL's doing."""
    found = rules.r0(facts_of({**SERIAL, ("par", 2): 1.0}, cores=1.05, **known))

    assert found is not None
    assert "only 1.05 effective cores" in found.text
    assert "GIL" not in found.text
    assert set(found.rules_out.values()) == {"needs a second core, and none was free"}


def test_r0_believes_a_measured_speed_up_over_the_counted_cores() -> None:
    """Threads that reached 1.5x had more cores than the loops that count them."""
    assert rules.r0(facts_of({**SERIAL, ("par", 2): 1.5}, cores=1.15)) is None


@pytest.mark.parametrize(("seconds", "waiting", "settles"), [(4e-4, 0.0, True), (6e-4, 0.0, False), (4e-4, 0.5, False)])
def test_r1_settles_short_jobs_that_do_not_wait(seconds: float, waiting: float, *, settles: bool) -> None:
    """500 us is what starting workers costs."""
    found = rules.r1(facts_of({**SERIAL, ("par", 2): 3.0}, serial_seconds=seconds, waiting=waiting))

    assert (found is not None and found.settles_for == "serial") is settles


@pytest.mark.parametrize(("state", "speaks"), [("none", True), ("add", True), ("merge", True), ("update", False)])
def test_r5_speaks_for_par_when_nothing_need_be_shared(state: str, *, speaks: bool) -> None:
    """A state that cannot be joined must be shared."""
    assert (rules.r5(facts_of({**SERIAL, ("par", 2): 1.8}, state=state)) is not None) is speaks


def test_r14_reports_the_fewest_workers_worth_it() -> None:
    """Not the number that is fastest."""
    facts = facts_of({**SERIAL, ("par", 1): 1.0, ("par", 2): 1.7, ("par", 4): 1.9})
    found = rules.r14(facts, facts.candidates)

    assert found is not None
    assert found.facts["workers"] == 2
    assert "2 workers are the fewest" in found.text


def test_r14_says_when_nothing_beats_serial() -> None:
    """And how close the best came, with its interval."""
    facts = facts_of({**SERIAL, ("par", 2): 1.05})
    found = rules.r14(facts, facts.candidates)

    assert found is not None
    assert "nothing beats serial by 10 %" in found.text
    more = facts_of({**SERIAL, ("channel", 2): 1.2, ("processes", 2): 0.8}, gil=True, released=0.02)
    (text,) = [one.text for one in explain.judge(more).because if one.rule == "R14"]
    assert text.startswith("nothing that is left beats serial by 10 %: the best, processes with 2 workers")
    assert "nothing that is left is faster than serial" in explain.finding_text(explain.judge(more), "R15")
    assert "[" in found.text


def test_r14_tells_of_fewer_workers_that_were_left_out() -> None:
    """They may be enough, and one run does not tell."""
    facts = facts_of({**SERIAL, ("par", 2): 1.9, ("par", 20): 9.0})
    serial, few, many = facts.candidates
    cut = replace(
        facts, candidates=[serial, replace(few, seconds={0: few.seconds[0]}), many], left_out=frozenset({few.key})
    )
    found = rules.r14(cut, [serial, many])
    verdict = explain.judge(cut)

    assert found is not None
    assert found.text.startswith("20 workers are the fewest that beat serial by 10 %: par reaches 8.8")
    assert found.text.endswith("; fewer ran once only: par with 2 workers, 1.88x (1 run)")
    assert (verdict.kind, verdict.workers) == ("recommend", 20)  # five rounds of those that went on are enough


def test_r14_does_not_say_so_of_what_ran_once() -> None:
    """A single run that is twice as fast has no interval, so it proves nothing either way."""
    once = facts_of({**SERIAL, ("par", 2): 2.0}, rounds=1)
    found = rules.r14(once, once.candidates)

    assert found is not None
    assert found.text.startswith(
        "it is not 95 % sure yet that anything beats serial by 10 %: the best, par with 2 workers"
    )


def test_the_pick_is_measured_against_what_was_possible() -> None:
    """The smaller of effective cores and Amdahl's law, both printed."""
    facts = facts_of({**SERIAL, ("par", 2): 1.8}, serial_share=0.1)
    found = rules.reached(facts, facts.candidate(("par", 2)))

    assert found is not None
    assert found.facts["limits"] == {"effective cores": 1.95, "by Amdahl's law": pytest.approx(1 / 0.55)}
    assert "1.95 effective cores, 1.82 by Amdahl's law" in found.text
    assert "short of" not in found.text
    poor = facts_of({**SERIAL, ("par", 2): 1.3}, serial_share=0.1)
    short = rules.reached(poor, poor.candidate(("par", 2)))
    assert short is not None
    assert "short of the 85 %" in short.text
    lucky = facts_of({**SERIAL, ("par", 2): 1.8}, serial_share=0.0, cores=1.4)
    more = rules.reached(lucky, lucky.candidate(("par", 2)))
    assert more is not None
    assert "more than was counted" in more.text


def test_what_the_gil_leaves_is_a_limit_while_it_is_on() -> None:
    """Work that holds it for 60 % of its time gains 1.67 times at most, whatever the cores."""
    facts = facts_of({**SERIAL, ("par", 2): 1.6}, gil=True, released=0.4, cores=4.0)
    found = rules.reached(facts, facts.candidate(("par", 2)))

    assert found is not None
    assert "1.67 by the GIL" in found.text
    assert rules.reached(replace(facts, released=None), facts.candidate(("par", 2))) is None


speedups = st.floats(min_value=0.05, max_value=16.0)
noise = st.floats(min_value=0.5, max_value=2.0)
unknown_or_share = st.none() | st.floats(min_value=0.0, max_value=1.0)


@st.composite
def any_facts(draw: st.DrawFn) -> Facts:
    """Facts as a comparison might find them: any patterns, rounds missing here and there, some facts unknown."""
    names = draw(st.sets(st.sampled_from(ORDER), min_size=1, max_size=6)) | draw(st.sampled_from([{"serial"}, set()]))
    rounds = draw(st.integers(1, 7))
    scale = draw(st.sampled_from([1e-4, 1.0]))
    candidates = []
    for name in sorted(names):
        for workers in draw(st.sets(st.sampled_from([1, 2, 4]), min_size=1, max_size=2)):
            speed = draw(speedups)
            kept = draw(st.sets(st.integers(0, rounds - 1), min_size=1))
            seconds = {n: scale / speed * draw(noise) for n in sorted(kept)}
            cost = draw(st.none() | st.floats(0.01, 10.0))
            candidates.append(
                Candidate(name, workers, seconds, cpu_seconds=cost, peak_bytes=draw(st.none() | st.integers(1, 9)))
            )
    return Facts(
        "3.13",
        candidates,
        free_threaded=draw(st.booleans()),
        gil=draw(st.none() | st.booleans()),
        cores=draw(st.none() | st.floats(0.5, 16.0)),
        waiting=draw(unknown_or_share),
        released=draw(unknown_or_share),
        serial_share=draw(unknown_or_share),
        serial_share_single=draw(unknown_or_share),
        state=draw(st.sampled_from(["none", "add", "merge", "update"])),
        rounds=rounds,
        round_seconds=draw(st.none() | st.floats(0.01, 100.0)),
    )


@settings(max_examples=60, deadline=None)
@given(any_facts())
def test_there_is_always_an_answer_with_a_reason(facts: Facts) -> None:
    """A pick that was measured, or "cannot tell"; never without a reason, never without confidence."""
    verdict = explain.judge(facts)

    assert verdict.because
    assert all(one.text and one.rule in RULES for one in verdict.because)
    assert 0.0 <= verdict.confidence <= 1.0
    if verdict.kind == "cannot tell":
        assert verdict.pattern is None
    else:
        assert (verdict.pattern, verdict.workers) in {one.key for one in facts.candidates}
        assert verdict.confidence >= rules.SURE
        assert (verdict.kind == "serial") == (verdict.pattern == "serial")
    measured = {one.pattern for one in facts.candidates}
    assert {one.pattern for one in verdict.rejected} <= measured - {verdict.pattern}
    assert all(one.text for one in verdict.rejected)


RULES = {"R0", "R1", "R5", "R14", "R15", "R16", "R17", "R18"}


@settings(max_examples=60, deadline=None)
@given(any_facts())
def test_the_same_facts_give_the_same_verdict(facts: Facts) -> None:
    """Nothing is left to chance between two readings of a record."""
    assert explain.judge(facts) == explain.judge(facts)


@given(st.dictionaries(st.tuples(st.sampled_from(ORDER), st.sampled_from([1, 2, 4])), speedups, min_size=1))
def test_r15_never_picks_what_is_ten_per_cent_slower_nor_less_simple(speeds: Speeds) -> None:
    """Of those fast enough no simpler one is passed over."""
    pick = rules.r15(speeds)
    enough = max(speeds.values()) / rules.AS_GOOD
    workers = rules.r15_workers(speeds, pick)

    assert speeds[pick, workers] >= enough
    assert all(value < enough for (name, _), value in speeds.items() if ORDER.index(name) < ORDER.index(pick))
    assert all(value < enough for (name, count), value in speeds.items() if name == pick and count < workers)


@settings(max_examples=40, deadline=None)
@given(st.floats(min_value=1.0, max_value=3.0), st.floats(min_value=0.0, max_value=0.15))
def test_turning_the_gil_off_never_removes_a_thread_pattern(speed: float, released: float) -> None:
    """What threads may be picked with the GIL may be picked without it."""
    speeds = {**SERIAL, ("par", 2): speed}
    with_gil = rules.r0(facts_of(speeds, gil=True, released=released))
    without = rules.r0(facts_of(speeds, gil=False, released=released))

    assert without is None
    assert with_gil is None or "par" in with_gil.rules_out


@settings(max_examples=40, deadline=None)
@given(st.floats(min_value=1e-5, max_value=1.0), st.floats(min_value=1.0, max_value=100.0))
def test_a_dearer_job_never_moves_from_parallel_to_serial(seconds: float, factor: float) -> None:
    """With the same speed-up, more work never makes starting workers less worth it."""
    speeds = {**SERIAL, ("par", 2): 1.8}
    cheap = explain.judge(facts_of(speeds, serial_seconds=seconds))
    dear = explain.judge(facts_of(speeds, serial_seconds=seconds * factor))

    assert not (cheap.kind == "recommend" and dear.kind == "serial")
