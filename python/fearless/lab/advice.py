"""From facts alone to advice: which pattern, how large, why, why not the others, and what would change it.

Holds what advice is and its sentences. Measures nothing, and needs no candidate to have been measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fearless.lab import costs, ranking, rules, sensitivity, unknowns, wording
from fearless.lab.contradictions import contradictions
from fearless.lab.facts import AIMS, ORDER, Facts, simplicity
from fearless.lab.ranking import AVAILABLE, Ranking
from fearless.lab.record import Because, Rejected
from fearless.lab.rules import Finding
from fearless.lab.unknowns import Open

__all__ = ["AIMS", "AVAILABLE", "Advice", "advise", "contradictions"]

AdviceKind = Literal["recommend", "serial", "cannot tell"]
AXES: Mapping[str, str] = {
    "throughput": "takes {} as long",
    "latency": "takes {} as long to a result",
    "cpu": "needs {} the processor time",
    "memory": "needs {} the memory",
    "simplicity": "takes {} as long",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """What to use, from facts alone. Where a number rests on the cost model the words say *predicted*.

    Thread safety: immutable.
    """

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
    instead: str | None = None  # the simplest pattern that runs today, where `pattern` does not yet


def advise(facts: Facts) -> Advice:
    """The pattern that the rules come to from ``facts``, or what is missing to tell. Pure."""
    wrong = contradictions(facts)
    if wrong:
        because = tuple(Because("facts", text, {}) for text in wrong)
        return Advice("cannot tell", because=because, aims=dict.fromkeys(AIMS))
    found = unknowns.explore(facts, _answer)
    if found.missing:
        return _open_question(found)
    complete = ranking.completed(found.facts)
    return _advice(complete, ranking.rank(complete), found)


def _answer(facts: Facts) -> str:
    return ranking.rank(ranking.completed(facts)).pick


def _open_question(found: Open) -> Advice:
    names = wording.listed([unknowns.WORDS[name] for name in found.missing])
    patterns = wording.listed(sorted(found.answers, key=simplicity), "or")
    text = f"the answer is {patterns}, depending on what is not known; most of all it depends on {names}"
    because = (Because("R15", text, {"missing": list(found.missing), "answers": list(found.answers)}),)
    return Advice("cannot tell", because=because, missing=found.missing, aims=dict.fromkeys(AIMS))


def _advice(facts: Facts, found: Ranking, known: Open) -> Advice:
    pick, serial = found.pick, found.pick == "serial"
    sizes = [] if serial else list(_sizes(facts, found))
    because = [*_spoken(found), _ranked(facts, found), *sizes, *_assumed(facts, known)]
    values = {
        name: value for one in sizes for name, value in one.facts.items() if name in {"chunk", "capacity", "batch"}
    }
    return Advice(
        kind="serial" if serial else "recommend",
        pattern=pick,
        workers=found.workers,
        chunk=values.get("chunk"),
        capacity=values.get("capacity"),
        batch=values.get("batch"),
        because=tuple(_because(one) for one in because if one is not None),
        rejected=tuple(Rejected(name, _why_not(facts, found, name)) for name in ORDER if name != pick),
        changes=sensitivity.changes(_only_known(facts, known), pick, _answer),
        aims=ranking.by_aim(found),
        instead=None if pick in AVAILABLE else _instead(facts, found),
    )


def _because(finding: Finding) -> Because:
    mark = " (provisional)" if finding.rule in rules.PROVISIONAL else ""
    return Because(finding.rule, f"{finding.text}{mark}", dict(finding.facts))


def _spoken(found: Ranking) -> list[Finding]:
    """Findings with a sentence about the pick; one about a size or a share that decides nothing here stays unsaid."""
    silent = {"R7", "R6"} if found.pick in {"serial", "par", "threads"} and not found.short else set()
    decisive = {one.rule for one in found.findings if set(one.rules_out) - set(ranking.NEVER)}
    return [
        one
        for one in found.findings
        if one.text and (one.rule not in silent or (one.rule in decisive and one.rule == "R7"))
    ]


def _ranked(facts: Facts, found: Ranking) -> Finding | None:
    """R15 over predicted figures."""
    if found.short:
        return None
    pick, aim = found.pick, facts.aim
    gain = wording.ratio(found.speedup(pick))
    used = [name for name in found.contenders if not costs.measured(facts, name)]
    note = "; dispatch costs are typical ones, not measured here" if pick in used or len(used) > 1 else ""
    if pick == "serial":
        others = [name for name in found.contenders if name != "serial"]
        best = ranking.pick_for("throughput", others, found.costs) if others else None
        text = "nothing else is left" if best is None else _serial_wins(facts, found, best)
        return Finding("R15", text + note, {"aim": aim, "predicted": _figures(found)})
    noun = "coroutine" if pick == "asyncio" else "worker"
    text = f"{pick} with {wording.counted(found.workers, noun)} is predicted to be {gain} as fast as serial"
    ending = {
        "throughput": "the simplest within 10 % of the fastest",
        "latency": "the simplest within 10 % of the quickest to give a result",
        "cpu": "the simplest within 10 % of the least processor time",
        "memory": "the simplest within 10 % of the least memory",
        "simplicity": "the simplest that beats serial by 10 %",
    }
    late = aim == "latency" and found.costs[pick].latency >= costs.BEHIND
    behind = f"; but it falls behind{_flow(facts, found, pick)}" if late else ""
    return Finding("R15", f"{text}, {ending[aim]}{behind}{note}", {"aim": aim, "predicted": _figures(found)})


def _serial_wins(facts: Facts, found: Ranking, best: str) -> str:
    gain = wording.ratio(found.speedup(best))
    if facts.aim in {"cpu", "memory"}:
        what = "processor time" if facts.aim == "cpu" else "memory"
        return f"serial needs the least {what}; {best} is predicted to be {gain} as fast"
    if facts.aim == "latency" and found.speedup(best) >= rules.WORTH_IT:
        coming = "" if facts.rate is None else f" at {facts.rate:,.0f} items a second"
        soon = f"serial is predicted to give a result{coming} as soon as any, within 10 %"
        return f"{soon}; {best} does the whole job {gain} as fast"
    return f"nothing is predicted to beat serial by 10 %: the best, {best}, reaches {gain}"


def _figures(found: Ranking) -> dict[str, Any]:
    return {name: round(found.speedup(name), 3) for name in found.contenders}


def _sizes(facts: Facts, found: Ranking) -> Iterator[Finding]:
    pick, count = found.pick, found.workers
    sized = [_workers(facts, pick, count), rules.r4(facts, pick, count)]
    if pick in costs.APART:
        sized.insert(0, rules.r18_predicted(facts, count))
    if pick == "channel":
        sized += [rules.r10_capacity(facts, count), rules.r11(facts)]
    yield from (one for one in sized if one is not None)


def _workers(facts: Facts, pick: str, count: int) -> Finding | None:
    """R3, and why there are fewer workers than it allows."""
    found = rules.r3(facts, pick)
    if found is None or found.facts["workers"] <= count:
        return found
    text = f"{wording.counted(count, 'worker')}: more, up to the {found.facts['workers']} that R3 allows, "
    return Finding("R3", f"{text}are predicted to gain nothing", {**found.facts, "workers": count})


def _assumed(facts: Facts, known: Open) -> Iterator[Finding]:
    """What nobody told, in words: what does not matter, and what was taken for granted."""
    for name in known.unknown:
        yield Finding("facts", f"{unknowns.WORDS[name]} is not known, and the answer is the same either way", {})
    for name, text in _taken_for_granted(facts, known.facts):
        yield Finding("facts", text, {name: getattr(facts, name)})


def _taken_for_granted(facts: Facts, known: Facts) -> Iterator[tuple[str, str]]:
    """What is assumed in place of a fact that nobody told, where the answer or a size rests on it."""
    if known.cores is None:
        yield "cores", f"the number of cores is not known; {facts.cores:g} are assumed"
    if known.wait is None:
        yield "wait_per_item", "whether items wait is not known; no waiting is assumed, and more workers would serve it"
    if known.gil and known.released is None:
        yield "released", "how much of the work releases the GIL is not known; none of it is assumed"
    if known.hold is None and facts.joins is False:
        yield "hold", "how long the state is held for an update is not known; next to nothing is assumed"


def _only_known(facts: Facts, known: Open) -> Facts:
    """For what would change the answer: amounts that stand for unknown ones are not varied."""
    return facts if not known.unknown else known.facts


def _why_not(facts: Facts, found: Ranking, name: str) -> str:
    if name in found.out:
        return found.out[name]
    if facts.aim == "latency" and found.costs[name].latency >= costs.BEHIND:
        return f"predicted to fall behind{_flow(facts, found, name)}"
    mine, best = found.costs[name].on(facts.aim), found.costs[found.pick].on(facts.aim)
    times = wording.ratio(mine / best) if best else "many times"
    taken = f"is predicted: {AXES[facts.aim].format(times)}"
    if simplicity(name) < simplicity(found.pick):
        return f"simpler, but {taken[3:]}"
    return f"less simple, and {taken[3:]}"


def _flow(facts: Facts, found: Ranking, name: str) -> str:
    """What comes and what is served, a second."""
    served = (facts.items or 1) / found.costs[name].seconds
    return f": {facts.rate or 0.0:,.0f} items a second come, and it serves {served:,.0f}"


def _instead(facts: Facts, found: Ranking) -> str:
    """What runs today: the pick among the patterns there are, with one lock allowed again if nothing else is left."""
    open_ones = [name for name in found.contenders if name in AVAILABLE]
    allowed = {"mutex": "snapshot rwlock", "atomic": "sharded"}
    open_ones += [name for name, others in allowed.items() if found.pick in others.split() and name not in open_ones]
    if found.pick in {"rwlock", "snapshot"}:
        return "mutex"
    return ranking.pick_for(facts.aim, open_ones or ["serial"], found.costs)
