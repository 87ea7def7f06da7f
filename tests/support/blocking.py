"""What every call that can block has in common: how tests bring it about, and what must be true afterwards.

Holds: `Situation`, and the search for the calls. The situations of each type are in `blocking_*.py`, the table of all
in `tests/support/recipes.py`. Not here: the tests (`tests/generic/`).
"""

import importlib
import inspect
import sys
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import ClassVar

from tests.support.until import blocked, until

MODULES = (
    "_crew",
    "_scope",
    "_scope_here",
    "atomics",
    "channels",
    "compat",
    "coordination",
    "mutexes",
    "onces",
    "parallel",
    "pools",
    "rwlocks",
    "threads",
)


class Situation:
    """One object, made so that `call` blocks on it.

    Whoever made it closes it. Waiting from the thread that made it must be possible.
    """

    kind: ClassVar[str]  # the type, as the matrix names it
    cancellation_point: ClassVar[bool] = True
    takes_timeout: ClassVar[bool] = False
    can_be_ready: ClassVar[bool] = True  # it can be arranged beforehand that a call need not wait
    can_be_released: ClassVar[bool] = True  # somebody can let a blocked call go ahead
    keeps_process: ClassVar[bool] = False  # threads that are no daemons take part
    undoes: ClassVar[bool] = True  # a call that fails has done nothing; false where the call is the end of something

    def __init__(self) -> None:
        """Bring it about."""

    def call(self, timeout: float | None = None) -> object:
        """Make the call. Without a timeout of its own it is called with `None`."""
        raise NotImplementedError

    def is_blocked(self, ident: int | None) -> bool:
        """Whether the thread with that ident is blocked in `call`."""
        return blocked(ident)

    def check_nothing_happened(self) -> None:
        """Assert that the object is as it was before the call, with nobody waiting."""

    def make_ready(self) -> None:
        """Let the next call go ahead without a wait, where `can_be_ready`."""
        raise NotImplementedError

    def release(self) -> None:
        """Let a blocked call go ahead, where it `can_be_released`."""
        self.make_ready()

    def check_usable(self) -> None:
        """Assert that the object still does its work."""

    def close(self) -> None:
        """Put it away; nobody may be blocked on it any more."""

    def await_blocked(self, ident: int | None) -> None:
        """Return when the thread is blocked in `call`."""

        def stands() -> bool:
            assert ident in sys._current_frames(), f"{type(self).__name__}.call ended instead of blocking"
            return self.is_blocked(ident)

        until(stands, f"thread {ident} blocked in {type(self).__name__}.call")


def blocking_callables() -> set[str]:
    """Return the names of all public callables that can block, as in `Sender.send`.

    A callable says so in its docstring. The slot of `next()` has no docstring of its own, so every iterator that is
    written in Rust counts.
    """
    return {name for name, value in _public() if "Blocks:" in (inspect.getdoc(value) or "") or _is_native_next(value)}


def async_callables() -> set[str]:
    """Return the names of all public callables that wait as a coroutine, as in `Sender.send_async`."""
    return {name for name, _ in _public() if name.endswith(("_async", ".__anext__"))}


def _is_native_next(value: object) -> bool:
    return type(value).__name__ == "wrapper_descriptor" and getattr(value, "__name__", "") == "__next__"


def _public() -> Iterator[tuple[str, object]]:
    """Yield what users can call, by name: functions, and methods with the class that users know.

    Names of `fearless.compat`, which are also those of other types, have that in front.
    """
    for name in MODULES:
        for public, value in _public_of(importlib.import_module(f"fearless.{name}")):
            yield f"{name}.{public}" if name == "compat" else public, value


def _public_of(module: ModuleType) -> Iterator[tuple[str, object]]:
    exported = {public: getattr(module, public) for public in module.__all__}
    classes = {key: value for key, value in vars(module).items() if _is_ours(value) and not key.startswith("_")}
    for public, value in {**exported, **classes}.items():
        if isinstance(value, type):
            yield from _methods(value)
        else:
            yield public, value


def _is_ours(value: object) -> bool:
    return isinstance(value, type) and value.__module__.startswith("fearless") and not issubclass(value, BaseException)


def _methods(cls: type) -> Iterator[tuple[str, object]]:
    for base in cls.__mro__:
        if not base.__module__.startswith("fearless"):
            continue
        for name, value in vars(base).items():
            if callable(value) and (not name.startswith("_") or name.startswith("__")):
                yield f"{cls.__name__}.{name}", value


class Gate:
    """A function that runs until it is let go, and counts."""

    def __init__(self) -> None:
        """Closed, and nobody in it."""
        self.open = threading.Event()
        self.entered = threading.Event()

    def __call__(self) -> str:
        """Stay until `open` is set."""
        self.entered.set()
        assert self.open.wait(120.0), "nobody opened the gate"
        return "through"


Recipe = Callable[[], Situation]
