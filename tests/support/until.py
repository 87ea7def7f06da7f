"""Waiting for a state in tests: bounded polls, never a sleep of a guessed length.

Holds: `until`, and readers of the states that objects show. Not here: anything that depends on pytest; programs that
run in subprocesses use this too.
"""

import re
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import fearless as fl

BOUND = 30.0  # seconds after which a test counts as hung; nothing is expected to take a noticeable part of it
# Seconds after which Ctrl-C comes too late. 0.1 are promised, but a busy machine may let the thread wait for its turn.
LATE = 10.0

_pause = threading.Event()  # never set


def until(happened: Callable[[], object], what: str = "the expected state", bound: float = BOUND) -> None:
    """Return once `happened()` is true; fail after `bound` seconds."""
    limit = time.monotonic() + bound
    while not happened():
        assert time.monotonic() < limit, f"not seen within {bound} s: {what}"
        _pause.wait(0.001)


def _count(end: object, what: str) -> int:
    found = re.search(rf"(\d+) {what}", repr(end))
    assert found, f"no count of {what} in {end!r}"
    return int(found[1])


def queued(end: object) -> int:
    """How many items lie in the queue of a channel."""
    return _count(end, "queued")


def blocked_senders(end: object) -> int:
    """How many threads wait to send on a channel."""
    return _count(end, "blocked senders")


def blocked_receivers(end: object) -> int:
    """How many threads wait to receive from a channel."""
    return _count(end, "blocked receivers")


def waiting(lock: "fl.Mutex[Any] | fl.RwLock[Any]") -> int:
    """How many threads wait for a lock."""
    return lock.stats()["waiting"]


class InCall:
    """Tells whether a thread stands still in a call that shows no state of its own.

    The innermost Python frame is that of `function` and has not moved between many looks in a row.
    """

    LOOKS = 20

    def __init__(self, function: str | None) -> None:
        """Watch for a Python function of that name, or any."""
        self._function = function
        self._last: tuple[int, int] | None = None
        self._same = 0

    def __call__(self, ident: int | None) -> bool:
        """Look once; true when the thread with that ident has stood still for long enough."""
        frame = sys._current_frames().get(ident or -1)
        here = (
            None if frame is None or self._function not in (None, frame.f_code.co_name) else (id(frame), frame.f_lasti)
        )
        self._same = self._same + 1 if here is not None and here == self._last else 0
        self._last = here
        return self._same >= self.LOOKS
