"""From facts alone to advice: which pattern, how large, why, why not the others, and what would change it.

Holds what advice is and how it is put together. Measures nothing, and needs no candidate to have been measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from fearless.lab import rules
from fearless.lab.facts import AIMS, ORDER, Facts
from fearless.lab.record import Because, Rejected

__all__ = ["AIMS", "Advice", "advise", "contradictions"]

MANY_LOCKS = 2  # needed together: beyond, one owner is easier to get right

AdviceKind = Literal["recommend", "serial", "cannot tell"]


@dataclass(frozen=True, slots=True)
class Advice:
    """What to use, from facts alone. Where a number rests on the cost model the words say *predicted*."""

    kind: AdviceKind
    pattern: str | None = None
    workers: int | None = None
    chunk: int | None = None  # items that a worker takes at a time
    capacity: int | None = None  # of a channel
    batch: int | None = None  # messages that travel as one
    because: tuple[Because, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    changes: tuple[str, ...] = ()  # what would change the answer, a sentence each
    aims: Mapping[str, str | None] = field(default_factory=dict)  # the pattern under each of AIMS
    missing: tuple[str, ...] = ()  # cannot tell: the fields of `Facts` that would make it tell


def advise(facts: Facts) -> Advice:
    """The pattern that the rules come to from ``facts``, or what is missing to tell. Pure."""
    missing = tuple(name for name in ("cpu_per_item", "items", "shape", "gil") if getattr(facts, name) is None)
    if missing:
        because = (Because("R2", f"not known: {', '.join(missing)}", {}),)
        return Advice("cannot tell", because=because, missing=missing, aims=dict.fromkeys(AIMS))
    pattern, rule, text = _first_answer(facts)
    kind: AdviceKind = "serial" if pattern == "serial" else "recommend"
    workers = 1 if pattern == "serial" else max(2, int(facts.cores or 2))
    rejected = tuple(Rejected(name, f"{pattern} comes first") for name in ORDER if name != pattern)
    return Advice(
        kind,
        pattern,
        workers,
        because=(Because(rule, text, {}),),
        rejected=rejected,
        aims=dict.fromkeys(AIMS, pattern),
    )


def _first_answer(facts: Facts) -> tuple[str, str, str]:
    """The pattern, the rule it comes from and its sentence."""
    job = (facts.items or 0) * (facts.cpu_per_item or 0.0)
    if facts.gil and not facts.released and not facts.wait_per_item:
        return "serial", "R0", "the GIL lets one thread run at a time"
    if job < rules.SHORT_JOB and not facts.wait_per_item:
        return "serial", "R1", "the whole job is shorter than starting workers takes"
    if facts.shape in {"none", "counter"} or facts.state in {"add", "merge"}:
        return "par", "R5", "nothing needs to be shared"
    if facts.handed_on or facts.one_owner or (facts.locks or 0) > MANY_LOCKS:
        return "channel", "R10", "one task can own the data"
    return "mutex", "R7", "the state is shared, and one lock is enough"


def contradictions(facts: Facts) -> list[str]:
    """Facts that cannot hold together, a sentence for each pair that names both."""
    found = []
    if facts.shape == "none" and facts.state != "none":
        found.append(f"shape is none, nothing is shared, but state is {facts.state}: parts are joined in a state")
    if facts.shape == "none" and facts.hold:
        found.append(f"shape is none, nothing is shared, but hold is {facts.hold} s: a lock is held")
    return found
