"""The cost model: what each pattern is predicted to take, from facts alone.

Holds typical dispatch costs, and from them and the facts the predicted time, processor time, memory and waiting for a
result. Measures nothing, and does not say which pattern may be used: that is for the rules.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from fearless.lab.facts import ORDER, Facts

# Seconds that one item costs beyond its work: on CPython 3.13 with two cores, the dearer of the builds with and
# without the GIL, from benchmarks/results. Those of rwlock, sharded and snapshot come from what they took beside mutex
# and atomic in one run of `fearless.lab.dispatch`. That of asyncio is for an item that waits four times, at 5e-6 a wait
# (see `MOST_COROUTINES`): dispatch leaves the waits out and finds 2e-7. Those of interpreters and stealing, which the
# toolkit does not have, are assumed.
TYPICAL: Mapping[str, float] = {
    "serial": 0.0,
    "par": 2e-8,
    "threads": 1e-8,
    "mutex": 2.2e-7,
    "channel": 4e-7,
    "atomic": 4.5e-8,
    "pool": 1.7e-6,
    "executor": 1.1e-5,
    "rwlock": 2.8e-7,
    "processes": 5e-6,
    "asyncio": 2e-5,
    "interpreters": 2e-5,
    "sharded": 5e-8,
    "snapshot": 6e-8,
    "stealing": 2e-6,
}
CHUNK = 2e-6  # seconds to take a chunk
THREAD = 3e-4  # seconds to start a thread and join it
PROCESSES = 0.12  # seconds until the first worker process is there
PROCESS = 0.03  # and for each
THREAD_BYTES = 150 * 1024  # of its stack, touched
PROCESS_BYTES = 30 * 1024 * 1024
FUTURE_BYTES = 300
# A task that waits for a timer, with the coroutine it runs and the timer: 1.7 kB on CPython 3.11 to 3.13, 1.9 kB
# free-threaded. Start 10,000 that call `asyncio.sleep(60)`, let the loop turn, and see by how much the resident set
# (the second number of /proc/self/statm) has grown for each. A connection comes on top of that, as with threads.
COROUTINE_BYTES = 1_900
# A wait takes 5 us of CPU time with 100 of them or 1,000, 6 us with 10,000 and 11 us with 100,000 (CPython 3.11, the
# `time.thread_time` of a loop on which so many take turns with `asyncio.sleep(0.05)`): beyond this the loop itself gets
# slower. Open files end first where each has a connection: often at 1,024, see `ulimit -n`.
MOST_COROUTINES = 10_000
BASE_BYTES = 12 * 1024 * 1024
IN_PARTS = frozenset({"par", "threads", "processes", "interpreters"})  # a state for each worker, joined at the end
APART = frozenset({"processes", "interpreters"})
CALLER_UPDATES = frozenset({"channel", "pool", "executor"})  # one task owns the state
BY_FUTURES = frozenset({"pool", "executor"})
BEHIND = 1e6  # seconds: a latency for those that fall behind, so that the least overloaded still comes first


@dataclass(frozen=True, slots=True)
class Cost:
    """What one pattern is predicted to cost. Seconds and bytes."""

    pattern: str
    workers: int
    seconds: float  # of the whole job
    cpu_seconds: float
    peak_bytes: float
    latency: float  # from an item's being there to its result, in the mean

    def on(self, aim: str) -> float:
        """The figure that the aim is about; smaller is better."""
        return {"latency": self.latency, "cpu": self.cpu_seconds, "memory": self.peak_bytes}.get(aim, self.seconds)


@dataclass(frozen=True, slots=True)
class _Job:
    """The facts as numbers, none of them unknown."""

    items: int
    work: float  # t
    wait: float  # w
    update: float  # S, or what an update takes
    gap: float | None
    reads: float
    cores: float
    parallelism: float  # P, of threads
    cv: float
    merge: float
    joins: bool  # each worker can have a state of its own


def dispatch(facts: Facts) -> dict[str, float]:
    """What an item costs beyond its work, by pattern: as measured, else typical."""
    known = {name: cost for name, cost in (facts.dispatch or {}).items() if name in TYPICAL}
    moved = {} if facts.transfer is None else {"processes": facts.transfer, "interpreters": facts.transfer}
    return {**TYPICAL, **known, **moved}


def chunk(facts: Facts) -> float:
    """What taking a chunk of items costs."""
    return (facts.dispatch or {}).get("chunk", CHUNK)


def measured(facts: Facts, pattern: str) -> bool:
    """True if the dispatch cost of ``pattern`` is not merely typical."""
    if pattern in APART:
        return facts.transfer is not None
    return pattern == "serial" or pattern in (facts.dispatch or {})


def parallelism(facts: Facts) -> float:
    """How many threads can compute at once: the cores, or what the GIL leaves of them."""
    cores = max(1.0, facts.cores or 1.0)
    return min(cores, 1 / max(1e-9, 1 - (facts.released or 0.0))) if facts.gil else cores


def own(facts: Facts, pattern: str) -> Facts:
    """``facts`` as the workers of ``pattern`` have them: processes have a GIL each, and coroutines one thread."""
    if pattern in APART:
        return replace(facts, gil=False)
    return replace(facts, cores=1.0) if pattern == "asyncio" and facts.cores is not None else facts


def predict(facts: Facts, workers: int, processes: int | None = None) -> dict[str, Cost]:
    """Each pattern's predicted cost with ``workers``, or with fewer where more take longer to start than they give.

    ``processes`` are the workers of patterns that have a GIL for each. The facts must know items, work and cores.
    """
    job, found = _job(facts), {}
    for pattern in ORDER:
        most = processes if processes is not None and pattern in APART else workers
        fewer = [2**power for power in range(1, most.bit_length()) if 2**power < most]
        found[pattern] = min((_cost(facts, job, pattern, count) for count in (*fewer, most)), key=_quicker)
    return found


def _quicker(cost: Cost) -> tuple[float, int]:
    return cost.seconds, cost.workers


def _job(facts: Facts) -> _Job:
    work, wait, update = facts.cpu_per_item or 0.0, facts.wait or 0.0, facts.hold or 0.0
    items = facts.items or 1
    share = facts.serial_share or 0.0
    return _Job(
        items=items,
        work=work,
        wait=wait,
        update=0.0 if facts.shape == "none" else update,
        gap=facts.gap,
        reads=facts.reads or 0.0,
        cores=max(1.0, facts.cores or 1.0),
        parallelism=parallelism(facts),
        cv=facts.item_cv or 0.0,
        merge=items * work * share / max(1e-9, 1 - share) if share < 1 else 0.0,
        joins=facts.joins is not False,
    )


def _cost(facts: Facts, job: _Job, pattern: str, workers: int) -> Cost:
    extra = dispatch(facts)[pattern]
    count = 1 if pattern == "serial" else max(1, min(workers, job.items))
    if pattern == "asyncio":  # coroutines that wait cost next to nothing, so there may be as many as find work
        count = max(1, min(math.ceil(1 + job.wait / max(job.work, 1e-9)), MOST_COROUTINES, job.items))
    if pattern in {"mutex", "rwlock"}:
        count = min(count, useful(job.update + extra, _gap(job)))
    each = _each(job, pattern, count, extra)
    begin = start(facts, pattern, count)
    seconds = job.items * each + begin + _tail(job, pattern, count)
    computing = job.items * (job.work + job.update + extra) + (0.0 if pattern == "serial" else begin)
    return Cost(pattern, count, seconds, computing, _bytes(job, pattern, count), _latency(facts, job, pattern, seconds))


def _each(job: _Job, pattern: str, count: int, extra: float) -> float:
    """Seconds between one finished item and the next."""
    computing = job.work + job.update + extra
    if pattern == "serial":
        return job.work + job.wait + job.update
    if pattern == "asyncio":
        return max(computing, (computing + job.wait) * math.ceil(job.items / count) / job.items)
    waves = math.ceil(job.items / count) / job.items  # the share of all items that the busiest worker has
    cores = job.cores if pattern in APART else job.parallelism
    bounds = [computing / min(count + (pattern in CALLER_UPDATES), cores)]
    if pattern in CALLER_UPDATES:
        # A worker hands the part over; the owner updates, and receives or makes a future for each item.
        bounds += [
            (job.work + extra / 2 + job.wait) * waves,
            job.update + extra * (1.0 if pattern in BY_FUTURES else 0.5),
        ]
    elif pattern in {"mutex", "rwlock"}:
        writes = 1.0 - job.reads if pattern == "rwlock" else 1.0
        bounds += [(computing + job.wait) * waves, _locked(job, count, extra, writes)]
    else:
        bounds += [(computing + job.wait) * waves]
        bounds += [extra] if pattern == "atomic" else []
        # What comes back from processes and cannot be joined there, the caller updates with.
        bounds += [job.update + extra / 2] if pattern in APART and not job.joins else []
    return max(bounds)


def _gap(job: _Job) -> float:
    return job.gap if job.gap is not None else job.work + job.wait


def useful(hold: float, gap: float) -> int:
    """Workers beyond which a lock that is held for ``hold`` every ``gap`` seconds gives no more: (S + T) / S."""
    return max(1, math.ceil((hold + gap) / hold)) if hold > 0 else 2**31


def passes(workers: int, hold: float, gap: float) -> float:
    """Holds a second of a lock that ``workers`` take for ``hold`` seconds every ``gap``: between bound and chance.

    Mean value analysis takes all times to be random, the bound takes them to be even; work is in between, so the
    seconds for a pass are the mean of both.
    """
    if hold <= 0:
        return workers / gap if gap > 0 else math.inf
    queue, rate = 0.0, 0.0
    for number in range(1, workers + 1):
        response = hold * (1 + queue)
        rate = number / (response + gap)
        queue = rate * response
    even = min(workers / (hold + gap), 1 / hold)
    return 2 / (1 / rate + 1 / even)


def _locked(job: _Job, count: int, extra: float, writes: float) -> float:
    """Seconds between two items through the lock; with ``writes`` below one only those exclude others."""
    return 1 / passes(count, (job.update * writes) + extra, _gap(job) + job.update * (1 - writes))


def start(facts: Facts, pattern: str, count: int) -> float:
    """Seconds to start the workers, and join them."""
    known = facts.dispatch or {}
    if pattern in {"serial", "asyncio"}:
        return 0.0
    if pattern in APART:
        return known.get("process", PROCESSES) + PROCESS * count
    threads = count - 1 if pattern in {"par", "mutex", "atomic", "rwlock", "sharded", "snapshot"} else count
    return known.get("thread", THREAD) * (threads + (pattern == "channel"))


def _tail(job: _Job, pattern: str, count: int) -> float:
    """Seconds at the end in which some workers have nothing to do, and those of joining parts."""
    if pattern in {"serial", "asyncio"}:
        return 0.0
    item = job.work + job.wait + job.update
    uneven = 0.5 * job.cv * item if count > 1 else 0.0
    if pattern not in BY_FUTURES | APART:
        uneven += _clustered(job, count, item)
    if pattern in CALLER_UPDATES:
        return job.update + uneven  # the owner takes in the last part
    if count == 1:
        return 0.0
    joined = job.merge if pattern in IN_PARTS else 0.0
    if pattern == "threads":  # the longest of equal slices
        return joined + max(0.6 * job.cv * item * math.sqrt(job.items / count), _clustered(job, count, item))
    if pattern in APART:
        uneven = max(uneven, min(1.0, job.cv) * item * job.items / (16 * count))  # half a chunk, eight a worker
    return joined + uneven


def _clustered(job: _Job, count: int, item: float) -> float:
    """What it may cost that nobody knows where the dear items are: the first chunk of a worker may hold them all.

    Of the work a share of about cv^2 / (1 + cv^2) is in dear items. Beyond the even share of one worker it would be
    done alone; they stand first, between or last, so a third of that is counted.
    """
    if job.cv <= 1 or count == 1:
        return 0.0
    dear = job.cv**2 / (1 + job.cv**2)
    return max(0.0, dear - 1 / count) * item * job.items / 3


def _bytes(job: _Job, pattern: str, count: int) -> float:
    if pattern == "serial":
        return BASE_BYTES
    each = {"asyncio": COROUTINE_BYTES, **dict.fromkeys(APART, PROCESS_BYTES)}.get(pattern, THREAD_BYTES)
    futures = FUTURE_BYTES * job.items * {"executor": 5, "pool": 1}.get(pattern, 0)
    return BASE_BYTES + 0.1 * BASE_BYTES + each * count + futures


def comes_at_the_end(pattern: str, shape: str | None) -> bool:
    """True if no result can be had before the last item is done: states in parts are joined only then."""
    return pattern == "threads" or (pattern in IN_PARTS and shape != "none")


def _latency(facts: Facts, job: _Job, pattern: str, seconds: float) -> float:
    """From an item's being there to its result. Without a rate all items are there at once and wait for their turn."""
    each, servers = seconds / job.items, 1 if pattern in {"serial", "asyncio"} else max(1.0, job.parallelism)
    if facts.rate is None:
        return seconds if comes_at_the_end(pattern, facts.shape) else seconds / 2
    load = facts.rate * each
    if load >= 1:
        return BEHIND * load
    service = job.work + job.wait + job.update + dispatch(facts)[pattern]
    return service + service * math.pow(load, math.sqrt(2 * (servers + 1)) - 1) / (servers * (1 - load))
