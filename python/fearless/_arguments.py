"""Reading arguments that several modules share: counts, seconds, names, and how many cores this process may use.

Every refusal names the rule and the value seen. Not here: arguments that the native half reads by itself.
"""

from __future__ import annotations

import operator
import os
from typing import SupportsIndex

_LONGEST = 2**63 / 1e9  # seconds, of a clock that counts nanoseconds in 64 bits

__all__ = ["at_least", "name_or_none", "seconds", "usable_cores"]


def at_least(name: str, value: SupportsIndex, least: int) -> int:
    """Return ``value`` as an ``int`` of at least ``least``."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number >= {least}, got {value!r}") from None
    if number < least:
        raise ValueError(f"{name} must be >= {least}, got {number}")
    return number


def seconds(timeout: float | None) -> float | None:
    """Return a timeout in seconds; ``None`` when it is without bound, or more than the clock can hold."""
    if timeout is None:
        return None
    try:
        is_usable = timeout >= 0  # NaN compares false
    except TypeError:
        raise TypeError(f"timeout must be None or a number of seconds >= 0, got {timeout!r}") from None
    if not is_usable:
        raise ValueError(f"timeout must be None or a number of seconds >= 0, got {timeout!r}")
    return None if timeout > _LONGEST else timeout


def name_or_none(name: str | None) -> str | None:
    """Return the name of a task, a scope or a pool."""
    if name is None or isinstance(name, str):
        return name
    raise TypeError(f"name must be None or a str, got {name!r}")


def usable_cores() -> int:
    """Return how many cores this process may run on: its affinity where the system knows one."""
    if hasattr(os, "process_cpu_count"):
        return os.process_cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1
