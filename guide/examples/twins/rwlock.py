"""Count the words of files by length: two tasks share the texts that were read.

A file that is named again is not read again. Run it as `python rwlock.py FILE...`.
"""

import sys
from pathlib import Path

import fearless as fl

from words import LONGEST, Totals, add, digest, lengths

Texts = fl.RwLock[dict[str, str]]
"""The texts of the files that were read so far. Many look at it, and few enter something."""


def text_of(file: str, texts: Texts) -> str:
    """The text of a file. Nothing that was seen under the first guard is sure under the second."""
    with texts.read() as known:
        if file in known:
            return known.value[file]
    with texts.write() as known:
        if file not in known:
            known[file] = Path(file).read_text(encoding="utf-8")
        return known.value[file]


def count(files: list[str], texts: Texts, totals: fl.Mutex[Totals]) -> None:
    """Count the words of each file. A text cannot change, so it may outlive its guard."""
    for file in files:
        part = lengths(text_of(file, texts))
        with totals as total:
            add(total.value, part)


def totals_of(files: list[str]) -> Totals:
    """Let two tasks count half of the files each."""
    texts: Texts = fl.RwLock({})
    totals = fl.Mutex([0] * LONGEST)
    with fl.scope() as scope:
        for half in files[0::2], files[1::2]:
            scope.spawn(count, half, texts, totals)
    return totals.copy()


def main() -> None:
    """Print the digest of the totals, and how many words there are."""
    totals = totals_of(sys.argv[1:])
    print(digest(totals), sum(totals))


if __name__ == "__main__":
    main()
