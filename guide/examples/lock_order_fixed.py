"""Fixed: `lock_all` takes several locks, whatever the order they are given in, always in the same order.

Then nobody who holds the one waits for somebody who holds the other. Where the locks are taken far apart in a program,
write their order down where they are made, and keep to it. Compare `lock_order_broken.py`; `two_locks_fixed.py` gets
along without a lock.

Prints:

    0 left, 1000 were sold
"""

from collections.abc import Callable

import fearless as fl

Journal = fl.Mutex[list[str]]


def sell(stock: fl.Mutex[int], journal: Journal) -> None:
    """Take one from the stock and write it down."""
    with fl.lock_all(stock, journal) as (left, lines):
        left.value -= 1
        lines.value.append("sold one")


def count(stock: fl.Mutex[int], journal: Journal) -> None:
    """Write down how many are left."""
    with fl.lock_all(journal, stock) as (lines, left):
        lines.value.append(f"{left.value} left")


def repeat(function: Callable[[fl.Mutex[int], Journal], None], stock: fl.Mutex[int], journal: Journal) -> None:
    """Do it a thousand times."""
    for _ in range(1000):
        function(stock, journal)


def main() -> None:
    """Sell and count at once."""
    stock = fl.Mutex(1000)
    journal: Journal = fl.Mutex([])
    with fl.scope() as scope:
        for function in (sell, count):
            scope.spawn(repeat, function, stock, journal)
    print(f"{stock.copy()} left, {journal.copy().count('sold one')} were sold")


if __name__ == "__main__":
    main()
