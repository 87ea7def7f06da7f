"""`lock_all`: several mutexes at once, always taken in the same order, so that no two callers wait for each other.

Here: the function, and how a task takes them. Not here: how a thread does, which is native, and taking one mutex.
"""

from __future__ import annotations

from typing import Any, TypeVar, overload

from fearless._native import Guard, LockAll, Mutex

_A = TypeVar("_A")
_B = TypeVar("_B")
_C = TypeVar("_C")


@overload
def lock_all(a: Mutex[_A], /, *, timeout: float | None = None) -> LockAll[tuple[Guard[_A]]]: ...
@overload
def lock_all(
    a: Mutex[_A], b: Mutex[_B], /, *, timeout: float | None = None
) -> LockAll[tuple[Guard[_A], Guard[_B]]]: ...
@overload
def lock_all(
    a: Mutex[_A], b: Mutex[_B], c: Mutex[_C], /, *, timeout: float | None = None
) -> LockAll[tuple[Guard[_A], Guard[_B], Guard[_C]]]: ...
@overload
def lock_all(*mutexes: Mutex[_A], timeout: float | None = None) -> LockAll[tuple[Guard[_A], ...]]: ...
def lock_all(*mutexes: Mutex[Any], timeout: float | None = None) -> LockAll[Any]:
    """Several mutexes for one ``with`` or ``async with`` block, which gets a tuple of their guards, in the order given.

    They are taken one after the other in an order of their own, the same for every caller, so two blocks that need the
    same mutexes never wait for each other. That does not hold for a block that already has another lock.
    An exception that leaves the block poisons those made with ``poison=True``.

    Thread safety: the block belongs to the thread, or the task, that entered it.

    Raises: `ValueError` for a mutex given twice, which could never be had twice, and for a ``timeout`` (seconds for all
    together, in ``with`` only) that is negative or NaN; on entry `DeadlockError`, `PoisonError` and `Timeout`, and then
    none of them is held.

    Example:
        >>> import fearless as fl
        >>> a, b = fl.Mutex(100), fl.Mutex(0)
        >>> with fl.lock_all(a, b) as (giver, taker):
        ...     giver -= 30
        ...     taker += 30
        >>> a.copy(), b.copy()
        (70, 30)
    """
    return LockAll(mutexes, timeout)


async def enter(block: LockAll[Any]) -> tuple[Guard[Any], ...]:
    """Take all mutexes of ``block`` for this task."""
    taken: dict[int, Guard[Any]] = {}
    guards: tuple[Guard[Any], ...] | None = None
    try:
        for number, mutex in block._in_turn():  # noqa: SLF001  # ours
            taken[number] = await mutex.lock_async()
        guards = in_order(taken)
        block._enter(guards)  # noqa: SLF001  # ours
    except BaseException:  # Ctrl-C as well, at any place: who catches it may enter again
        for guard in taken.values():  # not by its `__exit__`: nothing was done to the values, so nothing is poisoned
            guard.release()
        if guards is not None:
            block._forget(guards)  # noqa: SLF001  # ours
        raise
    return guards


def in_order(guards: dict[int, Guard[Any]]) -> tuple[Guard[Any], ...]:
    """Return the guards in the order of the arguments."""
    return tuple(guards[number] for number in range(len(guards)))
