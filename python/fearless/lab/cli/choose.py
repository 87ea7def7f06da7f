"""The verb ``choose``: which pattern fits a problem that a few answers describe.

Parses, asks and prints; `fearless.lab.choosing` decides.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from fearless._cli import python
from fearless.lab import emit, questions
from fearless.lab._errors import LabError
from fearless.lab.choosing import NO_VERDICT, PROGRAM, Choice, choose
from fearless.lab.questions import QUESTIONS, UNKNOWN, Question
from fearless.lab.report import choice as shown
from fearless.lab.report.printer import Printer

if TYPE_CHECKING:
    Verbs = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  # argparse has no public name for it

DESCRIPTION = """\
Asks a few questions about your problem and says which concurrency pattern fits, why, why not the
others, what it costs, and what would change the answer; and writes the program. With flags it asks
nothing: what no flag says is not known.
"""
EPILOG = """\
examples:
  fearless choose
  fearless choose --owner yes --join list --items 1e6 --item-cost 20us --gil off --emit start.py
  fearless choose --shared map --join update --items 100k --item-cost 20us --reads 95% --hold 2us

exit codes: 0 an answer, 1 it cannot tell or was left, 2 a failure
"""


def add(verbs: Verbs) -> None:
    """Add the verb and what it takes."""
    parser = verbs.add_parser(
        "choose",
        usage="%(prog)s [options]",
        help="answer a few questions, and get the pattern and the program",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    group = parser.add_argument_group("answers")
    for question in QUESTIONS:
        group.add_argument(question.flag, metavar=_metavar(question), help=question.text.replace("%", "%%"))
    group = parser.add_argument_group("what to show")
    group.add_argument("--json", type=Path, metavar="FILE", help="also write answers, facts and advice to FILE")
    group.add_argument("--emit", type=Path, metavar="FILE", help="write the pattern to FILE, as a program")
    group.add_argument("--force", action="store_true", help="let --emit overwrite FILE")
    group.add_argument("--brief", action="store_true", help="leave out the code")


def _metavar(question: Question) -> str:
    """The values that it takes, or their kind."""
    if question.options:
        return "|".join(one.value for one in question.options)
    return {"seconds": "TIME", "share": "SHARE", "count": "N", "rate": "RATE"}[getattr(question.read, "__name__", "")]


def run(options: argparse.Namespace, printer: Printer) -> int:
    """Do what the options ask for and return the exit code. Raises: `LabError`."""
    given = {one.name: value for one in QUESTIONS if (value := getattr(options, one.name)) is not None}
    if options.json is not None and not options.json.absolute().parent.is_dir():
        raise LabError(f"--json {options.json}: there is no folder {options.json.parent}")
    if options.emit is not None:
        emit.check(options.emit, force=options.force)
    if given:
        return _answered(choose(**given), options, printer)
    if not sys.stdin.isatty():
        flags = " ".join(f"{one.flag} {_metavar(one)}" for one in QUESTIONS if not one.flag_only)
        raise LabError(f"there is no terminal to ask in; answer by flags, as many as you know (or {UNKNOWN}):\n{flags}")
    return _asked(options, printer)


def _asked(options: argparse.Namespace, printer: Printer) -> int:
    """The dialogue. Ctrl-C leaves it."""
    from fearless.lab.cli import dialogue

    try:
        answers = questions.walk(dialogue.ask)
        found = choose(**answers)
        if options.emit is None and found.pattern is not None:
            printer.lines(shown.lines(found, printer.width, code=False))
            options.emit = _free(dialogue.ask_where(PROGRAM))
            _tell(options, printer, is_written=_write(found, options))
            return found.exit_code
    except KeyboardInterrupt:
        printer.note("left without an answer")
        return NO_VERDICT
    return _answered(found, options, printer)


def _free(name: str) -> Path | None:
    """The file to write to, under a name that is not taken."""
    if not name:
        return None
    path = Path(name)
    number = 1
    while path.exists():
        number += 1
        path = Path(name).with_stem(f"{Path(name).stem}{number}")
    return path


def _answered(found: Choice, options: argparse.Namespace, printer: Printer) -> int:
    is_written = _write(found, options)  # first: whoever reads the answer through a pipe may stop in the middle
    printer.lines(shown.lines(found, printer.width, code=not options.brief and options.emit is None))
    _tell(options, printer, is_written=is_written)
    return found.exit_code


def _write(found: Choice, options: argparse.Namespace) -> bool:
    """Write the files that were asked for; whether there is a program among them."""
    if options.json is not None:
        try:
            options.json.write_text(found.to_json(), encoding="utf-8")
        except OSError as error:
            raise LabError(f"--json {options.json} cannot be written: {error.strerror}") from None
    text = found.program_for(str(options.emit)) if options.emit is not None else None
    if text is None:
        return False
    emit.write(options.emit, text, force=options.force)
    return True


def _tell(options: argparse.Namespace, printer: Printer, *, is_written: bool) -> None:
    """What became of the program that was asked for."""
    if options.emit is None:
        return
    if not is_written:
        printer.note(f"{options.emit} was not written: there is no answer to write a program for")
        return
    printer.hint(f"{options.emit} is written; run it: {python()} {options.emit}")
    printer.hint(f"then put your work into it, and measure: fearless compare {options.emit}")
