"""From complete facts to a pick: which patterns the rules rule out, and the simplest as good as the best of the rest.

Holds no sentence about the pick; those are put together in `advice`. Measures nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fearless.lab import costs, rules
from fearless.lab.costs import Cost
from fearless.lab.facts import AIMS, ORDER, Facts, simplicity
from fearless.lab.rules import Finding

NEVER = {
    "interpreters": "starts and transfers as processes do, and nothing in the toolkit runs it yet",
    "stealing": "guided chunks even out what is uneven; stealing is for where it is measured to win",
}
# Those that run today; a test holds it against the catalog.
AVAILABLE = (
    *("serial", "par", "threads", "mutex", "channel", "atomic", "pool", "executor", "rwlock", "processes"),
    *("asyncio", "sharded", "snapshot"),
)
ASSUMED_CORES = 2.0


@dataclass(frozen=True, slots=True)
class Ranking:
    """What the rules make of complete facts: every pattern ruled out, or with a predicted cost."""

    pick: str
    workers: int
    findings: tuple[Finding, ...]
    out: Mapping[str, str]
    costs: Mapping[str, Cost]
    contenders: tuple[str, ...]
    short: bool = False  # R1 or R2 settled it

    def speedup(self, pattern: str) -> float:
        """How many times faster than serial ``pattern`` is predicted to be."""
        return self.costs["serial"].seconds / self.costs[pattern].seconds


def completed(facts: Facts) -> Facts:
    """``facts`` with what the rules may assume where nobody said: no waiting, even items, work that holds the GIL."""
    assumed = {"cores": ASSUMED_CORES, "item_cv": 0.0, "released": 0.0 if facts.gil else None}
    known = {name: value for name, value in assumed.items() if getattr(facts, name) is None}
    if facts.wait is None:
        known["wait_per_item"] = 0.0
    return replace(facts, candidates=(), **known)  # type: ignore[arg-type]  # each of its field's type


def rank(facts: Facts) -> Ranking:
    """The pick for complete facts, under their aim."""
    least = min(2, facts.items or 2)
    count = max(least, rules.workers(facts))
    predicted = costs.predict(facts, count, max(least, rules.workers(replace(facts, gil=False))))
    short = rules.r1(facts)
    if short is not None:
        out = dict.fromkeys(ORDER[1:], "the job is too short for it")
        return Ranking("serial", 1, (short,), out, predicted, ("serial",), short=True)
    findings = _structural(facts, count)
    out = dict(NEVER)
    for finding in findings:
        out |= {name: why for name, why in finding.rules_out.items() if name not in out}
    settled = _settled(findings, out, predicted)
    if settled is not None:
        rule, name = settled
        others = [one for one in ORDER if one not in out and one not in {"serial", name}]
        out |= dict.fromkeys(others, f"{rule}: {name} is the shape of this problem")
    contenders = tuple(name for name in ORDER if name not in out)
    pick = pick_for(facts.aim, contenders, predicted)
    return Ranking(pick, predicted[pick].workers, tuple(findings), out, predicted, contenders)


def _structural(facts: Facts, count: int) -> list[Finding]:
    """What the rules find about the problem itself, the weightiest first."""
    open_to_dispatch = {name: cost for name, cost in costs.dispatch(facts).items() if name in {"pool", "executor"}}
    found = [
        rules.r0(facts),
        rules.r12(facts),
        rules.r3_on_a_loop(facts),
        rules.r10(facts),
        rules.r5(facts),
        rules.r5_one_state(facts),
        rules.r5_in_order(facts),
        rules.r9(facts),
        rules.r8(facts, count),
        rules.r7(facts, count),
        rules.r6(facts, count),
        rules.r2(facts, open_to_dispatch),
    ]
    return [one for one in found if one is not None]


def _settled(
    findings: Iterable[Finding], out: Mapping[str, str], predicted: Mapping[str, Cost]
) -> tuple[str, str] | None:
    """The first pattern that a rule settles for, if it is open and predicted to be worth it."""
    for finding in findings:
        name = finding.settles_for
        if name is None or name == "serial" or name in out:
            continue
        if predicted["serial"].seconds >= rules.WORTH_IT * predicted[name].seconds:
            return finding.rule, name
    return None


def pick_for(aim: str, contenders: Iterable[str], predicted: Mapping[str, Cost]) -> str:
    """R15 on the axis of ``aim``: the simplest within 10 % of the best; for simplicity, the first that pays by R14."""
    names = sorted(contenders, key=simplicity)
    if aim == "simplicity":
        worth = predicted["serial"].seconds / rules.WORTH_IT
        return next((name for name in names if name != "serial" and predicted[name].seconds <= worth), "serial")
    best = min(predicted[name].on(aim) for name in names)
    return next(name for name in names if predicted[name].on(aim) <= best * rules.AS_GOOD or math.isinf(best))


def by_aim(ranking: Ranking) -> dict[str, str | None]:
    """The pick under each aim."""
    if ranking.short:
        return dict.fromkeys(AIMS, ranking.pick)
    return {aim: pick_for(aim, ranking.contenders, ranking.costs) for aim in AIMS}
