"""From the rules to a verdict in sentences: what to use, why, and why not the others.

Holds the order in which the rules speak, and the sentences around their findings. Measures nothing and prints nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fearless.lab import costs, rules, stats, wording
from fearless.lab.facts import AIMS, Candidate, Facts, from_record, simplicity
from fearless.lab.record import Because, Record, Rejected, Verdict
from fearless.lab.rules import Finding, axes
from fearless.lab.rules.finding import NO_WAITING

# Rules whose numbers were fitted on two cores: every sentence that rests on one is marked.
PROVISIONAL = frozenset({"R6", "R7", "R8", "R15"})
WIDER = 4  # times the cores that there are, for R13
MARGIN = 1.2  # on the time that would settle a question
PROVISIONAL_NOTE = "provisional: the 10 % of R15 was set on machines with two cores"


def decided(record: Record, *, brief: bool = False) -> Record:
    """``record`` with a verdict for each of its interpreters; the first one's is *the* verdict.

    A ``brief`` verdict leaves the other aims out, which take as much resampling as the choice itself.
    """
    interpreters = record.environment.interpreters
    verdicts = tuple(judge(from_record(record, one.label), brief=brief) for one in interpreters)
    return replace(record, verdicts=verdicts, verdict=verdicts[0] if verdicts else None)


def judge(facts: Facts, *, brief: bool = False) -> Verdict:
    """The verdict that the rules come to: always one with a reason, if only why there is none."""
    equality = rules.r17(facts)
    out = _ruled_out(equality)
    if facts.serial is None or "serial" in out:
        return _undecided(facts, [*equality, _no_serial(out)], out, 0.0)
    if (short := rules.r1(facts)) is not None:
        verdict = _verdict(facts, facts.serial, 1.0, [*equality, short], _all_too_long(facts, out))
        return replace(verdict, aims=dict.fromkeys(AIMS, "serial"))
    parallel = rules.r0(facts)
    out |= parallel.rules_out if parallel else {}
    contenders = [one for one in facts.candidates if one.pattern not in out and one.key not in facts.left_out]
    choice = rules.r16(facts, contenders)
    background = [one for one in (parallel, rules.r14(facts, contenders), rules.r18(facts, contenders)) if one]
    if choice.key is None:
        return _undecided(facts, [*equality, choice.finding, *background, *_waits(facts)], out, choice.confidence)
    pick = facts.candidate(choice.key)
    aims = {} if brief else {**rules.by_aim(facts, contenders), facts.aim: pick.pattern}
    others = rules.r15_aims(facts, aims, pick)
    reasons = [*_reasons(facts, contenders, pick, background), *([others] if others else [])]
    found = [*equality, *reasons, choice.finding]
    verdict = _verdict(facts, pick, choice.confidence, found, _rejected(facts, out, pick))
    return replace(verdict, aims=aims)


def _waits(facts: Facts) -> list[Finding]:
    """R3 where it is why more workers ran than there are cores. Its number was found before the cores were measured."""
    most = max((one.workers for one in facts.candidates), default=0)
    if not facts.wait or (facts.waiting_share or 0.0) < NO_WAITING or most <= math.ceil(facts.cores or 0.0):
        return []
    waits, work = wording.seconds(facts.wait), wording.seconds(facts.cpu_per_item or 0.0)
    text = f"up to {most} workers ran, as each item waits {waits} for {work} of work"
    return [Finding("R3", text, {"workers": most, "wait": facts.wait})]


def _reasons(
    facts: Facts, contenders: Sequence[Candidate], pick: Candidate, background: Sequence[Finding]
) -> list[Finding]:
    """The findings behind a pick, the weightiest first."""
    own = [
        rules.r15_finding(facts, contenders, pick),
        rules.reached(facts, pick),
        rules.r5(facts) if pick.pattern == "par" else None,
        *background,
        *_sized(facts, pick),
    ]
    found = [one for one in own if one is not None]
    return sorted(found, key=lambda one: one.rule != "R0" or not one.rules_out)


def _sized(facts: Facts, pick: Candidate) -> list[Finding | None]:
    """What measured costs say beside the runs: R2 to R4 and R6 to R9. Nothing of it overrules a run."""
    if not facts.dispatch:
        return []
    ran = {one.pattern for one in facts.candidates}
    costly = {name: cost for name, cost in costs.dispatch(facts).items() if name in ran & {"pool", "executor"}}
    found = [rules.r2(facts, costly)]
    if pick.pattern != "serial":
        found += [rules.r3(facts, pick.pattern), rules.r4(facts, pick.pattern, pick.workers)]
        found += [_wider(facts, pick)]
    if "atomic" in ran:
        found.append(rules.r6(facts, pick.workers))
    if "mutex" in ran:
        found.append(rules.r7(facts, max(2, pick.workers)))
    found += [_in_words(name, one) for name, one in _read_by_many(facts, pick, ran)]
    return [one for one in found if one is None or one.text]


def _read_by_many(facts: Facts, pick: Candidate, ran: set[str]) -> list[tuple[str, Finding | None]]:
    """R8 and R9 on patterns that ran."""
    found = {"rwlock": rules.r8(facts, max(2, pick.workers)), "snapshot": rules.r9(facts)}
    return [(name, one) for name, one in found.items() if name in ran]


def _in_words(name: str, finding: Finding | None) -> Finding | None:
    """The finding; the reason why it is not for ``name`` in place of a sentence, if it has none."""
    if finding is None or finding.text or name not in finding.rules_out:
        return finding
    return replace(finding, text=f"{name} {finding.rules_out[name]}")


def _wider(facts: Facts, pick: Candidate) -> Finding | None:
    """R13: fitted where enough worker counts ran, else from the costs, for more cores than there are."""
    own = [one for one in facts.candidates if one.pattern == pick.pattern]
    speedups = {one.workers: speedup.median for one in own if (speedup := facts.speedup(one)) is not None}
    fitted = rules.r13_fitted(pick.pattern, {1: 1.0, **speedups})
    if fitted is not None or not pick.uses_threads or facts.gil or facts.cores is None:
        return fitted
    return rules.r13(facts, pick.pattern, WIDER * math.ceil(facts.cores))


def _ruled_out(findings: Sequence[Finding]) -> dict[str, str]:
    out: dict[str, str] = {}
    for one in findings:
        out |= one.rules_out
    return out


def _no_serial(out: Mapping[str, str]) -> Finding:
    why = out.get("serial", "it was not measured")
    return Finding("R17", f"there is no serial run to compare with: {why}", {})


def _verdict(
    facts: Facts,
    pick: Candidate,
    confidence: float,
    findings: Sequence[Finding],
    rejected: Sequence[Rejected],
) -> Verdict:
    return Verdict(
        kind="serial" if pick.pattern == "serial" else "recommend",
        pattern=pick.pattern,
        workers=pick.workers,
        confidence=confidence,
        because=_because(findings),
        rejected=rejected,
        python=facts.python,
    )


def _undecided(facts: Facts, findings: Sequence[Finding], out: Mapping[str, str], confidence: float) -> Verdict:
    return Verdict(
        kind="cannot tell",
        confidence=confidence,
        because=_because(findings),
        rejected=_listed(out),
        python=facts.python,
    )


def _because(findings: Sequence[Finding]) -> tuple[Because, ...]:
    return tuple(Because(one.rule, _marked(one), one.facts) for one in findings)


def _marked(finding: Finding) -> str:
    return f"{finding.text} (provisional)" if finding.rule in PROVISIONAL else finding.text


def _rejected(facts: Facts, out: Mapping[str, str], pick: Candidate) -> tuple[Rejected, ...]:
    """Every pattern that ran and was not picked, with its reason."""
    others = {one.pattern for one in facts.candidates} - {pick.pattern, *out}
    return _listed({**out, **{pattern: _not_picked(facts, pattern, pick) for pattern in others}})


def _all_too_long(facts: Facts, out: Mapping[str, str]) -> tuple[Rejected, ...]:
    """R1: whatever else ran takes longer to start than the job takes."""
    others = {one.pattern for one in facts.candidates} - {"serial", *out}
    return _listed({**out, **dict.fromkeys(others, "the job is too short for it")})


def _listed(reasons: Mapping[str, str]) -> tuple[Rejected, ...]:
    """The simplest pattern first."""
    return tuple(Rejected(name, reasons[name]) for name in sorted(reasons, key=simplicity))


def _not_picked(facts: Facts, pattern: str, pick: Candidate) -> str:
    """Slower than the pick, or as fast and less simple: from ratios within rounds, with their interval."""
    own = [one for one in facts.candidates if one.pattern == pattern]
    best = min(own, key=lambda one: one.median)
    if facts.aim == "simplicity":
        return _not_simplest(facts, best, pick)
    ratios = stats.round_ratios(axes.series(facts, best, facts.aim), axes.series(facts, pick, facts.aim))
    if not ratios:
        return "no round has both"
    slower = stats.estimate(list(ratios.values()))
    times = wording.ratio_with_interval(slower)
    if facts.aim != "throughput":
        simpler = simplicity(pattern) < simplicity(pick.pattern)
        return f"{'simpler' if simpler else 'less simple'}, with {times} the {axes.NAMES[facts.aim]}"
    taken = f"takes {times} as long"
    if slower.median > rules.AS_GOOD:
        return f"slower, {taken}"
    if simplicity(pattern) > simplicity(pick.pattern) and slower.median * rules.AS_GOOD >= 1:
        return f"less simple and not 10 % faster, {taken}"
    return f"at the edge of the 10 %, {taken}"


def _not_simplest(facts: Facts, best: Candidate, pick: Candidate) -> str:
    """Under the aim of simplicity: simpler and not worth it, or not the simplest that is."""
    speedup = facts.speedup(best)
    gain = wording.ratio_with_interval(speedup) if speedup else "not compared with serial"
    if simplicity(best.pattern) > simplicity(pick.pattern) and pick.pattern != "serial":
        return f"less simple ({gain})"
    return "it is the plain loop" if best.pattern == "serial" else f"does not beat serial by 10 % ({gain})"


def headline(record: Record, verdict: Verdict) -> str:
    """The verdict in one sentence."""
    if verdict.kind == "cannot tell" or verdict.pattern is None:
        return _open_question(verdict)
    sure = f"confidence {wording.percent(verdict.confidence)}"
    if record.optimize != "throughput":
        sure = f"{axes.FOR[record.optimize]}; {sure}"
    if verdict.kind == "serial":
        return f"stay serial ({sure})"
    facts = from_record(record, verdict.python or record.environment.interpreters[0].label)
    pick = facts.candidate((verdict.pattern, verdict.workers))
    speedup = facts.speedup(pick)
    gain = f": {wording.ratio_with_interval(speedup)} as fast as serial" if speedup else ""
    return f"use {pick.name}{gain} ({sure})"


def _open_question(verdict: Verdict) -> str:
    compete = finding_facts(verdict, "R16").get("compete")
    if not compete:
        return "cannot tell"
    return f"cannot tell {wording.listed([str(one) for one in compete])} apart"


def hint(verdict: Verdict) -> str | None:
    """What to run to settle an open question; ``None`` if there is nothing to settle or no run would."""
    known = finding_facts(verdict, "R16")
    settle, compete = known.get("settle_seconds"), known.get("compete")
    if verdict.kind != "cannot tell" or not settle or not compete:
        return None
    budget = 10 * math.ceil(settle * MARGIN / 10)
    return f"about {wording.duration(budget)} would settle it: run it again with --budget {budget}"


def finding_facts(verdict: Verdict, rule: str) -> Mapping[str, Any]:
    """The facts of the verdict's first finding by ``rule``; empty if that rule said nothing."""
    return next((one.facts for one in verdict.because if one.rule == rule), {})


def finding_text(verdict: Verdict, rule: str) -> str:
    """The sentence of the verdict's first finding by ``rule``; empty if that rule said nothing."""
    return next((one.text for one in verdict.because if one.rule == rule), "")


def across(record: Record) -> list[str]:
    """With several interpreters: how the best of each compare, from ratios within rounds."""
    best: list[tuple[Facts, Candidate]] = []
    for verdict in record.verdicts:
        facts = from_record(record, verdict.python or "")
        if verdict.pattern is not None:
            best.append((facts, facts.candidate((verdict.pattern, verdict.workers))))
    if not best:
        return []
    best.sort(key=lambda pair: pair[1].median)
    (fastest, winner), *others = best
    lines = []
    for facts, pick in others:
        ratios = stats.round_ratios(pick.seconds, winner.seconds)
        if ratios:
            gain = wording.ratio_with_interval(stats.estimate(list(ratios.values())))
            lines.append(f"{fastest.python}, {winner.name}, is {gain} as fast as {facts.python}, {pick.name}")
    return lines
