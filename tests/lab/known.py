"""Facts with known answers for tests of the rules, made without measuring anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fearless.lab.facts import Candidate, Facts

Speeds = Mapping[tuple[str, int], float]
SERIAL = {("serial", 1): 1.0}


def facts_of(speeds: Speeds, *, rounds: int = 6, serial_seconds: float = 1.0, **known: Any) -> Facts:
    """Facts with the given speed-ups over serial; the rounds differ by a per cent."""
    candidates = [
        Candidate(
            pattern,
            workers,
            {n: serial_seconds / speed * (1 + 0.01 * ((n * 3 + place) % 3)) for n in range(rounds)},
            cpu_seconds=serial_seconds,
            peak_bytes=1024,
        )
        for place, ((pattern, workers), speed) in enumerate(speeds.items())
    ]
    base: dict[str, Any] = {"gil": False, "cores": 1.95, "waiting": 0.0, "state": "merge", "serial_share": 0.02}
    return Facts("3.13t", candidates, rounds=rounds, round_seconds=6.0, **{**base, **known})
