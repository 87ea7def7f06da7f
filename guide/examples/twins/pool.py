"""Count the words of files by length: a call for each file, made by one of two workers.

Run it as `python pool.py FILE...`.
"""

import sys
from pathlib import Path

import fearless as fl

from words import LONGEST, Totals, add, digest, lengths


def count(file: str) -> Totals:
    """Count the words of one file, on whichever worker is free."""
    return lengths(Path(file).read_text(encoding="utf-8"))


def totals_of(files: list[str]) -> Totals:
    """Submit all; then take the results as they were submitted, while later ones are still being made."""
    total = [0] * LONGEST
    with fl.ThreadPool(2, backlog=16) as pool:
        for task in [pool.submit(count, file) for file in files]:
            add(total, task.result())
    return total


def main() -> None:
    """Print the digest of the totals, and how many words there are."""
    totals = totals_of(sys.argv[1:])
    print(digest(totals), sum(totals))


if __name__ == "__main__":
    main()
