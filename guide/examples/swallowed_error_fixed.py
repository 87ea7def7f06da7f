"""Fixed: a scope waits for what was submitted through it, and raises what failed.

The tasks still run on the workers of the pool. What is new is an owner: leaving the block without hearing of a failure
is not possible. The failure cancels what has not begun, so the third order may be stored or not. Asking each task for
its `result()` would do, too, if nobody forgets one. Compare `swallowed_error_broken.py`.

Prints:

    1 order failed: the disk is full
"""

import fearless as fl


def store(stored: fl.Mutex[list[int]], order: int) -> None:
    """Store an order; the second cannot be stored."""
    if order == 2:
        raise OSError("the disk is full")
    with stored as orders:
        orders.value.append(order)


def main() -> None:
    """Store three orders, and hear of the one that fails."""
    stored: fl.Mutex[list[int]] = fl.Mutex([])
    try:
        with fl.ThreadPool(2) as pool, fl.scope() as scope:
            for order in (1, 2, 3):
                scope.submit(pool, store, stored, order)
    except* OSError as failures:
        print(f"{len(failures.exceptions)} order failed: {failures.exceptions[0]}")


if __name__ == "__main__":
    main()
