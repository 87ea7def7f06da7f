"""The one place of the lab that prints: results to stdout, progress, hints and errors to stderr.

Colours and the progress bar show on a terminal only, so what is piped is plain text. Lays nothing out; see `text`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.markdown import Markdown
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from fearless.lab.report.text import WIDEST, Line

STYLES = {"": "", "bold": "bold", "dim": "dim", "pick": "bold green", "bad": "bold red"}
PLAIN = str.maketrans({"•": "*", "─": "-", "━": "=", "│": "|", "▌": "|"})  # where the output is not UTF-8


class Printer:
    """Prints to two streams; by default stdout and stderr.

    Thread safety: not synchronized; used by the main thread only.
    """

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        """Print results to ``out`` and everything else to ``err``."""
        self._out = Console(file=out or sys.stdout, highlight=False, soft_wrap=True, markup=False)
        self._err = Console(file=err or sys.stderr, highlight=False, soft_wrap=True, markup=False)

    @property
    def width(self) -> int:
        """Columns for results: those of the terminal, and a wide line where there is none."""
        narrow = self._out.is_terminal or "COLUMNS" in os.environ
        return min(self._out.width, WIDEST) if narrow else WIDEST

    def lines(self, lines: Iterable[Line]) -> None:
        """Print a report."""
        for line in lines:
            self._out.print(Text(line.text, STYLES[line.style]))

    def text(self, text: str) -> None:
        """Print ``text`` as it is."""
        self._out.print(Text(text.rstrip("\n")))

    def page(self, markdown: str) -> None:
        """Print a page of the guide; where there is no terminal, as plain lines."""
        self._out.width = self.width  # without it a pipe counts as 80 columns
        with self._out.capture() as capture:
            self._out.print(Markdown(markdown, code_theme="ansi_dark"), soft_wrap=False)
        text = "\n".join(line.rstrip() for line in capture.get().splitlines())
        if not self._out.encoding.startswith("utf"):
            text = text.translate(PLAIN).encode(self._out.encoding, "replace").decode(self._out.encoding)
        self._out.print(Text.from_ansi(text))

    def note(self, text: str) -> None:
        """Say something that is not a result."""
        self._err.print(Text(text))

    def hint(self, text: str) -> None:
        """Say what to do next."""
        self._err.print(Text.assemble(("hint: ", "bold cyan"), text))

    def error(self, text: str) -> None:
        """Say what went wrong; further lines, such as the user's traceback, follow as they are."""
        self._err.print(Text.assemble(("error: ", "bold red"), text))

    def progress(self) -> Bar:
        """A progress bar on stderr that shows itself on a terminal only."""
        return Bar(self._err)


class Bar:
    """How far a comparison has come. Use it as a context manager."""

    def __init__(self, console: Console) -> None:
        """Show progress on ``console`` if it is a terminal."""
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task("starting", total=1.0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, share: float, text: str) -> None:
        """``share`` of the whole is done, 0 to 1, and ``text`` is what runs now."""
        self._progress.update(self._task, completed=min(1.0, share), description=text)
