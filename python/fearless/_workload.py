"""`workload`: marks a class that the lab can run under every pattern.

Holds the decorator and its checks. Runs nothing and loads nothing of the lab: a program that uses a workload class by
itself needs the standard library only.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["workload"]

C = TypeVar("C", bound=type)

MARK = "__fearless_workload__"

# Each method a workload may have, with the arguments that it takes after self.
METHODS: dict[str, tuple[str, ...]] = {
    "items": (),
    "work": ("item",),
    "start": (),
    "update": ("state", "part"),
    "merge": ("state", "other"),
    "read": ("state", "item"),
    "keys": ("item",),
    "stages": (),
    "work_async": ("item",),
    "check": ("state",),
}

# A method on the left makes sense only beside the one on the right.
NEEDS = {"update": "start", "merge": "start", "read": "start", "keys": "update"}


def workload(cls: C) -> C:
    """Mark ``cls`` as a workload, after checking its methods; the class itself is unchanged.

    ``items(self)`` gives the items, and is not timed. ``work(self, item)`` is the parallel part; it touches no shared
    state and returns a part. Without ``start`` the result is the list of parts, in the order of the items. With
    ``start(self)`` the result is a state into which ``update(self, state, part)`` takes each part, one at a time; it
    changes the state in place, or returns the new one. A state that is an int, or a dict of ints whose keys stay the
    same, needs no ``update``: parts are then added.

    Optional methods open more patterns: ``merge(self, state, other)`` joins two states, and ``async def
    work_async(self, item)``, which gives what ``work`` gives, serves the pattern ``asyncio``. ``check(self, state)``
    says whether a result is right, by returning False or by an assert; without it a result must equal the serial one.

    ``read(self, state, item)`` looks at the state before the work, many at once, and changes nothing. What it returns
    is what ``work`` gets in place of the item, and a part that is None changes nothing: there is no update. Other
    items may have changed the state between the two. Readers of a snapshot look at a shallow copy, so ``update`` may
    replace entries of the state, or give a new state, but change nothing inside an entry.

    ``keys(self, item)`` names the entries of the state that ``update`` reads and changes for the item. The state is a
    dict whose keys stay the same, and ``update`` may be given a dict of those entries alone.

    ``stages(self)`` comes in place of ``work``, where the work has steps: it gives a sequence of functions of one
    argument, and an item goes through them in order. Every pattern runs it as it would a ``work`` that calls one after
    the other; the pattern ``channel`` runs it as a pipeline, with workers of its own for each stage.

    Class attributes are parameters: ``size = 10`` can be set by ``--arg size=20``.

    Thread safety: `work` and the stages are called by many threads at once, and the instance is shared between them.

    Raises: `TypeError`, naming class, method and rule, if ``cls`` is not a class that can be run.

    Example:
        >>> @workload
        ... class Squares:
        ...     count = 3
        ...     def items(self):
        ...         return range(self.count)
        ...     def work(self, item):
        ...         return item * item
        >>> [Squares().work(item) for item in Squares().items()]
        [0, 1, 4]
    """
    if not isinstance(cls, type):
        raise TypeError(
            f"@workload takes a class, got {cls!r}; a function needs no decorator: name it, and give --items"
        )
    found = {name: method for name in METHODS if (method := getattr(cls, name, None)) is not None}
    _check_presence(cls, found)
    for name, method in found.items():
        _check_method(cls, name, method)
    _check_constructor(cls)
    setattr(cls, MARK, True)
    return cls


def is_workload(value: object) -> bool:
    """True for a class that `workload` marked, not for one that only inherits the mark."""
    return isinstance(value, type) and MARK in vars(value)


def parameters(cls: type) -> dict[str, Any]:
    """The class attributes that are parameters, with their defaults, in the order in which they are written."""
    written = {name: value for owner in reversed(cls.__mro__[:-1]) for name, value in vars(owner).items()}
    return {name: value for name, value in written.items() if _is_parameter(name, value)}


def _is_parameter(name: str, value: object) -> bool:
    """True for public values; methods, properties and nested classes are none."""
    return not name.startswith("_") and not callable(value) and not hasattr(type(value), "__get__")


def _check_presence(cls: type, found: dict[str, Any]) -> None:
    name = cls.__qualname__
    if "items" not in found:
        raise TypeError(f"workload {name} must have items(self): it gives the items to work on")
    if not {"work", "stages", "work_async"} & found.keys():
        rule = "it is the part that patterns run in parallel; or stages(self), if that has steps"
        raise TypeError(f"workload {name} must have work(self, item): {rule}")
    if {"work", "stages"} <= found.keys():
        raise TypeError(f"workload {name} has work() and stages(): stages come in place of work, so keep one of them")
    for method, other in NEEDS.items():
        if method in found and other not in found:
            raise TypeError(f"workload {name} has {method}() but no {other}(): {method} needs {_shown(other)}")


def _check_method(cls: type, name: str, method: Any) -> None:
    """Raise unless ``method`` can be called as the lab calls it."""
    where = f"workload {cls.__qualname__}: {name}"
    if not callable(method):
        raise TypeError(f"{where} must be a method, got {method!r}")
    expected = METHODS[name]
    try:
        _bound_signature(cls, name, method).bind(*expected)
    except TypeError:
        raise TypeError(f"{where} must be {_shown(name)}, got {name}{inspect.signature(method)}") from None
    if inspect.iscoroutinefunction(method) != (name == "work_async"):
        rule = "must be `async def`" if name == "work_async" else "must be a plain `def`; a coroutine is work_async"
        raise TypeError(f"{where} {rule}")


def _bound_signature(cls: type, name: str, method: Callable[..., Any]) -> inspect.Signature:
    """The signature of ``method`` as seen on an instance of ``cls``."""
    signature = inspect.signature(method)
    if isinstance(inspect.getattr_static(cls, name), staticmethod | classmethod):
        return signature
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def _check_constructor(cls: type) -> None:
    if cls.__init__ is object.__init__:  # type: ignore[misc]  # it is only looked at
        return
    try:
        inspect.signature(cls).bind()
    except TypeError:
        rule = "make them class attributes, which --arg can set"
        raise TypeError(
            f"workload {cls.__qualname__} must take no arguments, got {inspect.signature(cls)}; {rule}"
        ) from None


def _shown(name: str) -> str:
    return f"{name}({', '.join(('self', *METHODS[name]))})"
