"""The axes that a choice can be made on, as measured: how many times better than serial each candidate was, by round.

Latency is measured by nobody: it is predicted from the measured time of the whole job, and is called so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fearless.lab import costs, stats, wording
from fearless.lab.facts import Candidate, Facts
from fearless.lab.rules.finding import Key

NAMES: Mapping[str, str] = {
    "throughput": "time",
    "latency": "latency (predicted)",
    "cpu": "CPU time",
    "memory": "memory",
    "simplicity": "time",
}
FOR: Mapping[str, str] = {
    "throughput": "for throughput",
    "latency": "for the least latency (predicted)",
    "cpu": "for the least CPU time",
    "memory": "for the least memory",
    "simplicity": "for simplicity",
}


def series(facts: Facts, one: Candidate, aim: str) -> Mapping[int, float]:
    """The figure of ``aim`` by round, smaller being better; empty if it was not measured."""
    if aim == "cpu":
        return one.cpu_by_round or _constant(one, one.cpu_seconds)
    if aim == "memory":
        return one.bytes_by_round or _constant(one, one.peak_bytes)
    if aim == "latency":
        share = result_share(facts, one.pattern)
        return {number: seconds * share for number, seconds in one.seconds.items()}
    return one.seconds


def _constant(one: Candidate, value: float | None) -> dict[int, float]:
    return {} if value is None else dict.fromkeys(one.seconds, float(value))


def result_share(facts: Facts, pattern: str) -> float:
    """The share of the job's time after which the mean item has its result, all items being there at the start.

    Half where results come one by one, or the shared state holds them; all where states of the workers are joined at
    the end.
    """
    shape = "none" if facts.state == "none" and facts.candidates else facts.shape
    return 1.0 if costs.comes_at_the_end(pattern, shape) else 0.5


def gains(facts: Facts, contenders: Sequence[Candidate], aim: str) -> dict[Key, dict[int, float]]:
    """How many times better than serial each contender was, by round; those without a figure are left out."""
    if facts.serial is None:
        return {}
    base = series(facts, facts.serial, aim)
    table = {one.key: stats.round_ratios(base, series(facts, one, aim)) for one in contenders}
    keep_empty = aim in {"throughput", "simplicity"}
    return {key: ratios for key, ratios in table.items() if ratios or keep_empty}


def figure(facts: Facts, one: Candidate, aim: str) -> str:
    """The median on the axis, in its unit."""
    found = stats.estimate(list(series(facts, one, aim).values()))
    return wording.size(found.median) if aim == "memory" else wording.seconds(found.median)
