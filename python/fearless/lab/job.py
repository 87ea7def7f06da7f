"""A job: a workload in the one form that every pattern takes.

Holds what fills the gaps: a state of ints without `update` is added, methods that change a state in place give it
back, stages are the work, one after the other, and keys are those that the state has. Finds and loads nothing; see
`resolve`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any, Literal, Protocol, TypeAlias

from fearless._workload import METHODS, parameters
from fearless.lab._errors import WorkloadError, user_traceback

State = Literal["none", "add", "merge", "update"]
Stage: TypeAlias = Callable[[Any], Any]

# What the patterns call the types of a job; which types they are is the user's to say.
Item: TypeAlias = Any
Part: TypeAlias = Any  # what the work makes of an item
Result: TypeAlias = Any  # the state, or a partial one
Key: TypeAlias = Any  # of a state that is a dict


class Reload(Protocol):
    """Says how another process gets the same job: a callable and its arguments."""

    def __call__(self) -> tuple[Callable[..., Job], tuple[Any, ...]]:
        """What `__reduce__` gives."""


class Job:
    """What patterns see of a workload.

    ``stages`` are the functions that an item goes through; there are none if the work is in one piece.

    Thread safety: the methods may be called by many threads; `update` and `merge` change the state they are given, so
    that needs one owner or a lock.
    """

    def __init__(self, source: object, *, name: str, reload: Reload | None = None) -> None:
        """Wrap ``source``, an instance of a workload class. Raises: `WorkloadError` if no pattern can run it."""
        self.source = source
        self.name = name
        self._reload = reload
        self.methods = tuple(one for one in METHODS if callable(getattr(source, one, None)))
        if not {"work", "stages"} & set(self.methods):
            rule = "one of which serial needs, with which the others are compared"
            raise WorkloadError(f"workload {name} has no work(self, item) and no stages(self), {rule}")
        self.stages = self._find_stages() if "stages" in self.methods else ()
        self.state: State = self._find_state()
        self._known = self._find_keys() if self.keyed else frozenset()

    def __reduce__(self) -> tuple[Callable[..., Job], tuple[Any, ...]]:
        if self._reload is None:
            raise TypeError(f"job {self.name} cannot be sent to another process: nobody said how to load it there")
        return self._reload()

    @property
    def reads(self) -> bool:
        """True if items look at the state before they are worked on."""
        return "read" in self.methods

    @property
    def keyed(self) -> bool:
        """True if it is known which entries of the state an item changes."""
        return "keys" in self.methods

    @property
    def awaits(self) -> bool:
        """True if the work is also a coroutine."""
        return "work_async" in self.methods

    @property
    def summary(self) -> str:
        """The first line of what the user wrote about it."""
        about = self.source.work if isinstance(self.source, FunctionSource) else type(self.source)
        return (about.__doc__ or "").strip().partition("\n")[0]

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters with the values they have now."""
        return {name: getattr(self.source, name) for name in parameters(type(self.source))}

    def items(self) -> list[Any]:
        """The items, loaded. Raises: `WorkloadError` if there are none."""
        items = list(self.source.items())  # type: ignore[attr-defined]  # the decorator checked it
        if not items:
            raise WorkloadError(f"workload {self.name}: items() gave nothing to work on")
        return items

    def read(self, state: Any, item: Any) -> Any:
        """What the work is to get in place of ``item``, by a look at the state."""
        return self.source.read(state, item)  # type: ignore[attr-defined]  # patterns call it where `reads` is true

    def keys(self, item: Any) -> tuple[Any, ...]:
        """The keys of what `update` touches for ``item``, each once. Raises: `WorkloadError` for one it has not."""
        given = self.source.keys(item)  # type: ignore[attr-defined]  # patterns call it where `keyed` is true
        where = f"workload {self.name}: keys()"
        if not isinstance(given, Iterable) or isinstance(given, str | bytes):
            raise WorkloadError(f"{where} must give keys of the state, as [item.payer, item.payee]; got {given!r}")
        named = tuple(dict.fromkeys(given))
        for key in named:
            if key not in self._known:
                raise WorkloadError(f"{where} named {key!r}, which start() does not have among its {len(self._known)}")
        return named

    def work(self, item: Any) -> Any:
        """The part that ``item`` gives. A note in an error tells the stage, where there are any."""
        if not self.stages:
            return self.source.work(item)  # type: ignore[attr-defined]  # the decorator checked it
        for place, function in enumerate(self.stages, start=1):
            try:
                item = function(item)
            except BaseException as error:
                error.add_note(f"in stage {place} of workload {self.name}, {_name(function)}")
                raise
        return item

    def work_async(self, item: Any) -> Coroutine[Any, Any, Any]:
        """The coroutine that gives the part of ``item``."""
        found: Coroutine[Any, Any, Any] = self.source.work_async(item)  # type: ignore[attr-defined]  # as with `read`
        return found

    @property
    def stage_names(self) -> tuple[str, ...]:
        """What the stages are called."""
        return tuple(map(_name, self.stages))

    def start(self) -> Any:
        """A new state."""
        return self.source.start()  # type: ignore[attr-defined]  # patterns call it where `state` is not "none"

    def update(self, state: Any, part: Any) -> Any:
        """The state after ``part`` was taken in; it may be the same object."""
        if self.state == "add":
            return _add(state, part)
        try:
            return _kept(self.source.update(state, part), state)  # type: ignore[attr-defined]
        except KeyError as error:
            if self.keyed:
                error.add_note(f"update() of workload {self.name} may be given what keys() named alone: {list(state)}")
            raise

    def merge(self, state: Any, other: Any) -> Any:
        """The state after ``other`` was joined to it; it may be the same object."""
        if self.state == "add" and "merge" not in self.methods:
            return _add(state, other)
        return _kept(self.source.merge(state, other), state)  # type: ignore[attr-defined]

    def check(self, result: Any) -> str | None:
        """What the workload's own check finds wrong with ``result``; None if all is well or it has no check."""
        if "check" not in self.methods:
            return None
        try:
            held = self.source.check(result)  # type: ignore[attr-defined]
        except AssertionError as error:
            return f"check() failed: {error}" if str(error) else "check() failed"
        return "check() returned False" if held is False else None

    def _find_stages(self) -> tuple[Stage, ...]:
        """The stages that the user gives, if they are functions."""
        where = f"workload {self.name}: stages()"
        try:
            given = self.source.stages()  # type: ignore[attr-defined]  # it is there
        except Exception as error:  # noqa: BLE001  # the code is the user's
            raise WorkloadError(f"{where} raised", user_traceback(error)) from None
        if not isinstance(given, Sequence) or isinstance(given, str | bytes):
            raise WorkloadError(f"{where} must give a sequence of functions, as [self.load, self.pack]; got {given!r}")
        if not given:
            raise WorkloadError(f"{where} must give at least one function, got {given!r}")
        for place, one in enumerate(given, start=1):
            if not callable(one) or inspect.iscoroutinefunction(one):
                raise WorkloadError(f"{where}: stage {place} must be a plain function of one argument, got {one!r}")
        return tuple(given)

    def _find_state(self) -> State:
        if "start" not in self.methods:
            return "none"
        if "update" in self.methods:
            return "merge" if "merge" in self.methods else "update"
        state = self.start()
        totals = list(state.values()) if isinstance(state, dict) else [state]
        if not all(map(_is_int, totals)):
            rule = "must have update(self, state, part), unless its state is an int or a dict of ints"
            raise WorkloadError(f"workload {self.name} {rule}; start() gives {type(state).__name__}")
        if any(totals):
            rule = "must start at 0 where parts are added: every worker starts there, and the totals are added up"
            raise WorkloadError(f"workload {self.name} {rule}; start() gives {state!r}")
        return "add"

    def _find_keys(self) -> frozenset[Any]:
        """The keys of the state, if it has any."""
        state = self.start()
        if isinstance(state, dict) and state:
            return frozenset(state)
        rule = "has keys(self, item), which name entries of the state, so start() must give a dict with all of them"
        raise WorkloadError(f"workload {self.name} {rule}; it gives {state!r}")


class FunctionSource:
    """A plain function as a workload: the items are given, and the result is the list of parts."""

    def __init__(self, function: Callable[[Any], Any], items: Sequence[Any]) -> None:
        """Call ``function`` with each of ``items``."""
        self.work = function
        self._items = items

    def items(self) -> Sequence[Any]:
        """The items."""
        return self._items


def _name(function: Stage) -> str:
    """What a pipeline calls the stage, too."""
    name: str = getattr(function, "__name__", type(function).__name__)
    return name


def _add(state: Any, part: Any) -> Any:
    if not isinstance(state, dict):
        return state + part
    for key, amount in part.items():
        if key not in state:
            raise WorkloadError(f"work() returned the key {key!r}, which start() does not have; it has {list(state)}")
        state[key] += amount
    return state


def _kept(new: Any, old: Any) -> Any:
    """What a method returned, or the state that it changed in place."""
    return old if new is None else new


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
