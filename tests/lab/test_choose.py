"""`choose` as a function and as a command with flags: what it answers, what it refuses, and what its commands do."""

from __future__ import annotations

import importlib.util
import io
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from fearless.lab import catalog, choose
from fearless.lab._errors import LabError
from fearless.lab.cli import run
from fearless.lab.report.printer import Printer

OWNED = {"owner": "yes", "join": "list", "items": "1e6", "item_cost": "20us", "gil": "off", "cores": 8}
SHARED = {"owner": "no", "pass_on": "no", "shared": "map", "join": "update", "items": "1e5", "item_cost": "20us"}
MOVED = {"pass_on": "yes", "items": "1e5", "item_cost": "20us"}
QUIET = {"gil": "off", "cores": 8}


class Said:
    """What the command line said, and how it ended."""

    def __init__(self, argv: Sequence[str]) -> None:
        out, err = io.StringIO(), io.StringIO()
        self.code = run(argv, Printer(out, err))
        self.out, self.err = out.getvalue(), err.getvalue()


def test_the_verb_is_a_function_also_once_its_command_has_run() -> None:
    """No module of the lab takes its name."""
    assert Said(["choose", *flags_of(OWNED), "--brief"]).code == 0

    assert callable(importlib.import_module("fearless.lab").choose)
    assert importlib.util.find_spec("fearless.lab.choose") is None


def test_independent_items_go_to_par() -> None:
    """The plain case: nothing is shared, the GIL is off, and the job is worth it."""
    found = choose(**OWNED)

    assert (found.advice.kind, found.pattern, found.advice.workers, found.exit_code) == ("recommend", "par", 8, 0)
    assert any(one.rule == "R5" for one in found.advice.because)
    assert found.detected == ()


def test_a_shared_map_goes_behind_one_lock_and_moved_data_through_a_channel() -> None:
    """The other two answers to the safety questions."""
    assert choose(**SHARED, **QUIET, hold="1us", reads="50%").pattern == "mutex"
    assert choose(**MOVED, **QUIET).pattern == "channel"


def test_who_knows_nothing_is_told_which_answers_would_do() -> None:
    """By their flags; and there is no program to write."""
    found = choose()

    assert (found.advice.kind, found.pattern, found.program, found.exit_code) == ("cannot tell", None, None, 1)
    assert found.missing
    assert all(f"{question.flag}: {question.text}" in str(found) for question in found.missing)


def test_a_pattern_that_is_not_there_yet_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside it stands the simplest that runs today, and that is what the program is."""
    monkeypatch.setattr("fearless.lab.advice.AVAILABLE", catalog.PATTERNS[:8])
    found = choose(**{**SHARED, "item_cost": "5us"}, **QUIET, hold="10us", reads="99%", replaced="no")

    assert found.advice.pattern == "rwlock"
    assert found.pattern == "mutex"
    assert "does not have yet; begin with mutex" in str(found)
    assert "The pattern is mutex." in (found.program or "")


@pytest.mark.parametrize(
    ("pattern", "told"),
    [("rwlock", {"hold": "10us", "replaced": "no"}), ("snapshot", {"hold": "10us", "replaced": "yes"})],
)
def test_the_program_of_a_pattern_for_readers_looks_at_the_state(pattern: str, told: dict[str, str]) -> None:
    """The example has a read, and a part that changes nothing."""
    found = choose(**{**SHARED, "item_cost": "5us"}, **QUIET, reads="99%", **told)

    assert found.pattern == pattern
    assert f"The pattern is {pattern}." in (found.program or "")
    assert "    def read(self, state" in (found.program or "")
    assert "read = job.read\n" in (found.program or "")


def test_what_nobody_said_is_read_off_this_machine_and_told() -> None:
    """The GIL of this interpreter, and the cores."""
    found = choose(owner="yes", join="list", items="1e6", item_cost="20us")

    assert found.facts.gil is not None
    assert found.facts.cores is not None
    assert any("the GIL is " in text for text in found.detected)
    assert all(text in str(found) for text in found.detected if len(text) < 60)


def test_the_text_has_all_parts_in_this_order() -> None:
    """Answer, others, trade-offs, changes, aims, program, twin, and what to do next."""
    text = str(choose(**OWNED))
    parts = [
        "Answer: use par",
        "Not chosen",
        "What you take on",
        "What would change the answer",
        "Under another aim than throughput",
        "The program",
        "The same in Rust",
        "Next",
        "fearless guide ",
        "--emit start.py",
        "fearless compare start.py",
    ]
    places = [text.rindex(part) for part in parts]

    assert places == sorted(places)
    assert all(f"  {axis} " in text for axis in ("safety", "contention", "complexity", "throughput"))


def test_every_command_it_shows_does_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The guide has the page, and the same answers with --emit write the program that was shown."""
    monkeypatch.chdir(tmp_path)
    found = choose(**OWNED)
    lines = [line.strip().partition("  #")[0] for line in str(found).splitlines()]
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("fearless ") and "compare" not in line]

    assert len(commands) == 2
    assert [Said(command).code for command in commands] == [0, 0]
    assert Path("start.py").read_text(encoding="utf-8") == found.program


@pytest.mark.parametrize("aim", ["throughput", "latency", "cpu", "memory", "simplicity"])
def test_every_aim_has_an_answer_and_names_the_others(aim: str) -> None:
    """The one it was asked for is not among the others."""
    found = choose(**OWNED, optimize=aim)

    assert found.facts.aim == aim
    assert f"Under another aim than {aim}" in str(found)
    assert found.advice.aims[aim] == found.advice.pattern


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"items": "0"}, "--items must be a whole number >= 1, got 0"),
        ({"items": 0}, "--items must be a whole number >= 1, got 0"),
        ({"reads": "120%"}, "--reads must be 0..100 %, got 120%"),
        ({"item_cost": "20 lightyears"}, "'lightyears' in '20 lightyears' is not a unit of time; known: ns, us"),
        ({"owner": "yes", "shared": "map"}, "--shared map contradicts --owner yes: one task owns the data"),
        ({"items": "10", "item_cost": "0", "wait": "0"}, "--item-cost is 0 and --wait is 0"),
    ],
)
def test_bad_answers_name_the_rule_and_the_value(answers: dict[str, Any], words: str) -> None:
    """As an error, and from the command line with code 2."""
    with pytest.raises(LabError) as caught:
        choose(**answers)
    flags = [part for name, text in answers.items() for part in (f"--{name.replace('_', '-')}", str(text))]
    said = Said(["choose", *flags])

    assert words in str(caught.value)
    assert (said.code, said.out) == (2, "")
    assert words in said.err


def test_json_holds_answers_facts_advice_and_program(tmp_path: Path) -> None:
    """And can be read by anyone."""
    file = tmp_path / "choice.json"
    said = Said(["choose", *flags_of(OWNED), "--json", str(file)])
    data = json.loads(file.read_text(encoding="utf-8"))

    assert said.code == 0
    assert data["schema"] == 1
    assert data["answers"]["item_cost"] == "20us"
    assert data["facts"]["cpu_per_item"] == pytest.approx(20e-6)
    assert data["advice"]["pattern"] == "par"
    assert {"rule", "text", "facts"} == data["advice"]["because"][0].keys()
    assert "def run(" in data["program"]
    assert data["verify"][1] == "fearless compare start.py"
    assert json.loads(choose().to_json())["verify"] == []


def test_html_shows_the_answer_escaped() -> None:
    """For a notebook."""
    html = choose(**OWNED)._repr_html_()

    assert "use par with 8 workers" in html
    assert "list[int] &gt;" not in html
    assert "-&gt; list[Part]" in html


def test_brief_leaves_out_the_code() -> None:
    """The reasons stay."""
    said = Said(["choose", *flags_of(OWNED), "--brief"])

    assert said.code == 0
    assert "def run(" not in said.out
    assert "What you take on" in said.out


def test_no_line_of_prose_is_too_long() -> None:
    """It fits on a page of 100 columns; code is as wide as it is, and commands are one line."""
    said = Said(["choose", *flags_of(OWNED), "--brief"])

    assert [line for line in said.out.splitlines() if len(line) > 100 and "start.py" not in line] == []


def test_an_existing_file_is_not_overwritten_unless_forced(tmp_path: Path) -> None:
    """And the old one stays as it was."""
    file = tmp_path / "mine.py"
    file.write_text("mine\n", encoding="utf-8")
    refused = Said(["choose", *flags_of(OWNED), "--emit", str(file)])

    assert refused.code == 2
    assert "the file exists; --force overwrites it" in refused.err
    assert file.read_text(encoding="utf-8") == "mine\n"
    assert Said(["choose", *flags_of(OWNED), "--emit", str(file), "--force"]).code == 0
    assert "The pattern is par." in file.read_text(encoding="utf-8")


class ClosedPipe(io.StringIO):
    """Standard output whose reader has gone, as `head` goes."""

    def write(self, _text: str) -> int:
        """Refuse."""
        raise BrokenPipeError


def test_the_program_is_written_also_when_nobody_reads_the_answer(tmp_path: Path) -> None:
    """Files come first."""
    file = tmp_path / "start.py"

    with pytest.raises((BrokenPipeError, SystemExit)):
        run(["choose", *flags_of(OWNED), "--emit", str(file)], Printer(ClosedPipe(), io.StringIO()))

    assert "The pattern is par." in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("option", ["--emit", "--json"])
def test_no_folder_is_an_error(option: str, tmp_path: Path) -> None:
    """Before anything is written."""
    said = Said(["choose", *flags_of(OWNED), option, str(tmp_path / "none" / "x")])

    assert said.code == 2
    assert "there is no folder" in said.err


def test_without_a_terminal_and_without_flags_the_flags_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the values that they take."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    said = Said(["choose"])

    assert said.code == 2
    assert "there is no terminal to ask in; answer by flags" in said.err
    assert "--owner yes|no" in said.err
    assert "--item-cost TIME" in said.err


def test_one_may_say_that_one_does_not_know() -> None:
    """It is as if nothing had been said."""
    assert choose(**OWNED, wait="unknown", variation=None).answers == choose(**OWNED).answers


def test_help_names_every_question(capsys: pytest.CaptureFixture[str]) -> None:
    """With the values that it takes, and the exit codes."""
    assert Said(["choose", "--help"]).code == 0
    text = capsys.readouterr().out

    assert "--pass-on yes|no" in text
    assert "--reads SHARE" in text
    assert "exit codes: 0 an answer" in text


def flags_of(answers: dict[str, Any]) -> list[str]:
    """The flags that say the same."""
    return [part for name, text in answers.items() for part in (f"--{name.replace('_', '-')}", str(text))]


def test_every_recommended_pattern_can_be_written() -> None:
    """Over a grid of answers: whatever is advised, the program is that pattern, or what stands in for it."""
    grid = [
        {**OWNED, "join": join, "gil": gil, "item_cost": cost, "wait": wait}
        for join in ("list", "add", "merge", "update")
        for gil in ("on", "off")
        for cost in ("1us", "1ms")
        for wait in ("0", "10ms")
    ]
    patterns = set()
    for answers in grid:
        found = choose(**answers)
        patterns.add(found.pattern)
        assert found.pattern in catalog.PATTERNS
        assert f"The pattern is {found.pattern}." in (found.program or "")

    assert len(patterns) > 2
