"""Count the words of files by length: fork the files into halves, and those again, and join the totals of both.

Run it as `python fork_join.py FILE...`.
"""

import sys
from pathlib import Path

import fearless as fl

from words import LONGEST, Totals, add, digest, lengths


def count(file: str) -> Totals:
    """Count the words of one file."""
    return lengths(Path(file).read_text(encoding="utf-8"))


def totals_of(files: list[str]) -> Totals:
    """Count both halves in parallel. However deep it goes, the workers are those of the outermost call."""
    if len(files) < 2:
        return count(files[0]) if files else [0] * LONGEST
    half = len(files) // 2
    total, other = fl.invoke(lambda: totals_of(files[:half]), lambda: totals_of(files[half:]))
    add(total, other)
    return total


def main() -> None:
    """Print the digest of the totals, and how many words there are."""
    totals = totals_of(sys.argv[1:])
    print(digest(totals), sum(totals))


if __name__ == "__main__":
    main()
