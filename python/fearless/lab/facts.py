"""What the rules know: the facts of one comparison under one interpreter.

Holds the facts and how they are read from a record. Measures nothing and decides nothing.
A fact that nobody measured is ``None``; a rule that needs it then stays silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from fearless.lab import stats
from fearless.lab.record import Card, Interpreter, Profile, Record, Run

# Simplest first. This order is what R15 means by "simpler".
ORDER = (
    "serial",
    "par",
    "threads",
    "mutex",
    "channel",
    "atomic",
    "pool",
    "executor",
    "rwlock",
    "processes",
    "asyncio",
    "interpreters",
    "sharded",
    "snapshot",
    "stealing",
)
# What a choice may be made for; the first unless another is asked for.
AIMS = ("throughput", "latency", "cpu", "memory", "simplicity")
SHAPES = ("none", "counter", "cell", "map", "arbitrary")
MOSTLY_WAITING = 0.5  # of a serial run: the rest is too little to be compared with anything
# These gain nothing from threads that run at once.
NOT_THREADS = frozenset({"serial", "processes", "asyncio", "interpreters"})


def simplicity(pattern: str) -> tuple[int, str]:
    """Sorts patterns, the simplest first; unknown ones come last, by name."""
    return (ORDER.index(pattern) if pattern in ORDER else len(ORDER), pattern)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One pattern with one number of workers, whose every run finished with the result of the serial run."""

    pattern: str
    workers: int  # for each stage in a pipeline
    seconds: Mapping[int, float]  # wall clock, by round
    cpu_seconds: float | None = None  # the median, as are the next two
    waiting_share: float | None = None
    peak_bytes: int | None = None
    cpu_by_round: Mapping[int, float] | None = None
    bytes_by_round: Mapping[int, float] | None = None
    stages: int = 0  # of a pipeline; 0: it is none

    @property
    def key(self) -> tuple[str, int]:
        """Pattern and workers: unique among candidates."""
        return self.pattern, self.workers

    @property
    def median(self) -> float:
        """The middle of its runs, in seconds."""
        return median(self.seconds.values())

    @property
    def name(self) -> str:
        """``par with 2 workers``, or just ``serial``."""
        if self.pattern == "serial":
            return "serial"
        each = " for each stage" if self.stages else ""
        who = "coroutine" if self.pattern == "asyncio" else "worker"
        return f"{self.pattern} with {self.workers} {who}{'' if self.workers == 1 else 's'}{each}"

    @property
    def busy(self) -> float | None:
        """How many cores it kept busy: CPU seconds a second."""
        return self.cpu_seconds / self.median if self.cpu_seconds is not None and self.seconds else None

    @property
    def uses_threads(self) -> bool:
        """True if it can only gain when threads run at once."""
        return self.pattern not in NOT_THREADS


@dataclass(frozen=True, slots=True)
class Facts:
    """One workload under one interpreter. Shares are of one, times are in seconds.

    The first block is what a comparison measures, candidates included; the second, from ``aim`` on, what the advice
    asks for beside it. Without a comparison there are no candidates: ``Facts("", ())`` knows nothing.
    """

    python: str
    candidates: Sequence[Candidate]
    free_threaded: bool = False  # the build
    gil: bool | None = None  # read in the child after the run
    gil_enabled_by: str | None = None
    cores: float | None = None  # effective ones, measured
    items: int | None = None
    cpu_per_item: float | None = None  # t
    item_cv: float | None = None  # cv
    waiting: float | None = None  # w: share of the serial run in which it waited
    released: float | None = None  # rel: share of the work with the GIL released
    serial_share: float | None = None  # of the job, when each worker updates a state of its own
    serial_share_single: float | None = None  # when there is one state, one worker at a time
    single_state: frozenset[str] = frozenset()  # the patterns that have one state
    state: str = "none"  # none, add, merge, update
    differing: Mapping[str, str] | None = None  # pattern to where its result differs
    failed: Mapping[str, str] | None = None  # pattern to its last line of error
    left_out: frozenset[tuple[str, int]] = frozenset()  # candidates that ran once, to save time: nothing goes by them
    unmeasured: frozenset[str] = frozenset()  # patterns that were to run and did not get to it
    rounds: int = 0  # complete ones
    round_seconds: float | None = None  # what one more round of all patterns takes, for each interpreter
    free_threaded_label: str | None = None  # a free-threaded interpreter in the same comparison
    subject: str = ""  # the workload, as the command line names it
    aim: str = "throughput"  # one of AIMS
    shape: str | None = None  # what is shared: none, counter, cell, map, arbitrary
    dispatch: Mapping[str, float] | None = None  # o, by pattern, as `record.Profile` has it
    hold: float | None = None  # S: how long the lock is held for one update
    gap: float | None = None  # T: from the end of one hold of a worker to its next
    reads: float | None = None  # r: share of the accesses to the shared state
    rate: float | None = None  # lam: messages a second
    batchable: bool | None = None  # b: several messages may travel as one
    wait_per_item: float | None = None  # w
    ordered: bool | None = None  # results are needed in the order of the items
    dependent: bool | None = None  # dep: tasks wait for tasks
    handed_on: bool | None = None  # an item can be passed on and forgotten by its sender
    locks: int | None = None  # needed together, for one update
    replaced: bool | None = None  # a writer replaces the whole value
    one_owner: bool | None = None  # one task can own the data
    coroutines: bool | None = None  # what an item waits for can be awaited
    transfer: float | None = None  # what moving one item and its result to another process and back takes

    @property
    def wait(self) -> float | None:
        """Seconds that an item waits: as given, else from the share of the serial run that was waiting."""
        if self.wait_per_item is not None:
            return self.wait_per_item
        if self.waiting is None or self.cpu_per_item is None:
            return None
        return self.cpu_per_item * self.waiting / max(1e-9, 1 - self.waiting)

    @property
    def waiting_share(self) -> float | None:
        """Waiting as a share of a serial run: as measured, else from the figures for an item."""
        if self.waiting is not None:
            return self.waiting
        if self.wait_per_item is None or self.cpu_per_item is None:
            return None
        total = self.wait_per_item + self.cpu_per_item
        return self.wait_per_item / total if total else 0.0

    @property
    def joins(self) -> bool | None:
        """True if nothing is shared or parts can be joined into one state, so that no task needs another's."""
        measured_none = self.state == "none" and bool(self.candidates)
        if measured_none or self.shape in {"none", "counter"} or self.state in {"add", "merge"}:
            return True
        return False if self.state == "update" or self.shape == "cell" else None

    @property
    def adds(self) -> bool:
        """True if the shared state is totals that are added to, or a cell that is set: what an atomic holds."""
        only_set = self.shape == "cell" and self.state == "none" and not self.hold
        return only_set or self.shape == "counter" or self.state == "add"

    @property
    def serial(self) -> Candidate | None:
        """What the others are compared with."""
        return next((one for one in self.candidates if one.pattern == "serial"), None)

    @property
    def served(self) -> float | None:
        """The share of the time that serial runs had a core while they wanted one; None where it is hard to tell."""
        serial = self.serial
        if serial is None or serial.cpu_seconds is None or self.waiting is None or self.waiting > MOSTLY_WAITING:
            return None
        return min(1.0, serial.cpu_seconds / (serial.median * (1 - self.waiting)))

    def candidate(self, key: tuple[str, int]) -> Candidate:
        """The candidate with this pattern and number of workers. Raises: `KeyError`."""
        for one in self.candidates:
            if one.key == key:
                return one
        raise KeyError(f"no candidate {key}, only {[one.key for one in self.candidates]}")

    def speedup(self, candidate: Candidate) -> stats.Estimate | None:
        """How many times faster than serial, from ratios within rounds; ``None`` if no round has both."""
        if self.serial is None:
            return None
        ratios = stats.round_ratios(self.serial.seconds, candidate.seconds)
        return stats.estimate(list(ratios.values())) if ratios else None

    def limit(self, candidate: Candidate) -> float | None:
        """The largest speed-up that its workers can reach with the measured serial share of the job.

        With states of their own the workers stop for the merge, so Amdahl's law holds. A single state is updated by one
        worker at a time while the others work on: then only the updates one after another limit it.
        """
        workers = max(1, candidate.workers * (candidate.stages or 1))
        if candidate.pattern in self.single_state:
            share = self.serial_share_single
            return None if share is None else min(workers, 1.0 / share if share else workers)
        share = self.serial_share
        return None if share is None else 1.0 / (share + (1.0 - share) / workers)

    @property
    def thread_parallelism(self) -> float | None:
        """The most CPU time that threads of one pattern used a second: what the runs themselves say about the GIL."""
        used = (one.busy for one in self.candidates if one.uses_threads and one.workers > 1)
        return max((busy for busy in used if busy is not None), default=None)


def from_record(record: Record, python: str) -> Facts:
    """The facts about the interpreter ``python`` in ``record``. Raises: `KeyError` if it is not in there."""
    interpreter = record.environment.interpreter(python)
    runs = [run for run in record.runs if run.python == python]
    differing, failed = _first_differences(runs), _first_errors(runs)
    pipelines = {card.name: len(record.workload.stages) for card in record.cards if card.staged}
    candidates = _candidates((run for run in runs if run.pattern not in differing | failed), pipelines)
    left_out = frozenset((one.pattern, one.workers) for one in record.left_out if one.python == python)
    profile = record.profile(python)
    return Facts(
        python=python,
        candidates=candidates,
        free_threaded=interpreter.free_threaded,
        gil=_gil(interpreter, runs),
        gil_enabled_by=interpreter.gil_enabled_by,
        cores=interpreter.effective_cores,
        items=profile.items if profile else record.workload.items,
        cpu_per_item=profile.work_seconds / profile.items if profile and profile.items else None,
        item_cv=profile.work_cv if profile else None,
        waiting=_waiting(profile),
        released=profile.gil_released if profile else None,
        serial_share=profile.serial_share(update_in_parts=True) if profile else None,
        serial_share_single=profile.serial_share(update_in_parts=False) if profile else None,
        single_state=_single_state(record.cards),
        state=record.workload.state,
        differing=differing,
        failed=failed,
        unmeasured=frozenset(card.name for card in record.cards) - {run.pattern for run in runs},
        rounds=min(
            record.rounds,
            len(stats.common_rounds([one.seconds for one in candidates if one.key not in left_out])),
        ),
        left_out=left_out,
        round_seconds=_round_seconds(record),
        free_threaded_label=_free_threaded(record, python),
        subject=record.workload.name,
        aim=record.optimize,
        shape={"none": "none", "add": "counter"}.get(record.workload.state, "arbitrary"),
        dispatch=profile.dispatch or None if profile else None,
        hold=profile.hold_seconds if profile else None,
        gap=profile.gap_seconds if profile else None,
        reads=profile.reads if profile else None,
        replaced=profile.replaced if profile else None,
        wait_per_item=_wait(profile),
        transfer=profile.transfer_seconds if profile else None,
        coroutines="work_async" in record.workload.methods,
    )


def _candidates(runs: Iterable[Run], pipelines: Mapping[str, int]) -> tuple[Candidate, ...]:
    """The finished runs, grouped; the simplest pattern first, then by workers. ``pipelines`` have stages."""
    groups: dict[tuple[str, int], list[Run]] = {}
    for run in runs:
        if run.seconds is not None and run.seconds > 0:
            groups.setdefault((run.pattern, run.workers), []).append(run)
    keys = sorted(groups, key=lambda key: (simplicity(key[0]), key[1]))
    return tuple(_candidate(key, groups[key], pipelines.get(key[0], 0)) for key in keys)


def _candidate(key: tuple[str, int], runs: Sequence[Run], stages: int) -> Candidate:
    peaks = [run.peak_bytes for run in runs if run.peak_bytes is not None]
    return Candidate(
        pattern=key[0],
        workers=key[1],
        seconds={run.round: run.seconds for run in runs if run.seconds is not None},
        cpu_seconds=_median(run.cpu_seconds for run in runs),
        waiting_share=_median(run.waiting_share for run in runs),
        peak_bytes=round(median(peaks)) if peaks else None,
        cpu_by_round={run.round: run.cpu_seconds for run in runs if run.cpu_seconds is not None},
        bytes_by_round={run.round: float(run.peak_bytes) for run in runs if run.peak_bytes is not None},
        stages=stages,
    )


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _first_differences(runs: Iterable[Run]) -> dict[str, str]:
    found: dict[str, str] = {}
    for run in runs:
        if run.equal is False:
            found.setdefault(run.pattern, run.difference or "no detail was recorded")
    return found


def _first_errors(runs: Iterable[Run]) -> dict[str, str]:
    """What each failing pattern raised first."""
    found: dict[str, str] = {}
    for run in runs:
        if run.error is not None:
            found.setdefault(run.pattern, raised(run.error))
    return found


def raised(trace: str) -> str:
    """The line of a traceback that names the error: the first after the last frame; notes may follow it."""
    lines = [line for line in trace.splitlines() if line.strip()]
    frames = [number for number, line in enumerate(lines) if line.startswith("  ")]
    after = lines[frames[-1] + 1 :] if frames else lines[-1:]
    return (after or lines[-1:] or ["no message was recorded"])[0].strip()


def _gil(interpreter: Interpreter, runs: Iterable[Run]) -> bool | None:
    """True if the GIL was on after any run: one import can turn it on for the rest of the process."""
    seen = [run.gil for run in runs if run.gil is not None]
    return any(seen) if seen else interpreter.gil


def _waiting(profile: Profile | None) -> float | None:
    if profile is None or profile.blocked_seconds is None or profile.seconds <= 0:
        return None
    return min(1.0, profile.blocked_seconds / profile.seconds)


def _wait(profile: Profile | None) -> float | None:
    if profile is None or profile.blocked_seconds is None or not profile.items:
        return None
    return profile.blocked_seconds / profile.items


def _single_state(cards: Iterable[Card]) -> frozenset[str]:
    return frozenset(card.name for card in cards if not card.update_in_parts)


def _round_seconds(record: Record) -> float | None:
    """What a round took: the budget over the rounds it paid for, else the sum of the runs of the first round.

    For each interpreter, as the command's budget is. A budget that paid for no round is the least that one takes.
    """
    interpreters = max(1, len(record.environment.interpreters))
    if record.budget_seconds and record.runs and not record.interrupted:
        return record.budget_seconds / max(1, record.rounds) / interpreters
    first = [run.seconds for run in record.runs if run.round == 0 and run.seconds is not None]
    return sum(first) / interpreters or None


def _free_threaded(record: Record, python: str) -> str | None:
    """Another interpreter of the comparison whose GIL is off."""
    for other in record.environment.interpreters:
        if other.label != python and other.free_threaded and other.gil is not True:
            return other.label
    return None
