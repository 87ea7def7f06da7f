"""R13: how a pattern is predicted to scale beyond what was measured. Nothing here is ever called measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from fearless.lab import costs, wording
from fearless.lab.facts import MOSTLY_WAITING, Facts
from fearless.lab.rules.finding import USL_POINTS, Finding

UNSURE = 2.0  # typical costs may be off by this factor


def r13(facts: Facts, pattern: str, cores: int) -> Finding | None:
    """With more cores than there are, a speed-up is predicted, from item cost, hold and dispatch as a queue.

    Its interval comes from dispatch and hold of half and twice the figure. The Universal Scalability Law is fitted only
    to six worker counts or more: two points cannot tell its two parameters apart. Work that mostly waits gets no
    prediction: cores do not shorten a wait.

    Source: Gunther, "Guerrilla Capacity Planning", 2007; mean value analysis, Reiser and Lavenberg, 1980.
    """
    if facts.items is None or facts.cpu_per_item is None or facts.cores is None or cores <= facts.cores:
        return None
    if facts.waiting is not None and facts.waiting > MOSTLY_WAITING:
        return None
    low, middle, high = sorted(_speedup(facts, pattern, cores, factor) for factor in (1 / UNSURE, 1.0, UNSURE))
    text = f"with {cores} cores {pattern} is predicted to reach {middle:.2f}x [{low:.2f}, {high:.2f}]"
    return Finding("R13", text, {"cores": cores, "speedup": middle, "interval": [low, high]})


def _speedup(facts: Facts, pattern: str, cores: int, factor: float) -> float:
    changed = {name: cost * factor for name, cost in costs.dispatch(facts).items()}
    hold = None if facts.hold is None else facts.hold * factor
    wider = replace(facts, cores=float(cores), dispatch=changed, hold=hold, candidates=())
    predicted = costs.predict(wider, cores)
    return predicted["serial"].seconds / predicted[pattern].seconds


def usl(speedups: Mapping[int, float]) -> tuple[float, float] | None:
    """Contention and coherency of the Universal Scalability Law, by least squares; ``None`` below six worker counts.

    With C = N / (1 + a (N - 1) + b N (N - 1)), N / C - 1 is linear in a and b.
    """
    points = [(count, count / gain - 1) for count, gain in speedups.items() if count > 1 and gain > 0]
    if len(points) < USL_POINTS:
        return None
    rows = [(count - 1.0, count * (count - 1.0), value) for count, value in points]
    aa, ab, bb = (sum(row[i] * row[j] for row in rows) for i, j in ((0, 0), (0, 1), (1, 1)))
    ay, by = (sum(row[i] * row[2] for row in rows) for i in (0, 1))
    determinant = aa * bb - ab * ab
    a, b = (ay * bb - by * ab) / determinant, (by * aa - ay * ab) / determinant
    return max(0.0, a), max(0.0, b)


def r13_fitted(pattern: str, speedups: Mapping[int, float]) -> Finding | None:
    """R13 where six worker counts or more were measured: the count beyond which more workers are predicted to lose.

    Source: as R13.
    """
    fitted = usl(speedups)
    if fitted is None:
        return None
    contention, coherency = fitted
    known = {"pattern": pattern, "contention": contention, "coherency": coherency, "points": len(speedups)}
    text = f"{pattern}, fitted to {len(speedups)} worker counts: {wording.percent(contention)} of the work is serial"
    if coherency > 0:
        peak = max(1, round(math.sqrt(max(0.0, 1 - contention) / coherency)))
        text += f", and beyond {peak} workers more are predicted to lose"
    return Finding("R13", text, known)
