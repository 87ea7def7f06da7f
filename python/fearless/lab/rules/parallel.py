"""Can it pay at all: R0, the parallelism that there is, R1 and R2, the least job, and how much of the possible was got.

Reads facts and decides nothing about patterns beyond those that cannot win.
"""

from __future__ import annotations

from collections.abc import Mapping

from fearless.lab import stats, wording
from fearless.lab.facts import NOT_THREADS, ORDER, Candidate, Facts, simplicity
from fearless.lab.rules.finding import (
    DISPATCHES,
    ENOUGH,
    LITTLE_PARALLELISM,
    MUCH_RELEASED,
    NO_WAITING,
    NOT_COUNTED,
    SHORT_JOB,
    Finding,
)


def r0(facts: Facts) -> Finding | None:
    """Without threads that run at once, no thread pattern can win.

    Usable parallelism is the effective cores when the GIL is off. When it is on, a share ``rel`` of the work runs with
    the GIL released and the rest one thread at a time, so Amdahl's law allows at most 1 / (1 - rel). That share is
    sampled in a single watched run; unless it is large, the processor time that threads got a second is another limit,
    and the smaller holds. A speed-up that threads did reach is proof against all of them, unless they had less than one
    core for it while the GIL was held: two threads in turn get more out of a busy machine than one.

    Source: Amdahl, "Validity of the single processor approach", 1967.
    """
    usable = usable_parallelism(facts)
    if usable is None or usable >= LITTLE_PARALLELISM or (facts.waiting_share or 0.0) >= NO_WAITING:
        return None
    left = gil_limit(facts)
    if left is not None and left < LITTLE_PARALLELISM:
        text = f"{_gil_held(facts)}, so threads take turns and no thread pattern can win{_prediction(facts)}"
        reason = "needs threads that run at once, and the GIL lets only one run"
    else:
        text = f"only {facts.cores or 1:.2f} effective cores {_were(facts)} free, so no two threads can run at once"
        reason = "needs a second core, and none was free"
    known = {"usable_parallelism": usable, "cores": facts.cores, "gil": facts.gil, "released": facts.released}
    patterns = [one.pattern for one in facts.candidates] or ORDER
    threads = {pattern: reason for pattern in patterns if pattern not in NOT_THREADS}
    return Finding("R0", text, known, rules_out=threads)


def usable_parallelism(facts: Facts) -> float | None:
    """How many threads of this workload can make progress at once; ``None`` when nothing was measured that tells."""
    limits = [limit for limit in (facts.cores, gil_limit(facts)) if limit is not None]
    if not limits or (facts.gil and gil_limit(facts) is None):
        return None
    reached = [facts.speedup(one) for one in facts.candidates if one.uses_threads and _ran_at_once(facts, one)]
    proven = [one.median for one in reached if one is not None and one.above(1.0)]
    return max(1.0, min(limits), *proven)


def _ran_at_once(facts: Facts, one: Candidate) -> bool:
    """True unless what is known of the runs of ``one`` speaks against it."""
    held = bool(facts.gil) and facts.released is not None and 1 - facts.released > 1 / LITTLE_PARALLELISM
    return one.workers > 1 and not (held and one.busy is not None and one.busy < 1)


def gil_limit(facts: Facts) -> float | None:
    """How many threads the GIL lets run at once; ``None`` when it is off or nothing was measured that tells."""
    if not facts.gil:
        return None
    limits = [1 / max(1e-9, 1 - facts.released)] if facts.released is not None else []
    if facts.thread_parallelism is not None and (facts.released or 0.0) < MUCH_RELEASED:
        limits.append(facts.thread_parallelism)
    return max(1.0, min(limits)) if limits else None


def _were(facts: Facts) -> str:
    """What was measured is told in the past."""
    return "were" if facts.candidates else "are"


def _gil_held(facts: Facts) -> str:
    """The first half of R0's sentence."""
    cause = f" (turned on by the import of {facts.gil_enabled_by})" if facts.gil_enabled_by else ""
    parts = []
    if facts.released is not None:
        tense = "was" if facts.candidates else "is"
        parts.append(f"the GIL{cause} {tense} held for {wording.percent(1 - facts.released)} of the work")
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
    if facts.cores is None or facts.serial_share is None or not facts.candidates:
        hint = ": try --python PATH" if facts.candidates else ""
        return f"; free-threaded Python lets them{hint}"
    if facts.cores < LITTLE_PARALLELISM:
        return f"; free-threaded Python lets them, but no more than {facts.cores:.2f} cores were free here"
    bound = 1 / (facts.serial_share + (1 - facts.serial_share) / facts.cores)
    return f"; free-threaded Python is predicted to give up to {bound:.1f}x over its own serial run: try --python PATH"


def r1(facts: Facts) -> Finding | None:
    """A job under 500 us that waits for nothing stays serial: starting a worker costs as much as the job.

    Source: the oneTBB documentation asks for a million cycles of work before a loop is worth splitting.
    """
    seconds, highest = _job(facts)
    if seconds is None or highest is None or highest >= SHORT_JOB or (facts.waiting_share or 0.0) >= NO_WAITING:
        return None
    text = f"the whole job takes {wording.seconds(seconds)}, which is less than starting workers costs (500 us)"
    return Finding("R1", text, {"job_seconds": seconds}, settles_for="serial")


def _job(facts: Facts) -> tuple[float | None, float | None]:
    """What the whole job takes serially, and the most that it may take: as measured, else from the items."""
    if facts.serial is not None:
        job = stats.estimate(list(facts.serial.seconds.values()))
        return job.median, job.median if job.bounds is None else job.bounds[1]
    if facts.items is None or facts.cpu_per_item is None:
        return None, None
    seconds = facts.items * (facts.cpu_per_item + (facts.hold or 0.0) + (facts.wait or 0.0))
    return seconds, seconds


def r2(facts: Facts, dispatch: Mapping[str, float]) -> Finding | None:
    """A job that is worth fewer than 100 dispatches of a pattern is too small for that pattern.

    With n items of t seconds and o seconds for a dispatch, n * t / o must be 100 or more. Where it is less for every
    pattern, stay serial.

    Source: the NQ model, which Java's parallel streams go by: the number of items times the work of each decides.
    """
    if facts.items is None or facts.cpu_per_item is None:
        return None
    worth = facts.items * (facts.cpu_per_item + (facts.wait or 0.0))
    small = {name: cost for name, cost in dispatch.items() if cost > 0 and worth / cost < DISPATCHES}
    if not small:
        return None
    reasons = {
        name: f"the whole job is worth {worth / cost:.0f} of its dispatches ({wording.seconds(cost)}), less than 100"
        for name, cost in small.items()
    }
    names = wording.listed(sorted(small, key=simplicity))
    text = f"the whole job, {wording.seconds(worth)}, is worth fewer than 100 dispatches of {names}"
    settled = "serial" if len(small) == len(dispatch) else None
    return Finding("R2", text, {"job_seconds": worth, "dispatch": small}, rules_out=reasons, settles_for=settled)


def reached(facts: Facts, pick: Candidate) -> Finding | None:
    """R0 seen from the other side: how much of the possible speed-up the pick reached.

    Possible is the smallest of the effective cores, of what the serial share of the job leaves, and of what the GIL
    leaves while it is on.
    """
    speedup, law = facts.speedup(pick), facts.limit(pick)
    if not pick.uses_threads or facts.cores is None or law is None or speedup is None:
        return None
    if (facts.waiting_share or 0.0) >= NO_WAITING or (facts.gil and facts.released is None):
        return None
    name = "its updates" if pick.pattern in facts.single_state else "Amdahl's law"
    if law >= pick.workers * (pick.stages or 1):
        name = "its workers"
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
