"""`lock_all`: several mutexes at once, always taken in the same order, so that no two callers wait for each other.

Not here: taking one mutex; see `Mutex`.
"""

from __future__ import annotations

from contextlib import ExitStack
from threading import get_ident
from time import monotonic
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from fearless._arguments import seconds
from fearless._loops import current_task
from fearless._native import Guard, Mutex
from fearless.errors import Timeout

if TYPE_CHECKING:
    from types import TracebackType

_A = TypeVar("_A")
_B = TypeVar("_B")
_C = TypeVar("_C")
_Guards = TypeVar("_Guards", bound=tuple[Guard[Any], ...])


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


def _me() -> tuple[int, object | None]:
    return get_ident(), current_task()


class _Block:
    """A block that somebody has entered, with the guards that end with it."""

    __slots__ = ("owner", "stack")

    def __init__(self) -> None:
        """A block of the caller."""
        self.owner = _me()
        self.stack = ExitStack()


class LockAll(Generic[_Guards]):
    """What `lock_all` returns: a block to enter, once or again and again.

    Thread safety: immutable; each block belongs to who entered it.
    """

    __slots__ = ("_blocks", "_mutexes", "_order", "_timeout")

    def __init__(self, mutexes: tuple[Mutex[Any], ...], timeout: float | None) -> None:
        """Check the mutexes, and find their order."""
        for number, mutex in enumerate(mutexes):
            if not isinstance(mutex, Mutex):
                raise TypeError(f"lock_all takes mutexes, got {mutex!r}")
            first = next(place for place, other in enumerate(mutexes) if other is mutex)
            if first != number:
                raise ValueError(f"lock_all must get each mutex once, got the same as arguments {first} and {number}")
        self._mutexes = mutexes
        self._order = sorted(range(len(mutexes)), key=lambda number: id(mutexes[number]))
        self._timeout = seconds(timeout)
        self._blocks: list[_Block] = []  # those that are entered, or being entered

    def __enter__(self) -> _Guards:
        """Take all mutexes.

        Blocks: until all are free; not a cancellation point; Ctrl-C gets through.
        """
        until = None if self._timeout is None else monotonic() + self._timeout
        guards: dict[int, Guard[Any]] = {}
        block = _Block()
        try:
            self._blocks.append(block)
            for number in self._order:
                left = None if until is None else max(until - monotonic(), 0.0)
                try:
                    guards[number] = block.stack.enter_context(self._mutexes[number].lock(left))
                except Timeout as error:
                    raise Timeout(f"lock_all: mutex {number} was not released within the timeout") from error
            return self._in_order(guards)
        except BaseException:  # Ctrl-C as well, at any place: who catches it may enter again
            self._give_up(block)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Release all."""
        self._leave().stack.__exit__(kind, error, traceback)

    async def __aenter__(self) -> _Guards:
        """Take all mutexes for this task."""
        guards: dict[int, Guard[Any]] = {}
        block = _Block()
        try:
            self._blocks.append(block)
            for number in self._order:
                guards[number] = block.stack.enter_context(await self._mutexes[number].lock_async())
            return self._in_order(guards)
        except BaseException:
            self._give_up(block)
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Release all."""
        self._leave().stack.__exit__(kind, error, traceback)

    def _give_up(self, block: _Block) -> None:
        """Release what was taken. Not by its `__exit__`: nothing was done to the values, so nothing is poisoned."""
        block.stack.close()
        if block in self._blocks:
            self._blocks.remove(block)

    def _leave(self) -> _Block:
        """The caller's innermost block, which it leaves.

        Another's can be there too, once somebody has released a guard early or waits for a condition variable. A block
        that is left elsewhere than it was entered, as that of an async generator may be, is the latest.
        """
        blocks, me = list(self._blocks), _me()
        block = next((block for block in reversed(blocks) if block.owner == me), blocks[-1])
        self._blocks.remove(block)
        return block

    def _in_order(self, guards: dict[int, Guard[Any]]) -> _Guards:
        return cast("_Guards", tuple(guards[number] for number in range(len(guards))))

    def __repr__(self) -> str:
        """Name the mutexes."""
        return f"lock_all({', '.join(map(repr, self._mutexes))})"
