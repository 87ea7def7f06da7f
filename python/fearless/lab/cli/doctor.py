"""The verb ``doctor``: what can be shown on this machine, with these interpreters.

Parses and prints; `fearless.lab.checkup` does the work.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from fearless.lab._errors import LabError
from fearless.lab.checkup import LOOK_SECONDS, doctor
from fearless.lab.report import doctor as report
from fearless.lab.report.printer import Printer

if TYPE_CHECKING:
    Verbs = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # argparse has no public name for it

DESCRIPTION = """\
Looks at the machine and at interpreters: what they grant, how many cores are really there, how
steady they are, whether the GIL is on and what turned it on. Says what can be shown here, and what
cannot.
"""
EPILOG = """\
examples:
  fearless doctor
  fearless doctor --python python3.13 --python python3.14t
  fearless doctor --import numpy

exit codes: 0 nothing limits what can be shown, 1 something does, 2 a failure
"""


def add(verbs: Verbs) -> None:
    """Add the verb and what it takes."""
    parser = verbs.add_parser(
        "doctor",
        usage="%(prog)s [options]",
        help="look at this machine and its interpreters, and say what can be shown here",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="PATH",
        dest="pythons",
        help="look at this interpreter; repeat it for several (default: the running one)",
    )
    parser.add_argument(
        "--import",
        action="append",
        default=[],
        metavar="MODULE",
        dest="imports",
        help="import this before saying whether the GIL is on (repeatable)",
    )
    parser.add_argument(
        "--seconds",
        type=_seconds,
        default=LOOK_SECONDS,
        metavar="SECONDS",
        help="look at the cores for so long (default: %(default)g)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write facts and findings to FILE")


def run(options: argparse.Namespace, printer: Printer) -> int:
    """Do what the options ask for and return the exit code. Raises: `LabError`."""
    path: Path | None = options.json
    if path is not None and not path.absolute().parent.is_dir():
        raise LabError(f"--json {path}: there is no folder {path.parent}")
    with printer.progress() as bar:
        found = doctor(
            options.pythons, seconds=options.seconds, imports=options.imports, progress=bar.show, note=printer.note
        )
    printer.lines(report.lines(found, printer.width))
    if path is not None:
        try:
            found.write(path)
        except OSError as error:
            raise LabError(f"--json {path} cannot be written: {error.strerror}") from None
    return found.exit_code


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number of seconds > 0, got {text!r}")
    return value
