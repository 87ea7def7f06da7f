"""How figures are written: seconds, bytes, ratios with their interval, lists. Decides nothing and prints nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

KIB = 1024
UNITS = ("B", "KB", "MB", "GB")
DURATIONS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))
DIGITS = 3  # significant ones
LEAST_RATIO = 0.01
ROUNDS_UP = 0.9995  # this much of a unit is written as one of it


class Interval(Protocol):
    """A median and, where there is more than one sample, the interval around it."""

    @property
    def median(self) -> float:
        """The middle sample."""

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The interval; ``None`` when a single sample gives none."""


def ratio(value: float) -> str:
    """A speed-up: ``1.87x``, ``12.3x``, ``<0.01x``."""
    return f"{_digits(value)}x" if value >= LEAST_RATIO else f"<{LEAST_RATIO}x"


def ratio_with_interval(estimate: Interval) -> str:
    """``1.87x [1.83, 1.92]``, or ``1.87x (1 run)`` when there is no interval."""
    if estimate.bounds is None:
        return f"{ratio(estimate.median)} (1 run)"
    low, high = estimate.bounds
    return f"{ratio(estimate.median)} [{low:.2f}, {high:.2f}]"


def seconds(value: float) -> str:
    """A duration in the unit that reads best: ``1.83 s``, ``12.4 ms``, ``85 us``."""
    scale, unit = _unit(value)
    return f"{_digits(value * scale)} {unit}"


def seconds_with_interval(estimate: Interval) -> str:
    """``1.83 [1.80, 1.90] s``: the three numbers share the unit of the median."""
    scale, unit = _unit(estimate.median)
    if estimate.bounds is None:
        return f"{_digits(estimate.median * scale)} (1 run) {unit}"
    low, high = (_digits(bound * scale) for bound in estimate.bounds)
    return f"{_digits(estimate.median * scale)} [{low}, {high}] {unit}"


def duration(value: float) -> str:
    """How long something takes, roughly: ``40 s``, ``12 min``, ``3 h``."""
    for unit, name in ((3600, "h"), (60, "min")):
        if value >= 2 * unit:
            return f"{value / unit:.0f} {name}"
    return f"{value:.0f} s"


def percent(share: float) -> str:
    """A share of one, in whole per cent: ``3 %``; ``<1 %`` for a little that is not nothing."""
    value = round(share * 100)
    return "<1 %" if value == 0 and share > 0 else f"{value} %"


def size(count: float) -> str:
    """Bytes: ``812 B``, ``61.3 MB``; powers of 1024."""
    power = 0
    while count >= KIB and power < len(UNITS) - 1:
        count, power = count / KIB, power + 1
    return f"{count:.0f} B" if power == 0 else f"{_digits(count)} {UNITS[power]}"


def listed(words: Sequence[str], last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *first, end = words
    return f"{', '.join(first)} {last} {end}" if first else end


def counted(number: int, noun: str) -> str:
    """``1 worker``, ``2 workers``, ``1,412 files``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _unit(value: float) -> tuple[float, str]:
    """The largest unit that ``value`` fills, as factor and name."""
    fills = (pair for pair in DURATIONS if value >= pair[0] * ROUNDS_UP)
    one, name = next(fills, DURATIONS[-1])
    return 1 / one, name


def _digits(value: float) -> str:
    """Three significant digits after rounding, never in exponent form; a small value has two after the point."""
    texts = (f"{value:.{places}f}" for places in range(DIGITS - 1, -1, -1))
    return next((text for text in texts if len(text.replace(".", "")) <= DIGITS), f"{value:.0f}")
