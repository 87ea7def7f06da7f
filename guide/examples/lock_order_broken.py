"""Broken: one function takes the stock and then the journal, the other takes the journal and then the stock.

Each is right by itself, and they may be far apart in a program. When both run, each can hold what the other waits for.
Here they are made to; without the timeout neither wait would end. `lock_order_fixed.py` has one order for all.

Prints:

    each holds one lock, and waits for the other
"""

import threading

import fearless as fl

Journal = fl.Mutex[list[str]]


def sell(stock: fl.Mutex[int], journal: Journal, each_has_one: threading.Barrier) -> bool:
    """Take one from the stock and write it down; False if that could not be done."""
    with stock as left:
        each_has_one.wait(timeout=10)
        try:
            lines = journal.lock(timeout=0.2)
        except fl.Timeout:
            return False
        with lines:
            left.value -= 1
            lines.value.append("sold one")
            return True


def count(stock: fl.Mutex[int], journal: Journal, each_has_one: threading.Barrier) -> bool:
    """Write down how many are left; False if that could not be done."""
    with journal as lines:
        each_has_one.wait(timeout=10)
        try:
            left = stock.lock(timeout=0.2)
        except fl.Timeout:
            return False
        with left:
            lines.value.append(f"{left.value} left")
            return True


def main() -> None:
    """Sell and count at once."""
    stock = fl.Mutex(10)
    journal: Journal = fl.Mutex([])
    each_has_one = threading.Barrier(2)
    with fl.scope() as scope:
        tasks = [scope.spawn(function, stock, journal, each_has_one) for function in (sell, count)]
    if not all(task.join() for task in tasks):
        print("each holds one lock, and waits for the other")


if __name__ == "__main__":
    main()
