"""Runs a function in a fresh interpreter: for signals, forks and exits, which concern a whole process.

The function has to be importable by its module's name, and that module must not need pytest.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.support.until import BOUND

ROOT = Path(__file__).resolve().parent.parent.parent

_MAIN = """
import faulthandler, importlib
faulthandler.enable()
faulthandler.dump_traceback_later({bound}, exit=True)
getattr(importlib.import_module({module!r}), {function!r})(*{arguments!r})
"""


class Ended(NamedTuple):
    """How a process ended."""

    code: int
    output: str
    errors: str


def execute(function: Callable[..., object], *arguments: str | float, options: tuple[str, ...] = ()) -> Ended:
    """Run the function with plain arguments in a fresh interpreter, whatever comes of it.

    `options` go to the interpreter. After `BOUND` seconds every thread's stack is printed and the process ends.
    """
    text = _MAIN.format(bound=BOUND, module=function.__module__, function=function.__name__, arguments=arguments)
    done = subprocess.run(
        [sys.executable, *options, "-c", text],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=2 * BOUND,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def succeed(function: Callable[..., object], *arguments: str | float, options: tuple[str, ...] = ()) -> str:
    """Run the function; it has to end with code 0 and a silent standard error. Return its output."""
    ended = execute(function, *arguments, options=options)
    assert (ended.code, ended.errors) == (0, ""), f"code {ended.code}\n{ended.output}\n{ended.errors}"
    return ended.output
