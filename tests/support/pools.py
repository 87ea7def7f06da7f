"""What tests ask of a thread pool that its users cannot see. Not here: fixtures (`tests/plugins/pools.py`)."""

import fearless as fl
from tests.support.until import until


def blocked_submitters(pool: fl.ThreadPool) -> int:
    """How many submitters wait for room."""
    return pool._queue.blocked


def stalled(pool: fl.ThreadPool) -> int:
    """How many workers wait for tasks of the pool."""
    return pool._queue.stalled


def cancel_when_blocked(scope: fl.Scope, pool: fl.ThreadPool) -> None:
    """Cancel the scope once a submitter waits for room."""
    until(lambda: blocked_submitters(pool) == 1, "a submitter that waits")
    scope.cancel()
