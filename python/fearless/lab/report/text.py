"""A comparison as lines of text for a terminal of 80 columns or more. Lays out; prints nothing."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from fearless.lab import explain, wording
from fearless.lab.record import Record, Verdict
from fearless.lab.report import cells, table
from fearless.lab.report.table import Group, Row

WIDEST = 100
LEGEND = (
    "n: workers; [low, high]: where 95 % of resampled medians fall; speed-up: median of the ratios within rounds; "
    "waits: share of the workers' time, - where nothing counts it; calls: coordination calls"
)
STAGED = "; 3x2: three stages with two workers each"


@dataclass(frozen=True, slots=True)
class Line:
    """One line and how it is set: "", "bold", "dim", "pick" or "bad"."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, how to fill it from a row, and whether it is set to the right."""

    heading: str
    cell: Callable[[Row], str]
    right: bool = False


def lines(record: Record, width: int = WIDEST) -> list[Line]:
    """The whole report, no line wider than ``width`` columns."""
    width = min(width, WIDEST)
    shown = [*_header(record, width), Line("")]
    if record.runs:
        shown += [*_table(record, width), Line("")]
    for verdict in record.verdicts:
        shown += [*_verdict(record, verdict, width), Line("")]
    shown += [line for text in explain.across(record) for line in wrapped(text, width, style="bold")]
    shown += _refused(record, width)
    shown += _notes(record, width)
    return shown[:-1] if shown and not shown[-1].text else shown


def _refused(record: Record, width: int) -> Iterator[Line]:
    """What was not run, and why."""
    if not record.refused:
        return
    yield Line("Not run:", "bold")
    several = len(record.environment.interpreters) > 1
    labels = [f"{one.pattern} on {one.python}" if several and one.python else one.pattern for one in record.refused]
    for names, text in _together(zip(labels, (one.text for one in record.refused), strict=True)):
        yield from wrapped(f"{names}: {text}", width, first="  ", rest="    ")


def _notes(record: Record, width: int) -> Iterator[Line]:
    """What words in the verdicts mean."""
    if any("(provisional)" in because.text for verdict in record.verdicts for because in verdict.because):
        yield from wrapped(explain.PROVISIONAL_NOTE, width, style="dim")


def _header(record: Record, width: int) -> Iterator[Line]:
    yield from wrapped(cells.subject(record), width, style="bold")
    several = len(record.environment.interpreters) > 1
    for one in record.environment.interpreters:
        label = f"{one.label}: " if several else ""
        yield from wrapped(label + cells.interpreter(one, record.environment, record.rounds), width)
    for text in cells.conditions(record):
        yield from wrapped(text, width, style="bad")


def _columns(record: Record) -> list[Column]:
    python = [Column("python", lambda row: row.python)] if len(record.environment.interpreters) > 1 else []
    return [
        Column("  pattern", cells.pattern),
        *python,
        Column("n", cells.workers, right=True),
        Column("time", cells.time),
        Column("speed-up", cells.speedup),
        Column("waits", cells.waits, right=True),
        Column("CPU", cells.cpu, right=True),
        Column("memory", cells.memory, right=True),
    ]


def _table(record: Record, width: int) -> Iterator[Line]:
    built, columns = table.build(record), _columns(record)
    widths = [max(len(column.heading), *_lengths(column, built.rows)) for column in columns]
    gap = 2 if sum(widths) + 2 * (len(widths) - 1) <= width else 1
    indent = widths[0] + gap
    headings = [one.heading for one in columns]
    yield Line(_set(columns, widths, gap, headings), "bold")
    cards = _card_lines(built.groups, width, indent)
    yield Line(cards[0], "dim")
    for group, card in zip(built.groups, cards[1:], strict=True):
        for row in group.rows:
            yield from _row(row, columns, widths, gap, width)
        yield Line(card, "dim")
    if built.hidden:
        text = f"{wording.counted(built.hidden, 'slower number')} of workers left out; --json FILE has them"
        yield from wrapped(text, width, style="dim")
    if (why := cells.left_out(record)) is not None:
        yield from wrapped(why, width, style="dim")
    staged = STAGED if any(card.staged for card in record.cards) else ""
    yield from wrapped(LEGEND + staged, width, style="dim")


def _lengths(column: Column, rows: Sequence[Row]) -> list[int]:
    return [len(column.cell(row)) for row in rows if row.problem is None or column.heading.strip() == "pattern"] or [0]


def _row(row: Row, columns: Sequence[Column], widths: Sequence[int], gap: int, width: int) -> Iterator[Line]:
    if row.problem is None:
        texts = [column.cell(row) for column in columns]
        yield Line(_set(columns, widths, gap, texts), "pick" if row.picked else "")
        return
    start = cells.pattern(row).ljust(widths[0] + gap)
    python = f"{row.python} " if any(column.heading == "python" for column in columns) else ""
    indent = " " * len(start)
    yield from wrapped(python + row.problem, width, first=start, rest=indent, style="bad")


def _set(columns: Sequence[Column], widths: Sequence[int], gap: int, texts: Sequence[str]) -> str:
    placed = [
        text.rjust(width) if column.right else text.ljust(width)
        for column, width, text in zip(columns, widths, texts, strict=True)
    ]
    return (" " * gap).join(placed).rstrip()


def _card_lines(groups: Sequence[Group], width: int, indent: int) -> list[str]:
    """The heading of the cards and one line for each group, in columns of their own."""
    rows = [("shared", "keep in mind", "code"), *(cells.card(group.card) for group in groups)]
    first, second, third = (max(len(row[place]) for row in rows) for place in range(3))
    gap = 2 if indent + first + second + third + 4 <= width else 1
    space = " " * gap
    return [f"{'':{indent}}{a:{first}}{space}{b:{second}}{space}{c}".rstrip() for a, b, c in rows]


def _verdict(record: Record, verdict: Verdict, width: int) -> Iterator[Line]:
    several = len(record.environment.interpreters) > 1
    label = f"Verdict for {verdict.python}: " if several else "Verdict: "
    style = "bad" if verdict.kind == "cannot tell" else "pick"
    yield from wrapped(label + explain.headline(record, verdict), width, style=style)
    for because in verdict.because:
        if "pattern" in because.facts and because.rule == "R17":
            continue  # stands in the table, and below
        yield from wrapped(because.text, width, first=f"  {because.rule:<4} ", rest=" " * 7)
    if verdict.rejected:
        yield Line("Not chosen:", "bold")
        for names, text in _together((one.pattern, one.text) for one in verdict.rejected):
            yield from wrapped(f"{names}: {text}", width, first="  ", rest="    ")


def _together(told: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Patterns that share a reason share a line."""
    reasons: dict[str, list[str]] = {}
    for name, text in told:
        reasons.setdefault(text, []).append(name)
    return [(", ".join(names), text) for text, names in reasons.items()]


def wrapped(text: str, width: int, *, first: str = "", rest: str = "", style: str = "") -> Iterator[Line]:
    """``text`` in lines of at most ``width`` columns that start with ``first`` and go on with ``rest``."""
    parts = textwrap.wrap(text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    for part in parts or [first.rstrip()]:
        yield Line(part, style)
