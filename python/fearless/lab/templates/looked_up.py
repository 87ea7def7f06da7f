"""Items that look at the only state there is, and change it when they do not find there what they need."""

from __future__ import annotations

from fearless import workload


@workload
class Example:
    """Compute the sum of digits of powers of two, each of which is asked for many times, once."""

    size = 2000

    def items(self) -> list[int]:
        """What to work on. Replace this: load your own."""
        return [number * number % 97 for number in range(self.size)]

    def read(self, state: dict[int, int], item: int) -> tuple[int, bool]:
        """Look at the state, and change nothing. Replace this."""
        return item, item in state

    def work(self, seen: tuple[int, bool]) -> tuple[int, int] | None:
        """Work on what was seen, and touch nothing that is shared. Replace this; None is for no change."""
        item, known = seen
        if known:
            return None
        return item, sum(map(int, str(2**item)))

    def start(self) -> dict[int, int]:
        """Begin with an empty state. Replace this."""
        return {}

    def update(self, state: dict[int, int], part: tuple[int, int]) -> dict[int, int]:
        """Take one part into the state. Replace this."""
        item, digits = part
        state[item] = digits
        return state
