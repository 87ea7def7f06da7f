"""Measures: a fresh process per pattern, number of workers and run, in interleaved rounds, until the budget is used.

Holds the plan, the rounds and the budget. `children` starts processes, `assembly` makes the record. Decides nothing.
"""

from __future__ import annotations

import datetime as dt
import math
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fearless.lab import assembly, catalog, children, corpus, machine
from fearless.lab._errors import WorkloadError
from fearless.lab.record import Interpreter, LeftOut, Profile, Record, Refused, Run
from fearless.lab.resolve import Target

BUDGET_SECONDS = 60.0
ENOUGH_ROUNDS = 5  # what a verdict needs; fewer only when the budget ends first
MOST_ROUNDS = 15
OVERDRAFT = 1.3  # times the budget: how far it is stretched for the rounds that a verdict needs
CALIBRATIONS = 7
COSTS_SECONDS = 20.0  # what measuring the costs of the patterns may take, loading the items included
NO_ACCIDENT = 2.0  # times as fast in one run: that is more than chance
PATIENCE = 2.0  # times the budget: what a single run may take before it is stopped


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure. ``workers`` and ``patterns`` are chosen by the machine and the workload where they are None."""

    target: Target
    interpreters: Sequence[Interpreter]  # from `environments`; the first is the one the comparison is about
    patterns: Sequence[str] | None = None
    workers: Sequence[int] | None = None
    budget: float = BUDGET_SECONDS  # seconds, for everything together
    most_rounds: int = MOST_ROUNDS


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: ``share`` of the budget or of the work, whichever ends first, 0 to 1, and what runs now."""

    share: float
    text: str
    runs: int  # finished
    round: int  # the current one, 0 is the first


OnProgress = Callable[[Progress], None]
Enough = Callable[[Record], bool]
More = Callable[[Record, str], int]  # the workers that work which waits should have, on the interpreter with this label


def measure(
    plan: Plan,
    on_progress: OnProgress | None = None,
    enough: Enough | None = None,
    more: More | None = None,
) -> Record:
    """Run the plan and return the record, without a verdict.

    ``on_progress`` is called before each run. ``enough`` is asked after each round from the fifth on and ends the
    measuring by True. ``more`` is asked after the profiles: its number of workers is tried beside those that there are
    cores for, unless the plan names numbers, as work that waits gains from more. Ctrl-C ends the measuring, too: the
    record then holds what was measured so far, and says that it was interrupted.

    Blocks: for about the budget, which is overdrawn by a third if that makes the rounds that a verdict needs; the
    first round is always begun.
    Raises: `LabError` if the workload cannot be run at all.
    """
    with tempfile.TemporaryDirectory(prefix="fearless-lab-", ignore_cleanup_errors=True) as folder:
        session = _Session(plan, Path(folder), on_progress or _silent)
        try:
            session.begin(more or _no_more)
            session.rounds(enough or _never)
        except KeyboardInterrupt:
            session.state.interrupted = True
        return session.record()


@dataclass(frozen=True, slots=True)
class _Job:
    """One process to run."""

    interpreter: Interpreter
    pattern: str
    workers: int


@dataclass(slots=True)
class _State:
    """All that was found so far; what `assembly` makes the record of."""

    described: dict[str, Any] | None = None
    runs: list[Run] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    patterns: list[catalog.Pattern] = field(default_factory=list)
    calibrations: dict[str, list[machine.Calibration]] = field(default_factory=dict)
    rounds: int = 0
    interrupted: bool = False


class _Session:
    """One measurement from begin to record. Thread safety: for one thread."""

    def __init__(self, plan: Plan, folder: Path, on_progress: OnProgress) -> None:
        self.plan, self.folder, self.on_progress = plan, folder, on_progress
        self.state = _State()
        self.chosen: corpus.Chosen | None = None
        self.started = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        self.clock = time.monotonic()
        self.steal = machine.steal_ticks()
        self.jobs: list[_Job] = []

    def begin(self, more: More) -> None:
        """Choose input, patterns and workers, and profile the workload under every interpreter."""
        if self.plan.target.built_in:
            self.chosen = corpus.choose(self.plan.target.args.get("folder", corpus.STANDARD_LIBRARY))
        for interpreter in self.plan.interpreters:
            self._tell(f"profile on {interpreter.label}", 0)
            self._profile(interpreter)
        for interpreter in self.plan.interpreters:
            wanted = more(self.record(), interpreter.label)
            for pattern in self.state.patterns:
                counts = self._counts(pattern.card.name, wanted)
                self.jobs += [_Job(interpreter, pattern.card.name, count) for count in counts]

    def rounds(self, enough: Enough) -> None:
        """Run rounds until there are enough, the budget is used, or nothing is left that works."""
        took = 0.0
        for number in range(self.plan.most_rounds):
            before = self._elapsed()
            patience = 1.0 if number >= ENOUGH_ROUNDS else OVERDRAFT
            if number and before + took > patience * self.plan.budget:
                return
            self._calibrate(number)
            if not self._round(number):
                return
            self.state.rounds = number + 1
            took = self._elapsed() - before
            if number == 0 and self._elapsed() + (ENOUGH_ROUNDS - 1) * took > self.plan.budget:
                self._leave_out()
            if number + 1 >= ENOUGH_ROUNDS and enough(self.record()):
                return

    def record(self) -> Record:
        """The record of what was found so far."""
        steal = machine.steal_share(self.steal, machine.steal_ticks())
        return assembly.record(self.plan, self.state, self.chosen, started=self.started, steal=steal)

    def _profile(self, interpreter: Interpreter) -> None:
        orders = self._orders("profile", python=interpreter.label)
        answer = self._ask(interpreter, orders, self._patience())
        if "error" in answer:
            raise WorkloadError(_explained(self.plan.target.name, interpreter.label, answer), _trace(answer))
        if self.state.described is None:
            self.state.described = answer
            self._choose_patterns(answer)
        if "profile" in answer:
            self._tell(f"costs of the patterns on {interpreter.label}", 0)
            self.state.profiles.append(Profile(**{**answer["profile"], **self._costs(interpreter)}))

    def _costs(self, interpreter: Interpreter) -> dict[str, Any]:
        """What the patterns themselves cost, from a process of its own: items that were worked on may be cached.

        It is known by now that the work does not fail. Should this fail all the same, these facts are missing.
        """
        names = [pattern.card.name for pattern in self.state.patterns]
        # More workers than cores would measure the scheduler.
        workers = min(max(self.plan.workers or _worker_counts()), max(2, int(_allowed())))
        orders = self._orders("costs", patterns=names, workers=workers)
        answer = self._ask(interpreter, orders, min(COSTS_SECONDS, self._patience()))
        costs: dict[str, Any] = answer.get("costs", {})
        return costs

    def _counts(self, pattern: str, wanted: int) -> Sequence[int]:
        """The numbers of workers to try. A process for each wait would cost more to start than most waits take."""
        if pattern == "serial":
            return (1,)
        usual = self.plan.workers or _worker_counts()
        return usual if self.plan.workers or pattern == "processes" else sorted({*usual, max(wanted, *usual)})

    def _choose_patterns(self, described: dict[str, Any]) -> None:
        wanted = catalog.check_names(self.plan.patterns or catalog.PATTERNS)
        for name in catalog.PATTERNS:
            if name not in wanted and name != "serial":  # the baseline always runs
                continue
            methods = described["methods"]
            asks = {"staged": bool(described["stages"]), "reads": "read" in methods, "keyed": "keys" in methods}
            asks["awaits"] = "work_async" in methods
            found = catalog.fit(name, described["state"], whole=described["whole"], **asks)
            if isinstance(found, str):
                self.state.refused.append(Refused(name, found))
            else:
                self.state.patterns.append(found)

    def _round(self, number: int) -> bool:
        """Run every job once, in an order of this round. False if the budget ended before the last."""
        for done, job in enumerate(jobs := self._ordered(number)):
            if number == 0 and self.state.runs and self._elapsed() > self.plan.budget:
                return False
            self._tell(f"{job.pattern} on {job.interpreter.label}", number, done / len(jobs))
            run = self._run(job, number)
            self.state.runs.append(run)
            if not run.ok:
                self.jobs.remove(job)  # its speed will not be looked at
        return bool(self.jobs)

    def _leave_out(self) -> None:
        """Go on with one number of workers of each pattern, unless the plan names numbers: those are wanted.

        A single run may mislead. So it is the number with which most patterns were fastest, but where another was
        faster by a factor that is no accident.
        """
        for interpreter in self.plan.interpreters if self.plan.workers is None else ():
            kept = self._kept(interpreter.label)
            for job in [one for one in self.jobs if one.interpreter is interpreter]:
                if kept.get(job.pattern, job.workers) != job.workers:
                    self.jobs.remove(job)
                    self.state.left_out.append(LeftOut(job.pattern, job.workers, interpreter.label))

    def _kept(self, label: str) -> dict[str, int]:
        """The number of workers to go on with, by the name of the pattern."""
        times: dict[str, dict[int, float]] = {}
        for run in self.state.runs:
            if run.ok and run.seconds is not None and run.python == label:
                times.setdefault(run.pattern, {})[run.workers] = run.seconds
        fastest = {name: min((seconds, count) for count, seconds in own.items()) for name, own in times.items()}
        votes = Counter(fastest[name][1] for name, own in times.items() if len(own) > 1)
        usual = votes.most_common(1)[0][0] if votes else 0
        return {
            name: usual if times[name].get(usual, math.inf) <= NO_ACCIDENT * seconds else count
            for name, (seconds, count) in fastest.items()
        }

    def _ordered(self, number: int) -> list[_Job]:
        """The jobs in the order of the round: in the first, serial leads, as the others are compared with it."""
        jobs = list(self.jobs)
        random.Random(number).shuffle(jobs)  # noqa: S311  # an order, no secret
        if number == 0:
            jobs.sort(key=lambda job: job.pattern != "serial")
        return jobs

    def _run(self, job: _Job, number: int) -> Run:
        label = job.interpreter.label
        orders = self._orders(
            "run",
            pattern=job.pattern,
            workers=job.workers,
            reference=str(self.folder / f"{label}.reference"),
            write=number == 0 and job.pattern == "serial",
        )
        answer = self._ask(job.interpreter, orders, self._patience())
        run = Run(pattern=job.pattern, workers=job.workers, python=label, round=number)
        if "error" in answer:
            return replace(run, error=answer["error"])
        return replace(run, **answer["run"])

    def _calibrate(self, number: int) -> None:
        if number >= CALIBRATIONS:
            return
        spinners = max(2, round(_allowed()))
        for interpreter in self.plan.interpreters:
            self._tell(f"effective cores on {interpreter.label}", number)
            found = self._calibration(interpreter, spinners)
            if found is not None:
                self.state.calibrations.setdefault(interpreter.label, []).append(found)

    def _calibration(self, interpreter: Interpreter, spinners: int) -> machine.Calibration | None:
        if not interpreter.free_threaded or any(run.gil for run in self.state.runs if run.python == interpreter.label):
            return machine.calibrate_with_processes(interpreter.executable, spinners)
        answer = self._ask(interpreter, {"mode": "cores", "spinners": spinners}, 60.0)
        return None if "error" in answer else machine.Calibration(**answer)

    def _ask(self, interpreter: Interpreter, orders: dict[str, Any], timeout: float) -> dict[str, Any]:
        return children.ask(interpreter.executable, orders, timeout=timeout, within=self.folder)

    def _orders(self, mode: str, **more: Any) -> dict[str, Any]:
        target = self.plan.target
        named = {"name": target.name, "args": dict(target.args), "items": target.items}
        return {"mode": mode, "target": named, "files": self.chosen and self.chosen.paths, **more}

    def _elapsed(self) -> float:
        return time.monotonic() - self.clock

    def _patience(self) -> float:
        return max(self.plan.budget, PATIENCE * self.plan.budget - self._elapsed())

    def _tell(self, text: str, number: int, within: float = 0.0) -> None:
        by_rounds = (number + within) / self.plan.most_rounds
        share = min(1.0, max(by_rounds, self._elapsed() / self.plan.budget))
        self.on_progress(Progress(share, text, len(self.state.runs), number))


def _worker_counts() -> Sequence[int]:
    """Two workers, and as many as there are cores: the smallest number that pays is asked for, too."""
    return sorted({2, max(2, int(_allowed()))})


def _allowed() -> float:
    limits = [float(machine.cpu_count()), *(float(one) for one in (machine.affinity(), machine.cgroup_cpus()) if one)]
    return min(limits)


def _explained(name: str, label: str, answer: dict[str, Any]) -> str:
    if answer.get("ours"):
        return str(answer["error"]).rstrip()
    return f"workload {name} cannot be run on Python {label}"


def _trace(answer: dict[str, Any]) -> str | None:
    return None if answer.get("ours") else answer["error"]


def _silent(_: Progress) -> None:
    pass


def _no_more(_: Record, _label: str) -> int:
    return 1


def _never(_: Record) -> bool:
    return False
