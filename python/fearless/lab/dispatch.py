"""What the patterns themselves cost: a task, a message, a pass through a lock, a thread, a process.

Holds the measurement with work that does nothing, each pattern by its own code, and that of a process by a pipe.
Together it takes a fraction of a second. Knows nothing of what the user's work costs; see `watch`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import fearless as fl
from fearless.lab import catalog
from fearless.lab.job import Job

# Beside the names of patterns: what is paid for a chunk of `par`, for a thread, and for a process.
CHUNK, THREAD, PROCESS = "chunk", "thread", "process"
SAMPLE_SECONDS = 0.004  # a run that is timed takes at least this long
MOST_ITEMS = 65_536
TRIES = 3
THREADS = 64  # started one after another
ANSWER_SECONDS = 5.0  # what a process may take for an answer
CARRIED = 64  # items that are sent to it
CARRY_SECONDS = 0.1  # that the work for them may take

Body = Callable[[int], object]


def measure(job: Job, names: Iterable[str], workers: int, items: Sequence[Any] = ()) -> dict[str, float]:
    """CPU seconds that an item costs beyond its work in each pattern of ``names``, with a state like that of ``job``.

    The first of ``items`` shows how many keys one touches. Where items read the state, that is all they do here.

    `CHUNK` is one chunk of `par`, and `THREAD` one thread, started and joined. Of `processes` see `process`.

    Blocks: about 30 ms for each pattern.
    """
    idle = _idle(job, len(job.keys(items[0])) if job.keyed and items else 1)
    alone = slope(_run(idle, "serial", 1))
    found = {
        CHUNK: max(0.0, slope(lambda count: _chunks_of_one(count, workers))),
        THREAD: _quickest(_threads, THREADS, time.perf_counter) / THREADS,
    }
    for name in names:
        if name not in {"serial", "processes"}:
            found[name] = max(0.0, slope(_run(idle, name, workers)) - alone)
    return found


def slope(body: Body) -> float:
    """CPU seconds that ``body`` takes for one item more; what it takes for none is not in it."""
    count, clock = 64, time.process_time
    while _quickest(body, count, clock) < SAMPLE_SECONDS and count < MOST_ITEMS:
        count *= 4
    few = count // 4
    return (_quickest(body, count, clock) - _quickest(body, few, clock)) / (count - few)


def process(job: Job, items: Sequence[Any]) -> tuple[float, float | None] | None:
    """Seconds until a new process has loaded ``job``, and seconds that an item and its part take there and back.

    The second is None if they cannot be pickled, all is None if the process gives no answer.

    Blocks: as long as a process takes to start, `ANSWER_SECONDS` at the most, and as long again for the items.
    """
    context = get_context("spawn")
    here, there = context.Pipe()
    start = time.perf_counter()
    child = context.Process(target=_echo, args=(there, job), daemon=True)
    try:
        child.start()
        there.close()
        if not here.poll(ANSWER_SECONDS) or here.recv() is not None:
            return None
        return time.perf_counter() - start, _carried(job, items, here)
    except Exception:  # noqa: BLE001  # whatever pickling the user's job raises: the pattern will tell it
        return None
    finally:
        here.close()
        if child.pid is not None:
            child.kill()
            child.join()


def _carried(job: Job, items: Sequence[Any], here: Connection) -> float | None:
    """Half of what it takes to send some items with their parts to the process and to get all of them back."""
    luggage, start = [], time.perf_counter()
    for item in items[:: max(1, len(items) // CARRIED)]:
        luggage.append((item, job.work(item)))
        if time.perf_counter() - start > CARRY_SECONDS:
            break
    with contextlib.suppress(Exception):  # it cannot be pickled, or the process ended over it
        start = time.perf_counter()
        here.send(luggage)
        if here.poll(ANSWER_SECONDS):
            here.recv()
            return (time.perf_counter() - start) / len(luggage) / 2
    return None


def _echo(there: Connection, _job: Job) -> None:
    """In the other process: say that the job is loaded, and send back what comes."""
    there.send(None)
    with contextlib.suppress(EOFError):
        while True:
            there.send(there.recv())


class _Nothing:
    """Work that does nothing, with no state."""

    def __init__(self, part: Any) -> None:
        self._part = part

    def work(self, _: Any) -> Any:
        """What there is to give."""
        return self._part


class _Joined(_Nothing):
    """The same, and a state that nothing changes."""

    def start(self) -> Any:
        """The state."""
        return 0

    def update(self, state: Any, _: Any) -> Any:
        """The same state."""
        return state


class _Merged(_Joined):
    """The same, and two such states join."""

    def merge(self, state: Any, _: Any) -> Any:
        """The same state."""
        return state


class _Added(_Nothing):
    """Totals to which nothing is added."""

    def __init__(self, start: Any) -> None:
        super().__init__(0 if isinstance(start, int) else dict.fromkeys(start, 0))

    def start(self) -> Any:
        """The totals."""
        return dict(self._part) if isinstance(self._part, Mapping) else 0


class _Keyed(_Joined):
    """The same, with entries of which an item names some."""

    def __init__(self, state: Mapping[Any, Any], together: int) -> None:
        super().__init__(None)
        self._keys = tuple(state)
        self._together = min(together, len(state))

    def start(self) -> Any:
        """The entries."""
        return dict.fromkeys(self._keys)

    def keys(self, number: int) -> list[Any]:
        """As many as in the job that it stands for; the next item has others."""
        first = number * self._together
        return [self._keys[place % len(self._keys)] for place in range(first, first + self._together)]


def _idle(job: Job, together: int = 1) -> Job:
    """A job with the same kind of state, as many stages, and ``together`` keys an item, that has nothing to do."""
    kinds: dict[str, Callable[[], _Nothing]] = {
        "none": lambda: _Nothing(None),
        "update": lambda: _Joined(None),
        "merge": lambda: _Merged(None),
        "add": lambda: _Added(job.start()),
    }
    idle = _Keyed(job.start(), together) if job.keyed else kinds[job.state]()
    if job.reads:
        idle.read = lambda _state, _item: None  # type: ignore[attr-defined]
    if job.awaits:
        idle.work_async = _never_waits(idle.work)  # type: ignore[attr-defined]  # same
    if job.stages:
        passing = [_same] * (len(job.stages) - 1)
        idle.stages = lambda: [idle.work, *passing]  # type: ignore[attr-defined]  # an item has as far to go
    return Job(idle, name="nothing")


def _never_waits(work: Callable[[Any], Any]) -> Callable[[Any], Coroutine[Any, Any, Any]]:
    async def work_async(item: Any) -> Any:
        return work(item)

    return work_async


def _run(job: Job, name: str, workers: int) -> Body:
    """A pattern as a function of the number of items."""
    pattern = catalog.fit_job(name, job)
    if isinstance(pattern, str):
        raise ValueError(f"{name} must fit a job with state {job.state}: {pattern}")  # noqa: TRY004  # the name is wrong, not its type
    entry = pattern.load()
    return lambda count: entry(job, range(count), workers)


def _chunks_of_one(count: int, workers: int) -> None:
    fl.par(range(count), workers=workers, chunk=1, schedule="static").for_each(_ignore)


def _threads(count: int) -> None:
    for _ in range(count):
        with fl.scope() as scope:
            scope.spawn(_ignore, None)


def _same(part: Any) -> Any:
    return part


def _ignore(_: Any) -> None:
    pass


def _quickest(body: Body, count: int, clock: Callable[[], float]) -> float:
    """The least of a few times: what is more was somebody else's."""
    taken = []
    for _ in range(TRIES):
        start = clock()
        body(count)
        taken.append(clock() - start)
    return min(taken)
