"""The command line: a file for each verb, which says what it takes and hands over to a function of the lab.

Parses; measures and lays out nothing. Exit codes: 0 a verdict, 1 no verdict or a result that differs, 2 a failure.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType

from fearless.lab._errors import LabError
from fearless.lab.cli import choose, compare, doctor, guide
from fearless.lab.report.printer import Printer

VERDICT, NO_VERDICT, FAILURE = 0, 1, 2

ENDING = ("SIGTERM", "SIGHUP")
KILLED = 128  # what a shell adds to the number of a signal

VERBS = (choose, compare, guide, doctor)


def run(argv: Sequence[str], printer: Printer | None = None) -> int:
    """Run the command line ``argv``, without the name of the program, and return the exit code."""
    printer = printer or Printer()
    parser = _parser()
    try:
        options = parser.parse_args(argv)
    except SystemExit as end:  # argparse has said all there is to say
        return end.code if isinstance(end.code, int) else FAILURE
    if options.run is None:
        parser.print_help()
        return FAILURE
    try:
        with _ended_in_order():
            code: int = options.run(options, printer)
    except LabError as error:
        printer.error(str(error))
        return FAILURE
    except KeyboardInterrupt:
        printer.note("interrupted before anything was measured")
        return NO_VERDICT
    return code


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Turn a signal that would end this process on the spot into an exit that ends children and removes files first."""
    kept = {}
    if threading.current_thread() is threading.main_thread():
        for number in (getattr(signal, name) for name in ENDING if hasattr(signal, name)):
            if signal.getsignal(number) is signal.SIG_DFL:  # others are somebody's wish, such as that of nohup
                kept[number] = signal.signal(number, _exit)
    try:
        yield
    finally:
        for number, before in kept.items():
            signal.signal(number, before)


def _exit(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # a second one must not cut the clearing up short
    sys.exit(KILLED + number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fearless",
        description="Measures concurrency patterns on your workload and says which one to use.",
    )
    version = importlib.metadata.version("fearless")
    parser.add_argument("--version", action="version", version=f"fearless {version}")
    parser.set_defaults(run=None)
    verbs = parser.add_subparsers(title="verbs", metavar="VERB")
    for verb in VERBS:
        verb.add(verbs)
    return parser
