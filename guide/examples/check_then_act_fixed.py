"""Fixed: who asks keeps the lock until he has acted.

What was seen in a block holds until its end, and no longer. Compare `check_then_act_broken.py`.

Prints:

    one got a seat, and 0 are left
"""

import threading

import fearless as fl


def book(seats: fl.Mutex[int], both_are_here: threading.Barrier) -> bool:
    """Take a seat if there is one."""
    both_are_here.wait(timeout=10)
    with seats as guard:
        if guard.value == 0:
            return False
        guard.value -= 1
        return True


def main() -> None:
    """Let two customers book the last seat."""
    seats = fl.Mutex(1)
    both_are_here = threading.Barrier(2)
    with fl.scope() as scope:
        customers = [scope.spawn(book, seats, both_are_here) for _ in range(2)]
    assert [customer.join() for customer in customers].count(True) == 1
    print(f"one got a seat, and {seats.copy()} are left")


if __name__ == "__main__":
    main()
