"""What leaving a scope raises: which cancellation passes, which failure leaves bare, which are grouped.

Not here: the scope itself (``_scope.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fearless.errors import Cancelled, Timeout

if TYPE_CHECKING:
    from fearless import _native

__all__ = ["LEAVES_BARE", "LEFT", "Outcome", "has_left_a_scope", "sort"]

LEAVES_BARE = (KeyboardInterrupt, SystemExit, GeneratorExit)
LEFT = "left a scope while"
"""How the note on an exception begins that has left a scope before its tasks had ended."""


@dataclass(slots=True)
class Outcome:
    """What a scope ended with, by what becomes of it."""

    passing: Cancelled | None = None
    """The cancellation of a scope: swallowed by that scope, bare elsewhere."""
    interrupt: BaseException | None = None
    """Leaves bare, whatever else there is: Ctrl-C, or the event loop cancelled the task."""
    failure: BaseException | None = None
    """The block's own."""
    failures: list[BaseException] = field(default_factory=list)
    """Those of the tasks."""
    timed_out: bool = False

    def is_of(self, native: _native.Scope) -> bool:
        """Whether the cancellation that passes belongs to the scope."""
        return self.passing is not None and self.passing._scope.is_same(native)  # noqa: SLF001 - one mechanism

    def raise_all(self, native: _native.Scope, error: BaseException | None, late: str, tasks: int) -> bool:
        """Raise what there is to raise. False if ``error``, with which the block ended, shall go on as it is."""
        failures = [*([] if self.failure is None else [self.failure]), *self.failures]
        bares = [failure for failure in failures if isinstance(failure, LEAVES_BARE)]
        bare = next(iter([*([] if self.interrupt is None else [self.interrupt]), *bares]), None)
        group = _group([failure for failure in failures if failure is not bare], tasks)
        try:
            if bare is not None:
                _raise_bare(bare, group)
            if self.passing is not None and not self.is_of(native) and group is None:
                if self.passing is not error:
                    raise self.passing  # out of the group that somebody made of it
                return False  # with failures it gives way to them: the scope around raises it again at the next wait
            if self.timed_out:
                raise Timeout(late) from group
            if group is not None:
                raise group
        finally:
            # A traceback holds this frame; with no names left, the frame does not hold the exceptions.
            self.passing = self.passing if self.is_of(native) else None
            self.interrupt = self.failure = None
            self.failures = []
            del error, failures, bares, bare, group
        return True


def sort(error: BaseException | None, stops: tuple[type[BaseException], ...]) -> Outcome:
    """Tell cancellations from failures, also in a group that a nursery or a task group has made of them.

    ``stops`` are what an event loop cancels a task with.
    """
    if error is None:
        return Outcome()
    if isinstance(error, Cancelled):
        return Outcome(passing=error)
    if isinstance(error, stops):
        return Outcome(interrupt=error)
    if not isinstance(error, BaseExceptionGroup):
        return Outcome(failure=error)
    passing, rest = error.split(Cancelled)
    stop, failure = (None, rest) if rest is None or not stops else rest.split(stops)
    return Outcome(None if passing is None else _first(passing), stop, failure)


def has_left_a_scope(error: BaseException) -> bool:
    """Whether it was the second interrupt of a scope inside, which waited for its tasks no longer."""
    return any(str(note).startswith(LEFT) for note in getattr(error, "__notes__", ()))


def _first(found: BaseException) -> Cancelled:
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, Cancelled)  # noqa: S101 - what it was split by
    return found


def _group(failures: list[BaseException], tasks: int) -> BaseException | None:
    """Make the group of ``failures``: an ``ExceptionGroup`` unless one of them is not an ``Exception``."""
    if not failures:
        return None
    text = f"{len(failures)} failed in a scope of {tasks} tasks"
    return BaseExceptionGroup(text, failures)


def _raise_bare(bare: BaseException, group: BaseException | None) -> None:
    """Raise ``bare`` with the other failures as its context."""
    try:
        raise bare
    finally:
        if group is not None:
            bare.__context__ = group
        del bare, group
