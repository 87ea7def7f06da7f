"""Runs under a watch: what items, updates and a merge cost, how much lets go of the GIL, how long a lock is held.

Holds a serial run, and one of the pattern `mutex`. The watch slows a run a little, so its time is for the profile alone
and enters no comparison.
"""

from __future__ import annotations

import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import fmean, pstdev, quantiles
from typing import Any, Self

from fearless.lab import catalog
from fearless.lab.job import Job
from fearless.lab.record import Profile

TIMED_BLOCKS = 20_000  # more items than that are timed in blocks, or the clock would cost more than they do
SAMPLE_SECONDS = 0.002
MARGIN_SECONDS = 0.00005
ENOUGH_SAMPLES = 20
CLOCKS_SECONDS = 0.00002  # three clocks are not read at one moment: less than that is no waiting
LOCKED_ITEMS = 2_000  # looked at while the lock is watched
LOCKED_SECONDS = 0.25  # after that it stops
JOINED = ("add", "merge")  # the states of which two halves can be joined


def watch(job: Job, items: Sequence[Any], python: str) -> Profile:
    """Run ``job`` serially and say what it cost. Blocks: as long as the job takes."""
    size = -(-len(items) // TIMED_BLOCKS) if not job.reads else 1  # what an item sees is what those before it left
    blocks = [items[start : start + size] for start in range(0, len(items), size)]
    meter = _Meter(job)
    with _GilSamples() as gil:
        seconds, cpu, ready = time.perf_counter(), time.thread_time(), _ready_seconds()
        middle = len(blocks) // 2 if job.state in JOINED else 0
        halves = [meter.fold(half) for half in (blocks[:middle], blocks[middle:]) if half]
        merge = meter.merge(halves)
        seconds, cpu = time.perf_counter() - seconds, time.thread_time() - cpu
        waited = _ready_seconds()
    return Profile(
        python=python,
        items=len(items),
        seconds=seconds,
        cpu_seconds=cpu,
        work_seconds=sum(meter.work),
        work_cv=pstdev(meter.work) / mean * size**0.5 if (mean := fmean(meter.work)) > 0 else 0.0,
        update_seconds=meter.update,
        merge_seconds=merge,
        blocked_seconds=_blocked(seconds - cpu - gil.caused(), ready, waited),
        gil_released=gil.share(),
        reads=len(items) / (len(items) + meter.updates) if job.reads else None,
        replaced=meter.replaced if meter.updates and job.state != "add" else None,
    )


def _blocked(idle: float, ready: float | None, waited: float | None) -> float | None:
    """Of the seconds without CPU, those in which the thread was not even ready to run."""
    if ready is None or waited is None:
        return None
    blocked = idle - (waited - ready)
    return blocked if blocked > CLOCKS_SECONDS else 0.0


def watch_lock(job: Job, items: Sequence[Any]) -> tuple[float, float] | None:
    """Seconds for which `mutex` holds its lock, to read or to update, and seconds between two holds; None without.

    One worker runs it, so that no wait for the lock is in either. Items come from all over ``items``.

    Blocks: until `LOCKED_SECONDS` have passed, or the item that then was being worked on is done.
    """
    pattern = catalog.fit_job("mutex", job)
    if isinstance(pattern, str):
        return None
    timed = _TimedJob(job)
    pattern.load()(timed, timed.while_time(items[:: -(-len(items) // LOCKED_ITEMS)]), 1)  # type: ignore[arg-type]
    return timed.found()


class _TimedJob:
    """A job that reads the clock where the lock is held. Thread safety: for one worker."""

    def __init__(self, job: Job) -> None:
        self.state = job.state
        self._job = job
        self._holds: list[float] = []
        self._gaps: list[float] = []
        self._last = 0.0

    def while_time(self, items: Sequence[Any]) -> Iterator[Any]:
        """``items``, until the time for them has passed; two at the least."""
        start = time.perf_counter()
        for number, item in enumerate(items):
            if number > 1 and time.perf_counter() - start > LOCKED_SECONDS:
                return
            yield item

    def start(self) -> Any:
        """A new state; the first gap begins here."""
        state = self._job.start()
        self._last = time.perf_counter()
        return state

    def work(self, item: Any) -> Any:
        """The part that ``item`` gives."""
        return self._job.work(item)

    def read(self, state: Any, item: Any) -> Any:
        """What ``item`` sees of the state."""
        return self._held(self._job.read, state, item)

    def update(self, state: Any, part: Any) -> Any:
        """The state after ``part`` was taken in."""
        return self._held(self._job.update, state, part)

    def _held(self, method: Callable[[Any, Any], Any], state: Any, other: Any) -> Any:
        start = time.perf_counter()
        found = method(state, other)
        end = time.perf_counter()
        self._holds.append(end - start)
        self._gaps.append(start - self._last)
        self._last = end
        return found

    def found(self) -> tuple[float, float]:
        """The mean hold and gap, without what reading the clock takes."""
        ticks = [time.perf_counter() for _ in range(101)]
        clock = min(later - one for one, later in pairwise(ticks))
        return max(0.0, fmean(self._holds) - clock), max(0.0, fmean(self._gaps) - clock)


class _Meter:
    """CPU seconds of work by block, and of updates. Thread safety: for one thread."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.work: list[float] = []
        self.update = 0.0
        self.updates = 0
        self.replaced = True  # every update gave a new state and left the old one alone

    def fold(self, blocks: Sequence[Sequence[Any]]) -> Any:
        """The state, or the list of parts, of ``blocks``. A look at the state is counted with the work."""
        job, clock = self.job, time.thread_time
        state = [] if job.state == "none" else job.start()
        for block in blocks:
            start = clock()
            parts = [job.work(item) for item in block] if not job.reads else self._after_a_look(state, block)
            done = clock()
            if job.state == "none":
                state += parts
            else:
                for part in parts:
                    state = self._updated(state, part)
                self.update += clock() - done
            self.work.append(done - start)
        return state

    def _after_a_look(self, state: Any, block: Sequence[Any]) -> list[Any]:
        """The parts that change something."""
        parts = (self.job.work(self.job.read(state, item)) for item in block)
        return [part for part in parts if part is not None]

    def _updated(self, state: Any, part: Any) -> Any:
        new = self.job.update(state, part)
        self.updates += 1
        self.replaced = self.replaced and new is not state
        return new

    def merge(self, halves: list[Any]) -> float:
        """CPU seconds to join two halves; 0 if nothing can be joined or has to be."""
        if len(halves) < 2 or self.job.state not in JOINED:  # noqa: PLR2004  # two halves
            return 0.0
        start = time.thread_time()
        self.job.merge(*halves)
        return time.thread_time() - start


class _GilSamples:
    """A thread that wakes up now and then and sees whether it gets the GIL at once.

    Late by more than it was late while nobody held the GIL means that somebody did. Nothing is sampled on a
    free-threaded build.

    Whoever held the GIL had to hand it over and waited until this thread ran, which on a busy machine takes a while.
    That is no waiting of the work: `caused` says how much of it there may have been.
    """

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._late: list[float] = []
        self._idle = 0  # samples taken before the work began
        self._thread = threading.Thread(target=self._sample, name="gil-samples", daemon=True)
        self._on = not sysconfig.get_config_var("Py_GIL_DISABLED")
        self._ready = 0.0  # seconds that this thread was ready and had no CPU, during the work

    def __enter__(self) -> Self:
        if self._on:
            self._thread.start()
            self._stop.wait(ENOUGH_SAMPLES * SAMPLE_SECONDS * 1.5)
            self._idle = len(self._late)
            self._ready = -self._ready_so_far()
        return self

    def __exit__(self, *_: object) -> None:
        if self._on:
            self._ready += self._ready_so_far()
        self._stop.set()
        if self._on:
            self._thread.join()

    def share(self) -> float | None:
        """The share of samples that found the GIL free, 0 to 1; None if there are too few."""
        idle, busy = self._late[: self._idle], self._late[self._idle :]
        if min(len(idle), len(busy)) < ENOUGH_SAMPLES // 2:
            return None
        limit = quantiles(idle, n=10)[-1] + MARGIN_SECONDS
        if limit >= sys.getswitchinterval():  # on a machine this busy, late tells nothing: a free GIL was as late
            return None
        return sum(late <= limit for late in busy) / len(busy)

    def caused(self) -> float:
        """Seconds for which the work may have waited for this thread to run, after it was made to let go of the GIL.

        No more than this thread was ready to run and had no CPU, and than its samples were late beyond the interval
        after which the GIL is asked for.
        """
        interval = sys.getswitchinterval()
        beyond = sum(max(0.0, late - interval) for late in self._late[self._idle :])
        return min(beyond, self._ready)

    def _ready_so_far(self) -> float:
        return _ready_seconds(f"self/task/{self._thread.native_id}") or 0.0

    def _sample(self) -> None:
        clock = time.perf_counter
        while True:
            due = clock() + SAMPLE_SECONDS
            if self._stop.wait(SAMPLE_SECONDS):
                return
            self._late.append(clock() - due)


def _ready_seconds(thread: str = "thread-self") -> float | None:
    """Seconds that a thread, by default this, was ready to run and had no CPU; None where the system does not say."""
    if sys.platform != "linux":
        return None
    try:
        return int(Path(f"/proc/{thread}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return None
