"""Broken: `+= 1` reads, adds and writes, and between the reading and the writing somebody else has done the same.

Usually the two do not meet, which is the worst of it; here they are made to. The lock is around each half, and that
is as good as none. `lost_update_fixed.py` makes it one step.

Prints:

    2 visitors came, and 1 was counted
"""

import threading

import fearless as fl


def visit(visitors: fl.Mutex[int], both_have_read: threading.Barrier) -> None:
    """Count one visitor."""
    with visitors as guard:
        seen = guard.value
    both_have_read.wait(timeout=10)
    with visitors as guard:
        guard.value = seen + 1


def main() -> None:
    """Let two visitors come at once."""
    visitors = fl.Mutex(0)
    both_have_read = threading.Barrier(2)
    with fl.scope() as scope:
        for _ in range(2):
            scope.spawn(visit, visitors, both_have_read)
    print(f"2 visitors came, and {visitors.copy()} was counted")


if __name__ == "__main__":
    main()
