"""A comparison as one HTML fragment for a notebook. Lays out; prints nothing and needs no style sheet."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from fearless.lab import explain
from fearless.lab.record import Record, Verdict
from fearless.lab.report import cells, table
from fearless.lab.report.table import Group, Row

FIGURES = (cells.workers, cells.time, cells.speedup, cells.waits, cells.cpu, cells.memory)
HEADINGS = ("pattern", "python", "workers", "time", "speed-up", "waits", "CPU", "memory")
CARD_HEADINGS = ("shared", "keep in mind", "code")


def fragment(record: Record) -> str:
    """The report as HTML: what was run, the table, and a verdict for each interpreter."""
    return "\n".join(["<div>", *_header(record), *_table(record), *_verdicts(record), "</div>"])


def _header(record: Record) -> Iterator[str]:
    yield f"<p><b>{escape(cells.subject(record))}</b></p>"
    for one in record.environment.interpreters:
        text = f"{one.label}: {cells.interpreter(one, record.environment, record.rounds)}"
        yield f"<p>{escape(text)}</p>"
    for text in cells.conditions(record):
        yield f"<p><i>{escape(text)}</i></p>"


def _table(record: Record) -> Iterator[str]:
    yield "<table><thead><tr>"
    yield "".join(f"<th>{heading}</th>" for heading in HEADINGS + CARD_HEADINGS)
    yield "</tr></thead><tbody>"
    for group in table.build(record).groups:
        for row in group.rows:
            yield f"<tr>{_row(row, group)}</tr>"
    yield "</tbody></table>"
    if (why := cells.left_out(record)) is not None:
        yield f"<p>{escape(why)}</p>"


def _row(row: Row, group: Group) -> str:
    name = escape(row.pattern)
    texts = [f"<b>{name}</b>" if row.picked else name, escape(row.python)]
    if row.problem is not None:
        problem = f'<td colspan="{len(FIGURES)}">{escape(row.problem)}</td>'
        middle = "".join(f"<td>{text}</td>" for text in texts) + problem
    else:
        texts += [escape(cell(row)) for cell in FIGURES]
        middle = "".join(f"<td>{text}</td>" for text in texts)
    return middle + "".join(f"<td>{escape(text)}</td>" for text in cells.card(group.card))


def _verdicts(record: Record) -> Iterator[str]:
    for verdict in record.verdicts:
        headline = explain.headline(record, verdict)
        yield f"<p><b>Verdict for {escape(verdict.python or '')}: {escape(headline)}</b></p>"
        yield from _reasons(verdict)
    for text in explain.across(record):
        yield f"<p><b>{escape(text)}</b></p>"


def _reasons(verdict: Verdict) -> Iterator[str]:
    yield "<ul>"
    for because in verdict.because:
        yield f"<li>{escape(because.text)} ({escape(because.rule)})</li>"
    for one in verdict.rejected:
        yield f"<li>not {escape(one.pattern)}: {escape(one.text)}</li>"
    yield "</ul>"
