"""Quantities as people write them: ``20us``, ``95%``, ``1e6``, ``10k``. An error names the rule and the value."""

from __future__ import annotations

import math
import re

from fearless.lab._errors import LabError

SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}
FACTORS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}
QUANTITY = re.compile(r"\s*([-+]?(?:\d[\d_,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S*)\s*")


def seconds(text: str, what: str) -> float:
    """A duration, as in ``20us``; ``0`` needs no unit. Raises: `LabError`."""
    number, unit = _split(text, what, "a time such as 20us, 1.5ms or 2s")
    known = ", ".join(one for one in SECONDS if one.isascii())
    if unit not in SECONDS and not (number == 0 and not unit):
        missing = f"{text!r} has no unit" if not unit else f"{unit!r} in {text!r} is not a unit of time"
        raise LabError(f"{what}: {missing}; known: {known}")
    if number < 0:
        raise LabError(f"{what} must be >= 0, got {text}")
    return number * SECONDS.get(unit, 1.0)


def share(text: str, what: str) -> float:
    """A share of the whole, as in ``95%`` or ``0.95``. Raises: `LabError`."""
    number, unit = _split(text, what, "a share such as 95%")
    if unit not in {"", "%"}:
        raise LabError(f"{what}: {unit!r} in {text!r} is not a unit of a share; write 95% or 0.95")
    if unit == "" and number > 1:
        raise LabError(f"{what} must be 0..100 %, got {text} without a unit; write {text}% if that is meant")
    value = number / 100 if unit else number
    if not 0 <= value <= 1:
        raise LabError(f"{what} must be 0..100 %, got {text}")
    return value


def count(text: str, what: str) -> int:
    """A whole number of things, as in ``1e6`` or ``10k``; at least 1. Raises: `LabError`."""
    number, unit = _split(text, what, "a whole number such as 5000, 10k or 1e6")
    if unit.lower() not in FACTORS:
        known = ", ".join(filter(None, FACTORS))
        raise LabError(f"{what}: {unit!r} in {text!r} is not a unit of a number; known: {known}")
    value = number * FACTORS[unit.lower()]
    if value < 1 or value != int(value):
        raise LabError(f"{what} must be a whole number >= 1, got {text}")
    return int(value)


def rate(text: str, what: str) -> float:
    """How many a second, as in ``10k/s`` or ``500``. Raises: `LabError`."""
    number, unit = _split(text, what, "a number a second such as 500 or 10k/s")
    factor = unit.lower().removesuffix("/s")
    if factor not in FACTORS:
        raise LabError(f"{what}: {unit!r} in {text!r} is not a unit of a rate; write 500, 10k or 10k/s")
    if number <= 0:
        raise LabError(f"{what} must be > 0, got {text}")
    return number * FACTORS[factor]


def _split(text: str, what: str, form: str) -> tuple[float, str]:
    found = QUANTITY.fullmatch(text)
    number = float(found[1].replace("_", "").replace(",", "")) if found else math.nan
    if found is None or not math.isfinite(number):
        raise LabError(f"{what} must be {form}, got {text!r}")
    return number, found[2]
