"""Medians, bootstrap intervals, and how often resampled rounds lead to the same pick.

Holds arithmetic only: it knows no pattern and decides nothing.
The standard library suffices: the samples are some dozens, so a numeric library would buy nothing but a dependency
that has no wheel yet for the newest and for free-threaded interpreters.

Rounds are interleaved, so a ratio is taken within a round and summarised over rounds: a machine that slows down for
a while slows both sides. Every draw comes from a generator seeded with `SEED`: the same record, the same verdict.
"""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

SEED = 20_240_607
RESAMPLES = 2_000
LEVEL = 0.95

Choice = TypeVar("Choice", bound=Hashable)
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The median of ``count`` samples, with the interval that 95 % of its resamples fall into."""

    median: float
    bounds: tuple[float, float] | None  # None: one sample has no interval
    count: int

    def above(self, limit: float) -> bool:
        """True if the whole interval lies above ``limit``; never on a single sample."""
        return self.bounds is not None and self.bounds[0] > limit


def estimate(samples: Sequence[float], *, seed: int = SEED, resamples: int = RESAMPLES) -> Estimate:
    """The median of ``samples`` with its bootstrap interval. Raises: `ValueError` if there are none."""
    if not samples:
        raise ValueError("an estimate needs at least one sample, got none")
    return _estimate(tuple(samples), seed, resamples)


@functools.lru_cache(maxsize=1024)  # a report asks for the same interval in its table and in its sentences
def _estimate(samples: tuple[float, ...], seed: int, resamples: int) -> Estimate:
    middle = median(samples)
    if len(samples) == 1:
        return Estimate(middle, None, 1)
    draw = random.Random(seed)  # noqa: S311  # resampling wants a repeatable generator, not a secret one
    medians = sorted(median(draw.choices(samples, k=len(samples))) for _ in range(resamples))
    bounds = quantile(medians, (1 - LEVEL) / 2), quantile(medians, (1 + LEVEL) / 2)
    return Estimate(middle, bounds, len(samples))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which ``share`` of the ``ordered`` samples lie, between neighbours in proportion."""
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def round_ratios(base: Mapping[int, float], other: Mapping[int, float]) -> dict[int, float]:
    """How many times faster ``other`` was than ``base``, for each round that has both."""
    return {number: base[number] / other[number] for number in sorted(base.keys() & other.keys()) if other[number] > 0}


def common_rounds(series: Sequence[Mapping[int, float]]) -> list[int]:
    """The rounds in which every series has a sample."""
    if not series:
        return []
    shared = set(series[0])
    for one in series[1:]:
        shared &= one.keys()
    return sorted(shared)


def tied(one: Mapping[int, float], other: Mapping[int, float], near: float) -> bool:
    """True if two series cannot be told apart: their ratio's interval holds 1, and its median is within ``near``."""
    ratios = round_ratios(one, other)
    if not ratios:
        return False
    found = estimate(list(ratios.values()))
    low, high = found.bounds or (found.median, found.median)
    return low <= 1.0 <= high and 1 / near <= found.median <= near


def medians(table: Mapping[Key, Mapping[int, float]], rounds: Sequence[int]) -> dict[Key, float]:
    """The median of each series over ``rounds``; a round may occur more than once."""
    return {key: median([samples[number] for number in rounds]) for key, samples in table.items()}


def picks(
    table: Mapping[Key, Mapping[int, float]],
    choose: Callable[[Mapping[Key, float]], Choice],
    *,
    length: int | None = None,
    seed: int = SEED,
    resamples: int = RESAMPLES,
) -> Counter[Choice]:
    """How often each choice is made when whole rounds are drawn again, with replacement.

    A round is drawn for all series at once, since they shared its conditions.
    ``length`` is the number of rounds in a draw: more than were measured shows what a longer run would decide, if the
    rounds to come are like those that were seen.
    """
    rounds = common_rounds(list(table.values()))
    if not rounds:
        return Counter()
    draw = random.Random(seed)  # noqa: S311  # as above
    size = length or len(rounds)
    return Counter(choose(medians(table, draw.choices(rounds, k=size))) for _ in range(resamples))
