"""Where threads come from: the line that started one, noted while somebody wants to know, and whether a pool did.

For messages about threads that were left behind.

Not here: which threads those are (``testing.py``).
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

__all__ = ["birthplace", "is_worker", "noted", "place_of"]

_MARK = "_fearless_birthplace"
_MIDDLEMEN = ("threading", "concurrent.futures", "asyncio", "fearless")  # who start threads for others


class _Watch:
    """How many want to know, and the function that stands in for ``Thread.start`` while anybody does.

    Thread safety: internally synchronized.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._original: Any = None
        self._noting: Any = None

    def begin(self) -> None:
        with self._lock:
            if self._count == 0:
                self._original = threading.Thread.start
                # A new one each time: an old one may still be wrapped by somebody else, whom the new one calls.
                self._noting = self._around(self._original)
                threading.Thread.start = self._noting  # type: ignore[method-assign]
            self._count += 1

    def end(self) -> None:
        with self._lock:
            self._count -= 1
            # Whoever has wrapped ours in turn may put it back later; with nobody watching it only passes the call on.
            if self._count == 0 and threading.Thread.start is self._noting:
                threading.Thread.start = self._original  # type: ignore[method-assign]

    def _around(self, original: Any) -> Any:
        @functools.wraps(original)
        def start(thread: threading.Thread) -> None:
            if self._count:
                vars(thread).setdefault(_MARK, _caller(sys._getframe(1)))  # noqa: SLF001 - a traceback is far dearer
            original(thread)

        return start


_watch = _Watch()


@contextmanager
def noted() -> Iterator[None]:
    """Note where each thread is started inside the block, in any thread; blocks may overlap."""
    _watch.begin()
    try:
        yield
    finally:
        _watch.end()


def birthplace(thread: threading.Thread) -> str | None:
    """Where the thread was started, in words; ``None`` if nobody noted it."""
    found: str | None = vars(thread).get(_MARK)
    return found


def is_worker(thread: threading.Thread) -> bool:
    """Whether the thread is a pool's. CPython has no public word for that; while it runs it keeps its function."""
    target = getattr(thread, "_target", None)
    homes = {"fearless.pools": "_work", "concurrent.futures.thread": "_worker"}
    return getattr(target, "__name__", None) == homes.get(getattr(target, "__module__", ""), "")


def place_of(frame: FrameType) -> str:
    """Say where a frame is, as in ``load (jobs.py:12)``."""
    code = frame.f_code
    return f"{code.co_name} ({Path(code.co_filename).name}:{frame.f_lineno})"


def _caller(inner: FrameType) -> str:
    """Where the call comes from that led to the start: outside the modules that only pass it on."""
    frame: FrameType | None = inner
    while frame is not None and _is_middleman(str(frame.f_globals.get("__name__"))):
        frame = frame.f_back
    return place_of(inner if frame is None else frame)


def _is_middleman(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in _MIDDLEMEN)
