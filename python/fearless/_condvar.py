"""How a task waits for a condition variable: told first, then the lock again, whatever ended the first.

Not here: the two waits themselves; the native `Condvar` has them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fearless._loops import current

if TYPE_CHECKING:
    from fearless._core import Condvar, Guard


async def wait(condvar: Condvar, guard: Guard[Any]) -> None:
    """Let go of the guard's mutex, wait for a notification, and take the mutex again."""
    told = condvar._notified(guard)  # noqa: SLF001  # ours
    try:
        await told
    except GeneratorExit:  # closed, not cancelled: nobody goes on with it
        raise
    except BaseException:
        await _lock_again(condvar, guard)
        raise
    try:
        await _lock_again(condvar, guard)
    except BaseException:  # this task will not act on its notification: another that waits may
        condvar.notify_one()
        raise


async def _lock_again(condvar: Condvar, guard: Guard[Any]) -> None:
    await current().shield(lambda: condvar._lock_again(guard))  # noqa: SLF001  # ours


async def wait_while(condvar: Condvar, guard: Guard[Any], predicate: Callable[[Any], object]) -> None:
    """Wait as long as ``predicate(value)`` is true."""
    while predicate(guard.value):
        await wait(condvar, guard)
