"""The seven techniques and what each pattern trades for what: one set of data for README, guide, terminal and advice.

Holds words and names only. What a technique costs is named here by its benchmark and read by `pages_costs`; which
technique fits is for the rules to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cost:
    """One thing to pay for: what it is, and the benchmark that measures it. Without a benchmark the words are all."""

    what: str
    shape: str | None = None
    contender: str | None = None


@dataclass(frozen=True, slots=True)
class Technique:
    """A way of working together, as the guide calls it. ``toolkit`` exists today, ``later`` does not yet."""

    name: str
    patterns: tuple[str, ...]  # the simplest first
    use_when: str
    shares: str
    keep_in_mind: str
    costs: tuple[Cost, ...]
    toolkit: tuple[str, ...]
    page: str  # the name of its page in the guide
    later: tuple[str, ...] = ()

    @property
    def available(self) -> bool:
        """True if the toolkit has it."""
        return bool(self.toolkit)


@dataclass(frozen=True, slots=True)
class TradeOffs:
    """What a pattern gives and takes, one sentence for each axis of `AXES`."""

    safety: str
    contention: str
    complexity: str
    throughput: str
    available: bool = True


AXES: Mapping[str, str] = {
    "safety": "what can still go wrong",
    "contention": "who waits for whom",
    "complexity": "what you have to write and remember",
    "throughput": "what limits the speed",
}

TECHNIQUES = (
    Technique(
        "threads",
        ("threads",),
        use_when="there are a few independent pieces of work, each long",
        shares="nothing, if each thread has its own part",
        keep_in_mind="one slow slice delays all",
        costs=(Cost("to start and join a thread", "spawn/scope of 1", "scope().spawn"),),
        toolkit=("spawn", "scope"),
        page="threads",
    ),
    Technique(
        "thread pool",
        ("pool", "executor"),
        use_when="there are many jobs, small or repeated, and unlike each other",
        shares="nothing; arguments and results are handed over",
        keep_in_mind="a task waits only for tasks of its own",
        costs=(Cost("for a call and its result", "submit/bursts of 100", "ThreadPool(2)"),),
        toolkit=("ThreadPool",),
        page="thread_pools",
    ),
    Technique(
        "channel",
        ("channel",),
        use_when="data moves from task to task, as in a pipeline",
        shares="nothing; an item has one owner at a time",
        keep_in_mind="close every sender when done",
        costs=(Cost("for an item, with 128 slots", "spsc/128", "channel(128)"),),
        toolkit=("channel", "select", "after", "tick", "Owned"),
        page="channels",
    ),
    Technique(
        "mutex",
        ("mutex",),
        use_when="state is shared, and one worker at a time changes it",
        shares="one value, behind one lock",
        keep_in_mind="keep work outside the lock",
        costs=(
            Cost("to enter and leave", "lock-pass/1 thread", "with Mutex as guard"),
            Cost("when two threads do nothing else", "lock-pass/2 threads/0", "with Mutex as guard"),
        ),
        toolkit=("Mutex", "Condvar"),
        page="mutexes",
    ),
    Technique(
        "rwlock",
        ("rwlock",),
        use_when="many read, few write, and a read takes long enough to pay",
        shares="one value, read by many or written by one",
        keep_in_mind="short reads do not pay for it",
        costs=(
            Cost("to enter and leave as a reader", "rw-read/1 thread", "with RwLock"),
            Cost("when two threads do nothing else", "rw-read/2 threads/0", "with RwLock"),
        ),
        toolkit=("RwLock",),
        page="rwlocks",
    ),
    Technique(
        "atomic",
        ("atomic", "sharded", "snapshot"),
        use_when="what is shared is one number: a counter, a flag",
        shares="one number, changed in single steps",
        keep_in_mind="two steps are not one",
        costs=(
            Cost("for an addition", "count/1 thread", "AtomicInt.add(1)"),
            Cost("when two threads do nothing else", "count/2 threads", "AtomicInt.add(1)"),
        ),
        toolkit=("AtomicInt", "AtomicBool", "AtomicFloat", "AtomicRef", "ShardedCounter"),
        page="atomics",
    ),
    Technique(
        "work distribution",
        ("par", "stealing"),
        use_when="the same is done to many items, cheap or of uneven cost",
        shares="nothing; parts are joined at the end",
        keep_in_mind="work must not share state",
        costs=(Cost("for an item", "par/beside map", "par(...).map(...).collect()"),),
        toolkit=("par",),
        page="work_distribution",
    ),
)

# Every pattern that a rule can name. Those that cannot be run yet say what to expect, and claim no figure.
TRADE_OFFS: Mapping[str, TradeOffs] = {
    "serial": TradeOffs(
        safety="nothing runs at the same time, so nothing can race",
        contention="none",
        complexity="a loop",
        throughput="one core, and the yardstick for all the others",
    ),
    "par": TradeOffs(
        safety="nothing is shared; a race is possible only if the work itself reaches for something outside",
        contention="workers meet once a chunk, at one counter",
        complexity="one call, and a function that joins two parts",
        throughput="the cores that are free, less the time to join the parts; uneven items even out",
    ),
    "threads": TradeOffs(
        safety="nothing is shared; the scope joins every thread and raises every failure",
        contention="none until the join",
        complexity="cutting the work into slices and joining the parts is yours to write",
        throughput="the slowest slice decides, and each thread has to be started",
    ),
    "mutex": TradeOffs(
        safety="the value is reached only while the lock is held; several locks can still deadlock",
        contention="everybody waits for whoever holds the lock",
        complexity="one lock, and the discipline to compute outside of it",
        throughput="as without sharing while the lock is mostly free; once it is always held, more threads do not help",
    ),
    "channel": TradeOffs(
        safety="one task owns the state, and no lock can be forgotten; a sender that nobody closes waits for ever",
        contention="senders wait when the owner is slower than they are",
        complexity="who closes what has to be decided, and the owner is one task more",
        throughput="every part is a message, and the owner handles them one by one",
    ),
    "atomic": TradeOffs(
        safety="each step is whole; two steps, or two atomics that must agree, are not",
        contention="the cores pass one number to and fro; nobody sleeps",
        complexity="one object and its methods",
        throughput="much cheaper than a lock, and much dearer than a number of one's own",
    ),
    "pool": TradeOffs(
        safety="arguments and results are handed over; tasks that wait for tasks of the same pool can stop it",
        contention="one queue for all workers",
        complexity="submit and result, as with concurrent.futures",
        throughput="each item pays for a future, so items should take many microseconds",
    ),
    "executor": TradeOffs(
        safety="as a pool; its queue has no bound, so memory can run out",
        contention="one queue for all workers",
        complexity="in the standard library, and known to every reader",
        throughput="each item pays for a future, several times what the toolkit's pool takes",
    ),
    "rwlock": TradeOffs(
        safety="as a mutex; in addition, whoever only reads must not write",
        contention="readers let each other in, and a writer waits for all of them",
        complexity="for each access you decide whether it reads or writes",
        throughput="more bookkeeping than a mutex, so it pays for long and frequent reads only",
    ),
    "processes": TradeOffs(
        safety="nothing is shared, not even by accident",
        contention="none in memory; items and results pass through pipes",
        complexity="everything that is passed has to be picklable, and every module importable",
        throughput="all cores also with the GIL, less the start of the processes and the transfer",
    ),
    "asyncio": TradeOffs(
        safety="tasks switch at an await only, and there state can have changed",
        contention="one thread runs everything; a call that blocks stops all",
        complexity="async reaches into every function that waits",
        throughput="thousands of waits at once, and one core for what computes",
    ),
    "interpreters": TradeOffs(
        safety="nothing is shared, as between processes",
        contention="each interpreter has a GIL of its own",
        complexity="modules have to support it, and objects are copied",
        throughput="all cores with cheaper starts than processes; not measured here",
        available=False,
    ),
    "sharded": TradeOffs(
        safety="as an atomic, and a sum taken meanwhile is of no one moment; of several locks take all in one go",
        contention="each thread adds to a place of its own; with a lock for each key, those who need the same key wait",
        complexity="one object, with add and sum; or a dict of locks, and who needs which",
        throughput="adding costs the same however many add, and summing more; a lock for each key costs a mutex",
    ),
    "snapshot": TradeOffs(
        safety="readers see one whole value, perhaps an old one; it must never be changed in place",
        contention="readers wait for nobody",
        complexity="writers make a new value and replace the old one",
        throughput="a read costs next to nothing, and every write copies the whole value",
    ),
    "stealing": TradeOffs(
        safety="nothing is shared, as in par",
        contention="workers meet only when one has run out of work",
        complexity="as par for the caller",
        throughput="pays when tasks make tasks; for a flat loop a shared cursor does as well; not measured here",
        available=False,
    ),
}


def of(pattern: str) -> Technique | None:
    """The technique that ``pattern`` belongs to; ``None`` for what is none of the seven, as serial."""
    return next((one for one in TECHNIQUES if pattern in one.patterns), None)


def named(name: str) -> Technique | None:
    """The technique called ``name``."""
    return next((one for one in TECHNIQUES if one.name == name), None)
