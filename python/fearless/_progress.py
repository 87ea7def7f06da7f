"""A bar on standard error that shows how far a run of ``par`` is, drawn by rich or tqdm.

It is drawn at the ends of chunks, ten times a second at most. Not here: what counts as done.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import threading
import time
from collections.abc import Callable, Sized
from typing import Any, Self, TypeAlias

__all__ = ["Bar", "require"]

_Drawn: TypeAlias = tuple[Callable[[int], object], Callable[[], object]]  # show so many; put the bar away

_PAUSE = 0.1  # seconds between two drawings


class Bar:
    """The bar of one run, shown while its ``with`` block lasts.

    Thread safety: internally synchronized.
    """

    def __init__(self, items: object) -> None:
        """Prepare the bar of a run over ``items``, whose length it shows if they have one."""
        self._total: int | None = None
        with contextlib.suppress(OverflowError):  # longer than a list can be
            self._total = len(items) if isinstance(items, Sized) else None
        self._lock = threading.Lock()
        # Guarded by the lock.
        self._done = 0
        self._drawn_at = 0.0
        self._bar: _Drawn | None = None

    def __enter__(self) -> Self:
        """Show it."""
        with self._lock:
            self._bar = _DRAW[require()](self._total)
        return self

    def __exit__(self, *_: object) -> None:
        """Show the end of it."""
        with self._lock:
            if self._bar is not None:
                show, close = self._bar
                self._bar = None
                try:
                    show(self._done)
                finally:
                    close()

    def advance(self, items: int) -> None:
        """Count so many items as done."""
        with self._lock:
            self._done += items
            now = time.perf_counter()
            if self._bar is not None and now - self._drawn_at >= _PAUSE:
                self._drawn_at = now
                self._bar[0](self._done)


def require() -> str:
    """Return the name of the library that draws.

    Raises: ``ImportError`` if there is none.
    """
    for name in _DRAW:
        if importlib.util.find_spec(name) is not None:
            return name
    raise ImportError("progress=True needs rich or tqdm, and neither is installed")


def _rich(total: int | None) -> _Drawn:
    console: Any = importlib.import_module("rich.console").Console(stderr=True)
    progress: Any = importlib.import_module("rich.progress").Progress(console=console, auto_refresh=False)
    task = progress.add_task("par", total=total)
    progress.start()
    return lambda done: progress.update(task, completed=done, refresh=True), progress.stop


def _tqdm(total: int | None) -> _Drawn:
    bar: Any = importlib.import_module("tqdm").tqdm(total=total, desc="par")  # on standard error, as it does by itself

    def show(done: int) -> None:
        bar.n = done
        bar.refresh()

    return show, bar.close


_DRAW: dict[str, Callable[[int | None], _Drawn]] = {"rich": _rich, "tqdm": _tqdm}
