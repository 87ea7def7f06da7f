"""Parts that are listed, in the order of the items."""

from __future__ import annotations

from fearless import workload


@workload
class Example:
    """Add up the digits of powers of two."""

    size = 2000

    def items(self) -> list[int]:
        """What to work on. Replace this: load your own."""
        return list(range(self.size))

    def work(self, item: int) -> int:
        """Work on one item, and touch nothing that is shared. Replace this."""
        return sum(map(int, str(2**item)))
