"""The verb ``guide``: the guide in the terminal, from the installed package.

Parses and prints; `fearless.lab.pages` finds the page.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from fearless.lab import pages
from fearless.lab.report import page
from fearless.lab.report.printer import Printer

if TYPE_CHECKING:
    Verbs = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # argparse has no public name for it

DESCRIPTION = """\
Shows a page of the guide: how a pattern works, when to use it, what it costs. Without a topic it shows
the seven techniques and the list of topics.
"""
EPILOG = """\
examples:
  fearless guide
  fearless guide choose
  fearless guide mutex

exit codes: 0 shown, 2 there is no such topic
"""


def add(verbs: Verbs) -> None:
    """Add the verb and what it takes."""
    parser = verbs.add_parser(
        "guide",
        usage="%(prog)s [TOPIC]",
        help="show a page of the guide, or the seven techniques",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    parser.add_argument("topic", nargs="*", metavar="TOPIC", help="a page, a technique or a pattern, as in: mutex")


def run(options: argparse.Namespace, printer: Printer) -> int:
    """Show what was asked for and return the exit code. Raises: `LabError`."""
    asked = " ".join(options.topic)
    if not asked.strip():
        printer.lines(page.front(printer.width))
    else:
        printer.page(page.page(pages.find(asked), asked))
    return 0
