"""Count the words of files by length; the first file that cannot be read stops all.

Run it as `python cancellation.py FILE...`.
"""

import sys
from pathlib import Path

import fearless as fl

from words import LONGEST, Totals, add, digest, lengths


def count(files: list[str]) -> Totals:
    """Count the words of some files. Between two of them, end if the other thread has failed."""
    own = [0] * LONGEST
    for file in files:
        fl.checkpoint()
        add(own, lengths(Path(file).read_text(encoding="utf-8")))
    return own


def totals_of(files: list[str]) -> Totals:
    """Run both threads. What one raises cancels the other, and is raised here when both have ended."""
    with fl.scope() as scope:
        first = scope.spawn(count, files[0::2])
        second = scope.spawn(count, files[1::2])
    total = first.join()
    add(total, second.join())
    return total


def main() -> None:
    """Print the digest of the totals, and how many words there are; or what stopped it."""
    try:
        totals = totals_of(sys.argv[1:])
    except* OSError as failures:
        print(f"stopped: {failures.exceptions[0].filename} cannot be read")
    else:
        print(digest(totals), sum(totals))


if __name__ == "__main__":
    main()
