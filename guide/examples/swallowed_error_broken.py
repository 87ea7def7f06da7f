"""Broken: a task whose result nobody asks for has an error that nobody sees.

A pool keeps what a task raises in its future, for whoever asks. Here nobody does, so the second order is lost and all
looks well. `swallowed_error_fixed.py` hears of it.

Prints:

    all orders were sent
    stored: [1, 3]
"""

import fearless as fl


def store(stored: fl.Mutex[list[int]], order: int) -> None:
    """Store an order; the second cannot be stored."""
    if order == 2:
        raise OSError("the disk is full")
    with stored as orders:
        orders.value.append(order)


def main() -> None:
    """Store three orders, without looking at what comes of it."""
    stored: fl.Mutex[list[int]] = fl.Mutex([])
    with fl.ThreadPool(2) as pool:
        for order in (1, 2, 3):
            pool.submit(store, stored, order)
    print("all orders were sent")
    print(f"stored: {sorted(stored.copy())}")


if __name__ == "__main__":
    main()
