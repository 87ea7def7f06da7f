"""The verb ``compare``: which pattern wins on my workload, and by how much.

Parses and prints; `fearless.lab.comparison` does the work.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from fearless._cli import python
from fearless.lab import catalog, emit, emit_subject
from fearless.lab._errors import LabError
from fearless.lab.comparison import BUDGET_SECONDS, Comparison, compare
from fearless.lab.facts import AIMS
from fearless.lab.report import listing, text
from fearless.lab.report.printer import Printer
from fearless.lab.resolve import Target

if TYPE_CHECKING:
    Verbs = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # argparse has no public name for it

DESCRIPTION = """\
Measures concurrency patterns against each other on a workload, and says which is the simplest that
performs, with the numbers and the reason. It also says when not to parallelise, and when it cannot
tell. Every pattern's result must equal the serial run's before any speed is looked at.
"""
EPILOG = """\
examples:
  fearless compare word-index
  fearless compare job.py:Parse --workers 2 --patterns serial,par,mutex
  fearless compare job.py:parse --items 'src/**/*.py' --json parse.json
  fearless compare word-index --python python3.13 --python python3.14t

exit codes: 0 a verdict, 1 no verdict or a result that differs, 2 a failure
"""


def add(verbs: Verbs) -> None:
    """Add the verb and what it takes."""
    parser = verbs.add_parser(
        "compare",
        usage="%(prog)s WORKLOAD [options]",
        help="measure every pattern on a workload and name the one to use",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    _what(parser.add_argument_group("what to run"))
    _how(parser.add_argument_group("how to measure"))
    _aim(parser.add_argument_group("how to choose"))
    _shown(parser.add_argument_group("what to show"))


def _what(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "workload",
        nargs="?",
        metavar="WORKLOAD",
        help="a built-in, such as word-index (see --list), or your own: job.py, job.py:Name, package.module:Name",
    )
    group.add_argument(
        "--arg",
        action="append",
        default=[],
        type=_pair,
        metavar="NAME=VALUE",
        help="set a parameter of the workload, which is a class attribute of it (repeatable)",
    )
    group.add_argument(
        "--items",
        metavar="GLOB",
        help="for a plain function: call it with the path of each file that matches, as in 'src/**/*.py'",
    )
    group.add_argument(
        "--patterns",
        type=_names,
        metavar="NAMES",
        help=f"only these, separated by commas; known: {', '.join(catalog.PATTERNS)}",
    )


def _how(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--workers",
        type=_counts,
        metavar="N[,N...]",
        help="numbers of workers to try (default: 2, as many as there are cores, and more for work that waits)",
    )
    group.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="PATH",
        dest="pythons",
        help="run under this interpreter; repeat it to see several side by side (default: the running one)",
    )
    group.add_argument(
        "--budget",
        type=_seconds,
        default=BUDGET_SECONDS,
        metavar="SECONDS",
        help="measure each interpreter for about this long, the set-up included (default: %(default)g)",
    )


def _aim(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--optimize",
        choices=AIMS,
        default=AIMS[0],
        metavar="AIM",
        help=f"what the choice is made for: {', '.join(AIMS)} (default: %(default)s)",
    )


def _shown(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--json", type=Path, metavar="FILE", help="also write the record, with every run, to FILE")
    group.add_argument("--emit", type=Path, metavar="FILE", help="write the recommended pattern to FILE, as a program")
    group.add_argument("--force", action="store_true", help="let --emit overwrite FILE")
    group.add_argument("--show", metavar="PATTERN", help="print the code of a pattern, and stop")
    group.add_argument("--list", action="store_true", help="list workloads and patterns, and stop")


def run(options: argparse.Namespace, printer: Printer) -> int:
    """Do what the options ask for and return the exit code. Raises: `LabError`."""
    if options.list:
        printer.lines(listing.lines(printer.width))
        return 0
    if options.show is not None:
        (name,) = catalog.check_names([options.show])
        printer.text(catalog.source(name))
        return 0
    if options.workload is None:
        raise LabError(f"name a workload: {', '.join(catalog.BUILT_INS)}, or your own as path/to/job.py:Name")
    _check_folder(options.json)
    subject = _subject(options) if options.emit is not None else None
    with printer.progress() as bar:
        found = compare(
            options.workload,
            args=dict(options.arg),
            items=options.items,
            patterns=options.patterns,
            workers=options.workers,
            pythons=options.pythons,
            budget=options.budget,
            optimize=options.optimize,
            progress=bar.show,
            note=printer.note,
        )
    _print(found, printer)
    if options.json is not None:
        _write(found, options.json)
    if subject is not None:
        _emit(found, subject, options, printer)
    return found.exit_code


def _subject(options: argparse.Namespace) -> emit_subject.Subject:
    """What the program is to work on; a program that cannot be written is refused before anything is measured."""
    emit.check(options.emit, force=options.force)
    return emit_subject.of_target(Target(options.workload, dict(options.arg), options.items), options.emit)


def _emit(found: Comparison, subject: emit_subject.Subject, options: argparse.Namespace, printer: Printer) -> None:
    """Write the program that the verdict recommends, and say how to run it."""
    text = emit.of_verdict(found.verdict, subject) if found.verdict is not None else None
    if text is None:
        printer.note(f"{options.emit} was not written: there is no verdict to write a program for")
        return
    emit.write(options.emit, text, force=options.force)
    printer.hint(f"{options.emit} is written; run it: {python()} {options.emit}")


def _print(found: Comparison, printer: Printer) -> None:
    """The report to stdout; to stderr the user's own tracebacks, and what to do next."""
    for pattern, trace in found.failures.items():
        printer.error(f"{pattern} failed:\n{trace.rstrip()}")
    printer.lines(text.lines(found.record, printer.width))
    for hint in found.hints:
        printer.hint(hint)


def _check_folder(path: Path | None) -> None:
    """A run of a minute must not end at a file that cannot be written."""
    if path is not None and not path.absolute().parent.is_dir():
        raise LabError(f"--json {path}: there is no folder {path.parent}")


def _write(found: Comparison, path: Path) -> None:
    try:
        found.record.write(path)
    except OSError as error:
        raise LabError(f"--json {path} cannot be written: {error.strerror}") from None


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE, got {text!r}")
    return name, value


def _names(text: str) -> list[str]:
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        raise argparse.ArgumentTypeError("must name at least one pattern")
    return names


def _counts(text: str) -> list[int]:
    try:
        counts = [int(part) for part in text.split(",")]
    except ValueError:
        counts = [0]
    if min(counts) < 1:
        raise argparse.ArgumentTypeError(f"must be whole numbers >= 1, separated by commas, got {text!r}")
    return sorted(set(counts))


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number of seconds >= 1, got {text!r}")
    return value
