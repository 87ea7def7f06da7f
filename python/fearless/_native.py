"""The one door to the compiled module, and what to say when it does not open.

Not here: any behaviour of the native types.
"""

from __future__ import annotations

import sys

try:
    from fearless._core import (
        AtomicBool,
        AtomicFloat,
        AtomicInt,
        AtomicRef,
        Barrier,
        Chunk,
        Condition,
        Condvar,
        Cursor,
        Event,
        Guard,
        Latch,
        Lazy,
        Lock,
        LockAll,
        LoopQueue,
        Mutex,
        Once,
        OnceCell,
        Owned,
        Permits,
        PoolQueue,
        ReadGuard,
        Receiver,
        RLock,
        RwLock,
        Scope,
        ScopeBlock,
        Selected,
        Semaphore,
        Sender,
        Sending,
        ShardedCounter,
        Task,
        ThreadPool,
        Timer,
        UpgradableGuard,
        WriteGuard,
        after,
        blocked_in,
        channel,
        checkpoint,
        in_event_loop,
        never,
        new_task,
        select,
        select_async,
        sleep_for,
        tick,
        try_select,
        waiting,
        write_unraisable,
    )
except ImportError as error:
    if "subinterpreter" in str(error):
        text = "fearless works in the main interpreter only, not in a subinterpreter"
        raise ImportError(text, name="fearless._core") from error
    text = (
        f"the compiled half of fearless does not load in {sys.implementation.name} "
        f"{sys.version_info.major}.{sys.version_info.minor} ({sys.executable}): {error}\n"
        "hint: install fearless with this interpreter's own pip"
    )
    raise ImportError(text, name="fearless._core") from error

__all__ = [
    "AtomicBool",
    "AtomicFloat",
    "AtomicInt",
    "AtomicRef",
    "Barrier",
    "Chunk",
    "Condition",
    "Condvar",
    "Cursor",
    "Event",
    "Guard",
    "Latch",
    "Lazy",
    "Lock",
    "LockAll",
    "LoopQueue",
    "Mutex",
    "Once",
    "OnceCell",
    "Owned",
    "Permits",
    "PoolQueue",
    "RLock",
    "ReadGuard",
    "Receiver",
    "RwLock",
    "Scope",
    "ScopeBlock",
    "Selected",
    "Semaphore",
    "Sender",
    "Sending",
    "ShardedCounter",
    "Task",
    "ThreadPool",
    "Timer",
    "UpgradableGuard",
    "WriteGuard",
    "after",
    "blocked_in",
    "channel",
    "checkpoint",
    "in_event_loop",
    "never",
    "new_task",
    "select",
    "select_async",
    "sleep_for",
    "tick",
    "try_select",
    "waiting",
    "write_unraisable",
]
