"""`compare`: measures the patterns on a workload, decides, and gives the result to whoever asked.

Joins the two halves of the lab: the runner, which measures, and the rules, which decide. Prints nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fearless.lab import catalog, environments, explain, rules, runner
from fearless.lab._errors import LabError
from fearless.lab.facts import AIMS, from_record, raised, simplicity
from fearless.lab.record import Record, Verdict
from fearless.lab.report import html, text
from fearless.lab.resolve import Target
from fearless.lab.rules.finding import NO_WAITING

BUDGET_SECONDS = 60.0
MOST_ROUNDS = 200  # the budget ends it before
USUAL_ROUNDS = 15  # up to here a verdict must be EARLY sure to end it, then LATE
EARLY, LATE = 0.99, 0.90
VERDICT, NO_VERDICT, FAILURE = 0, 1, 2

Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a comparison found. Shows itself as text, and in a notebook as a table.

    Thread safety: immutable.
    """

    record: Record

    @property
    def verdict(self) -> Verdict | None:
        """The verdict for the first interpreter; ``record.verdicts`` has one for each."""
        return self.record.verdict

    @property
    def failures(self) -> Mapping[str, str]:
        """The user's own traceback for each pattern that raised; patterns with the same error share one."""
        names: dict[str, list[str]] = {}
        traces: dict[str, str] = {}
        for run in self.record.runs:
            if run.error is None:
                continue
            key = raised(run.error)
            traces.setdefault(key, run.error)
            if run.pattern not in names.setdefault(key, []):
                names[key].append(run.pattern)
        return {", ".join(sorted(names[key], key=simplicity)): trace for key, trace in traces.items()}

    @property
    def hints(self) -> Sequence[str]:
        """What to run to settle each open question."""
        found = [explain.hint(verdict) for verdict in self.record.verdicts]
        if self.record.interrupted and any(found):
            return ["it was interrupted: run it again and let it come to an end"]
        return list(dict.fromkeys(hint for hint in found if hint is not None))

    @property
    def exit_code(self) -> int:
        """0: a verdict; 1: no verdict, or a pattern differs or raised; 2: no serial run finished: nothing is known."""
        runs = self.record.runs
        finished = any(run.ok for run in runs if run.pattern == "serial")
        if not finished and not self.record.interrupted:
            return FAILURE
        open_question = any(one.kind == "cannot tell" for one in self.record.verdicts)
        wrong = any(run.error is not None or run.equal is False for run in runs)
        return NO_VERDICT if open_question or wrong else VERDICT

    def __str__(self) -> str:
        return "\n".join(line.text for line in text.lines(self.record))

    def _repr_html_(self) -> str:
        return html.fragment(self.record)


def compare(  # noqa: PLR0913  # all but the first are optional and named
    workload: str | Callable[..., Any],
    *,
    args: Mapping[str, str] | None = None,
    items: str | None = None,
    patterns: Sequence[str] | None = None,
    workers: Sequence[int] | None = None,
    pythons: Sequence[str] = (),
    budget: float = BUDGET_SECONDS,
    optimize: str = "throughput",
    progress: Progress | None = None,
    note: Callable[[str], None] | None = None,
) -> Comparison:
    """Measure every pattern that fits ``workload`` and say which to use.

    ``workload`` is what the command line takes, such as ``"word-index"`` or ``"job.py:Parse"``, or a workload class or
    function of a module that can be imported. ``args`` sets its parameters; ``items`` are the files, by glob pattern,
    that a plain function is called with. ``pythons`` are interpreters to compare, by default the running one.
    ``optimize`` is what the choice is made for: throughput, latency, cpu, memory or simplicity.
    ``budget`` is in seconds, for each interpreter. ``progress`` is called with the share done, 0 to 1, and what runs
    now; ``note`` with what takes long before that.

    It ends before the budget does once every interpreter has a verdict that more rounds will hardly change.

    Blocks: for about ``budget`` seconds for each interpreter. Ctrl-C ends the measuring; the comparison then holds
    what was measured.
    Raises: `LabError`, naming what is known, if the workload, a pattern or an interpreter cannot be had.
    """
    if optimize not in AIMS:
        raise LabError(f"optimize must be one of {', '.join(AIMS)}, got {optimize!r}")
    names = catalog.check_names(patterns) if patterns is not None else None
    target = Target(_target(workload), dict(args or {}), items)
    interpreters = environments.interpreters(list(pythons), note)
    plan = runner.Plan(target, interpreters, names, workers, budget * len(interpreters), most_rounds=MOST_ROUNDS)
    record = runner.measure(plan, progress and _told(progress), lambda so_far: _settled(so_far, optimize), _waiting)
    return Comparison(explain.decided(replace(record, optimize=optimize)))


def _settled(record: Record, optimize: str) -> bool:
    """True once every verdict is so sure that further rounds will hardly change it.

    Early on it must be surer: looking after each round gives chance more occasions.
    """
    sure = EARLY if record.rounds < USUAL_ROUNDS else LATE
    verdicts = explain.decided(replace(record, optimize=optimize), brief=True).verdicts
    return all(one.kind != "cannot tell" and one.confidence >= sure for one in verdicts)


def _waiting(record: Record, python: str) -> int:
    """R3 on the profile of ``python``: workers enough for work that waits; how many cores are free is not known yet."""
    facts = from_record(record, python)
    if (facts.waiting_share or 0.0) < NO_WAITING:
        return 1
    return rules.workers(replace(facts, cores=record.environment.cores_allowed))


def _told(progress: Progress) -> runner.OnProgress:
    return lambda now: progress(now.share, f"round {now.round + 1}: {now.text}")


def _target(workload: str | Callable[..., Any]) -> str:
    """What the runner loads in its processes: an object goes by its module and name."""
    if isinstance(workload, str):
        return workload
    module, name = workload.__module__, workload.__qualname__
    if module != "__main__":
        return f"{module}:{name}"
    path = getattr(sys.modules["__main__"], "__file__", None)
    if path is None:
        raise LabError(f"{name} lives in this session alone: save it to a file and name it, as in 'job.py:{name}'")
    return f"{path}:{name}"
