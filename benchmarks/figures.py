"""Ratios over rounds: the median, and the interval that a bootstrap over rounds gives it.

Holds arithmetic only. Not here: how samples are taken, and how figures are shown.

A round holds one sample of each contender, taken within moments, so a ratio is taken within a round: a machine that
slows down for a second slows both sides. The interval comes from drawing whole rounds again, with replacement.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

SEED = 7_919
RESAMPLES = 2_000
SHARE = 0.95  # of the resamples lies within the interval


@dataclass(frozen=True, slots=True)
class Figure:
    """The median of some samples, and its interval."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, samples: Sequence[float]) -> Figure:
        """Compute the figure of one sample a round."""
        draw = random.Random(SEED)  # noqa: S311 - resampling wants a repeatable generator, not a secret one
        medians = sorted(median(draw.choices(samples, k=len(samples))) for _ in range(RESAMPLES))
        tail = round((1 - SHARE) / 2 * (RESAMPLES - 1))
        return cls(median(samples), medians[tail], medians[-1 - tail])


def ratio(samples: Sequence[float], yardstick: Sequence[float]) -> Figure:
    """Compute how many times the yardstick's cost the samples are, round by round."""
    return Figure.of([one / other for one, other in zip(samples, yardstick, strict=True)])


def verdict(figure: Figure, same: Figure) -> str:
    """Say what the session may claim; `same` is the ratio of two identical contenders in the same rounds.

    Two identical contenders differ by as much as the session cannot tell from nothing.
    """
    if figure.high < min(same.low, 1.0):
        return "faster"
    if figure.low > max(same.high, 1.0):
        return "slower"
    return "no difference"


def against(figure: Figure, goal: float | None) -> str:
    """Say whether the ratio keeps to its goal, with all of its interval."""
    if goal is None:
        return ""
    if figure.high <= goal:
        return "met"
    return "missed" if figure.low > goal else "undecided"
