"""Rust's concurrency toolkit for Python.

Names load on first use (PEP 562), so that ``import fearless`` stays cheap. Not here: any code; a module per technique
holds it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fearless import compat, testing
    from fearless._crew import invoke
    from fearless._scope import Scope, scope
    from fearless._scope_here import checkpoint, current_scope, sleep
    from fearless._workload import workload
    from fearless.atomics import AtomicBool, AtomicFloat, AtomicInt, AtomicRef, ShardedCounter
    from fearless.channels import (
        Owned,
        Receiver,
        Selected,
        Sender,
        after,
        channel,
        merge,
        never,
        select,
        select_async,
        tick,
        try_select,
    )
    from fearless.coordination import Barrier, Event, Latch, Semaphore
    from fearless.errors import (
        BrokenBarrierError,
        Cancelled,
        Closed,
        DeadlockError,
        Empty,
        FearlessError,
        Full,
        GuardReleased,
        MovedError,
        PoisonError,
        Timeout,
    )
    from fearless.mutexes import Condvar, Guard, Mutex, lock_all
    from fearless.onces import Lazy, Once, OnceCell
    from fearless.parallel import par
    from fearless.pipelines import pipeline, stage
    from fearless.pools import ThreadPool
    from fearless.rwlocks import ReadGuard, RwLock, UpgradableGuard, WriteGuard
    from fearless.threads import Task, options, spawn

__all__ = [
    "AtomicBool",
    "AtomicFloat",
    "AtomicInt",
    "AtomicRef",
    "Barrier",
    "BrokenBarrierError",
    "Cancelled",
    "Closed",
    "Condvar",
    "DeadlockError",
    "Empty",
    "Event",
    "FearlessError",
    "Full",
    "Guard",
    "GuardReleased",
    "Latch",
    "Lazy",
    "MovedError",
    "Mutex",
    "Once",
    "OnceCell",
    "Owned",
    "PoisonError",
    "ReadGuard",
    "Receiver",
    "RwLock",
    "Scope",
    "Selected",
    "Semaphore",
    "Sender",
    "ShardedCounter",
    "Task",
    "ThreadPool",
    "Timeout",
    "UpgradableGuard",
    "WriteGuard",
    "after",
    "channel",
    "checkpoint",
    "compat",
    "current_scope",
    "invoke",
    "lock_all",
    "merge",
    "never",
    "options",
    "par",
    "pipeline",
    "scope",
    "select",
    "select_async",
    "sleep",
    "spawn",
    "stage",
    "testing",
    "tick",
    "try_select",
    "workload",
]

_HOMES = {
    "_crew": ("invoke",),
    "_scope": ("Scope", "scope"),
    "_scope_here": ("checkpoint", "current_scope", "sleep"),
    "_workload": ("workload",),
    "atomics": ("AtomicBool", "AtomicFloat", "AtomicInt", "AtomicRef", "ShardedCounter"),
    "channels": (
        "Owned",
        "Receiver",
        "Selected",
        "Sender",
        "after",
        "channel",
        "merge",
        "never",
        "select",
        "select_async",
        "tick",
        "try_select",
    ),
    "coordination": ("Barrier", "Event", "Latch", "Semaphore"),
    "errors": (
        "BrokenBarrierError",
        "Cancelled",
        "Closed",
        "DeadlockError",
        "Empty",
        "FearlessError",
        "Full",
        "GuardReleased",
        "MovedError",
        "PoisonError",
        "Timeout",
    ),
    "mutexes": ("Condvar", "Guard", "Mutex", "lock_all"),
    "onces": ("Lazy", "Once", "OnceCell"),
    "parallel": ("par",),
    "pipelines": ("pipeline", "stage"),
    "pools": ("ThreadPool",),
    "rwlocks": ("ReadGuard", "RwLock", "UpgradableGuard", "WriteGuard"),
    "threads": ("Task", "options", "spawn"),
}
_MODULES = ("compat", "testing")
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Load a public name from its home the first time it is asked for."""
    if name in _MODULES:
        return importlib.import_module(f"fearless.{name}")
    home = _HOME_OF.get(name)
    if home is None:
        text = f"module 'fearless' has no attribute {name!r}"
        raise AttributeError(text)
    value: object = getattr(importlib.import_module(f"fearless.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)
