"""What has to be shared, and behind what: R5 nothing, R6 a counter, R7 a lock and its load, R8 readers, R9 a snapshot.

Reads facts. Says which patterns the data rules out; how the rest rank is for others.
"""

from __future__ import annotations

from fearless.lab import costs, wording
from fearless.lab.facts import Facts
from fearless.lab.rules.finding import (
    ALMOST_ONLY_READ,
    CONTENDED_THREADS,
    CONTENTION,
    HEAVY_LOAD,
    LIGHT_LOAD,
    LONG_HOLD,
    MANY_LOCKS,
    MOSTLY_READ,
    RWLOCK_GAIN,
    Finding,
)

LOCKED = ("mutex", "rwlock")
BARE = ("atomic", "sharded")


def r5(facts: Facts) -> Finding | None:
    """Work without state, or whose parts can be joined, needs nothing shared: `par` comes first.

    What is not shared cannot race, cannot deadlock and needs no lock to be right.

    Source: the guide's first question, whether one task can own the data.
    """
    if not facts.joins or (facts.candidates and not any(one.pattern == "par" for one in facts.candidates)):
        return None
    kind = "add" if facts.adds else "none" if facts.shape == "none" else facts.state
    why = {
        "none": "the items share no state",
        "add": "the items only add, and sums can be joined",
        "merge": "partial results can be joined",
    }
    nothing = "nothing is shared, so there is nothing to guard"
    out = dict.fromkeys((*LOCKED, *BARE, "snapshot"), nothing) if kind == "none" else {}
    return Finding("R5", f"{why[kind]}, so par needs nothing shared", {"state": kind}, rules_out=out)


def r5_one_state(facts: Facts) -> Finding | None:
    """R5 from the other side: a state whose parts cannot be joined has one home, so no worker can have its own.

    Source: as R5.
    """
    if facts.joins is not False:
        return None
    text = "parts cannot be joined, so there is one state: shared behind a lock, or owned by one task"
    out = dict.fromkeys(("par", "threads", "interpreters"), "needs partial results that can be joined")
    if facts.one_owner:
        text = "parts cannot be joined, and one task can own the state, so no lock is needed: parts are sent to it"
        out |= dict.fromkeys((*LOCKED, *BARE, "snapshot"), "one task can own the state, so it need not be shared")
    if facts.one_owner is False:
        owned = dict.fromkeys(("channel", "pool", "executor", "processes"), "one task would have to own the state")
        out |= {} if facts.handed_on else owned
    return Finding("R5", text, {"state": facts.state, "one_owner": facts.one_owner}, rules_out=out)


def r5_in_order(facts: Facts) -> Finding | None:
    """R5 where parts go into one state in the order of the items: one task takes them in, as their futures say.

    Source: as R5; whoever gets a lock first, or sends first, has no order.
    """
    if not facts.ordered or facts.adds or facts.joins is not False:
        return None
    text = "parts go into the state in the order of the items, so one task takes them in, from futures"
    out = dict.fromkeys(("mutex", "rwlock", "channel", "snapshot"), "takes parts in the order in which they are done")
    return Finding("R5", text, {"ordered": True}, rules_out=out)


def r6(facts: Facts, workers: int) -> Finding | None:
    """A counter: partial sums joined at the end; where they cannot wait, an atomic; shards only under contention.

    Contended means at least four threads, and an addition that costs over three times what it does alone
    (provisional: two cores show 6.1 against 2 ns).

    Source: Java's LongAdder, whose shards pay once many threads update and few read.
    """
    if facts.shape is None and facts.state == "none":
        return None
    if not facts.adds:
        out = dict.fromkeys(BARE, "holds totals, a flag or one reference, and the state is more than that")
        return Finding("R6", "", {"shape": facts.shape}, rules_out=out)
    alone, shared = costs.dispatch(facts)["sharded"], costs.dispatch(facts)["atomic"]
    contended = workers >= CONTENDED_THREADS and shared > CONTENTION * alone
    out = {} if contended else {"sharded": "shards pay from four threads, and at three times the cost of an add alone"}
    text = "partial sums joined at the end share nothing; an atomic is for a total that is read while they run"
    if contended:
        text = f"{workers} threads on one atomic pay {wording.seconds(shared)} an add, so shards would pay"
    return Finding("R6", text, {"workers": workers, "add_seconds": shared, "contended": contended}, rules_out=out)


def gap(facts: Facts) -> float | None:
    """T: from one hold of a worker to its next; as measured, else what an item takes outside."""
    if facts.gap is not None:
        return facts.gap
    return None if facts.cpu_per_item is None else facts.cpu_per_item + (facts.wait or 0.0)


def lock_load(facts: Facts, workers: int) -> float | None:
    """The share of time that one lock would be held, were it never waited for: workers * S / (S + T)."""
    outside = gap(facts)
    if facts.hold is None or outside is None or facts.hold + outside <= 0:
        return None
    return workers * facts.hold / (facts.hold + outside)


def r7(facts: Facts, workers: int) -> Finding | None:
    """The load of one lock says whether one is enough: below 0.3 a mutex; up to 0.8 a mutex with less work in it.

    Above, workers queue: join parts, shard, or give the state to one owner behind a channel. Threads beyond
    (S + T) / S are useless in any case. A state that is mostly read stays behind its lock, since an owner would have
    to answer every read by a message. The limits are provisional.

    Source: operational analysis, Denning and Buzen, 1978: the utilization law and the bounds that follow from it.
    """
    load, outside = lock_load(facts, workers), gap(facts)
    if load is None or outside is None or facts.hold is None or facts.shape == "none":
        return None
    useful = costs.useful(facts.hold, outside) if facts.hold else workers
    known = {"load": load, "hold": facts.hold, "gap": outside, "workers": workers, "useful_workers": useful}
    shown = (
        f"{wording.counted(workers, 'worker')} would load one lock to {load:.2f} "
        f"(held {wording.seconds(facts.hold)}, {wording.seconds(outside)} in between)"
    )
    if load < LIGHT_LOAD:
        return Finding("R7", f"{shown}: below {LIGHT_LOAD}, one mutex is enough", known)
    if load <= HEAVY_LOAD or (facts.reads or 0.0) >= MOSTLY_READ:
        return Finding("R7", f"{shown}: a mutex, with as much work moved out of it as can be", known)
    text = f"{shown}: above {HEAVY_LOAD} workers queue, and more than {useful} gain nothing"
    owned = facts.joins or facts.one_owner is not False or facts.handed_on
    out = dict.fromkeys(LOCKED, f"the lock would be loaded to {load:.2f}, above {HEAVY_LOAD}") if owned else {}
    text += "" if owned else "; but no task can own the state, so the lock stays"
    return Finding("R7", text, known, rules_out=out)


def r8(facts: Facts, workers: int) -> Finding | None:
    """A lock for readers and writers only when reads are 90 % and long: otherwise it costs more than it gives.

    All must hold: threads run at once, 90 % reads, holds of 500 ns or more, two readers, a lock load above 0.3, and a
    predicted gain of 1.2 over the mutex (provisional: no gain under 100 ns, 1.25 at 590 ns with 10 % writes).

    Source: the locking documentation of Linux, which advises spinlocks unless read sections are long.
    """
    if facts.shape == "none" or (facts.shape is None and facts.state == "none"):
        return None
    out = _unread(facts)
    why_not = _no_rwlock(facts, workers)
    if why_not is not None:
        return Finding("R8", "", {"reads": facts.reads, "hold": facts.hold}, rules_out={**out, "rwlock": why_not})
    text = (
        f"{wording.percent(facts.reads or 0.0)} of accesses read, for {wording.seconds(facts.hold or 0.0)} each, so "
        f"readers that run together are predicted to give {rwlock_gain(facts, workers):.2f}x over one mutex"
    )
    known = {"reads": facts.reads, "hold": facts.hold, "workers": workers}
    return Finding("R8", text, known, rules_out=out, settles_for="rwlock")


def _unread(facts: Facts) -> dict[str, str]:
    """A state that is mostly read by the workers is no state for one owner."""
    moves_on = facts.handed_on or (facts.locks or 0) > MANY_LOCKS
    if (facts.reads or 0.0) < MOSTLY_READ or moves_on or facts.joins is not False:
        return {}
    return dict.fromkeys(("channel", "pool", "executor", "processes"), "an owner would have to answer every read")


def _no_rwlock(facts: Facts, workers: int) -> str | None:
    """The first condition of R8 that does not hold."""
    load = lock_load(facts, workers)
    if facts.reads is None or facts.reads < MOSTLY_READ:
        share = "not known" if facts.reads is None else wording.percent(facts.reads)
        return f"pays from 90 % reads, and the share of reads is {share}"
    if facts.gil and costs.parallelism(facts) < RWLOCK_GAIN:
        return "readers gain nothing from a lock that they share while the GIL lets one of them run"
    if facts.replaced:
        return "writers replace the whole value, so readers need only take a reference to it"
    if facts.hold is None or facts.hold < LONG_HOLD:
        held = "not known" if facts.hold is None else wording.seconds(facts.hold)
        return f"pays from holds of 500 ns, and the hold is {held}"
    if workers < 2 or load is None or load <= LIGHT_LOAD:  # noqa: PLR2004  # two readers
        return f"pays when the lock is loaded above {LIGHT_LOAD} by two readers or more"
    gain = rwlock_gain(facts, workers)
    return None if gain >= RWLOCK_GAIN else f"predicted to give {gain:.2f}x over one mutex, less than 1.2x"


def rwlock_gain(facts: Facts, workers: int) -> float:
    """How many times faster than behind one mutex the accesses are predicted to pass."""
    hold, outside, reads = facts.hold or 0.0, gap(facts) or 0.0, facts.reads or 0.0
    extra = costs.dispatch(facts)
    behind_mutex = costs.passes(workers, hold + extra["mutex"], outside)
    together = costs.passes(workers, hold * (1 - reads) + extra["rwlock"], outside + hold * reads)
    return min(together, costs.parallelism(facts) / (hold + outside + extra["rwlock"])) / behind_mutex


def r9(facts: Facts) -> Finding | None:
    """A value that is read 99 % of the time and replaced as a whole: one atomic reference to the current snapshot.

    Readers take the reference and never wait; a writer builds the next value beside it.

    Source: read-copy-update, McKenney and Slingwine, 1998.
    """
    if facts.shape == "none" or (facts.shape is None and facts.state == "none"):
        return None
    if facts.replaced and (facts.reads or 0.0) >= ALMOST_ONLY_READ:
        text = (
            f"{wording.percent(facts.reads or 0.0)} reads of a value that is replaced as a whole: one reference is all"
        )
        return Finding("R9", text, {"reads": facts.reads, "replaced": True}, settles_for="snapshot")
    reason = "is for a value that is read 99 % of the time and replaced as a whole"
    return Finding("R9", "", {"reads": facts.reads, "replaced": facts.replaced}, rules_out={"snapshot": reason})
