"""What holds for the advice from any facts: there is always one with a reason, and it moves as the facts do."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fearless.lab import ranking
from fearless.lab.advice import AIMS, advise, contradictions
from fearless.lab.facts import NOT_THREADS, ORDER, SHAPES, Facts


def amounts(low: float, high: float) -> st.SearchStrategy[float]:
    """Amounts spread over powers of ten."""
    return st.floats(math.log10(low), math.log10(high)).map(lambda power: 10.0**power)


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "items": amounts(1, 1e7).map(round),
    "cpu_per_item": amounts(1e-8, 1.0),
    "wait_per_item": st.one_of(st.just(0.0), amounts(1e-6, 1.0)),
    "gil": st.booleans(),
    "released": st.floats(0, 1),
    "cores": st.floats(1, 64),
    "item_cv": st.floats(0, 5),
    "shape": st.sampled_from(SHAPES),
    "hold": amounts(1e-8, 1e-2),
    "reads": st.floats(0, 1),
    "rate": amounts(1, 1e6),
    "batchable": st.booleans(),
    "ordered": st.booleans(),
    "dependent": st.booleans(),
    "handed_on": st.booleans(),
    "one_owner": st.booleans(),
    "locks": st.integers(0, 5),
    "replaced": st.booleans(),
    "transfer": amounts(1e-7, 1e-3),
    "coroutines": st.booleans(),
}
STATES = st.sampled_from(["none", "add", "merge", "update"])
ANY = st.builds(
    lambda known, state, aim: Facts("", (), state=state, aim=aim, **known),
    st.fixed_dictionaries({}, optional=FIELDS),
    STATES,
    st.sampled_from(AIMS),
)
KNOWN = {name: FIELDS[name] for name in ("items", "cpu_per_item", "wait_per_item", "gil", "cores", "hold")}
SHARED = st.builds(
    lambda known, rest: Facts("", (), shape="map", state="update", **known, **rest),
    st.fixed_dictionaries(KNOWN),
    st.fixed_dictionaries(
        {}, optional={name: FIELDS[name] for name in ("reads", "released", "one_owner", "replaced", "coroutines")}
    ),
)
APART = st.builds(
    lambda known, rest: Facts("", (), shape="none", **known, **rest),
    st.fixed_dictionaries({name: value for name, value in KNOWN.items() if name != "hold"}),
    st.fixed_dictionaries(
        {}, optional={name: FIELDS[name] for name in ("released", "item_cv", "transfer", "coroutines")}
    ),
)


def pick(facts: Facts) -> str:
    """The pattern that complete facts lead to."""
    return ranking.rank(ranking.completed(facts)).pick


@given(ANY)
@settings(max_examples=150, deadline=None)
def test_there_is_always_an_answer_or_what_would_make_it_tell(facts: Facts) -> None:
    """And never one without a reason."""
    found = advise(facts)

    assert found.because
    assert all(one.rule and one.text for one in found.because)
    assert set(found.aims) == set(AIMS)
    if found.kind == "cannot tell":
        assert found.pattern is None
        assert found.missing or contradictions(facts)
    else:
        assert {found.pattern, *(one.pattern for one in found.rejected)} == set(ORDER)
        assert all(one.text for one in found.rejected)
        assert found.workers is not None
        assert found.workers >= 1
        assert found.chunk is None or found.chunk >= 1
        assert found.kind == ("serial" if found.pattern == "serial" else "recommend")
        assert found.aims[facts.aim] == found.pattern


@given(ANY)
@settings(max_examples=100, deadline=None)
def test_the_same_facts_give_the_same_advice(facts: Facts) -> None:
    """Nothing but the facts goes in."""
    assert advise(facts) == advise(facts)


@given(SHARED, st.floats(1, 1000))
@settings(max_examples=200, deadline=None)
def test_a_longer_hold_never_leads_back_to_one_lock(facts: Facts, factor: float) -> None:
    """From a channel or shards."""
    if pick(facts) in {"channel", "sharded"}:
        assert pick(replace(facts, hold=(facts.hold or 0.0) * factor)) not in {"mutex", "rwlock"}


@given(SHARED, st.floats(0, 1))
@settings(max_examples=200, deadline=None)
def test_more_reads_never_lead_away_from_the_rwlock(facts: Facts, share: float) -> None:
    """The more readers, the more it gives."""
    mostly = replace(facts, reads=0.9 + 0.1 * (facts.reads or 0.0))
    if pick(mostly) == "rwlock":
        assert pick(replace(mostly, reads=mostly.reads + (1 - mostly.reads) * share)) == "rwlock"  # type: ignore[operator]


@given(st.one_of(APART, SHARED), st.floats(1, 1000))
@settings(max_examples=200, deadline=None)
def test_a_dearer_item_never_leads_back_to_serial(facts: Facts, factor: float) -> None:
    """Dearer in all that it does outside of the lock: with the GIL, work alone would crowd out the waiting."""
    if pick(facts) != "serial":
        work, wait = (facts.cpu_per_item or 0.0) * factor, (facts.wait_per_item or 0.0) * factor
        assert pick(replace(facts, cpu_per_item=work, wait_per_item=wait)) != "serial"


@given(st.one_of(APART, SHARED))
@settings(max_examples=200, deadline=None)
def test_turning_the_gil_off_never_removes_a_thread_pattern(facts: Facts) -> None:
    """What gains from threads with the GIL gains from them without."""
    if pick(replace(facts, gil=True)) not in NOT_THREADS:
        assert pick(replace(facts, gil=False)) not in NOT_THREADS
