"""Waiting for a state in tests: bounded polls, never a sleep of a guessed length.

Holds: `until`, and readers of the states that objects show. Not here: anything that depends on pytest; programs that
run in subprocesses use this too.
"""

import re
import threading
import time
from collections.abc import Callable
from typing import Any

from fearless import _native

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


def waiting(kept: Any) -> int:
    """How many threads and tasks wait for a lock, or for whatever else counts them."""
    count: int = kept.stats()["waiting"]
    return count


def blocked(ident: int | None, what: str | None = None) -> bool:
    """Whether the thread with that ident waits in a call of ours; `what` says for what, as in "scope" or "sleep"."""
    found = None if ident is None else _native.blocked_in(ident)
    return found is not None and what in (None, found)


def in_join(ident: int | None) -> bool:
    """Whether the thread with that ident waits for the tasks of a scope."""
    return blocked(ident, "scope")
