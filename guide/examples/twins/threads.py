"""Count the words of files by length: a thread for each half of the files, and totals of its own for each.

Run it as `python threads.py FILE...`.
"""

import sys
from pathlib import Path

import fearless as fl

from words import LONGEST, Totals, add, digest, lengths


def count(files: list[str]) -> Totals:
    """Count the words of some files. Nobody else sees these totals before they are returned."""
    own = [0] * LONGEST
    for file in files:
        add(own, lengths(Path(file).read_text(encoding="utf-8")))
    return own


def totals_of(files: list[str]) -> Totals:
    """Start both threads, and join what they return; the block has waited for both by then."""
    with fl.scope() as scope:
        first = scope.spawn(count, files[0::2])
        second = scope.spawn(count, files[1::2])
    total = first.join()
    add(total, second.join())
    return total


def main() -> None:
    """Print the digest of the totals, and how many words there are."""
    totals = totals_of(sys.argv[1:])
    print(digest(totals), sum(totals))


if __name__ == "__main__":
    main()
