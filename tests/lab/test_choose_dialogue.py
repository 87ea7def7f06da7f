"""The dialogue of `choose`: keys in, answers out; and the command in a terminal of its own."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from fearless.lab import questions
from fearless.lab.cli import dialogue
from fearless.lab.questions import BY_NAME, Answers, Back

BOUND = 60.0  # seconds that a terminal may stay silent
DOWN, ENTER, CTRL_C = "\x1b[B", "\r", "\x03"

Ask = Callable[[str, str], str | None]


@pytest.fixture
def keys() -> Iterator[PipeInput]:
    """A keyboard."""
    with create_pipe_input() as pipe:
        yield pipe


@pytest.fixture
def ask(keys: PipeInput) -> Ask:
    """Ask a question while these keys are pressed."""

    def press(name: str, pressed: str, answers: Answers | None = None) -> str | None:
        keys.send_text(pressed)
        return dialogue.ask(BY_NAME[name], answers or {"owner": "no"}, input=keys, output=DummyOutput())

    return press


def test_an_option_is_picked_with_the_arrows(ask: Ask) -> None:
    """The second one, by going down once."""
    assert ask("owner", ENTER) == "yes"
    assert ask("owner", DOWN + ENTER) == "no"


def test_a_figure_is_typed(ask: Ask) -> None:
    """And given on as it was."""
    assert ask("item_cost", f"20us{ENTER}") == "20us"


def test_a_wrong_figure_is_not_taken(ask: Ask) -> None:
    """It stays in the line and can be put right."""
    backspace = "\x7f"
    assert ask("item_cost", f"20 apples{ENTER}{backspace * 7}us{ENTER}") == "20us"


def test_one_may_not_know(ask: Ask) -> None:
    """By the last line but one of a list, or by nothing in a line."""
    assert ask("owner", DOWN * 2 + ENTER) is None
    assert ask("item_cost", ENTER) is None
    assert ask("item_cost", f"?{ENTER}") is None


def test_one_may_go_back(ask: Ask) -> None:
    """By the last line of a list, or by ``<``."""
    with pytest.raises(Back):
        ask("pass_on", DOWN * 3 + ENTER)
    with pytest.raises(Back):
        ask("item_cost", f"<{ENTER}")


@pytest.mark.parametrize("name", ["owner", "item_cost"])
def test_ctrl_c_gets_through(ask: Ask, name: str) -> None:
    """From a list and from a line."""
    with pytest.raises(KeyboardInterrupt):
        ask(name, CTRL_C)


def test_a_whole_dialogue(keys: PipeInput) -> None:
    """The first answer to everything that can be picked, nothing in the rest."""

    def press(question: questions.Question, answers: Answers) -> str | None:
        keys.send_text(ENTER)
        return dialogue.ask(question, answers, input=keys, output=DummyOutput())

    answers = questions.walk(press)

    assert answers["owner"] == "yes"
    assert answers["items"] is None
    assert "pass_on" not in answers
    assert questions.checked(answers)


class Terminal:
    """The command in a pseudo-terminal: sends keys once the text that they answer is there."""

    def __init__(self, folder: Path) -> None:
        self.master, slave = os.openpty()
        environment = {**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "COLUMNS": "100"}
        command = [sys.executable, "-m", "fearless", "choose"]
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, cwd=folder, env=environment)
        os.close(slave)
        self.seen = ""

    def until(self, text: str) -> None:
        """Read until ``text`` has been shown, and forget what was before it."""
        while text not in self.seen:
            ready, _, _ = select.select([self.master], [], [], BOUND)
            assert ready, f"waited for {text!r}, saw {self.seen[-500:]!r}"
            try:
                self.seen += os.read(self.master, 65536).decode(errors="replace")
            except OSError as error:  # Linux: the other side is gone
                raise AssertionError(f"ended before {text!r}, saw {self.seen[-500:]!r}") from error
        self.seen = self.seen.partition(text)[2]

    def answer(self, text: str, keys: str) -> None:
        """Press ``keys`` when ``text`` is shown."""
        self.until(text)
        os.write(self.master, keys.encode())

    def code(self) -> int:
        """The exit code."""
        return self.process.wait(BOUND)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(BOUND)
        os.close(self.master)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this platform has no pseudo-terminals")
def test_a_terminal_leads_from_the_first_question_to_a_program(tmp_path: Path) -> None:
    """Answers of someone in a hurry: Enter to most, three figures, and the file under the suggested name."""
    typed = {"items": "100k", "item_cost": "200us", "wait": "0", "gil": DOWN}
    path: dict[str, str | None] = {}
    with Terminal(tmp_path) as terminal:
        while (question := questions.following(path)) is not None:
            keys = typed.get(question.name, "")
            terminal.answer(question.text, keys + ENTER)
            picked = question.options[keys.count(DOWN)].value if question.options else keys
            path[question.name] = picked
        terminal.until("Answer: use par")
        terminal.answer("Write the program to a file?", ENTER)
        terminal.until("start.py is written")
        assert terminal.code() == 0

    assert "The pattern is par." in (tmp_path / "start.py").read_text(encoding="utf-8")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this platform has no pseudo-terminals")
def test_ctrl_c_leaves_politely(tmp_path: Path) -> None:
    """With code 1, a sentence, and no traceback."""
    with Terminal(tmp_path) as terminal:
        terminal.answer(questions.QUESTIONS[0].text, CTRL_C)
        terminal.until("left without an answer")
        assert terminal.code() == 1

        assert "Traceback" not in terminal.seen
    assert list(tmp_path.iterdir()) == []
