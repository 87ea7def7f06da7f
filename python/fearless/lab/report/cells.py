"""The cells of a row as text, the same for a terminal and for a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fearless.lab import wording
from fearless.lab.facts import from_record
from fearless.lab.record import Card, Environment, Interpreter, Record
from fearless.lab.report.table import Row

NONE = "-"
FEW_CORES = 0.75  # of those granted
SERVED = 0.8  # of the time that serial runs wanted a core
MUCH_NOISE = 0.15
MUCH_STEAL = 0.02  # less is usual on shared machines


def pattern(row: Row) -> str:
    """The name of the pattern; the pick is marked."""
    return f"> {row.pattern}" if row.picked else f"  {row.pattern}"


def workers(row: Row) -> str:
    """The number of workers; of a pipeline that of its stages, by that of the workers of each."""
    if row.candidate is None:
        return NONE
    stages = f"{row.candidate.stages}x" if row.candidate.stages else ""
    return f"{stages}{row.candidate.workers}"


def time(row: Row) -> str:
    """The median with its interval and unit."""
    return wording.seconds_with_interval(row.seconds) if row.seconds else NONE


def speedup(row: Row) -> str:
    """The speed-up with its interval; serial has none, being what the others are compared with."""
    if row.speedup is None:
        return NONE
    return "1x" if row.pattern == "serial" else wording.ratio_with_interval(row.speedup)


def waits(row: Row) -> str:
    """The share of time the workers waited; ``-`` where no waiting is counted."""
    known = row.candidate.waiting_share if row.candidate else None
    return NONE if known is None else wording.percent(known)


def cpu(row: Row) -> str:
    """CPU time of all threads and processes together."""
    known = row.candidate.cpu_seconds if row.candidate else None
    return NONE if known is None else wording.seconds(known)


def memory(row: Row) -> str:
    """Peak memory."""
    known = row.candidate.peak_bytes if row.candidate else None
    return NONE if known is None else wording.size(known)


def card(known: Card | None) -> tuple[str, str, str]:
    """What is shared, what to keep in mind, and the size of the code."""
    if known is None:
        return NONE, NONE, NONE
    code = f"{wording.counted(known.lines, 'line')}, {wording.counted(known.coordination_calls, 'call')}"
    return known.shared, known.keep_in_mind, code


def subject(record: Record) -> str:
    """What was run, on which input."""
    info = record.workload
    parts = [wording.counted(info.items, "item")] if info.items is not None else []
    if info.corpus is not None:
        files, size = wording.counted(info.corpus.files, "file"), wording.size(info.corpus.bytes)
        parts.append(f"{files}, {size}, sha256 {info.corpus.sha256[:12]}")
    parts += [f"{name}={value}" for name, value in info.parameters.items() if value not in ("", None)]
    parts += [f"stages: {', '.join(info.stages)}"] if info.stages else []
    about = f": {info.summary.rstrip('.')}" if info.summary else ""
    return f"{info.name}{about}" + (f" ({'; '.join(parts)})" if parts else "")


def interpreter(one: Interpreter, environment: Environment, rounds: int) -> str:
    """Which Python, its build, the GIL after the runs, the cores it really had and how steady they were."""
    build = "free-threaded" if one.free_threaded else "GIL build"
    parts = [f"{one.implementation} {one.version} {build}", _gil(one)]
    if one.effective_cores is not None:
        parts.append(f"{one.effective_cores:.2f} effective cores of {environment.cores_allowed:g}")
    if one.noise is not None:
        parts.append(f"noise {wording.percent(one.noise)}")
    parts.append(wording.counted(rounds, "round"))
    return ", ".join(parts)


def _gil(one: Interpreter) -> str:
    if one.gil is None:
        return "GIL not read"
    if not one.gil:
        return "GIL off after the runs"
    by = f", turned on by importing {one.gil_enabled_by}" if one.gil_enabled_by else ""
    return f"GIL on after the runs{by}"


def left_out(record: Record) -> str | None:
    """Why some figures come from a single run; None if none does."""
    if not record.left_out:
        return None
    return "to fit into the budget, only one number of workers of each pattern went on after the first round"


def _served(record: Record) -> Iterator[float | None]:
    return (from_record(record, one.label).served for one in record.environment.interpreters)


def conditions(record: Record) -> Sequence[str]:
    """What a reader must know about the run as a whole; empty if all was as it should be."""
    found = []
    if record.interrupted:
        found.append(f"interrupted: {wording.counted(record.rounds, 'complete round')}")
    granted = record.environment.cores_allowed
    least = min((one.effective_cores or granted for one in record.environment.interpreters), default=granted)
    served = min((one for one in _served(record) if one is not None), default=1.0)
    if served < SERVED:
        found.append(
            f"the machine was busy: serial had a core for {wording.percent(served)} of its time, so a speed-up may "
            "be no more than a larger share; run it again when other programs are idle"
        )
    elif least < FEW_CORES * granted:
        found.append(f"only {least:.2f} of {granted:g} cores were free: run it again when other programs are idle")
    elif any((one.noise or 0.0) >= MUCH_NOISE for one in record.environment.interpreters):
        found.append("the machine was busy: run it again when other programs are idle, for narrower intervals")
    steal = record.environment.steal
    if steal is not None and steal >= MUCH_STEAL:
        found.append(f"the hypervisor took {wording.percent(steal)} of the CPU time while this ran")
    return found
