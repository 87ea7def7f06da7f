"""The record of one comparison, schema 1: what was measured, on what, and the verdict.

Holds the types and their way to JSON and back. Measures nothing, decides nothing, prints nothing.

Every type is immutable. A field that was not measured is ``None``, never zero. Keys may be added to schema 1; none is
ever removed or given another meaning, so a reader ignores keys that it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from fearless.lab._codec import SchemaError, decode, dump, encode, parse

__all__ = [
    "Because",
    "Card",
    "Corpus",
    "Environment",
    "Interpreter",
    "LeftOut",
    "Profile",
    "Record",
    "Refused",
    "Rejected",
    "Run",
    "SchemaError",
    "Verdict",
    "WorkloadInfo",
]

SCHEMA = 1

VerdictKind = Literal["recommend", "serial", "cannot tell"]


@dataclass(frozen=True, slots=True)
class Run:
    """One pattern, run once in a process of its own.

    ``seconds``, ``cpu_seconds`` and ``peak_bytes`` are ``None`` when the run failed; ``error`` then holds the
    traceback. ``waiting_seconds`` is summed over the workers and comes from the clock of the waiting door; ``None``
    where there is none.
    """

    pattern: str
    workers: int
    python: str  # the label of an `Interpreter`
    round: int  # 0 is the first
    seconds: float | None = None  # wall clock, the pattern alone
    cpu_seconds: float | None = None  # user and system, all threads and child processes
    waiting_seconds: float | None = None
    peak_bytes: int | None = None  # of the process, with those of its worker processes added
    result_sha256: str | None = None  # of the result in its canonical form; floats are left out of it, see `result.py`
    error: str | None = None  # the user's own traceback
    equal: bool | None = None  # to the serial result; None: not compared, as it failed or there was no serial result
    difference: str | None = None  # where it first differs, in words
    gil: bool | None = None  # read in the child after the run; False means it was off
    gil_enabled_by: str | None = None  # the module whose import turned it on
    threads: int | None = None  # the workers of all stages, and those beside them: the owner of the state, a source

    @property
    def waiting_share(self) -> float | None:
        """Waiting as a share of the time of all threads that take part, 0 to 1."""
        if self.waiting_seconds is None or not self.seconds:
            return None
        return min(1.0, self.waiting_seconds / ((self.threads or self.workers) * self.seconds))

    @property
    def ok(self) -> bool:
        """True if it finished and its result was not found to differ."""
        return self.error is None and self.seconds is not None and self.equal is not False


@dataclass(frozen=True, slots=True)
class Profile:
    """What one watched serial run tells about a workload under one interpreter. Its time is in no statistics.

    ``work_seconds``, ``update_seconds`` and ``merge_seconds`` are CPU time. ``gil_released`` is the share of samples
    at which another thread could have taken the GIL; ``None`` on a free-threaded interpreter. ``blocked_seconds`` is
    time in which the operating system says the thread neither ran nor was ready to run; ``None`` where it does not
    say.

    ``dispatch`` says what the patterns themselves cost, by the name of the pattern: CPU seconds for one item beyond its
    work. Beside them stand ``chunk``, a chunk of `par`, ``thread``, one that is started and joined, and ``process``,
    which is wall clock until it is ready. ``hold_seconds`` and ``gap_seconds`` are wall clock and come from the pattern
    `mutex` with one worker, who never waits for the lock. ``reads`` and ``replaced`` are counted in the serial run.
    """

    python: str
    items: int
    seconds: float  # wall clock of the whole serial run
    cpu_seconds: float
    work_seconds: float  # summed over the items
    work_cv: float  # standard deviation over mean of the items' work
    update_seconds: float = 0.0  # summed over the items
    merge_seconds: float = 0.0  # joining two partial states, each of half of the items, once
    blocked_seconds: float | None = None
    gil_released: float | None = None
    dispatch: Mapping[str, float] = field(default_factory=dict)
    hold_seconds: float | None = None  # the lock, for one access to the state; None where there is no state
    gap_seconds: float | None = None  # from the end of a hold to the next
    transfer_seconds: float | None = None  # wall clock, one item to another process and its part back
    reads: float | None = None  # share of the accesses to the state that only look at it; None where nothing reads it
    replaced: bool | None = None  # every update gave a new state; None where nothing was updated, or only added to

    def serial_share(self, *, update_in_parts: bool) -> float:
        """The share of the job that one worker at a time can do, 0 to 1.

        With ``update_in_parts`` each worker updates a state of its own, and only the merge is serial.
        """
        merge = self.merge_seconds if update_in_parts else 0.0
        total = self.work_seconds + self.update_seconds + merge
        serial = merge if update_in_parts else self.update_seconds
        return serial / total if total > 0 else 0.0

    def amdahl(self, workers: float, *, update_in_parts: bool) -> float:
        """The largest speed-up that ``workers`` can reach by Amdahl's law."""
        share = self.serial_share(update_in_parts=update_in_parts)
        return 1.0 / (share + (1.0 - share) / workers)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """One Python that runs were made with.

    ``effective_cores`` is how many times faster k spinners count than one, taken ``calibrations`` times between the
    runs; the median. ``noise`` is half the spread between the quartiles of a fixed piece of work, over its median.
    """

    label: str  # short and unique in the record: "3.13", "3.13t"
    executable: str
    version: str  # "3.13.2"
    implementation: str = "CPython"
    free_threaded: bool = False  # the build; whether the GIL was on is `gil`
    gil: bool | None = None  # after the runs; True if it was on after any
    gil_enabled_by: str | None = None
    effective_cores: float | None = None
    calibrations: Sequence[float] = ()
    noise: float | None = None  # relative, 0.02 is 2 %
    versions: Mapping[str, str] = field(default_factory=dict)  # "fearless": "0.1.0"


@dataclass(frozen=True, slots=True)
class Environment:
    """The machine, and every interpreter used on it. The first interpreter is the one the comparison is about."""

    platform: str  # "Linux-6.1-x86_64"
    cpu_count: int
    affinity: int | None = None  # CPUs that this process may use
    cgroup_cpus: float | None = None  # CPUs that the control group grants; None: no limit
    steal: float | None = None  # share of CPU time that the hypervisor took while measuring
    started: str | None = None  # ISO 8601, UTC
    interpreters: Sequence[Interpreter] = ()

    @property
    def cores_allowed(self) -> float:
        """CPUs granted by affinity and control group together."""
        granted = [float(self.cpu_count)]
        granted += [float(limit) for limit in (self.affinity, self.cgroup_cpus) if limit is not None]
        return min(granted)

    def interpreter(self, label: str) -> Interpreter:
        """The interpreter that runs name by ``label``. Raises: `KeyError` if there is none."""
        for one in self.interpreters:
            if one.label == label:
                return one
        raise KeyError(f"no interpreter {label!r} in this record, only {[one.label for one in self.interpreters]}")


@dataclass(frozen=True, slots=True)
class Corpus:
    """The input files of a workload: every run reads the same ones."""

    files: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class WorkloadInfo:
    """What was run. ``state`` is what items share: "none", "add" (ints), "merge" (states join), "update" (neither)."""

    name: str
    source: str = "built-in"  # or the file or module
    summary: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)  # JSON values
    items: int | None = None
    state: Literal["none", "add", "merge", "update"] = "none"
    methods: Sequence[str] = ()  # those the workload defines
    stages: Sequence[str] = ()  # the functions that an item goes through, where the work has stages
    corpus: Corpus | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """What a pattern asks of its reader; counted from its file where it is a number."""

    name: str
    shared: str  # "nothing", "parts handed over", "one owner", "one lock", "several locks", "a bare atomic"
    keep_in_mind: str  # five words
    lines: int  # of code, without blank lines, comments and docstrings
    coordination_calls: int  # calls that start, join, lock, send, receive or merge
    update_in_parts: bool = True  # each worker updates a state of its own; False: one state, one worker at a time
    summary: str = ""
    ordered: bool = False  # keeps the order of the items
    staged: bool = False  # a pipeline: there are so many workers for each stage


@dataclass(frozen=True, slots=True)
class Refused:
    """A pattern that was not run, and why."""

    pattern: str
    text: str
    python: str | None = None  # None: under no interpreter


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A number of workers that ran in the first round only.

    So another of its pattern has as many rounds as a verdict needs within the budget. No verdict goes by a single run.
    """

    pattern: str
    workers: int
    python: str


@dataclass(frozen=True, slots=True)
class Because:
    """A finding that led to the verdict."""

    rule: str  # "R15"
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)  # JSON values


@dataclass(frozen=True, slots=True)
class Rejected:
    """A pattern that was measured and not recommended, and why."""

    pattern: str
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The recommendation, or why there is none. ``confidence`` is the share of resamples with the same pick, 0 to 1."""

    kind: VerdictKind
    pattern: str | None = None
    workers: int = 1
    confidence: float = 0.0
    because: Sequence[Because] = ()
    rejected: Sequence[Rejected] = ()
    python: str | None = None  # the interpreter it holds for
    aims: Mapping[str, str] = field(default_factory=dict)  # what the pick would be under each aim, as far as known


@dataclass(frozen=True, slots=True)
class Record:
    """Everything one comparison knows. ``verdict`` is ``None`` until something decided.

    With several interpreters ``verdicts`` has one for each, and ``verdict`` is that of the first.
    """

    environment: Environment
    workload: WorkloadInfo
    runs: Sequence[Run] = ()
    verdict: Verdict | None = None
    verdicts: Sequence[Verdict] = ()
    profiles: Sequence[Profile] = ()
    cards: Sequence[Card] = ()
    refused: Sequence[Refused] = ()
    left_out: Sequence[LeftOut] = ()
    interrupted: bool = False
    budget_seconds: float | None = None
    rounds: int = 0  # complete ones
    optimize: str = "throughput"  # the aim that the verdict is for
    schema: int = SCHEMA

    def to_json(self) -> str:
        """The record as JSON text, indented, ending in a newline."""
        return dump(encode(self))

    @classmethod
    def from_json(cls, text: str) -> Record:
        """The record in ``text``. Raises: `SchemaError`, naming the key, if it is not a record of schema 1."""
        data = parse(text)
        schema = data.get("schema") if isinstance(data, dict) else None
        if schema != SCHEMA:
            raise SchemaError(f"this reads records of schema {SCHEMA}, got {schema!r}")
        return decode(cls, data)

    def write(self, path: str | Path) -> None:
        """Write the record to ``path`` as JSON, whole or not at all."""
        target = Path(path)
        scratch = target.with_name(f".{target.name}.part")
        scratch.write_text(self.to_json(), encoding="utf-8")
        scratch.replace(target)

    @classmethod
    def read(cls, path: str | Path) -> Record:
        """Read the record in the file ``path``. Raises: `SchemaError`, naming file and key."""
        try:
            return cls.from_json(Path(path).read_text(encoding="utf-8"))
        except SchemaError as error:
            raise SchemaError(f"{path}: {error}") from None

    def profile(self, python: str) -> Profile | None:
        """The profile taken under the interpreter ``python``, if any."""
        return next((one for one in self.profiles if one.python == python), None)

    def card(self, pattern: str) -> Card | None:
        """The card of ``pattern``, if the record has it."""
        return next((one for one in self.cards if one.name == pattern), None)
