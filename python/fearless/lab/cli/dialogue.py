"""The dialogue of ``choose`` in a terminal: one question after the other, with a way back.

Asks; what is asked, and what an answer means, is in `fearless.lab.questions`.
"""

from __future__ import annotations

from typing import Any

import questionary
from questionary import Choice as Entry

from fearless.lab import questions
from fearless.lab._errors import LabError
from fearless.lab.questions import Answers, Back, Question

BACK, UNKNOWN = "<", "?"


def ask(question: Question, answers: Answers, **terminal: Any) -> str | None:
    """The answer of whoever sits there; ``None`` if they do not know. ``terminal`` goes to questionary, for tests.

    Blocks: until there is an answer.
    Raises: `Back`; ``KeyboardInterrupt`` on Ctrl-C.
    """
    answer = _pick(question, answers, terminal) if question.options else _type(question, answers, terminal)
    if answer == BACK:
        raise Back
    return None if answer == UNKNOWN else answer


def _pick(question: Question, answers: Answers, terminal: dict[str, Any]) -> str:
    entries = [Entry(one.text, one.value) for one in questions.options(question, answers)]
    entries.append(Entry("don't know", UNKNOWN))
    entries += [Entry("go back", BACK)] if answers else []
    prompt = questionary.select(question.text, entries, instruction=f"\n  {question.help}\n ", **terminal)
    return str(prompt.unsafe_ask())


def _type(question: Question, answers: Answers, terminal: dict[str, Any]) -> str:
    back = f", {BACK} goes back" if answers else ""
    keys = f"(Enter alone: don't know{back})"
    prompt = questionary.text(
        question.text, instruction=f"\n  {question.help} {keys}\n ", validate=_check(question), **terminal
    )
    return str(prompt.unsafe_ask()).strip() or UNKNOWN


def _check(question: Question) -> Any:
    """Tells questionary what is wrong with what was typed, or True."""

    def check(text: str) -> bool | str:
        if text.strip() in {"", BACK, UNKNOWN}:
            return True
        try:
            question.read(text, "it") if question.read else question.facts(text)
        except LabError as error:
            return str(error)
        return True

    return check


def ask_where(suggested: str, **terminal: Any) -> str:
    """The file to write the program to; empty if none is wanted.

    Blocks: until there is an answer.
    """
    text = "Write the program to a file?"
    prompt = questionary.text(text, instruction="(Enter for this name, empty for none)", default=suggested, **terminal)
    return str(prompt.unsafe_ask()).strip()
