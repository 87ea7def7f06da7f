"""Typical situations and what the rules say to them, for the page that helps to choose.

Holds the situations as facts. The answers are `advise`'s: nothing here decides.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from fearless.lab.advice import Advice, advise
from fearless.lab.facts import Facts

CORES = 8.0  # what the situations have; more than any stored measurement, so the answers are predictions
PLAIN: dict[str, Any] = {
    "cores": CORES,
    "gil": False,
    "items": 10_000,
    "cpu_per_item": 200e-6,
    "wait_per_item": 0.0,
    "transfer": 20e-6,
    "shape": "none",
    "state": "none",
}
PREDICTED = "R15"  # from here on the reasons are figures of the cost model
SHARED: dict[str, Any] = {"shape": "map", "state": "update", "one_owner": False, "handed_on": False, "locks": 1}

SITUATIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("the whole job takes 0.2 ms", {"items": 10, "cpu_per_item": 20e-6}),
    ("10,000 independent items of 200 us, no GIL", {}),
    ("the same with the GIL, in pure Python", {"gil": True, "released": 0.0}),
    ("the same with the GIL, in code that releases it", {"gil": True, "released": 0.95}),
    ("items add to one total", {"shape": "counter", "state": "add"}),
    ("items go into one table, and partial tables can be joined", {"shape": "map", "state": "merge"}),
    ("the table cannot be joined; it is locked 2 us an item", SHARED | {"hold": 2e-6, "gap": 200e-6}),
    ("the same, locked 150 us an item", SHARED | {"hold": 150e-6, "gap": 50e-6}),
    ("one task can own the state, and items are handed on", SHARED | {"one_owner": True, "handed_on": True}),
)


def decisions() -> list[tuple[str, str, str, str]]:
    """Situation, pattern, reasons and rules of each."""
    return [(words, *_answer(advise(Facts("", (), **(PLAIN | facts))))) for words, facts in SITUATIONS]


def _answer(advice: Advice) -> tuple[str, str, str]:
    """What is advised; why, as far as the kind of work decides; and the rules that say so."""
    pattern = advice.pattern or "cannot tell"
    workers = f", {advice.workers} workers" if advice.kind == "recommend" and advice.workers else ""
    reasons = list(takewhile(lambda one: one.rule != PREDICTED, advice.because)) or list(advice.because[:1])
    rules = ", ".join(dict.fromkeys(one.rule for one in reasons))
    return f"{pattern}{workers}", "; ".join(one.text for one in reasons), rules
