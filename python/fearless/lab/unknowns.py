"""What nobody told: does it matter? The rules are run again over plausible values of the facts that are not known.

Holds the values and how the facts that matter most are found. Assumes nothing that the caller cannot see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from fearless.lab.facts import Facts

Answer = Callable[[Facts], str]

# Plausible values of a fact that is not known; the middle one stands for it where all lead to the same answer.
VALUES: Mapping[str, Sequence[Any]] = {
    "cpu_per_item": (1e-6, 1e-4, 1e-2),
    "items": (10, 10_000, 1_000_000),
    "gil": (True, False),
    "shape": ("none", "arbitrary"),
    "state": ("merge", "update"),
    "wait_per_item": (0.0, 1e-2),
}
MOST_NAMED = 3
WORDS: Mapping[str, str] = {
    "cpu_per_item": "how long an item computes",
    "items": "how many items there are",
    "gil": "whether the GIL is on",
    "shape": "what is shared",
    "state": "whether partial results can be joined",
    "wait_per_item": "how long an item waits",
}


@dataclass(frozen=True, slots=True)
class Open:
    """What the unknown facts leave open."""

    facts: Facts  # with a plausible value for each
    unknown: tuple[str, ...]
    missing: tuple[str, ...]  # those that would make it tell, the weightiest first; empty: the answer is the same
    answers: tuple[str, ...]  # to which the values lead


def explore(facts: Facts, answer: Answer) -> Open:
    """Run ``answer`` over all plausible values of what is not known."""
    unknown = tuple(_unknown(facts))
    cases = [dict(zip(unknown, values, strict=True)) for values in product(*(VALUES[name] for name in unknown))]
    answers = [answer(_with(facts, case)) for case in cases]
    middle = {name: VALUES[name][len(VALUES[name]) // 2 if len(VALUES[name]) > 2 else 0] for name in unknown}  # noqa: PLR2004
    missing = _weightiest(unknown, cases, answers) if len(set(answers)) > 1 else ()
    return Open(_with(facts, middle), unknown, missing, tuple(name for name, _ in Counter(answers).most_common()))


def _unknown(facts: Facts) -> Iterator[str]:
    for name in VALUES:
        if name == "state":
            if facts.shape not in {None, "none", "counter", "cell"} and facts.state == "none":
                yield name
        elif name == "shape":
            if facts.shape is None and facts.state == "none":
                yield name
        elif name == "wait_per_item":
            # Without the GIL threads gain from computing and from waiting alike, so it only sets their number.
            if facts.wait is None and facts.waiting is None and facts.gil is not False:
                yield name
        elif getattr(facts, name) is None:
            yield name


def _with(facts: Facts, case: Mapping[str, Any]) -> Facts:
    """A shared state that nobody described is one whose parts cannot be joined: the careful case."""
    if case.get("shape") == "arbitrary" and "state" not in case:
        return replace(facts, **{**case, "state": "update"})
    return replace(facts, **case)


def _weightiest(unknown: Sequence[str], cases: Sequence[Mapping[str, Any]], answers: Sequence[str]) -> tuple[str, ...]:
    """The facts that, once known, leave the least doubt; one after another, until none is left or three are named."""
    named: list[str] = []
    while len(named) < min(MOST_NAMED, len(unknown)):
        rest = [name for name in unknown if name not in named]
        best = max(rest, key=lambda name: _certainty([*named, name], cases, answers))
        named.append(best)
        if _certainty(named, cases, answers) >= 1.0:
            break
    return tuple(named)


def _certainty(names: Sequence[str], cases: Sequence[Mapping[str, Any]], answers: Sequence[str]) -> float:
    """The share of cases that have the usual answer of those that agree with them on ``names``."""
    groups: dict[tuple[Any, ...], Counter[str]] = {}
    for case, answer in zip(cases, answers, strict=True):
        groups.setdefault(tuple(case[name] for name in names), Counter())[answer] += 1
    return sum(group.most_common(1)[0][1] for group in groups.values()) / len(cases)
