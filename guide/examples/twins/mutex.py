"""Count the words of files by length: two tasks count, and both add to totals behind one lock.

Run it as `python mutex.py FILE...`.
"""

import sys
from pathlib import Path

import fearless as fl

from words import LONGEST, Totals, add, digest, lengths


def count(files: fl.Mutex[list[str]], totals: fl.Mutex[Totals]) -> None:
    """Take one file after the other. The work is done while no lock is held."""
    while True:
        with files as left:
            if not left.value:
                return
            file = left.value.pop()
        part = lengths(Path(file).read_text(encoding="utf-8"))
        with totals as total:
            add(total.value, part)


def totals_of(files: list[str]) -> Totals:
    """Let two tasks share the files that are left, and the totals so far."""
    left, totals = fl.Mutex(files), fl.Mutex([0] * LONGEST)
    with fl.scope() as scope:
        for _ in range(2):
            scope.spawn(count, left, totals)
    return totals.copy()


def main() -> None:
    """Print the digest of the totals, and how many words there are."""
    totals = totals_of(sys.argv[1:])
    print(digest(totals), sum(totals))


if __name__ == "__main__":
    main()
