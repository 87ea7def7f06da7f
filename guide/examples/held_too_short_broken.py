"""Broken: a reader finds that something is missing, lets go, and as a writer believes it still.

A reader who lets go and comes back as a writer may find that others have written in between. Here two tasks miss the
same entry, and the second overwrites what the first has stored and used.
`held_too_short_fixed.py` looks again.

Prints:

    loads: 2; prices in use that are not in the table: 1
"""

import threading

import fearless as fl

Prices = fl.RwLock[dict[str, object]]


def load(loaded: fl.AtomicInt) -> object:
    """Return a price; each is another object."""
    loaded.add(1)
    return object()


def price(prices: Prices, loaded: fl.AtomicInt, both_have_looked: threading.Barrier) -> object:
    """Look the price up; load it if it is not there."""
    with prices.read() as known:
        missing = "apple" not in known
    both_have_looked.wait(timeout=10)
    if missing:
        with prices.write() as known:
            known["apple"] = load(loaded)
            return known["apple"]
    with prices.read() as known:
        return known["apple"]


def main() -> None:
    """Ask twice at once."""
    prices: Prices = fl.RwLock({})
    loaded, both_have_looked = fl.AtomicInt(), threading.Barrier(2)
    with fl.scope() as scope:
        tasks = [scope.spawn(price, prices, loaded, both_have_looked) for _ in range(2)]
    stored = prices.copy()["apple"]
    stale = [task.join() is not stored for task in tasks].count(True)
    print(f"loads: {loaded.load()}; prices in use that are not in the table: {stale}")


if __name__ == "__main__":
    main()
