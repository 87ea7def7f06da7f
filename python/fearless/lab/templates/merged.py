"""Parts that are taken into a state, and states that can be joined."""

from __future__ import annotations

from fearless import workload


@workload
class Example:
    """Count how often each sum of digits occurs among powers of two."""

    size = 2000

    def items(self) -> list[int]:
        """What to work on. Replace this: load your own."""
        return list(range(self.size))

    def work(self, item: int) -> int:
        """Work on one item, and touch nothing that is shared. Replace this."""
        return sum(map(int, str(2**item)))

    def start(self) -> dict[int, int]:
        """Begin with an empty state. Replace this."""
        return {}

    def update(self, state: dict[int, int], part: int) -> dict[int, int]:
        """Take one part into the state. Replace this."""
        state[part] = state[part] + 1 if part in state else 1
        return state

    def merge(self, state: dict[int, int], other: dict[int, int]) -> dict[int, int]:
        """Join two states. Replace this."""
        for part, count in other.items():
            state[part] = state[part] + count if part in state else count
        return state
