"""Parts that are taken, one at a time, into the only state there is."""

from __future__ import annotations

from fearless import workload


@workload
class Example:
    """Collect the different sums of digits among powers of two."""

    size = 2000

    def items(self) -> list[int]:
        """What to work on. Replace this: load your own."""
        return list(range(self.size))

    def work(self, item: int) -> int:
        """Work on one item, and touch nothing that is shared. Replace this."""
        return sum(map(int, str(2**item)))

    def start(self) -> set[int]:
        """Begin with an empty state. Replace this."""
        return set()

    def update(self, state: set[int], part: int) -> set[int]:
        """Take one part into the state. Replace this."""
        state.add(part)
        return state
