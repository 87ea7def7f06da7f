"""What stands in the table: one row for each pattern, number of workers and interpreter.

Holds values, not layout. A pattern whose result differs or that failed has its reason instead of any time: speed is not
looked at before results are equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fearless.lab import stats
from fearless.lab.facts import Candidate, Facts, from_record, simplicity
from fearless.lab.record import Card, Record, Verdict

MOST_ROWS = 20  # more than that, and each pattern shows its best number of workers only


@dataclass(frozen=True, slots=True)
class Row:
    """One pattern as measured under one interpreter; ``problem`` stands in for the figures."""

    pattern: str
    python: str
    candidate: Candidate | None = None
    seconds: stats.Estimate | None = None
    speedup: stats.Estimate | None = None
    problem: str | None = None
    picked: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one pattern, and its card."""

    pattern: str
    rows: Sequence[Row]
    card: Card | None


@dataclass(frozen=True, slots=True)
class Table:
    """The groups, the simplest pattern first; ``hidden`` rows were left out to keep it on one screen."""

    groups: Sequence[Group]
    hidden: int = 0

    @property
    def rows(self) -> list[Row]:
        """Every row, in order."""
        return [row for group in self.groups for row in group.rows]


def build(record: Record) -> Table:
    """The table of ``record``."""
    rows = [row for one in record.environment.interpreters for row in _rows(record, one.label)]
    shown = rows if len(rows) <= MOST_ROWS else _best_only(rows)
    patterns = sorted({row.pattern for row in shown}, key=simplicity)
    groups = [Group(name, [row for row in shown if row.pattern == name], record.card(name)) for name in patterns]
    return Table(groups, len(rows) - len(shown))


def _rows(record: Record, python: str) -> list[Row]:
    facts = from_record(record, python)
    verdict = next((one for one in record.verdicts if one.python == python), None)
    rows = [_row(facts, one, verdict) for one in facts.candidates]
    differing, failed = facts.differing or {}, facts.failed or {}
    rows += [Row(name, python, problem=f"differs from serial: {text}") for name, text in differing.items()]
    rows += [Row(name, python, problem=f"failed: {text}") for name, text in failed.items() if name not in differing]
    return rows


def _row(facts: Facts, candidate: Candidate, verdict: Verdict | None) -> Row:
    return Row(
        pattern=candidate.pattern,
        python=facts.python,
        candidate=candidate,
        seconds=stats.estimate(list(candidate.seconds.values())),
        speedup=facts.speedup(candidate),
        picked=verdict is not None and (verdict.pattern, verdict.workers) == candidate.key,
    )


def _best_only(rows: Sequence[Row]) -> list[Row]:
    """For each pattern and interpreter the row that was picked, else the fastest."""
    best: dict[tuple[str, str], Row] = {}
    for row in rows:
        key = (row.pattern, row.python)
        if key not in best or _rank(row) < _rank(best[key]):
            best[key] = row
    return list(best.values())


def _rank(row: Row) -> tuple[bool, float]:
    return (not row.picked, row.seconds.median if row.seconds else 0.0)
