"""Broken: the question is asked under the lock and so is the answer given, but not under the same.

Two customers see the last seat, and both take it. Each line alone is safe; between the two the world went on.
`check_then_act_fixed.py` asks and acts in one block.

Prints:

    both got a seat, and -1 are left
"""

import threading

import fearless as fl


def book(seats: fl.Mutex[int], both_have_asked: threading.Barrier) -> bool:
    """Take a seat if there is one."""
    if seats.copy() == 0:
        return False
    both_have_asked.wait(timeout=10)
    with seats as guard:
        guard.value -= 1
    return True


def main() -> None:
    """Let two customers book the last seat."""
    seats = fl.Mutex(1)
    both_have_asked = threading.Barrier(2)
    with fl.scope() as scope:
        customers = [scope.spawn(book, seats, both_have_asked) for _ in range(2)]
    assert all(customer.join() for customer in customers)
    print(f"both got a seat, and {seats.copy()} are left")


if __name__ == "__main__":
    main()
