"""The advice from facts alone: known problems, what is missing, what it says around the pick, contradictions.

Holds examples; what must hold for any facts is in `test_advice_properties.py`, and how good the advice is against
measurement in `test_advice_measured.py`.
"""

from __future__ import annotations

from typing import Any

import pytest

from fearless.lab import catalog, ranking, unknowns
from fearless.lab.advice import AIMS, Advice, advise, contradictions
from fearless.lab.facts import ORDER, Facts

PLAIN: dict[str, Any] = {"items": 10**6, "cpu_per_item": 20e-6, "gil": False, "shape": "none"}
SHARED: dict[str, Any] = {"items": 10**5, "cpu_per_item": 20e-6, "gil": False, "shape": "map", "state": "update"}


def advice(**known: Any) -> Advice:
    """The advice for these facts."""
    return advise(Facts("", (), **known))


def rule(found: Advice, number: str) -> str:
    """What the rule says; empty if it is silent."""
    return " ".join(one.text for one in found.because if one.rule == number)


def why_not(found: Advice, pattern: str) -> str:
    """Why a pattern was rejected."""
    return next(one.text for one in found.rejected if one.pattern == pattern)


@pytest.mark.parametrize(
    ("known", "pattern", "reason"),
    [
        (PLAIN, "par", "R5"),
        ({**PLAIN, "gil": True, "wait_per_item": 0.0, "items": 1000}, "serial", "R0"),
        ({**PLAIN, "gil": True, "wait_per_item": 0.0, "cores": 4.0, "items": 10**7}, "processes", "R18"),
        ({**PLAIN, "gil": True, "wait_per_item": 5e-3, "items": 1000}, "par", "R3"),
        ({**PLAIN, "gil": True, "released": 0.95, "cores": 4.0, "wait_per_item": 0.0}, "par", "R5"),
        ({**PLAIN, "items": 10}, "serial", "R1"),
        ({**PLAIN, "shape": "counter", "state": "add"}, "par", "R5"),
        ({**PLAIN, "cpu_per_item": 1e-3, "item_cv": 2.0}, "pool", "R4"),
        ({**PLAIN, "cpu_per_item": 1e-6, "item_cv": 2.0}, "par", "R4"),
        ({**PLAIN, "dependent": True}, "threads", "R12"),
        ({**PLAIN, "handed_on": True}, "channel", "R10"),
        ({**SHARED, "hold": 1e-6}, "mutex", "R7"),
        ({**SHARED, "hold": 1e-5, "cores": 8.0}, "channel", "R7"),
        ({**SHARED, "hold": 1e-6, "locks": 3}, "channel", "R10"),
        ({**SHARED, "cpu_per_item": 1e-6, "hold": 2e-5, "reads": 0.95, "cores": 8.0}, "rwlock", "R8"),
        ({**SHARED, "hold": 1e-6, "reads": 0.995, "replaced": True}, "snapshot", "R9"),
        ({**SHARED, "state": "merge"}, "par", "R5"),
        ({**SHARED, "shape": "cell", "state": "none"}, "mutex", "R5"),
        ({**SHARED, "one_owner": True}, "channel", "R5"),
        ({**SHARED, "one_owner": False}, "mutex", "R5"),
    ],
)
def test_known_problems(known: dict[str, Any], pattern: str, reason: str) -> None:
    """Each gets its pattern, and the rule that it comes from says why."""
    found = advice(**known)

    assert found.pattern == pattern
    assert found.kind == ("serial" if pattern == "serial" else "recommend")
    assert rule(found, reason)


def test_processes_are_as_many_as_cores() -> None:
    """Each has a GIL of its own, so it bounds threads alone."""
    found = advice(**{**PLAIN, "gil": True, "wait_per_item": 0.0, "cores": 8.0, "cpu_per_item": 1e-3})

    assert (found.pattern, found.workers) == ("processes", 8)
    assert "8 workers, as 8.00 can compute at once" in rule(found, "R3")


def test_parts_in_order_go_through_futures() -> None:
    """A lock and a channel take them in the order in which they are done."""
    found = advice(**SHARED, hold=1e-6, ordered=True)

    assert found.pattern == "pool"
    assert why_not(found, "mutex") == "takes parts in the order in which they are done"
    assert "in the order of the items" in rule(found, "R5")


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (PLAIN, "the number of cores is not known; 2 are assumed"),
        (PLAIN, "no waiting is assumed"),
        ({**PLAIN, "gil": True, "wait_per_item": 0.0}, "releases the GIL is not known; none of it is assumed"),
        (SHARED, "held for an update is not known; next to nothing is assumed"),
    ],
)
def test_what_is_assumed_is_said(known: dict[str, Any], said: str) -> None:
    """No fact is taken for granted in silence."""
    assert said in rule(advice(**known), "facts")


def test_no_facts_give_no_answer_but_the_questions_that_matter_most() -> None:
    """Two or three facts, in words as well."""
    found = advice()

    assert found.kind == "cannot tell"
    assert 2 <= len(found.missing) <= 3
    assert set(found.missing) <= set(Facts.__dataclass_fields__)
    assert all(unknowns.WORDS[name] in found.because[0].text for name in found.missing)


@pytest.mark.parametrize("unknown", ["items", "cpu_per_item", "gil", "shape"])
def test_what_would_change_the_answer_is_asked_for(unknown: str) -> None:
    """One fact is missing, and its plausible values lead to different patterns."""
    known = {name: value for name, value in PLAIN.items() if name != unknown}
    smaller: dict[str, dict[str, Any]] = {"items": {"cpu_per_item": 1e-6}, "cpu_per_item": {"items": 10}}
    small = smaller.get(unknown, {})
    found = advice(**{**known, **small})

    assert found.kind == "cannot tell"
    assert unknown in found.missing


def test_what_does_not_change_the_answer_is_not_asked_for() -> None:
    """Items of 10 ms without the GIL are worth threads, be they ten or a million; the advice says so."""
    found = advice(cpu_per_item=1e-2, gil=False, shape="none")

    assert found.pattern == "par"
    assert "how many items there are is not known, and the answer is the same either way" in rule(found, "facts")


def test_every_other_pattern_is_rejected_with_a_reason() -> None:
    """In the order of simplicity, each with words of its own."""
    found = advice(**SHARED, hold=1e-6)

    assert [one.pattern for one in found.rejected] == [name for name in ORDER if name != "mutex"]
    assert all(one.text for one in found.rejected)
    assert why_not(found, "par") == "needs partial results that can be joined"
    assert "simpler, but predicted: takes" in why_not(found, "serial")


def test_numbers_from_the_cost_model_are_called_predicted_and_typical() -> None:
    """Nothing was run, and the dispatch costs are those of another machine."""
    text = rule(advice(**PLAIN), "R15")

    assert "predicted" in text
    assert "typical ones, not measured here" in text
    assert "(provisional)" in text


def test_measured_dispatch_costs_are_not_called_typical() -> None:
    """With a cost for every contender the sentence has no such ending."""
    measured = dict.fromkeys(("par", "threads", "channel", "pool", "executor"), 1e-6)

    assert "typical" not in rule(advice(**PLAIN, dispatch=measured, transfer=1e-5), "R15")


def test_the_sizes_come_with_the_pick() -> None:
    """Workers and a chunk for par; capacity and a batch for a channel of small items."""
    par = advice(**{**PLAIN, "cpu_per_item": 1e-6}, cores=4.0)
    channel = advice(**{**PLAIN, "cpu_per_item": 1e-6}, handed_on=True, batchable=True, cores=4.0)

    assert (par.workers, par.chunk) == (4, 40)
    assert (par.capacity, par.batch) == (None, None)
    assert (channel.capacity, channel.batch) == (128, 8)


def test_what_would_change_the_answer_names_fact_and_number() -> None:
    """The thresholds are found by running the rules: on both sides of them the answer is another."""
    found = advice(**SHARED, hold=1e-6, cores=8.0)
    (sentence,) = [text for text in found.changes if "a lock held above" in text]

    assert "would make it channel (now 1.00 us)" in sentence
    edge = float(sentence.split("above ")[1].split(" us")[0]) * 1e-6
    assert advice(**SHARED, hold=edge * 0.97, cores=8.0).pattern == "mutex"
    assert advice(**SHARED, hold=edge * 1.03, cores=8.0).pattern == "channel"


def test_a_change_of_the_gil_is_named() -> None:
    """And what it would lead to."""
    found = advice(**PLAIN)

    assert "with the GIL on it would be processes" in found.changes


@pytest.mark.parametrize(
    ("aim", "pattern"),
    [("throughput", "par"), ("latency", "par"), ("cpu", "serial"), ("memory", "serial"), ("simplicity", "par")],
)
def test_each_aim_has_its_answer(aim: str, pattern: str) -> None:
    """The same as asking for that aim alone."""
    assert advice(**PLAIN).aims[aim] == pattern
    assert advice(**PLAIN, aim=aim).pattern == pattern
    assert set(advice(**PLAIN).aims) == set(AIMS)


def test_a_total_that_is_wanted_early_is_no_partial_sum() -> None:
    """For latency an atomic, which can be read while the workers add, before sums that are joined at the end."""
    counter = {**PLAIN, "shape": "counter", "state": "add"}

    assert advice(**counter).pattern == "par"
    assert advice(**counter, aim="latency").pattern in {"mutex", "atomic"}


def test_the_price_of_little_memory_is_named() -> None:
    """Serial needs the least, and somebody should say what that costs."""
    assert "par is predicted to be 2.00x as fast" in rule(advice(**PLAIN, aim="memory"), "R15")


def test_a_pattern_that_does_not_run_yet_comes_with_one_that_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a lock of readers, the mutex."""
    known = {**SHARED, "cpu_per_item": 1e-6, "hold": 2e-5, "reads": 0.95, "cores": 8.0}
    assert (advice(**known).pattern, advice(**known).instead) == ("rwlock", None)

    monkeypatch.setattr("fearless.lab.advice.AVAILABLE", catalog.PATTERNS[:8])
    found = advice(**known)

    assert (found.pattern, found.instead) == ("rwlock", "mutex")
    assert advice(**PLAIN).instead is None


def test_a_low_rate_needs_no_second_worker_for_latency() -> None:
    """Where nothing queues, the plain loop gives a result as soon as any; what it costs the whole job is named."""
    found = advice(**{**PLAIN, "cpu_per_item": 5e-6}, rate=10_000.0, aim="latency")

    assert found.kind == "serial"
    assert "at 10,000 items a second as soon as any, within 10 %; par does the whole job" in rule(found, "R15")


def test_what_is_said_to_run_today_is_what_the_catalog_has() -> None:
    """The advice may not read the catalog, so its list is held here."""
    assert ranking.AVAILABLE == catalog.PATTERNS


def test_items_that_come_too_fast_rank_by_how_far_they_fall_behind() -> None:
    """At 30,000 a second of 50 us each, one core is too slow and four are not; for a million they are, too."""
    known = {**PLAIN, "cpu_per_item": 5e-5, "rate": 30_000.0, "aim": "latency"}

    assert advice(**known, cores=4.0).pattern == "par"
    assert why_not(advice(**known, cores=4.0), "serial") == (
        "predicted to fall behind: 30,000 items a second come, and it serves 20,000"
    )
    assert "but it falls behind" in rule(advice(**{**known, "rate": 1e6}, cores=4.0), "R15")


@pytest.mark.parametrize(
    ("known", "named"),
    [
        ({"shape": "none", "state": "merge"}, ("shape is none", "state is merge")),
        ({"shape": "none", "hold": 1e-6}, ("shape is none", "hold is 1e-06")),
        ({"shape": "none", "reads": 0.5}, ("shape is none", "reads is 0.5")),
        ({"shape": "counter", "state": "update"}, ("shape is counter", "state is update")),
        ({"one_owner": False, "handed_on": True}, ("one_owner is False", "handed_on is True")),
        ({"waiting": 0.5, "wait_per_item": 0.0}, ("wait_per_item is 0", "waiting is 0.5")),
        ({"items": 5, "cpu_per_item": 0.0, "wait_per_item": 0.0}, ("cpu_per_item is 0", "wait_per_item is 0")),
        ({"shape": "counter", "replaced": True}, ("shape is counter", "replaced is True")),
        ({"items": 0}, ("items must be >= 1, got 0",)),
        ({"reads": 1.2}, ("reads must be a share from 0 to 1, got 1.2",)),
        ({"hold": -1.0}, ("hold must be >= 0, got -1.0",)),
        ({"cpu_per_item": float("nan")}, ("cpu_per_item must be >= 0, got nan",)),
        ({"aim": "speed"}, ("aim must be one of", "'speed'")),
        ({"shape": "tree"}, ("shape must be one of", "'tree'")),
    ],
)
def test_facts_that_cannot_be_are_named_both(known: dict[str, Any], named: tuple[str, ...]) -> None:
    """And there is no advice from them."""
    (text,) = contradictions(Facts("", (), **known))

    assert all(part in text for part in named)
    assert advice(**known).kind == "cannot tell"
    assert [one.text for one in advice(**known).because] == [text]


def test_ordinary_facts_do_not_contradict_each_other() -> None:
    """Nothing is found where nothing is wrong."""
    assert contradictions(Facts("", (), **PLAIN)) == []
    assert contradictions(Facts("", (), **SHARED, hold=1e-6, reads=0.9, locks=1, replaced=False)) == []
