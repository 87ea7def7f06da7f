"""Count the words of files by length: two workers move one cursor over the files, and join their parts at the end.

Run it as `python cursor.py FILE...`.
"""

import sys
from pathlib import Path

import fearless as fl

from words import LONGEST, Totals, add, digest, lengths


def empty() -> Totals:
    """Return what a part begins with."""
    return [0] * LONGEST


def count(own: Totals, file: str) -> Totals:
    """Take one file into a part, which is in one worker's hands only."""
    add(own, lengths(Path(file).read_text(encoding="utf-8")))
    return own


def joined(one: Totals, other: Totals) -> Totals:
    """Join two parts."""
    add(one, other)
    return one


def totals_of(files: list[str]) -> Totals:
    """Let the workers take files until there are none; whoever meets long ones takes fewer."""
    return fl.par(files, workers=2).fold(empty, count, joined)


def main() -> None:
    """Print the digest of the totals, and how many words there are."""
    totals = totals_of(sys.argv[1:])
    print(digest(totals), sum(totals))


if __name__ == "__main__":
    main()
