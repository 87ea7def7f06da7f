"""What measured runs say without being ranked: R14 the fewest workers that pay, R17 equal results, R18 processes."""

from __future__ import annotations

from collections.abc import Sequence

from fearless.lab import costs, stats, wording
from fearless.lab.facts import Candidate, Facts, simplicity
from fearless.lab.rules.finding import WORTH_IT, Finding


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
        what = "nothing" if speedup.median < WORTH_IT else "anything"
        if {one.pattern for one in facts.candidates} - {one.pattern for one in contenders}:
            what += " that is left"  # the table shows figures of patterns that R0 has put out
        sure = f"{what} beats" if speedup.median < WORTH_IT else f"it is not 95 % sure yet that {what} beats"
        text = f"{sure} serial by 10 %: the best, {best.name}, reaches {wording.ratio_with_interval(speedup)}"
        return Finding("R14", text, {"workers": None, "best": speedup.median})
    fewest = min(one.workers for one, _ in winners)
    least, speedup = next(pair for pair in winners if pair[0].workers == fewest)
    text = (
        f"{wording.counted(fewest, 'worker')} {'is' if fewest == 1 else 'are'} the fewest that beat serial by 10 %: "
        f"{least.pattern} reaches {wording.ratio_with_interval(speedup)}"
    )
    if (fewer := _fewer(facts, fewest)) is not None:
        text += f"; fewer ran once only: {fewer[0].name}, {wording.ratio_with_interval(fewer[1])}"
    known_facts = {"workers": fewest, "pattern": least.pattern, "speedup": speedup.median}
    return Finding("R14", text, known_facts)


def _fewer(facts: Facts, workers: int) -> tuple[Candidate, stats.Estimate] | None:
    """What was left out after a run that was 10 % faster than serial, with fewer ``workers``; the fewest."""
    once = [one for one in facts.candidates if one.key in facts.left_out and one.workers < workers]
    gains = [(one, gain) for one in once if (gain := facts.speedup(one)) is not None and gain.median >= WORTH_IT]
    return min(gains, key=lambda pair: pair[0].workers, default=None)


def r17(facts: Facts) -> list[Finding]:
    """A pattern whose result differs from the serial run's is out before any speed is looked at.

    Floats may differ by 1e-9 relative and dicts in their order; the workload may bring its own check.

    Source: a wrong result has no speed; the tolerance is what another order of additions leaves of a float.
    """
    reasons = {name: f"its result differs from serial's: {text}" for name, text in (facts.differing or {}).items()}
    reasons |= {name: f"it failed: {text}" for name, text in (facts.failed or {}).items()}
    return [
        Finding("R17", f"{name}: {reasons[name]}", {"pattern": name}, rules_out={name: reasons[name]})
        for name in sorted(reasons, key=simplicity)
    ]


def r18_predicted(facts: Facts, workers: int) -> Finding:
    """R18 before any run: what start-up and transfer are taken to cost.

    Source: as R18.
    """
    start, moved = costs.start(facts, "processes", workers), costs.dispatch(facts)["processes"]
    text = f"processes: {wording.seconds(start)} to start and {wording.seconds(moved)} to move an item are counted"
    return Finding("R18", text, {"start_seconds": start, "transfer": moved, "workers": workers})


def r18(facts: Facts, contenders: Sequence[Candidate]) -> Finding | None:
    """Processes count only with their start-up and the transfer of items and results inside the measured time.

    A pool that was started beforehand looks faster than what a program that runs once will ever see.

    Source: measured, 50 to 90 ms until a process has started and loaded its work.
    """
    apart = [one for one in contenders if one.pattern in {"processes", "interpreters"}]
    measured = [(one, speedup) for one in apart if (speedup := facts.speedup(one)) is not None]
    if not measured:
        return None
    best, speedup = max(measured, key=lambda pair: pair[1].median)
    text = f"{best.name}: {wording.ratio_with_interval(speedup)} with start-up and transfer counted"
    return Finding("R18", text, {"pattern": best.pattern, "workers": best.workers, "speedup": speedup.median})
