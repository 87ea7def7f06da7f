"""The matrix type x promise, made from the tests: `python -m tests.matrix` writes the page of the reference.

A cell is filled by a test with the marker `guarantee` (`tests/plugins/guarantee.py`), and by nothing else. Not here:
the test that the page is up to date (`tests/test_matrix.py`).
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "guide" / "docs" / "reference" / "matrix.md"

HEAD = """\
# What is shown for which type

This page is made from the tests by `python -m tests.matrix`: a cell says *yes* if at least one test shows that the type
keeps the promise, and is empty if no test does. An empty cell is no promise. A dash stands where the type has nothing
that the promise is about; the reasons are below the table. Tests run on interpreters with and without a GIL; *both
builds* stands for tests in which threads contend.
"""

NO_SOURCE = "a `select` waits for what comes, and this is held, made or changed"
NEVER_WAITS = "it never waits"
NOT_ABOUT: dict[str, dict[str, str]] = {
    **{
        kind: {"select": NO_SOURCE}
        for kind in ("mutex", "rwlock", "condvar", "once", "barrier", "atomic_bool", "atomic_float", "atomic_int")
    },
    "atomic_ref": {"select": NO_SOURCE},
    "sharded_counter": {
        **dict.fromkeys(("Ctrl-C", "timeout", "cancel", "async", "select"), NEVER_WAITS),
        **dict.fromkeys(("exit", "GC"), "it holds numbers alone, and no thread"),
    },
    "compat": dict.fromkeys(("async", "select"), "`threading` has nothing of the kind"),
}

Cells = dict[str, dict[str, list[str]]]


def collect() -> Cells:
    """Ask pytest, in a process of its own, which test shows what."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "guarantees.json"
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-q", "--guarantees", str(file)]
        done = subprocess.run(
            [*command, "--ignore", "tests/lab", "--ignore", "tests/conformance", "tests"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"pytest did not collect the tests:\n{done.stdout}{done.stderr}")
        cells: Cells = json.loads(file.read_text())
        return cells


def _cell(kind: str, promise: str, tests: list[str]) -> str:
    if promise in NOT_ABOUT.get(kind, {}):
        if tests:
            raise RuntimeError(f"({kind}, {promise}) is said to be about nothing, but {tests[0]} shows it")
        return "–"
    return "yes" if tests else ""


def page(cells: Cells) -> str:
    """Return the text of the page."""
    promises = list(next(iter(cells.values())))
    table = [["type", *promises], ["---"] * (1 + len(promises))]
    table += [
        [f"[`{kind}`]({kind}.md)", *(_cell(kind, promise, row[promise]) for promise in promises)]
        for kind, row in cells.items()
    ]
    lines = [HEAD, *("| " + " | ".join(row) + " |" for row in table), ""]
    reasons: dict[str, list[str]] = {}
    for kind, promised in NOT_ABOUT.items():
        for promise, reason in promised.items():
            reasons.setdefault(reason, []).append(f"`{kind}` {promise}")
    lines += [*(f"- {', '.join(where)}: {reason}" for reason, where in reasons.items()), ""]
    lines += ["## The tests", "", "Below `tests/`, without their parameters."]
    for kind, row in cells.items():
        lines += ["", f"### {kind}", ""]
        for promise in promises:
            if row[promise]:
                lines += [f"- {promise}", *(f"    - `{name}`" for name in sorted(set(row[promise])))]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(collect()), encoding="utf-8")


if __name__ == "__main__":
    main()
