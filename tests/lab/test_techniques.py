import dataclasses

import pytest

import fearless
from fearless.lab import catalog, pages_costs, techniques
from fearless.lab.facts import ORDER
from fearless.lab.pages_costs import BUILDS
from fearless.lab.techniques import TECHNIQUES, TRADE_OFFS, Cost, Technique


def test_there_are_seven_in_the_order_of_the_guide() -> None:
    """From what shares least to explain to what needs the others explained first."""
    names = [one.name for one in TECHNIQUES]

    assert names == ["threads", "thread pool", "channel", "mutex", "rwlock", "atomic", "work distribution"]


@pytest.mark.parametrize("one", TECHNIQUES, ids=lambda one: one.name)
def test_what_a_technique_claims_to_have_exists_and_the_rest_does_not(one: Technique) -> None:
    """A name moves from `later` to `toolkit` when it is there, and not before."""
    assert [name for name in one.toolkit if name not in fearless.__all__] == []
    assert [name for name in one.later if name in fearless.__all__] == []
    assert one.available == bool(one.toolkit)


@pytest.mark.parametrize("one", TECHNIQUES, ids=lambda one: one.name)
def test_a_technique_has_something_in_every_column(one: Technique) -> None:
    """An empty cell says nothing."""
    assert all(getattr(one, field.name) for field in dataclasses.fields(one) if field.name not in {"toolkit", "later"})


def test_every_pattern_that_a_rule_can_name_has_its_trade_offs() -> None:
    """What can be run is marked available, and nothing else is."""
    assert set(TRADE_OFFS) == set(ORDER)
    assert {name for name, one in TRADE_OFFS.items() if one.available} == set(catalog.PATTERNS)


def test_trade_offs_without_a_measurement_say_so() -> None:
    """What cannot be run was not measured."""
    unmeasured = [one.throughput for one in TRADE_OFFS.values() if not one.available]

    assert unmeasured
    assert [text for text in unmeasured if "not measured" not in text] == []


def test_patterns_belong_to_one_technique_or_to_none() -> None:
    """A pattern has one home."""
    homes = [pattern for one in TECHNIQUES for pattern in one.patterns]

    assert len(homes) == len(set(homes))
    assert techniques.of("executor") is techniques.named("thread pool")
    assert techniques.of("serial") is None


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("cost", [cost for one in TECHNIQUES for cost in one.costs], ids=lambda cost: cost.what)
def test_a_cost_is_a_stored_figure_or_says_that_there_is_none(cost: Cost, build: str) -> None:
    """With an interval around the median."""
    said = pages_costs.said(cost, build=build)

    assert cost.what in said
    if cost.shape is None:
        assert "not measured" in said
        return
    found = pages_costs.estimate(cost.shape, cost.contender or "", build)
    assert found.bounds is not None
    assert found.bounds[0] <= found.median <= found.bounds[1]
    assert "[" in said


@pytest.mark.parametrize(
    ("value", "text"), [(5.0, "5.00 s"), (3.2e-3, "3.20 ms"), (65e-6, "65.0 us"), (2e-8, "20.0 ns")]
)
def test_figures_have_the_unit_that_suits_them(value: float, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """From seconds to nanoseconds, the interval in the same unit."""
    stored = {"shapes": [{"shape": "s", "contenders": [{"contender": "c", "seconds": [value]}]}]}
    monkeypatch.setattr(pages_costs, "stored", lambda _: stored)

    assert pages_costs.figure("s", "c", "free-threaded").startswith(text)


def test_the_stored_comparison_has_both_builds() -> None:
    """And every pattern that fits its workload."""
    found = pages_costs.comparison()

    assert list(found) == ["3.13t", "3.13"]
    assert [[one.pattern for one in runs] for runs in found.values()] == 2 * [
        [name for name in catalog.PATTERNS if name != "serial" and catalog.must_run(name, "word-index")]
    ]
