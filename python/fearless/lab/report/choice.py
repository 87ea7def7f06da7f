"""A choice as lines of text for a terminal, and as HTML for a notebook. Lays out; prints nothing."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from fearless._cli import python
from fearless.lab import techniques, wording
from fearless.lab.report.text import WIDEST, Line, wrapped

if TYPE_CHECKING:
    from fearless.lab.choosing import Choice

PROVISIONAL = "provisional: numbers that were fitted on machines with two cores"


def lines(choice: Choice, width: int = WIDEST, *, code: bool = True) -> list[Line]:
    """The whole answer, no line of prose wider than ``width``; with ``code`` the program and its Rust twin, too."""
    width = min(width, WIDEST)
    shown = [*_headline(choice, width), *_because(choice, width)]
    shown += [*_rejected(choice, width), *_trade_offs(choice, width), *_changes(choice, width), *_aims(choice, width)]
    if code:
        shown += [*_code("The program", choice.program), *_code("The same in Rust", choice.twin)]
    return [*shown, *_next(choice)]


def headline(choice: Choice) -> str:
    """The answer in a sentence."""
    found = choice.advice
    if found.pattern is None:
        return "cannot tell yet"
    if found.kind == "serial":
        return "stay serial: one worker, in order"
    noun = "coroutine" if found.pattern == "asyncio" else "worker"
    workers = f" with {wording.counted(found.workers, noun)}" if found.workers else ""
    later = f", which the toolkit does not have yet; begin with {found.instead}" if found.instead else ""
    return f"use {found.pattern}{workers}{later}"


def _headline(choice: Choice, width: int) -> Iterator[Line]:
    style = "bad" if choice.advice.pattern is None else "pick"
    yield from wrapped(f"Answer: {headline(choice)}", width, style=style)
    for text in choice.detected:
        yield from wrapped(f"detected: {text}", width, first="  ", rest="    ", style="dim")


def _because(choice: Choice, width: int) -> Iterator[Line]:
    for one in choice.advice.because:
        yield from wrapped(one.text, width, first=f"  {one.rule:<5} ", rest=" " * 8)
    if any("(provisional)" in one.text for one in choice.advice.because):
        yield from wrapped(PROVISIONAL, width, first="  ", rest="    ", style="dim")
    if choice.missing:
        yield from _heading("It could tell if you knew")
    for question in choice.missing:
        yield from wrapped(f"{question.flag}: {question.text}", width, first="  ", rest="    ")


def _rejected(choice: Choice, width: int) -> Iterator[Line]:
    together: dict[str, list[str]] = {}
    for one in choice.advice.rejected:
        together.setdefault(one.text, []).append(one.pattern)
    if together:
        yield from _heading("Not chosen")
    for text, names in together.items():
        yield from wrapped(f"{', '.join(names)}: {text}", width, first="  ", rest="    ")


def _trade_offs(choice: Choice, width: int) -> Iterator[Line]:
    known = choice.trade_offs
    if known is None:
        return
    yield from _heading("What you take on")
    for axis in techniques.AXES:
        yield from wrapped(getattr(known, axis), width, first=f"  {axis:<11} ", rest=" " * 14)


def _changes(choice: Choice, width: int) -> Iterator[Line]:
    if choice.advice.changes:
        yield from _heading("What would change the answer")
    for text in choice.advice.changes:
        yield from wrapped(text, width, first="  ", rest="    ")


def _aims(choice: Choice, width: int) -> Iterator[Line]:
    named = [(aim, pattern) for aim, pattern in choice.advice.aims.items() if pattern is not None]
    others = [f"{aim}: {pattern}" for aim, pattern in named if aim != choice.facts.aim]
    if others:
        yield from _heading(f"Under another aim than {choice.facts.aim}")
        yield from wrapped("; ".join(others), width, first="  ", rest="    ")


def _code(heading: str, text: str | None) -> Iterator[Line]:
    if text is None:
        return
    yield from _heading(heading)
    yield from map(Line, text.rstrip().splitlines())


def _next(choice: Choice) -> Iterator[Line]:
    """What to do now; commands that run as they are."""
    yield from _heading("Next")
    if choice.topic is not None:
        yield Line(f"  fearless guide {choice.topic:<18}  # how it works")
    if choice.pattern is not None:
        yield Line(f"  {choice.command} --emit start.py")
        yield Line(f"  {f'{python()} start.py':<34} # run it, then replace the example by your work")
        yield Line("  fearless compare start.py          # measure it beside the other patterns")
    else:
        more = " ".join(f"{question.flag} ..." for question in choice.missing)
        yield Line(f"  {choice.command} {more}")


def _heading(text: str) -> Iterator[Line]:
    yield Line("")
    yield Line(text, "bold")


def html(choice: Choice) -> str:
    """The answer as an HTML fragment."""
    found = choice.advice
    parts = ["<div>", f"<p><b>{escape(headline(choice))}</b></p>", "<ul>"]
    parts += [f"<li>{escape(one.text)} ({escape(one.rule)})</li>" for one in found.because]
    parts += [f"<li>not {escape(one.pattern)}: {escape(one.text)}</li>" for one in found.rejected]
    parts += [f"<li>{escape(text)}</li>" for text in found.changes]
    parts.append("</ul>")
    if choice.program is not None:
        parts.append(f"<pre>{escape(choice.program)}</pre>")
    return "\n".join([*parts, "</div>"])
