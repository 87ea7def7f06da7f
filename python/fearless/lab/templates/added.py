"""Parts that are added to one total."""

from __future__ import annotations

from fearless import workload


@workload
class Example:
    """Count the nines in powers of two."""

    size = 2000

    def items(self) -> list[int]:
        """What to work on. Replace this: load your own."""
        return list(range(self.size))

    def work(self, item: int) -> int:
        """Work on one item, and touch nothing that is shared. Replace this."""
        return sum(digit == "9" for digit in str(2**item))

    def start(self) -> int:
        """Begin at nothing. There is no update: parts are added."""
        return 0
