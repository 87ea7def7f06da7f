"""Medians, intervals, and picks over resampled rounds."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fearless.lab import stats

positive = st.floats(min_value=1e-6, max_value=1e6)
series = st.dictionaries(st.integers(0, 9), positive, min_size=1)


@given(st.lists(positive, min_size=2, max_size=12))
def test_the_interval_holds_the_median_and_lies_within_the_samples(samples: list[float]) -> None:
    """No resample reaches beyond what was measured."""
    found = stats.estimate(samples, resamples=50)

    assert found.bounds is not None
    low, high = found.bounds
    assert min(samples) <= low <= high <= max(samples)
    assert found.median == median(samples)
    assert found.count == len(samples)


def test_a_single_sample_has_no_interval_and_is_above_nothing() -> None:
    """One run is not evidence of a difference."""
    found = stats.estimate([2.0])

    assert found.bounds is None
    assert not found.above(0.0)


def test_no_sample_is_refused() -> None:
    """There is no median of nothing."""
    with pytest.raises(ValueError, match="at least one sample"):
        stats.estimate([])


def test_a_wider_spread_gives_a_wider_interval() -> None:
    """The interval follows the noise."""
    quiet, noisy = stats.estimate([1.0, 1.01, 0.99, 1.0, 1.0]), stats.estimate([1.0, 1.4, 0.7, 1.2, 0.8])

    assert quiet.bounds is not None
    assert noisy.bounds is not None
    assert noisy.bounds[1] - noisy.bounds[0] > 5 * (quiet.bounds[1] - quiet.bounds[0])


def test_the_same_samples_give_the_same_interval() -> None:
    """The generator is seeded: a record read twice gives one verdict."""
    samples = [1.0, 1.3, 0.8, 1.1, 0.9]

    assert stats.estimate(samples) == stats.estimate(samples)
    assert stats.estimate(samples, seed=1, resamples=9) != stats.estimate(samples, seed=2, resamples=9)


@pytest.mark.parametrize(("share", "expected"), [(0.0, 1.0), (0.5, 2.0), (0.75, 2.5), (1.0, 3.0)])
def test_a_quantile_lies_between_its_neighbours(share: float, expected: float) -> None:
    """In proportion to where it falls."""
    assert stats.quantile([1.0, 2.0, 3.0], share) == expected


@given(series, series)
def test_ratios_are_taken_within_rounds(base: Mapping[int, float], other: Mapping[int, float]) -> None:
    """A round that only one side has says nothing about the ratio."""
    found = stats.round_ratios(base, other)

    assert found == {number: base[number] / other[number] for number in base if number in other}
    assert list(found) == stats.common_rounds([base, other])


def test_a_slow_spell_of_the_machine_leaves_the_ratio_alone() -> None:
    """Both sides of a round were slowed by the same factor."""
    drift = {0: 1.0, 1: 1.1, 2: 3.0, 3: 2.0, 4: 1.0}
    serial, pattern = {n: 2.0 * x for n, x in drift.items()}, {n: 1.0 * x for n, x in drift.items()}

    assert set(stats.round_ratios(serial, pattern).values()) == {2.0}


@given(st.lists(series, min_size=1, max_size=4))
def test_common_rounds_are_in_every_series(tables: list[Mapping[int, float]]) -> None:
    """And no other is."""
    found = stats.common_rounds(tables)

    assert all(number in one for one in tables for number in found)
    assert all(any(number not in one for one in tables) for number in range(10) if number not in found)


def _larger(values: Mapping[str, float]) -> str:
    return max(values, key=lambda name: values[name])


def test_a_clear_difference_gives_one_pick() -> None:
    """Whatever rounds are drawn."""
    table = {"a": {n: 1.0 + n / 100 for n in range(5)}, "b": {n: 2.0 + n / 100 for n in range(5)}}

    assert stats.picks(table, _larger, resamples=100) == {"b": 100}


def test_an_overlap_gives_both_picks_and_more_rounds_settle_it() -> None:
    """The share of the likelier pick grows with the number of rounds drawn."""
    table = {"a": dict(enumerate([1.0, 1.6, 0.9, 1.5, 1.0])), "b": dict.fromkeys(range(5), 1.2)}
    few, many = stats.picks(table, _larger), stats.picks(table, _larger, length=160, resamples=200)

    assert set(few) == {"a", "b"}
    assert many["b"] / many.total() > few["b"] / few.total()
    assert many["b"] / many.total() > 0.9


def test_rounds_are_drawn_for_all_series_at_once() -> None:
    """Series that move together stay together: b is always a shade above a."""
    table = {"a": dict(enumerate([1.0, 5.0, 2.0, 9.0, 3.0])), "b": dict(enumerate([1.1, 5.1, 2.1, 9.1, 3.1]))}

    assert stats.picks(table, _larger, resamples=300) == {"b": 300}


def test_without_a_common_round_there_is_no_pick() -> None:
    """Nothing to draw from."""
    assert stats.picks({"a": {0: 1.0}, "b": {1: 1.0}}, _larger).total() == 0


@pytest.mark.parametrize(
    ("other", "tied"),
    [
        ([1.0, 1.1, 0.9, 1.0, 1.05], True),  # now above, now below
        ([1.2, 1.3, 1.25, 1.2, 1.3], False),  # always above
        ([1.02, 1.03, 1.02, 1.01, 1.02], False),  # a little, but always
        ([0.9, 1.6, 1.5, 0.8, 1.4], False),  # too uncertain to be called equal
    ],
)
def test_a_tie_is_a_ratio_around_one(other: list[float], *, tied: bool) -> None:
    """In its interval and in its median."""
    assert stats.tied(dict.fromkeys(range(5), 1.0), dict(enumerate(other)), 1.1) is tied


def test_series_without_a_common_round_are_no_tie() -> None:
    """Nothing is known about them."""
    assert not stats.tied({0: 1.0}, {1: 1.0}, 1.1)
