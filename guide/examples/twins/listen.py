"""Count the words of files by length, and say which cannot be read: two kinds of news.

Run it as `python listen.py FILE...`.
"""

import sys
from pathlib import Path

import fearless as fl

from words import LONGEST, Totals, add, digest, lengths


def read(files: list[str], parts: fl.Sender[Totals], problems: fl.Sender[str]) -> None:
    """Read and count each file; tell which are no text."""
    for file in files:
        try:
            text = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            problems.send(file)
        else:
            parts.send(lengths(text))


def listen(parts: fl.Receiver[Totals], problems: fl.Receiver[str]) -> tuple[Totals, list[str]]:
    """Take what comes first from either, until both have ended."""
    total: Totals = [0] * LONGEST
    unreadable: list[str] = []
    left: list[fl.Receiver[Totals] | fl.Receiver[str]] = [parts, problems]
    while left:
        chosen = fl.select(*left)
        if chosen.closed:
            left.remove(chosen.channel)
        elif chosen.channel is parts:
            add(total, chosen.value)
        else:
            unreadable.append(chosen.value)
    return total, sorted(unreadable)


def main() -> None:
    """Let two tasks read half of the files each; print the digest, and what cannot be read."""
    files = sys.argv[1:]
    to_add, parts = fl.channel(16)
    to_tell, problems = fl.channel(16)
    with parts, problems, fl.scope() as scope:
        for half in files[0::2], files[1::2]:
            scope.spawn(read, half, to_add.clone().move(), to_tell.clone().move())
        to_add.close()
        to_tell.close()
        totals, unreadable = listen(parts, problems)
    print(digest(totals), sum(totals))
    for file in unreadable:
        print(f"cannot be read: {file}")


if __name__ == "__main__":
    main()
