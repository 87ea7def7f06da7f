"""Fixed: reading, adding and writing are one step, which nobody can get into.

For a value behind a lock that step is a block, or `update`. For a single number it is a method of an atomic. Both are
shown. Compare `lost_update_broken.py`.

Prints:

    2000 visitors came, and 2000 were counted, 2000 were numbered
"""

import fearless as fl


def visit(visitors: fl.Mutex[int], numbers: fl.AtomicInt) -> None:
    """Count a thousand visitors, in both ways."""
    for _ in range(1000):
        visitors.update(lambda count: count + 1)
        numbers.add(1)


def main() -> None:
    """Let two crowds come at once."""
    visitors, numbers = fl.Mutex(0), fl.AtomicInt()
    with fl.scope() as scope:
        for _ in range(2):
            scope.spawn(visit, visitors, numbers)
    print(f"2000 visitors came, and {visitors.copy()} were counted, {numbers.load()} were numbered")


if __name__ == "__main__":
    main()
