"""Count the words of files by length: one task reads, two count, this one owns the totals.

Run it as `python channel.py FILE...`.
"""

import sys
from pathlib import Path

import fearless as fl

from words import LONGEST, Totals, add, digest, lengths


def read(files: list[str], texts: fl.Sender[str]) -> None:
    """Send the text of each file, at most 16 ahead of those who count."""
    for file in files:
        texts.send(Path(file).read_text(encoding="utf-8"))


def count(texts: fl.Receiver[str], parts: fl.Sender[Totals]) -> None:
    """Count texts until there will be no more; any of the workers may get the next one."""
    for text in texts:
        parts.send(lengths(text))


def totals_of(files: list[str]) -> Totals:
    """Run the three stages; each end is moved to its task, and what was only cloned is closed."""
    to_count, texts = fl.channel(16)
    to_add, parts = fl.channel(16)
    total = [0] * LONGEST
    with parts, fl.scope() as scope:
        scope.spawn(read, files, to_count.move())
        for _ in range(2):
            scope.spawn(count, texts.clone().move(), to_add.clone().move())
        texts.close()
        to_add.close()
        for part in parts:
            add(total, part)
    return total


def main() -> None:
    """Print the digest of the totals, and how many words there are."""
    totals = totals_of(sys.argv[1:])
    print(digest(totals), sum(totals))


if __name__ == "__main__":
    main()
