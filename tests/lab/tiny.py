"""Small workloads as files, and plans to run them: what the tests of the measuring half share."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from fearless.lab import environments, runner
from fearless.lab.record import Record
from fearless.lab.resolve import Target

ENOUGH = 60.0  # seconds; never used up, so no test depends on the speed of the machine

SQUARES = """
from fearless import workload


@workload
class Squares:
    \"\"\"Squares by number.\"\"\"

    size = 6

    def items(self):
        return range(self.size)

    def start(self):
        return {}

    def work(self, item):
        return {item: item * item * 0.1}

    def update(self, state, part):
        state.update(part)

    def merge(self, state, other):
        state.update(other)
"""


def write(folder: Path, source: str, name: str = "job.py") -> str:
    """Write a workload file and return its path."""
    path = folder / name
    path.write_text(textwrap.dedent(source), encoding="utf-8")
    return str(path)


def plan(name: str, patterns: Sequence[str] | None = None, *, rounds: int = 1, budget: float = ENOUGH) -> runner.Plan:
    """A plan for the running interpreter, with two workers."""
    target = Target(name)
    return runner.Plan(target, environments.interpreters([]), patterns, (2,), budget=budget, most_rounds=rounds)


def measured(name: str, patterns: Sequence[str], *, rounds: int = 1) -> Record:
    """The record of such a plan."""
    return runner.measure(plan(name, patterns, rounds=rounds))
