"""Broken: who waits for tasks and does not ask what they raised never sees their errors.

A pool keeps what a task raises in its future, for whoever asks. `wait` only says that the tasks have ended, so the
second order is lost and all looks well. Without it, the task would at least report its failure when it dies.
`swallowed_error_fixed.py` hears of it at once.

Prints:

    all orders were sent
    stored: [1, 3]
"""

from concurrent.futures import wait

import fearless as fl


def store(stored: fl.Mutex[list[int]], order: int) -> None:
    """Store an order; the second cannot be stored."""
    if order == 2:
        raise OSError("the disk is full")
    with stored as orders:
        orders.value.append(order)


def main() -> None:
    """Store three orders, without looking at what came of it."""
    stored: fl.Mutex[list[int]] = fl.Mutex([])
    with fl.ThreadPool(2) as pool:
        wait([pool.submit(store, stored, order) for order in (1, 2, 3)])
    print("all orders were sent")
    print(f"stored: {sorted(stored.copy())}")


if __name__ == "__main__":
    main()
