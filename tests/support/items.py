"""Items that tell whether they were finalized, for tests of garbage collection.

Not here: pytest; programs that run in subprocesses use this too.
"""

from collections.abc import Callable


class Item:
    """An object in a cycle of its own, so that only the collector can free it. It notes its finalization."""

    def __init__(self, number: int = 0) -> None:
        """Make the cycle."""
        self.number = number
        self.finalized = False
        self.me: Item | None = self

    def __del__(self) -> None:
        """Note that it is over."""
        self.finalized = True

    def check(self) -> None:
        """Assert that nobody has finalized or cleared this object, which is in use."""
        assert not self.finalized, f"item {self.number} was finalized while it was alive"
        assert self.me is self, f"item {self.number} was cleared while it was alive"


class Noisy:
    """An object that does something when it is dropped."""

    def __init__(self, action: Callable[[], object]) -> None:
        """Remember what to do."""
        self.action = action

    def __del__(self) -> None:
        """Do it."""
        self.action()


class Marker:
    """Something to hold a weak reference to."""

    def __init__(self, *holds: object) -> None:
        """Keep the objects alive."""
        self.holds: list[object] = list(holds)
