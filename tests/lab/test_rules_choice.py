"""The rules that choose among what was measured: R15 to R18, on facts whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fearless.lab import rules
from fearless.lab.facts import Candidate, Facts
from tests.lab.known import SERIAL, Speeds, facts_of


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
    assert choice.finding.text.startswith("4 complete rounds of the 5 that a verdict needs")
    cut = replace(facts, rounds=0)  # others were to run, and the budget ended before them
    assert rules.r16(cut, cut.candidates).finding.text.startswith("0 complete rounds of the 5")


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
