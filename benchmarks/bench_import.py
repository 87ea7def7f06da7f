"""`import fearless` in a fresh interpreter, beside what it replaces. No type has this file; the package has.

Not here: which modules an import loads; the tests say that.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from itertools import repeat

from benchmarks.harness import Body, Shape

STANDARD = "import threading, queue, concurrent.futures.thread"
WHOLE = "import fearless; fearless.channel, fearless.Mutex, fearless.AtomicInt, fearless.ThreadPool"


def interpreter(statement: str) -> Body:
    """Run a statement in an interpreter of its own."""
    command = [sys.executable, "-I", "-c", statement]

    def body(count: int) -> None:
        for _ in repeat(None, count):
            subprocess.run(command, check=True)  # noqa: S603 - a statement from above

    return body


def shapes() -> list[Shape]:
    """The shapes of this file."""
    shape = Shape("import", "an interpreter that starts, imports and ends")

    def add(name: str, statement: str) -> None:
        def make(_stack: ExitStack) -> Body:
            return interpreter(statement)

        shape.alone(name, make)

    add("threading, queue, concurrent.futures", STANDARD)
    add("nothing", "pass")
    add("fearless", "import fearless")
    add("fearless, with its native half and a pool", WHOLE)
    return [shape]
