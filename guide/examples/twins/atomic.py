"""Count the words of files by length: two tasks count, and add to atomics. There is no lock.

Run it as `python atomic.py FILE...`.
"""

import sys
from pathlib import Path

import fearless as fl

from words import LONGEST, Totals, digest, lengths


def count(files: list[str], ticket: fl.AtomicInt, totals: list[fl.AtomicInt]) -> None:
    """Draw a ticket for a file: nobody else gets that number. Add what was found in it."""
    while (number := ticket.fetch_add(1)) < len(files):
        part = lengths(Path(files[number]).read_text(encoding="utf-8"))
        for total, amount in zip(totals, part, strict=True):
            total.add(amount)


def totals_of(files: list[str]) -> Totals:
    """Let two tasks share the tickets and the totals; each total is right by itself."""
    ticket, totals = fl.AtomicInt(), [fl.AtomicInt() for _ in range(LONGEST)]
    with fl.scope() as scope:
        for _ in range(2):
            scope.spawn(count, files, ticket, totals)
    return [total.load() for total in totals]


def main() -> None:
    """Print the digest of the totals, and how many words there are."""
    totals = totals_of(sys.argv[1:])
    print(digest(totals), sum(totals))


if __name__ == "__main__":
    main()
