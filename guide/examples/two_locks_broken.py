"""Broken: two tasks take two locks in different order, and each waits for the one that the other holds.

A transfer needs both accounts, so it locks both. Two transfers in opposite directions meet in the middle. Usually they
do not, which is the worst of it; here they are made to. `two_locks_fixed.py` has one owner and no lock.

Prints:

    a transfer waits for a lock whose holder waits for it
"""

import threading

import fearless as fl

Account = fl.Mutex[int]


def transfer(source: Account, target: Account, amount: int, both_are_here: threading.Barrier) -> bool:
    """Move money; False if it could not. Without the timeout the wait would have no end."""
    with source as taken:
        both_are_here.wait(timeout=10)
        try:
            given = target.lock(timeout=0.2)
        except fl.Timeout:
            return False
        with given:
            taken.value -= amount
            given.value += amount
            return True


def main() -> None:
    """Run two transfers in opposite directions."""
    alice, bob = fl.Mutex(100), fl.Mutex(100)
    both_are_here = threading.Barrier(2)
    with fl.scope() as scope:
        there = scope.spawn(transfer, alice, bob, 30, both_are_here)
        back = scope.spawn(transfer, bob, alice, 10, both_are_here)
    if not (there.join() and back.join()):
        print("a transfer waits for a lock whose holder waits for it")


if __name__ == "__main__":
    main()
