"""The calls that take a lock for readers and writers, by name, and threads that hold one.

Not here: who waits and for how long (`blocking_rwlock.py`).
"""

from collections.abc import Callable
from typing import Any

import pytest

import fearless as fl
from tests.support.threads import Holder


def nothing(_value: object) -> None:
    """Do nothing with the value."""


def hold(rw: "fl.RwLock[Any]", how: str) -> Holder:
    """Return when another thread holds the lock: `how` is read, write or upgradable."""
    return Holder(getattr(rw, how), lambda guard: guard.release())


def fail_in_block(rw: "fl.RwLock[Any]", error: Exception) -> None:
    """Leave a writer's block by an error."""
    with pytest.raises(type(error)), rw.write():
        raise error


READING: dict[str, Callable[["fl.RwLock[Any]"], object]] = {
    "read": lambda rw: rw.read(),
    "read_with": lambda rw: rw.read_with(nothing),
    "copy": lambda rw: rw.copy(),
    "upgradable": lambda rw: rw.upgradable(),
}
WRITING: dict[str, Callable[["fl.RwLock[Any]"], object]] = {
    "write": lambda rw: rw.write(),
    "write_with": lambda rw: rw.write_with(nothing),
    "update": lambda rw: rw.update(nothing),
    "replace": lambda rw: rw.replace(None),
}
TAKING = READING | WRITING
TRYING: dict[str, Callable[["fl.RwLock[Any]"], Any]] = {
    "try_read": lambda rw: rw.try_read(),
    "try_upgradable": lambda rw: rw.try_upgradable(),
    "try_write": lambda rw: rw.try_write(),
}
