"""The same as `channel.py`, with stages joined by `pipeline`: it makes the channels, and closes them.

Run it as `python pipeline.py FILE...`.
"""

import sys
from pathlib import Path

import fearless as fl

from words import LONGEST, Totals, add, digest, lengths


def read(file: str) -> str:
    """Return the text of one file."""
    return Path(file).read_text(encoding="utf-8")


def totals_of(files: list[str]) -> Totals:
    """Run the three stages."""
    total = [0] * LONGEST
    with fl.pipeline(files, read, fl.stage(lengths, workers=2), capacity=16) as parts:
        for part in parts:
            add(total, part)
    return total


def main() -> None:
    """Print the digest of the totals, and how many words there are."""
    totals = totals_of(sys.argv[1:])
    print(digest(totals), sum(totals))


if __name__ == "__main__":
    main()
