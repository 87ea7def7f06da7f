"""Plain threads for tests, with an outcome and a bound.

Built on `threading` alone, so that what is tested does not test itself.
Not here: the fixture that joins them (`tests/plugins/threads.py`).
"""

import threading
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

from tests.support.until import BOUND

P = ParamSpec("P")
T = TypeVar("T")


class Spawned(Generic[T]):
    """A running thread; `join` gives what its function returned, or raises what it raised."""

    def __init__(self, function: Callable[[], T], name: str | None = None) -> None:
        """Start the thread. It is a daemon, so that a failed test does not hold up the run."""
        self._function = function
        self._result: list[T] = []
        self._error: BaseException | None = None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self._result.append(self._function())
        except BaseException as error:  # noqa: BLE001 - `join` raises it
            self._error = error
        finally:
            del self._function
            self.ended.set()

    @property
    def ident(self) -> int | None:
        """The ident of the thread."""
        return self.thread.ident

    def join(self, bound: float = BOUND) -> T:
        """Wait for the end, `bound` seconds at most."""
        assert self.ended.wait(bound), f"{self.thread.name} did not end within {bound} s"
        self.thread.join(bound)
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None  # a traceback that is kept would keep what its frames hold
        return self._result.pop()


def start(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Spawned[T]:
    """Run `function(*args, **kwargs)` in a thread."""
    return Spawned(lambda: function(*args, **kwargs))


class Holder:
    """A thread that does `enter()`, and `leave()` when told: for what must be held by somebody else."""

    def __init__(self, enter: Callable[[], T], leave: Callable[[T], object]) -> None:
        """Return when `enter()` has returned in the thread."""
        entered, self._go = threading.Event(), threading.Event()

        def hold() -> None:
            held = enter()
            entered.set()
            self._go.wait(4 * BOUND)
            leave(held)

        self._spawned = start(hold)
        assert entered.wait(BOUND), "the holder did not come to hold it"

    @property
    def ident(self) -> int | None:
        """The ident of the thread."""
        return self._spawned.ident

    def let_go(self) -> None:
        """Return when `leave()` has returned in the thread. Again is harmless."""
        if not self._go.is_set():
            self._go.set()
            self._spawned.join()
