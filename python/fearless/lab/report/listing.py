"""What there is to choose from: the built-in workloads, and the patterns with their cards. Lays out; prints nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fearless._workload import parameters
from fearless.lab import catalog, workloads
from fearless.lab.report import cells
from fearless.lab.report.text import WIDEST, Line, wrapped


def lines(width: int = WIDEST) -> list[Line]:
    """Workloads, then patterns, the simplest first; no line wider than ``width``."""
    width = min(width, WIDEST)
    return [
        Line("Workloads (or your own: path/to/job.py:Name)", "bold"),
        *_workloads(width),
        Line(""),
        Line("Patterns, the simplest first (--show PATTERN prints one)", "bold"),
        *_patterns(width),
    ]


def _workloads(width: int) -> Iterator[Line]:
    longest = max(map(len, catalog.BUILT_INS))
    for name in catalog.BUILT_INS:
        kind = workloads.load(name)
        about = (kind.__doc__ or "").partition("\n")[0]
        names = ", ".join(parameters(kind))
        settable = f" --arg: {names}" if names else ""
        yield from wrapped(about + settable, width, first=f"  {name:<{longest}}  ", rest=" " * (longest + 4))


def _patterns(width: int) -> Iterator[Line]:
    found = [catalog.usual_card(name) for name in catalog.PATTERNS]
    rows = [("shared", "keep in mind", "code"), *(cells.card(card) for card in found)]
    names = ["", *(card.name for card in found)]
    wide = [max(map(len, column)) for column in (names, *zip(*rows, strict=True))]
    for place, (name, row) in enumerate(zip(names, rows, strict=True)):
        yield Line(_set((name, *row), wide), "dim" if place == 0 else "")
        if place:
            yield from wrapped(found[place - 1].summary, width, first="    ", rest="    ", style="dim")


def _set(texts: Sequence[str], widths: Sequence[int]) -> str:
    return ("  " + "  ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True))).rstrip()
