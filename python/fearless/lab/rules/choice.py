"""The pick among measured candidates: R15, the simplest that is as good as the best, and R16, whether that is sure.

Reads facts; measures nothing and draws its resamples from a fixed seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fearless.lab import stats, wording
from fearless.lab.facts import AIMS, Candidate, Facts, simplicity
from fearless.lab.rules import axes
from fearless.lab.rules.finding import AS_GOOD, LONGEST_RUN, MIN_ROUNDS, SURE, WORTH_IT, Choice, Finding, Key


def r15(gains: Mapping[Key, float], aim: str = "throughput") -> str:
    """The simplest pattern within 10 % of the best on the axis of the aim; ``gains`` are medians of serial over it.

    For simplicity as the aim it is the simplest that beats serial by 10 % at all. Ten per cent is less than a reader
    would notice and more than such machines repeat (provisional: set on two cores).

    Source: as R14, a parallel program has to earn its keep; so has each step to a less simple one.
    """
    if aim == "simplicity":
        worth = [pattern for (pattern, _), value in gains.items() if value >= WORTH_IT and pattern != "serial"]
        return min(worth, key=simplicity, default="serial")
    enough = max(gains.values()) / AS_GOOD
    return min((pattern for (pattern, _), value in gains.items() if value >= enough), key=simplicity)


def r15_workers(gains: Mapping[Key, float], pattern: str, aim: str = "throughput") -> int:
    """The fewest workers with which ``pattern`` is as good as R15 asks; if there are none, its best."""
    own = {workers: value for (name, workers), value in gains.items() if name == pattern}
    enough = WORTH_IT if aim == "simplicity" else max(gains.values()) / AS_GOOD
    return min(
        [workers for workers, value in own.items() if value >= enough], default=max(own, key=lambda one: own[one])
    )


def r15_finding(facts: Facts, contenders: Sequence[Candidate], pick: Candidate) -> Finding | None:
    """R15 in words: what the pick was compared with."""
    if facts.aim != "throughput":
        return _on_axis(facts, contenders, pick)
    measured = [(one, speedup) for one in contenders if (speedup := facts.speedup(one)) is not None]
    if all(one.pattern == pick.pattern for one, _ in measured):
        return None
    fastest, best = max(measured, key=lambda pair: pair[1].median)
    known = {"fastest": fastest.pattern, "fastest_workers": fastest.workers, "speedup": best.median}
    shown = f"{fastest.name}, {wording.ratio_with_interval(best)}"
    own = facts.speedup(pick)
    if fastest.pattern == pick.pattern:
        text = f"no simpler pattern is within 10 % of the fastest, {shown}"
        if pick.pattern == "serial":
            out = {one.pattern for one in facts.candidates} - {one.pattern for one in contenders}
            text = f"nothing {'that is left ' if out else ''}is faster than serial"
    elif own is not None and own.median * AS_GOOD < best.median:
        text = f"{pick.pattern} is the simplest of those that cannot be told from the fastest ({shown})"
    else:
        text = f"{pick.pattern} is the simplest within 10 % of the fastest ({shown})"
    return Finding("R15", text, known)


def _on_axis(facts: Facts, contenders: Sequence[Candidate], pick: Candidate) -> Finding | None:
    """R15 in words, for an aim other than throughput: the figures compared, and the price in time."""
    aim = facts.aim
    if aim == "simplicity":
        text = f"{pick.pattern} is the simplest that beats serial by 10 %"
        return Finding("R15", text if pick.pattern != "serial" else "nothing beats serial by 10 %", {"aim": aim})
    table = axes.gains(facts, contenders, aim)
    rounds = stats.common_rounds(list(table.values()))
    if not rounds:
        return None
    gains = stats.medians(table, rounds)
    best = facts.candidate(max(gains, key=lambda key: gains[key]))
    text = f"{pick.pattern} is the simplest within 10 % of the least {axes.NAMES[aim]}"
    text += f" ({best.name}, {axes.figure(facts, best, aim)})"
    if left := sorted({one.pattern for one in contenders if one.key not in table}, key=simplicity):
        text += f"; not measured for {wording.listed(left)}"
    return Finding("R15", text + _price(contenders, pick), {"aim": aim, "best": best.pattern})


def _price(contenders: Sequence[Candidate], pick: Candidate) -> str:
    """What the aim costs in time."""
    fastest = min(contenders, key=lambda one: one.median)
    ratios = stats.round_ratios(pick.seconds, fastest.seconds)
    if (
        fastest.pattern == pick.pattern
        or not ratios
        or (slower := stats.estimate(list(ratios.values()))).median < AS_GOOD
    ):
        return ""
    return f"; it takes {wording.ratio_with_interval(slower)} as long as {fastest.name}"


def by_aim(facts: Facts, contenders: Sequence[Candidate]) -> dict[str, str]:
    """The pick of R15 under each aim, from medians; aims on whose axis nothing was measured are left out."""
    found: dict[str, str] = {}
    for aim in AIMS:
        table = axes.gains(facts, contenders, aim)
        rounds = stats.common_rounds(list(table.values()))
        if rounds:
            gains = stats.medians(table, rounds)
            found[aim] = _simplest_of_ties(table, gains, aim)(gains)
    return found


def r15_aims(facts: Facts, aims: Mapping[str, str], pick: Candidate) -> Finding | None:
    """R15 under the other aims: what would be picked for each, in words.

    Source: as R15.
    """
    others = {aim: name for aim, name in aims.items() if aim != facts.aim}
    if not others:
        return None
    groups: dict[str, list[str]] = {}
    for aim, name in others.items():
        groups.setdefault(name, []).append(f"{axes.FOR[aim]}")
    same = groups.pop(pick.pattern, [])
    parts = [f"{wording.listed(names, 'or')} it would be {name}" for name, names in groups.items()]
    parts += [f"{wording.listed(same, 'or')} it would be {pick.pattern} as well"] if same else []
    return Finding("R15", "; ".join(parts), {"aims": others})


def r16(facts: Facts, contenders: Sequence[Candidate]) -> Choice:
    """R15 again over resampled rounds: the same pick in 90 % of them is a verdict, else we cannot tell.

    A tie is no doubt: a pick that cannot be told from a simpler one counts for the simpler, unless that is serial,
    which has to hold its own. Rounds are drawn whole, because what ran in one round shared its conditions.
    Source: Efron, "Bootstrap methods", 1979.
    """
    table = axes.gains(facts, contenders, facts.aim)
    rounds = stats.common_rounds(list(table.values()))
    if not rounds:
        nothing = "no round was completed, so there is nothing to compare"
        return Choice(None, 0.0, Finding("R16", nothing, {"rounds": 0}))
    speedups = stats.medians(table, rounds)
    lead = r15(speedups, facts.aim)
    known: dict[str, Any] = {"rounds": len(rounds), "seed": stats.SEED, "resamples": stats.RESAMPLES, "pick": lead}
    if len({one.pattern for one in contenders}) == 1:
        if facts.unmeasured:
            text = f"it ended before {wording.listed(sorted(facts.unmeasured, key=simplicity))} had a run"
            return Choice(None, 0.0, Finding("R16", text, known))
        return Choice(
            (lead, r15_workers(speedups, lead, facts.aim)), 1.0, Finding("R16", f"only {lead} is left", known)
        )
    if len(rounds) < MIN_ROUNDS:
        return _too_few_rounds(facts, speedups, known)
    choose = _simplest_of_ties(table, speedups, facts.aim)
    counts = stats.picks(table, choose)
    pick, times = counts.most_common(1)[0]
    confidence = times / counts.total()
    known |= {
        "confidence": confidence,
        "picks": dict(stats.picks(table, lambda drawn: r15(drawn, facts.aim))),
        "with_ties": dict(counts),
    }
    if confidence < SURE:
        settle = _rounds_to_settle(table, choose, len(rounds))
        return _competing(facts, counts.most_common(2), settle, known)
    text = f"{wording.percent(confidence)} of resamples of {len(rounds)} rounds lead to {pick}"
    if others := [name for name in known["picks"] if name not in counts]:
        text += f", or to what ties with it: {wording.listed(sorted(others, key=simplicity))}"
    return Choice((pick, r15_workers(speedups, pick, facts.aim)), confidence, Finding("R16", text, known))


def _simplest_of_ties(
    table: Mapping[Key, Mapping[int, float]], speedups: Mapping[Key, float], aim: str
) -> Callable[[Mapping[Key, float]], str]:
    """R15, with each pick replaced by the simplest pattern that it cannot be told from."""
    if aim == "simplicity":
        return lambda drawn: r15(drawn, aim)
    best = {
        pattern: max((key for key in table if key[0] == pattern), key=lambda key: speedups[key]) for pattern, _ in table
    }
    names = sorted(best.keys() - {"serial"}, key=simplicity)
    simplest = {
        name: next(
            other for other in names if other == name or stats.tied(table[best[other]], table[best[name]], AS_GOOD)
        )
        for name in names
    }
    return lambda drawn: simplest.get(pick := r15(drawn, aim), pick)


def _too_few_rounds(facts: Facts, speedups: Mapping[Key, float], known: dict[str, Any]) -> Choice:
    lead = known["pick"]
    rest = {key: value for key, value in speedups.items() if key[0] != lead}
    rival = max(rest, key=lambda key: rest[key])[0]
    rounds = min(facts.rounds, known["rounds"])  # those that were to run and did not are not in the table
    known |= {"compete": [lead, rival], "settle_seconds": _round_time(facts, MIN_ROUNDS)}
    text = (
        f"{wording.counted(rounds, 'complete round')} of the {MIN_ROUNDS} that a verdict needs; "
        f"so far {lead} leads and {rival} is next"
    )
    return Choice(None, 0.0, Finding("R16", text, known))


def _competing(facts: Facts, counts: Sequence[tuple[str, int]], settle: int | None, known: dict[str, Any]) -> Choice:
    """Cannot tell: who competes, and how long a run would settle it."""
    (first, times), (second, _) = counts[0], counts[1]
    known |= {"compete": [first, second], "settle_seconds": _round_time(facts, settle) if settle else None}
    text = (
        f"{first} and {second} compete: {wording.percent(times / stats.RESAMPLES)} of resamples "
        f"lead to {first}, fewer than {wording.percent(SURE)}"
    )
    if settle is None:
        simple = min(first, second, key=simplicity)
        text += f"; a run {LONGEST_RUN} times as long would not settle it either, and {simple} is the simpler"
    return Choice(None, times / stats.RESAMPLES, Finding("R16", text, known))


def _rounds_to_settle(
    table: Mapping[Key, Mapping[int, float]], choose: Callable[[Mapping[Key, float]], str], rounds: int
) -> int | None:
    """Rounds after which 90 % of resamples would agree, if those to come are like those seen; ``None``: never."""
    times = 2
    while times <= LONGEST_RUN:
        counts = stats.picks(table, choose, length=rounds * times, resamples=200)
        if counts.most_common(1)[0][1] >= SURE * counts.total():
            return rounds * times
        times *= 2
    return None


def _round_time(facts: Facts, rounds: int) -> float | None:
    return None if facts.round_seconds is None else facts.round_seconds * rounds
