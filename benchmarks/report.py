"""A session's figures as a table for the eye and as JSON for the record.

Not here: measuring, and what a figure is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import figures
from benchmarks.harness import SAME, Plan, Samples, Shape

SCHEMA = 1
NUMBERS = re.compile(r"\[[-+.e\d,\s]+\]")
SCALES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))


def duration(seconds: float) -> str:
    """Show a time with the unit that suits it."""
    for scale, unit in SCALES:
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def short(value: float) -> float:
    """Drop the digits that mean nothing."""
    return float(f"{value:.5g}")


def amount(value: float, measures: str) -> str:
    """Show what an operation took."""
    return duration(value) if measures == "seconds" else f"{value:.0f} B"


def result(shape: Shape, plan: Plan, rows: Sequence[Samples], *, free_threaded: bool) -> dict[str, Any]:
    """Put the figures of a shape into the form of the record."""
    yardstick = rows[0].values
    same = figures.ratio(rows[-1].values, yardstick)
    entries = []
    for row in rows:
        figure = figures.ratio(row.values, yardstick)
        goal = row.contender.goals[free_threaded] if row.contender.goals else None
        entries.append(
            {
                "contender": row.contender.name,
                shape.measures: [short(value) for value in row.values],
                "operations": row.operations,
                "ratio": {"median": short(figure.median), "low": short(figure.low), "high": short(figure.high)},
                "verdict": "yardstick" if row is rows[0] else figures.verdict(figure, same),
                "goal": goal,
                "kept": figures.against(figure, goal),
            }
        )
    return {
        "shape": shape.name,
        "unit": shape.unit,
        "measures": shape.measures,
        "rounds": plan.rounds,
        "contenders": entries,
    }


def table(entry: dict[str, Any]) -> str:
    """Show the figures of a shape. Absolute times are for orientation only."""
    lines = [f"\n{entry['shape']}  ({entry['rounds']} rounds; one operation is {entry['unit']})"]
    width = max(len(row["contender"]) for row in entry["contenders"])
    for row in entry["contenders"]:
        ratio = row["ratio"]
        interval = "" if row["verdict"] == "yardstick" else f"{ratio['low']:.3f} .. {ratio['high']:.3f}"
        what = "A/A: what cannot be told from nothing" if row["contender"] == SAME else row["verdict"]
        goal = f"goal {row['goal']:g}: {row['kept']}" if row["goal"] is not None else ""
        taken = amount(figures.Figure.of(row[entry["measures"]]).median, entry["measures"])
        text = f"  {row['contender']:{width}} {taken:>9} {ratio['median']:>8.3f}  {interval:18} {what:15} {goal}"
        lines.append(text.rstrip())
    return "\n".join(lines)


def heading(environment: dict[str, Any]) -> str:
    """Say what the figures come from."""
    return (
        f"{environment['interpreter']}, {environment['build']} build, on {environment['processor']}, "
        f"{environment['cores']} cores of which {environment['effective_cores'][0]} are effective; "
        f"commit {environment['commit']}\n"
        "Each figure is the median over rounds of the ratio to the first line, with its 95 % interval."
    )


def closing(environment: dict[str, Any]) -> str:
    """Say what went on around the session."""
    first, last = environment["effective_cores"]
    steal = environment["steal"]
    stolen = "unknown" if steal is None else f"{steal:.1%}"
    gil = "on" if environment["gil"] else "off"
    elsewhere = environment["busy_elsewhere"]
    others = "unknown" if elsewhere is None else f"{elsewhere:.2f} cores"
    lines = [
        f"\neffective cores {first} before and {last} after; stolen {stolen}; other processes used {others}; GIL {gil}",
    ]
    lines += [f"absent: {peer}, {reason}" for peer, reason in environment["absent"].items()]
    return "\n".join(lines)


def write(path: Path, environment: dict[str, Any], shapes: list[dict[str, Any]]) -> None:
    """Write the record of a session."""
    record = {"schema": SCHEMA, "environment": environment, "shapes": shapes}
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=1)
    text = NUMBERS.sub(lambda found: " ".join(found[0].split()), text)  # the samples of a contender on one line
    path.write_text(text + "\n", encoding="utf-8")
