"""Count the words of files by length: one task lays texts on a desk, two wait for them there.

Run it as `python condvar.py FILE...`.
"""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import fearless as fl

from words import LONGEST, Totals, add, digest, lengths


@dataclass
class Desk:
    """What lies ready, and whether that was all."""

    texts: list[str] = field(default_factory=list)
    closed: bool = False


def read(files: list[str], desk: fl.Mutex[Desk], changed: fl.Condvar) -> None:
    """Lay the text of each file on the desk. Who changes what is waited for tells those who wait."""
    for file in files:
        text = Path(file).read_text(encoding="utf-8")
        with desk as guard:
            guard.value.texts.append(text)
        changed.notify_one()
    with desk as guard:
        guard.value.closed = True
    changed.notify_all()


def count(desk: fl.Mutex[Desk], changed: fl.Condvar, totals: fl.Mutex[Totals]) -> None:
    """Count what lies there. The wait lets go of the desk, and has it again when it returns."""
    while True:
        with desk as guard:
            changed.wait_while(guard, lambda desk: not desk.texts and not desk.closed)
            if not guard.value.texts:
                return
            text = guard.value.texts.pop()
        part = lengths(text)
        with totals as total:
            add(total.value, part)


def totals_of(files: list[str]) -> Totals:
    """Run all three."""
    desk, changed, totals = fl.Mutex(Desk()), fl.Condvar(), fl.Mutex([0] * LONGEST)
    with fl.scope() as scope:
        scope.spawn(read, files, desk, changed)
        for _ in range(2):
            scope.spawn(count, desk, changed, totals)
    return totals.copy()


def main() -> None:
    """Print the digest of the totals, and how many words there are."""
    totals = totals_of(sys.argv[1:])
    print(digest(totals), sum(totals))


if __name__ == "__main__":
    main()
