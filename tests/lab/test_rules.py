"""Each rule on facts whose answer is known, and what holds for every rule on any facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fearless.lab import explain, rules
from fearless.lab.facts import ORDER, Candidate, Facts

Speeds = Mapping[tuple[str, int], float]


def facts_of(speeds: Speeds, *, rounds: int = 6, serial_seconds: float = 1.0, **known: Any) -> Facts:
    """Facts with the given speed-ups over serial; the rounds differ by a per cent."""
    candidates = [
        Candidate(
            pattern,
            workers,
            {n: serial_seconds / speed * (1 + 0.01 * ((n * 3 + place) % 3)) for n in range(rounds)},
            cpu_seconds=serial_seconds,
            peak_bytes=1024,
        )
        for place, ((pattern, workers), speed) in enumerate(speeds.items())
    ]
    base: dict[str, Any] = {"gil": False, "cores": 1.95, "waiting": 0.0, "state": "merge", "serial_share": 0.02}
    return Facts("3.13t", candidates, rounds=rounds, round_seconds=6.0, **{**base, **known})


SERIAL = {("serial", 1): 1.0}


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
    assert "[" in found.text


def test_r14_does_not_say_so_of_what_ran_once() -> None:
    """A single run that is twice as fast has no interval, so it proves nothing either way."""
    once = facts_of({**SERIAL, ("par", 2): 2.0}, rounds=1)
    found = rules.r14(once, once.candidates)

    assert found is not None
    assert found.text.startswith("it is not sure yet that anything beats serial by 10 %: the best, par with 2 workers")


@pytest.mark.parametrize(
    ("speeds", "pick"),
    [
        ({("serial", 1): 1.0, ("par", 2): 1.09}, "serial"),
        ({("serial", 1): 1.0, ("par", 2): 1.2}, "par"),
        ({("serial", 1): 1.0, ("par", 2): 1.8, ("channel", 2): 1.9}, "par"),
        ({("serial", 1): 1.0, ("par", 2): 1.5, ("channel", 2): 1.9}, "channel"),
        ({("serial", 1): 1.0, ("processes", 2): 1.9, ("executor", 2): 1.9}, "executor"),
    ],
)
def test_r15_picks_the_simplest_within_ten_per_cent(speeds: Speeds, pick: str) -> None:
    """Simplicity first among those that are fast enough."""
    assert rules.r15(speeds) == pick


def test_r15_takes_the_fewest_workers_that_are_fast_enough() -> None:
    """The fourth worker must buy ten per cent, too."""
    assert rules.r15_workers({("par", 2): 1.8, ("par", 4): 1.9, ("serial", 1): 1.0}, "par") == 2
    assert rules.r15_workers({("par", 2): 1.5, ("par", 4): 1.9, ("serial", 1): 1.0}, "par") == 4


def test_r15_says_what_other_aims_would_pick() -> None:
    """Twice the CPU time for the same speed-up is worth knowing."""
    facts = facts_of({**SERIAL, ("par", 2): 1.8})
    both = [facts.candidates[0], replace(facts.candidates[1], cpu_seconds=2.0)]
    found = rules.r15_aims(facts, rules.by_aim(replace(facts, candidates=both), both), both[1])

    assert found is not None
    assert found.facts["aims"] == {"latency": "serial", "cpu": "serial", "memory": "serial", "simplicity": "par"}
    assert "for the least latency (predicted), for the least CPU time or for the least memory it would be" in found.text
    assert "for simplicity it would be par as well" in found.text


def test_r16_is_sure_of_a_clear_answer_however_noisy() -> None:
    """Rounds that differ by half leave a factor of two standing."""
    noisy = [1.0, 1.5, 0.8, 1.3, 1.0, 0.9]
    candidates = [
        Candidate("serial", 1, dict(enumerate(noisy))),
        Candidate("par", 2, {n: x / 2 for n, x in enumerate(reversed(noisy))}),
    ]
    choice = rules.r16(Facts("3.13t", candidates), candidates)

    assert choice.key == ("par", 2)
    assert choice.confidence >= 0.9


def test_r16_gives_a_tie_to_the_simpler() -> None:
    """Equal is not doubtful."""
    facts = facts_of({**SERIAL, ("par", 2): 1.8, ("threads", 2): 1.8})
    choice = rules.r16(facts, facts.candidates)

    assert choice.key == ("par", 2)
    assert choice.confidence == 1.0


NOISE = [0.8, 1.9, 1.0, 1.7, 0.9, 1.2, 1.0, 1.8]


def noisy(pattern: str, workers: int, seconds: float, shift: int) -> Candidate:
    """A candidate on a busy machine: each round is slowed by some factor, and a pattern meets it in its own order."""
    return Candidate(pattern, workers, {n: seconds * NOISE[(n + shift) % len(NOISE)] for n in range(len(NOISE))})


def test_r16_gives_a_tie_under_noise_to_the_simpler() -> None:
    """Whichever of three equals a resample takes, par is the simplest of them; that they beat serial is clear."""
    candidates = [
        Candidate("serial", 1, dict.fromkeys(range(8), 4.0)),
        noisy("par", 2, 1.0, 0),
        noisy("threads", 2, 1.0, 3),
        noisy("pool", 2, 1.0, 5),
    ]
    choice = rules.r16(Facts("3.13t", candidates), candidates)

    assert choice.key == ("par", 2)
    assert choice.confidence >= 0.9
    assert choice.finding.facts["picks"]["par"] < 0.9 * choice.finding.facts["resamples"]
    assert "or to what ties with it: " in choice.finding.text


def test_r16_gives_no_tie_to_serial() -> None:
    """Noise that hides whether par is faster is doubt, not a reason to stay serial."""
    candidates = [noisy("serial", 1, 1.0, 0), noisy("par", 2, 0.95, 3)]
    choice = rules.r16(Facts("3.13t", candidates, round_seconds=2.0), candidates)

    assert choice.key is None
    assert set(choice.finding.facts["compete"]) == {"serial", "par"}


def test_r16_cannot_tell_what_rounds_disagree_about() -> None:
    """It names the two and the time that would settle it."""
    samples = [1.0, 0.5, 1.02, 0.55, 1.01, 0.98]
    candidates = [
        Candidate("serial", 1, dict.fromkeys(range(6), 1.0)),
        Candidate("par", 2, dict(enumerate(samples))),
    ]
    choice = rules.r16(Facts("3.13t", candidates, round_seconds=6.0), candidates)

    assert choice.key is None
    assert set(choice.finding.facts["compete"]) == {"serial", "par"}
    assert choice.confidence < 0.9
    assert choice.finding.facts["settle_seconds"] > 36.0


def test_r16_wants_five_rounds() -> None:
    """Four that agree are too few; it says what five would take."""
    facts = facts_of({**SERIAL, ("par", 2): 2.0}, rounds=4)
    choice = rules.r16(facts, facts.candidates)

    assert choice.key is None
    assert choice.finding.facts["compete"] == ["par", "serial"]
    assert choice.finding.facts["settle_seconds"] == 30.0


def test_r16_needs_no_rounds_when_one_is_left() -> None:
    """There is nothing to choose."""
    facts = facts_of(SERIAL, rounds=1)

    assert rules.r16(facts, facts.candidates).key == ("serial", 1)


def test_r17_puts_out_what_differs_and_what_failed() -> None:
    """With the reason in the user's terms."""
    found = rules.r17(facts_of(SERIAL, differing={"mutex": "lacks 'a'"}, failed={"par": "ValueError: x"}))

    assert {name: text for one in found for name, text in one.rules_out.items()} == {
        "mutex": "its result differs from serial's: lacks 'a'",
        "par": "it failed: ValueError: x",
    }


def test_r18_says_that_start_up_is_counted() -> None:
    """With the interval, for the better number of workers."""
    facts = facts_of({**SERIAL, ("processes", 1): 0.8, ("processes", 2): 1.4})
    found = rules.r18(facts, facts.candidates)

    assert found is not None
    assert found.facts["workers"] == 2
    assert "start-up and transfer counted" in found.text


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
