"""Helpers for tests of threaded code: wait until a thread is blocked, order steps, find threads that were left behind.

``fearless._pytest`` offers the last as a fixture. Not here: anything that needs pytest.
"""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from fearless import _native
from fearless._arguments import at_least, seconds
from fearless._births import birthplace, is_worker, noted, place_of
from fearless._scope_here import sleep
from fearless.errors import FearlessError, Timeout

__all__ = ["LeftoverThreads", "SequenceError", "Sequencer", "no_leftover_threads", "wait_until_blocked"]

# It looks again and again, as nobody could tell it of all that ends the wait: a thread that begins to wait passes one
# door, but one that ends does not, nor a coroutine that waits for an object. It would have to look now and then anyway.
_FIRST_PAUSE = 50e-6  # seconds between two looks; doubled each time
_LONGEST_PAUSE = 5e-3


class SequenceError(FearlessError):
    """A step of a ``Sequencer`` cannot run: its number was taken, one before it failed, or one is missing."""


class LeftoverThreads(FearlessError, AssertionError):
    """Threads were still running when they should have ended."""


# ---- waiting until somebody is blocked ----------------------------------------------------------


def wait_until_blocked(target: Any, timeout: float | None = 5.0) -> None:
    """Return when ``target`` is blocked.

    ``target`` is a thread (a ``threading.Thread``, a ``Task`` or an ident), which has to wait in a call of this
    package; or an object that is waited for (``Receiver``, ``Sender``, ``Mutex``, ``Event``, ``ThreadPool``...), which
    needs one waiter at least: for a ``Receiver`` somebody who receives, for a ``Sender`` somebody who sends, for a pool
    somebody who submits. A thread whose wait was won but that has not run since is no longer blocked.

    It looks again and again, every 50 us at first, every 5 ms later, and sleeps between the looks.

    Blocks: until ``target`` is blocked; a cancellation point; Ctrl-C gets through.
    Raises: ``Timeout`` after ``timeout`` seconds, or at once if the thread has ended; it names what the target did
    instead. ``ValueError`` if the thread is the calling one, or ``timeout`` is negative or NaN; ``TypeError`` for
    another kind of target.

    Example:
        >>> import fearless as fl
        >>> tx, rx = fl.channel(1)
        >>> task = fl.spawn(rx.recv)
        >>> fl.testing.wait_until_blocked(task)
        >>> tx.send("item")
        >>> task.join(), tx.close(), rx.close()
        ('item', None, None)
    """
    limit = seconds(timeout)
    look = _look_at(target)
    until = None if limit is None else time.monotonic() + limit
    pause = _FIRST_PAUSE
    _native.checkpoint()
    while (found := look()) is not _BLOCKED:
        left = pause if until is None else until - time.monotonic()
        if found.final or left <= 0:
            when = "" if found.final else f" within {timeout} s"
            raise Timeout(f"wait_until_blocked: {_name(target)} was not blocked{when}; it {found.text}")
        sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST_PAUSE)


@dataclass(frozen=True)
class _Found:
    """What a target does, in words. ``final`` says that it will never be blocked."""

    text: str
    final: bool = False


_BLOCKED = _Found("is blocked")
_Look = Callable[[], _Found]


def _look_at(target: Any) -> _Look:
    if isinstance(target, threading.Thread):
        return _other(target.ident, lambda: _thread(target))
    if isinstance(target, _native.Task):
        return _other(_runner(target), lambda: _task(target))
    if isinstance(target, int) and not isinstance(target, bool):
        if not 0 < target < 2**64:
            raise ValueError(f"wait_until_blocked: a thread's ident must be > 0 and < 2**64, got {target}")
        return _other(target, lambda: _ident(target))
    count = _counter(target)
    return lambda: _BLOCKED if count() else _Found(f"is {target!r}, with nobody waiting")


def _other(ident: int | None, look: _Look) -> _Look:
    if ident == threading.get_ident():
        raise ValueError("wait_until_blocked: a thread cannot wait for itself to be blocked")
    return look


def _thread(thread: threading.Thread) -> _Found:
    if thread.ident is None:
        return _Found("has not started")
    found = _ident(thread.ident)
    # Asked afterwards, as another thread may have the ident by now.
    return found if thread.is_alive() else _Found("has ended", final=True)


def _task(task: _native.Task[Any]) -> _Found:
    ident = _runner(task)
    if task.done():
        return _Found(f"has ended: {task!r}", final=True)
    if ident is None:
        return _Found("has not begun")
    found = _ident(ident)
    # A worker that has ended this task meanwhile waits for the next one.
    return found if _runner(task) == ident else _Found("was about to end")


def _runner(task: _native.Task[Any]) -> int | None:
    return task._runner  # noqa: SLF001 - meant for this module


def _ident(ident: int) -> _Found:
    if _native.blocked_in(ident) is not None:
        return _BLOCKED
    place = _place(ident)
    return _Found("has ended", final=True) if place is None else _Found(f"was in {place}")


def _place(ident: int | None) -> str | None:
    """Where a thread is, in words; ``None`` if there is no such thread."""
    frames = sys._current_frames()  # noqa: SLF001 - as for debuggers, there is no other way to a thread's frame
    frame = frames.get(ident or 0)
    if frame is None:
        return None
    return place_of(frame)


def _counter(target: Any) -> Callable[[], int]:
    """How many wait for an object, as a function."""
    if isinstance(target, _native.ThreadPool):
        return lambda: target._queue.blocked  # noqa: SLF001 - meant for modules of ours
    if isinstance(target, _native.Sender):
        return lambda: _shown(target, "blocked senders")
    if isinstance(target, _native.Receiver):
        return lambda: _shown(target, "blocked receivers")
    if isinstance(target, (_native.Once, _native.OnceCell, _native.Lazy)):
        return lambda: _shown(target, "waiting", after=r"^<\w+ \w+, ")  # what it holds may show anything
    stats = getattr(target, "stats", None)
    if type(target).__module__.startswith("fearless") and callable(stats):
        return lambda: int(stats().get("waiting", 0))
    raise TypeError(
        f"wait_until_blocked: target must be a thread, a task, an ident or an object that is waited for, got {target!r}"
    )


def _shown(target: object, what: str, after: str = "") -> int:
    found = re.search(rf"{after}(\d+) {what}[,>]", repr(target))
    return int(found[1]) if found else 0


def _name(target: Any) -> str:
    if isinstance(target, threading.Thread):
        return f"thread {target.name!r}"
    if isinstance(target, _native.Task):
        return f"task {target.name!r}" if target.name else "the task"
    return f"thread {target}" if isinstance(target, int) else type(target).__name__


# ---- steps in order -----------------------------------------------------------------------------


@dataclass
class _Course:
    """How far a sequence has come."""

    next: int = 0
    begun: int = 0  # the steps that were entered
    taken: set[int] = field(default_factory=set)
    failure: str | None = None


class Sequencer:
    """Steps that run in the order of their numbers, whatever threads they are in.

    ``with seq(2): ...`` waits until the blocks of 0 and 1 have been left. A step that fails, times out or is cancelled
    ends the sequence: every other step raises ``SequenceError`` then, and none hangs. ``timeout`` is in seconds, for
    each step.

    Used as a context manager it also says at the end which number was left out: join the threads inside the block.

    Thread safety: internally synchronized; any thread may take any step.

    Example:
        >>> import fearless as fl
        >>> seen = []
        >>> def late(seq):
        ...     with seq(1):
        ...         seen.append("late")
        >>> with fl.testing.Sequencer() as seq, fl.scope() as scope:
        ...     task = scope.spawn(late, seq)
        ...     with seq(0):
        ...         seen.append("early")
        >>> seen
        ['early', 'late']
    """

    def __init__(self, timeout: float | None = 5.0) -> None:
        """Make a sequence that begins at 0."""
        self._timeout = seconds(timeout)
        self._course = _native.Mutex(_Course())
        self._moved = _native.Condvar()

    def __call__(self, number: int) -> _Step:
        """Return the step of that number, a context manager.

        Raises: ``SequenceError`` if the number was taken before; ``ValueError`` if it is below 0.
        """
        at_least("number", number, 0)
        with self._course as guard:
            if number in guard.value.taken:
                raise SequenceError(f"step {number} was taken twice")
            guard.value.taken.add(number)
        return _Step(self, number)

    def _begin(self, number: int) -> None:
        try:
            with self._course as guard:
                self._moved.wait_while(guard, lambda course: _must_wait(course, number), self._timeout)
                _check(guard.value, number)
        except Timeout:
            text = f"step {number} did not begin within {self._timeout} s: {self._missing(number)}"
            self._end(number, text)
            raise Timeout(text) from None
        except BaseException as error:
            self._end(number, f"step {number} failed: {error!r}")
            raise

    def _end(self, number: int, failure: str | None) -> None:
        with self._course as guard:
            course: _Course = guard.value
            if failure is None:
                course.next = number + 1
            else:
                course.failure = course.failure or failure
        self._moved.notify_all()

    def _missing(self, number: int) -> str:
        with self._course as guard:
            course: _Course = guard.value
            what = "has not ended" if course.next in course.taken else "was never taken"
        return f"step {course.next} {what}" if course.next < number else "it began too late"

    def __enter__(self) -> Self:
        """Return the sequence itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_rest: object) -> None:
        """Check that every number below the highest was taken and has ended, unless the block failed itself."""
        with self._course as guard:
            course: _Course = guard.value
            late = sorted(number for number in course.taken if number >= course.next)
            failure, course.failure = course.failure, course.failure or "the sequence has ended"
        self._moved.notify_all()
        if kind is None and late:
            missing = "has not ended" if course.next in late else "was never taken"
            raise SequenceError(failure or f"step {course.next} {missing}, so {_list(late)} did not run")

    def __repr__(self) -> str:
        with self._course as guard:
            course: _Course = guard.value
            return f"<Sequencer at step {course.next}{f', ended: {course.failure}' if course.failure else ''}>"


def _check(course: _Course, number: int) -> None:
    if course.failure is not None:
        raise SequenceError(f"step {number} cannot run: {course.failure}")
    if course.begun > number:
        raise SequenceError(f"step {number} was entered twice")
    course.begun = number + 1


def _must_wait(course: _Course, number: int) -> bool:
    return course.failure is None and course.next < number


def _list(numbers: list[int]) -> str:
    return f"step{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"


class _Step:
    """One step: entered when its turn comes.

    Thread safety: externally synchronized; it belongs to the thread that took it.
    """

    def __init__(self, sequence: Sequencer, number: int) -> None:
        self._sequence = sequence
        self._number = number

    def __enter__(self) -> None:
        """Wait for the turn.

        Blocks: until every step before has ended; a cancellation point; Ctrl-C gets through.
        Raises: ``Timeout``; ``SequenceError`` if a step before failed.
        """
        self._sequence._begin(self._number)  # noqa: SLF001 - the two are one

    def __exit__(self, _kind: object, error: BaseException | None, _trace: TracebackType | None) -> None:
        """Let the next step begin, or end the sequence if this one failed."""
        failure = None if error is None else f"step {self._number} failed: {error!r}"
        self._sequence._end(self._number, failure)  # noqa: SLF001 - the two are one


# ---- threads that were left behind --------------------------------------------------------------


@contextmanager
def no_leftover_threads(*, daemon: bool = False, pools: bool = False, timeout: float = 5.0) -> Iterator[None]:
    """Fail unless every thread that the block started has ended.

    They have ``timeout`` seconds to end once the block is left. ``daemon`` allows daemon threads to stay, ``pools`` the
    workers of a ``ThreadPool`` or of a ``ThreadPoolExecutor``. Threads that others start meanwhile count as well: it is
    meant for one test at a time. When the block itself fails, its error is what is raised.

    Blocks: at the end, for threads that still run, ``timeout`` seconds at most; Ctrl-C gets through.
    Raises: ``LeftoverThreads``, which names each thread, where it is or what it waits for, and where it was started;
    ``ValueError`` if ``timeout`` is negative or NaN.

    Example:
        >>> import fearless as fl
        >>> with fl.testing.no_leftover_threads():
        ...     with fl.scope() as scope:
        ...         task = scope.spawn(print, "ended")
        ended
    """
    limit = seconds(timeout)
    # Without those of other makers that are gone: what Python keeps of one may come to stand for a thread of the block.
    before = {thread for thread in threading.enumerate() if not _is_ghost(thread)}
    with noted():
        yield
        until = None if limit is None else time.monotonic() + limit
        # Again after each end: a thread may start others.
        while left := [
            thread for thread in _started_since(before) if not _is_allowed(thread, daemon=daemon, pools=pools)
        ]:
            remaining = None if until is None else until - time.monotonic()
            if remaining is not None and remaining <= 0:
                break
            _wait_for(left[0], remaining)
        if left:
            raise LeftoverThreads("\n  ".join(["threads were left behind:", *map(_describe, left)]))


def _started_since(before: set[threading.Thread]) -> list[threading.Thread]:
    # `fearless-exit` starts with the first pool of a process and ends with the process.
    new = [thread for thread in threading.enumerate() if thread not in before and thread.name != "fearless-exit"]
    return [thread for thread in new if not _is_ghost(thread)]


def _is_ghost(thread: threading.Thread) -> bool:
    """Whether it has ended without Python's knowledge, as nobody started it by ``threading``."""
    return thread.ident is not None and _place(thread.ident) is None


def _wait_for(thread: threading.Thread, timeout: float | None) -> None:
    """Wait until it ends, or a moment if it cannot be joined."""
    try:
        thread.join(timeout)
    except (AssertionError, RuntimeError):  # it is just being started, or nobody started it by `threading`
        shield = _native.Scope.enter(shield=True)  # this is no cancellation point, as the join is none
        try:
            sleep(_LONGEST_PAUSE if timeout is None else min(_LONGEST_PAUSE, timeout))
        finally:
            shield.exit()


def _is_allowed(thread: threading.Thread, *, daemon: bool, pools: bool) -> bool:
    return thread is threading.current_thread() or (daemon and thread.daemon) or (pools and is_worker(thread))


def _describe(thread: threading.Thread) -> str:
    waits = _native.blocked_in(thread.ident) if thread.ident is not None else None
    kind = " (daemon)" if thread.daemon else ""
    waiting = f"waits in {waits}, " if waits else ""
    start = "" if (found := birthplace(thread)) is None else f"; started in {found}"
    return f"{thread.name!r}{kind}: {waiting}in {_place(thread.ident) or 'no Python code'}{start}"
