"""The decision rules: one function a rule, and the order in which they speak.

Holds the rules whose facts a comparison measures: R0, R1, R5 and R14 to R18. Reads facts, never a clock or a workload.

A rule returns a finding that names the facts it used, or ``None`` when it has nothing to say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fearless.lab import stats, wording
from fearless.lab.facts import Candidate, Facts, simplicity

SHORT_JOB = 500e-6  # seconds, R1
NO_WAITING = 0.05  # share of the job: less counts as no waiting, R0 and R1
LITTLE_PARALLELISM = 1.2  # R0
MUCH_RELEASED = 1 / 3  # of the work, R0: more than a single run can mistake
WORTH_IT = 1.10  # R14
AS_GOOD = 1.10  # R15
MIN_ROUNDS = 5  # R16
SURE = 0.90  # R16, share of resamples
LONGEST_RUN = 32  # R16 looks no further than a run this many times as long
NOT_COUNTED = 0.05  # more than this above what is possible is no error of measurement
ENOUGH = 0.85  # of what effective cores and Amdahl's law allow

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found: a sentence, the facts behind it, and what follows from it."""

    rule: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    rules_out: Mapping[str, str] = field(default_factory=dict)  # pattern to reason
    settles_for: str | None = None  # a pattern that needs no comparison


@dataclass(frozen=True, slots=True)
class Choice:
    """What R15 and R16 make of the contenders."""

    key: Key | None  # None: cannot tell
    confidence: float
    finding: Finding


def r0(facts: Facts) -> Finding | None:
    """Without threads that run at once, no thread pattern can win.

    Usable parallelism is the effective cores when the GIL is off. When it is on, a share ``rel`` of the work runs with
    the GIL released and the rest one thread at a time, so Amdahl's law allows at most 1 / (1 - rel). That share is
    sampled in a single watched run; unless it is large, the processor time that threads got a second is another limit,
    and the smaller holds. A speed-up that threads did reach is proof against all of them.

    Source: Amdahl, "Validity of the single processor approach", 1967.
    """
    usable = usable_parallelism(facts)
    if usable is None or usable >= LITTLE_PARALLELISM or (facts.waiting or 0.0) >= NO_WAITING:
        return None
    left = gil_limit(facts)
    if left is not None and left < LITTLE_PARALLELISM:
        text = f"{_gil_held(facts)}, so threads take turns and no thread pattern can win{_prediction(facts)}"
        reason = "needs threads that run at once, and the GIL lets only one run"
    else:
        text = f"only {facts.cores or 1:.2f} effective cores were free, so no two threads could run at once"
        reason = "needs a second core, and none was free"
    known = {"usable_parallelism": usable, "cores": facts.cores, "gil": facts.gil, "released": facts.released}
    threads = {one.pattern: reason for one in facts.candidates if one.uses_threads}
    return Finding("R0", text, known, rules_out=threads)


def usable_parallelism(facts: Facts) -> float | None:
    """How many threads of this workload can make progress at once; ``None`` when nothing was measured that tells."""
    limits = [limit for limit in (facts.cores, gil_limit(facts)) if limit is not None]
    if not limits or (facts.gil and gil_limit(facts) is None):
        return None
    reached = [facts.speedup(one) for one in facts.candidates if one.uses_threads and one.workers > 1]
    proven = [one.median for one in reached if one is not None and one.above(1.0)]
    return max(1.0, min(limits), *proven)


def gil_limit(facts: Facts) -> float | None:
    """How many threads the GIL lets run at once; ``None`` when it is off or nothing was measured that tells."""
    if not facts.gil:
        return None
    limits = [1 / max(1e-9, 1 - facts.released)] if facts.released is not None else []
    if facts.thread_parallelism is not None and (facts.released or 0.0) < MUCH_RELEASED:
        limits.append(facts.thread_parallelism)
    return max(1.0, min(limits)) if limits else None


def _gil_held(facts: Facts) -> str:
    """The first half of R0's sentence."""
    cause = f" (turned on by the import of {facts.gil_enabled_by})" if facts.gil_enabled_by else ""
    parts = []
    if facts.released is not None:
        parts.append(f"the GIL{cause} was held for {wording.percent(1 - facts.released)} of the work")
    if facts.thread_parallelism is not None:
        subject = "threads" if parts else f"with the GIL on{cause} threads"
        parts.append(f"{subject} kept no more than {facts.thread_parallelism:.2f} cores busy")
    return " and ".join(parts)


def _prediction(facts: Facts) -> str:
    """What to do about a GIL: look at the free-threaded interpreter beside it, or try one."""
    if facts.free_threaded_label is not None:
        return f"; for threads that run at once see {facts.free_threaded_label}"
    if facts.free_threaded:
        return "; PYTHON_GIL=0 keeps it off"
    if facts.cores is None or facts.serial_share is None:
        return "; free-threaded Python lets them: try --python PATH"
    if facts.cores < LITTLE_PARALLELISM:
        return f"; free-threaded Python lets them, but no more than {facts.cores:.2f} cores were free here"
    bound = 1 / (facts.serial_share + (1 - facts.serial_share) / facts.cores)
    return f"; free-threaded Python is predicted to give up to {bound:.1f}x over its own serial run: try --python PATH"


def r1(facts: Facts) -> Finding | None:
    """A job under 500 us that waits for nothing stays serial: starting a worker costs as much as the job.

    Source: the oneTBB documentation asks for a million cycles of work before a loop is worth splitting.
    """
    if facts.serial is None or (facts.waiting or 0.0) >= NO_WAITING:
        return None
    job = stats.estimate(list(facts.serial.seconds.values()))
    highest = job.median if job.bounds is None else job.bounds[1]
    if highest >= SHORT_JOB:
        return None
    text = f"the whole job takes {wording.seconds(job.median)}, which is less than starting workers costs (500 us)"
    return Finding("R1", text, {"job_seconds": job.median}, settles_for="serial")


def r5(facts: Facts) -> Finding | None:
    """Work without state, or whose parts can be joined, needs nothing shared: `par` comes first.

    What is not shared cannot race, cannot deadlock and needs no lock to be right. Source: the guide's first question.
    """
    if facts.state not in {"none", "add", "merge"} or not any(one.pattern == "par" for one in facts.candidates):
        return None
    why = {
        "none": "the items share no state",
        "add": "the items only add, and sums can be joined",
        "merge": "partial results can be joined",
    }
    return Finding("R5", f"{why[facts.state]}, so par needs nothing shared", {"state": facts.state})


def r14(facts: Facts, contenders: Sequence[Candidate]) -> Finding | None:
    """Report the fewest workers with which a pattern beats serial by 10 %, and say so if none does.

    A parallel program is worth its trouble only from the configuration that outperforms a single thread.
    Source: McSherry, Isard, Murray, "Scalability! But at what COST?", HotOS 2015.
    """
    measured = [(one, facts.speedup(one)) for one in contenders if one.pattern != "serial"]
    known = [(one, speedup) for one, speedup in measured if speedup is not None]
    if not known:
        return None
    winners = [(one, speedup) for one, speedup in known if speedup.median >= WORTH_IT and speedup.above(1.0)]
    if not winners:
        best, speedup = max(known, key=lambda pair: pair[1].median)
        text = f"nothing beats serial by 10 %: the best, {best.name}, reaches {wording.ratio_with_interval(speedup)}"
        return Finding("R14", text, {"workers": None, "best": speedup.median})
    fewest = min(one.workers for one, _ in winners)
    least, speedup = next(pair for pair in winners if pair[0].workers == fewest)
    text = (
        f"{wording.counted(fewest, 'worker')} {'is' if fewest == 1 else 'are'} the fewest that beat serial by 10 %: "
        f"{least.pattern} reaches {wording.ratio_with_interval(speedup)}"
    )
    known_facts = {"workers": fewest, "pattern": least.pattern, "speedup": speedup.median}
    return Finding("R14", text, known_facts)


def r15(speedups: Mapping[Key, float]) -> str:
    """The simplest pattern within 10 % of the fastest; ``speedups`` are medians over rounds.

    Ten per cent is less than a reader would notice and more than such machines repeat (provisional: set on two cores).
    """
    enough = max(speedups.values()) / AS_GOOD
    return min((pattern for (pattern, _), value in speedups.items() if value >= enough), key=simplicity)


def r15_workers(speedups: Mapping[Key, float], pattern: str) -> int:
    """The fewest workers with which ``pattern`` is within 10 % of the fastest; if there are none, its fastest."""
    own = {workers: value for (name, workers), value in speedups.items() if name == pattern}
    enough = max(speedups.values()) / AS_GOOD
    return min(
        [workers for workers, value in own.items() if value >= enough], default=max(own, key=lambda one: own[one])
    )


def r15_finding(facts: Facts, contenders: Sequence[Candidate], pick: Candidate) -> Finding | None:
    """R15 in words: what the pick was compared with."""
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
            text = "nothing is faster than serial"
    elif own is not None and own.median * AS_GOOD < best.median:
        text = f"{pick.pattern} is the simplest of those that cannot be told from the fastest ({shown})"
    else:
        text = f"{pick.pattern} is the simplest within 10 % of the fastest ({shown})"
    return Finding("R15", text, known)


def r15_axes(facts: Facts, pick: Candidate) -> Finding | None:
    """R15 under the other axes: what would be picked for the least CPU time or memory."""
    axes: dict[str, Callable[[Candidate], float | None]] = {
        "CPU time": lambda one: one.cpu_seconds,
        "memory": lambda one: one.peak_bytes,
    }
    other: dict[str, str] = {}
    for axis, cost in axes.items():
        inverse = {one.key: 1 / value for one in facts.candidates if (value := cost(one))}
        if pick.key in inverse and inverse[pick.key] * AS_GOOD < max(inverse.values()):
            other[axis] = r15(inverse)
    if not other:
        return None
    if len(set(other.values())) == 1:
        text = f"for the least {wording.listed(list(other), 'or')} the choice would be {next(iter(other.values()))}"
    else:
        text = "; ".join(f"for the least {axis} the choice would be {choice}" for axis, choice in other.items())
    return Finding("R15", text, {"axes": other})


def r16(facts: Facts, contenders: Sequence[Candidate]) -> Choice:
    """R15 again over resampled rounds: the same pick in 90 % of them is a verdict, else we cannot tell.

    A tie is no doubt: a pick that cannot be told from a simpler one counts for the simpler, unless that is serial,
    which has to hold its own. Rounds are drawn whole, because what ran in one round shared its conditions.
    Source: Efron, "Bootstrap methods", 1979.
    """
    table = _table(facts, contenders)
    rounds = stats.common_rounds(list(table.values()))
    if not rounds:
        nothing = "no round was completed, so there is nothing to compare"
        return Choice(None, 0.0, Finding("R16", nothing, {"rounds": 0}))
    speedups = stats.medians(table, rounds)
    lead = r15(speedups)
    known: dict[str, Any] = {"rounds": len(rounds), "seed": stats.SEED, "resamples": stats.RESAMPLES, "pick": lead}
    if len({one.pattern for one in contenders}) == 1:
        if facts.unmeasured:
            text = f"it ended before {wording.listed(sorted(facts.unmeasured, key=simplicity))} had a run"
            return Choice(None, 0.0, Finding("R16", text, known))
        return Choice((lead, r15_workers(speedups, lead)), 1.0, Finding("R16", f"only {lead} is left", known))
    if len(rounds) < MIN_ROUNDS:
        return _too_few_rounds(facts, speedups, known)
    choose = _simplest_of_ties(table, speedups)
    counts = stats.picks(table, choose)
    pick, times = counts.most_common(1)[0]
    confidence = times / counts.total()
    known |= {"confidence": confidence, "picks": dict(stats.picks(table, r15)), "with_ties": dict(counts)}
    if confidence < SURE:
        settle = _rounds_to_settle(table, choose, len(rounds))
        return _competing(facts, counts.most_common(2), settle, known)
    text = f"{wording.percent(confidence)} of resamples of {len(rounds)} rounds lead to {pick}"
    if others := [name for name in known["picks"] if name not in counts]:
        text += f", or to what ties with it: {wording.listed(sorted(others, key=simplicity))}"
    return Choice((pick, r15_workers(speedups, pick)), confidence, Finding("R16", text, known))


def _simplest_of_ties(
    table: Mapping[Key, Mapping[int, float]], speedups: Mapping[Key, float]
) -> Callable[[Mapping[Key, float]], str]:
    """R15, with each pick replaced by the simplest pattern that it cannot be told from."""
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
    return lambda drawn: simplest.get(pick := r15(drawn), pick)


def r17(facts: Facts) -> list[Finding]:
    """A pattern whose result differs from the serial run's is out before any speed is looked at.

    Floats may differ by 1e-9 relative and dicts in their order; the workload may bring its own check.
    """
    reasons = {name: f"its result differs from serial's: {text}" for name, text in (facts.differing or {}).items()}
    reasons |= {name: f"it failed: {text}" for name, text in (facts.failed or {}).items()}
    return [
        Finding("R17", f"{name}: {reasons[name]}", {"pattern": name}, rules_out={name: reasons[name]})
        for name in sorted(reasons, key=simplicity)
    ]


def r18(facts: Facts, contenders: Sequence[Candidate]) -> Finding | None:
    """Processes count only with their start-up and the transfer of items and results inside the measured time.

    A pool that was started beforehand looks faster than what a program that runs once will ever see.
    """
    apart = [one for one in contenders if one.pattern in {"processes", "interpreters"}]
    measured = [(one, speedup) for one in apart if (speedup := facts.speedup(one)) is not None]
    if not measured:
        return None
    best, speedup = max(measured, key=lambda pair: pair[1].median)
    text = f"{best.name}: {wording.ratio_with_interval(speedup)} with start-up and transfer counted"
    return Finding("R18", text, {"pattern": best.pattern, "workers": best.workers, "speedup": speedup.median})


def reached(facts: Facts, pick: Candidate) -> Finding | None:
    """R0 seen from the other side: how much of the possible speed-up the pick reached.

    Possible is the smallest of the effective cores, of what the serial share of the job leaves, and of what the GIL
    leaves while it is on.
    """
    speedup, law = facts.speedup(pick), facts.limit(pick)
    if not pick.uses_threads or facts.cores is None or law is None or speedup is None:
        return None
    if (facts.waiting or 0.0) >= NO_WAITING or (facts.gil and facts.released is None):
        return None
    name = "its updates" if pick.pattern in facts.single_state else "Amdahl's law"
    limits = {"effective cores": facts.cores, f"by {name}": law}
    if facts.gil and facts.released is not None:
        limits["by the GIL"] = 1 / max(1e-9, 1 - facts.released)
    bound = min(limits.values())
    share = speedup.median / bound
    shown = ", ".join(f"{limit:.2f} {name}" for name, limit in limits.items())
    text = f"{pick.name} reaches {wording.ratio_with_interval(speedup)} of at most {wording.ratio(bound)} ({shown})"
    if share > 1 + NOT_COUNTED:
        text += "; it had more than was counted, so other programs came and went"
    elif share < ENOUGH:
        text += f": {wording.percent(share)}, short of the {wording.percent(ENOUGH)} that good use of cores would reach"
    else:
        text += f": {wording.percent(share)}"
    return Finding("R0", text, {"speedup": speedup.median, "limits": limits, "share": share})


def _table(facts: Facts, contenders: Sequence[Candidate]) -> dict[Key, dict[int, float]]:
    """Speed-up over serial of each contender, by round."""
    serial = facts.serial
    if serial is None:
        return {}
    return {one.key: stats.round_ratios(serial.seconds, one.seconds) for one in contenders}


def _too_few_rounds(facts: Facts, speedups: Mapping[Key, float], known: dict[str, Any]) -> Choice:
    lead = known["pick"]
    rest = {key: value for key, value in speedups.items() if key[0] != lead}
    rival = max(rest, key=lambda key: rest[key])[0]
    known |= {"compete": [lead, rival], "settle_seconds": _round_time(facts, MIN_ROUNDS)}
    text = (
        f"{wording.counted(known['rounds'], 'complete round')} of the {MIN_ROUNDS} that a verdict needs; "
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
