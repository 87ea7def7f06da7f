"""The command line: what it accepts, what it says, where it says it, and its exit codes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fearless.lab import catalog, runner
from fearless.lab._errors import WorkloadError
from fearless.lab.cli import run
from fearless.lab.record import Record
from fearless.lab.report.printer import Printer
from fearless.lab.runner import Plan
from tests.lab import synthetic

BOUND = 60.0  # seconds that a subprocess may take


class Said:
    """What the command line said, and how it ended."""

    def __init__(self, argv: Sequence[str]) -> None:
        out, err = io.StringIO(), io.StringIO()
        self.code = run(argv, Printer(out, err))
        self.out, self.err = out.getvalue(), err.getvalue()


Measure = Callable[[Plan], Record]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Callable[[Measure], None]:
    """Make the runner answer with what a function of the plan gives."""

    def use(measure: Measure) -> None:
        monkeypatch.setattr(runner, "measure", lambda plan, *_: measure(plan))

    return use


def clear(_: Plan) -> Record:
    """Runs with a clear answer."""
    return synthetic.record(synthetic.runs(synthetic.FREE_THREADED))


def test_the_report_goes_to_stdout_and_ends_with_0(measured: Callable[[Measure], None]) -> None:
    """Nothing else does."""
    measured(clear)
    said = Said(["compare", "word-index"])

    assert said.code == 0
    assert "Verdict: use par with 2 workers" in said.out
    assert said.err == ""


def test_every_option_reaches_the_plan(measured: Callable[[Measure], None]) -> None:
    """In the types that the runner takes."""
    plans: list[Plan] = []

    def keep(plan: Plan) -> Record:
        plans.append(plan)
        return clear(plan)

    measured(keep)
    options = "--workers 4,2 --patterns par,mutex --budget 7.5 --arg folder=src --arg x=1=2 --items *.py"
    assert Said(["compare", "job.py:Job", *options.split(), "--python", sys.executable]).code == 0
    (plan,) = plans

    assert (plan.workers, plan.patterns, plan.budget) == ([2, 4], ("par", "mutex"), 7.5)
    assert plan.target.args == {"folder": "src", "x": "1=2"}
    assert plan.target.items == "*.py"


def test_json_writes_a_record_that_can_be_read_back(measured: Callable[[Measure], None], tmp_path: Path) -> None:
    """With every run and the verdict."""
    measured(clear)
    file = tmp_path / "record.json"
    said = Said(["compare", "word-index", "--json", str(file)])

    assert said.code == 0
    assert Record.read(file).verdict is not None
    assert len(json.loads(file.read_text())["runs"]) == 48


def test_emit_writes_the_program_of_the_verdict(measured: Callable[[Measure], None], tmp_path: Path) -> None:
    """And says, beside the report, how to run it."""
    measured(clear)
    file = tmp_path / "words.py"
    said = Said(["compare", "word-index", "--emit", str(file)])
    text = file.read_text(encoding="utf-8")

    assert said.code == 0
    assert said.err.startswith(f"hint: {file} is written; run it: ")
    assert "The pattern is par." in text
    assert "WORKERS = 2" in text
    assert "class WordIndex:" in text


def test_without_a_verdict_no_program_is_written(measured: Callable[[Measure], None], tmp_path: Path) -> None:
    """It is said, and the code tells of the open question."""
    measured(lambda _: synthetic.record(synthetic.runs(synthetic.FREE_THREADED, factors=(1.0, 1.0))))
    file = tmp_path / "words.py"
    said = Said(["compare", "word-index", "--emit", str(file)])

    assert said.code == 1
    assert f"{file} was not written: there is no verdict" in said.err
    assert not file.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("word-index --emit taken.py", "the file exists; --force overwrites it"),
        ("word-index --emit none/x.py", "there is no folder"),
        ("job.py --emit folder/x.py", "the program imports job.py, so it has to stand beside it"),
        ("nothing --emit x.py", "there is no workload 'nothing'"),
    ],
)
def test_a_program_that_cannot_be_written_is_refused_before_the_run(
    options: str,
    words: str,
    measured: Callable[[Measure], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the reason, nothing is measured for it."""
    ran: list[Plan] = []

    def keep(plan: Plan) -> Record:
        ran.append(plan)
        return clear(plan)

    measured(keep)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "folder").mkdir()
    (tmp_path / "taken.py").write_text("", encoding="utf-8")
    (tmp_path / "job.py").write_text(WORKLOAD, encoding="utf-8")
    said = Said(["compare", *options.split()])

    assert (said.code, ran) == (2, [])
    assert words in said.err


def test_json_into_no_folder_is_refused_before_the_run(measured: Callable[[Measure], None], tmp_path: Path) -> None:
    """A minute of measuring must not end there."""
    ran: list[Plan] = []

    def keep(plan: Plan) -> Record:
        ran.append(plan)
        return clear(plan)

    measured(keep)
    said = Said(["compare", "word-index", "--json", str(tmp_path / "none" / "x.json")])

    assert said.code == 2
    assert "there is no folder" in said.err
    assert ran == []


def test_an_open_question_ends_with_1_and_a_hint(measured: Callable[[Measure], None]) -> None:
    """The hint goes to stderr: the five rounds of 30 s that a verdict needs, and some more."""
    measured(lambda _: synthetic.record(synthetic.runs(synthetic.FREE_THREADED, factors=(1.0, 1.0))))
    said = Said(["compare", "word-index"])

    assert said.code == 1
    assert "Verdict: cannot tell par and " in said.out
    assert said.err == "hint: about 3 min would settle it: run it again with --budget 180\n"


def test_what_was_measured_before_ctrl_c_is_shown_and_written(
    measured: Callable[[Measure], None], tmp_path: Path
) -> None:
    """With exit code 1: there is no verdict."""
    measured(lambda plan: replace(clear(plan), interrupted=True, runs=clear(plan).runs[:9], rounds=1))
    file = tmp_path / "record.json"
    said = Said(["compare", "word-index", "--json", str(file)])

    assert said.code == 1
    assert "interrupted: 1 complete round" in said.out
    assert Record.read(file).interrupted


def test_ctrl_c_before_anything_was_measured_ends_with_1(measured: Callable[[Measure], None]) -> None:
    """And no traceback of ours."""

    def interrupt(_: Plan) -> Record:
        raise KeyboardInterrupt

    measured(interrupt)
    said = Said(["compare", "word-index"])

    assert said.code == 1
    assert said.err == "interrupted before anything was measured\n"


def test_a_failing_pattern_shows_the_users_traceback_and_the_others(measured: Callable[[Measure], None]) -> None:
    """One clear message; the rest is still reported."""
    trace = 'Traceback (most recent call last):\n  File "job.py", line 7, in work\nValueError: bad item\n'
    runs = [
        replace(run, seconds=None, error=trace) if run.pattern == "mutex" else run
        for run in synthetic.runs(synthetic.FREE_THREADED)
    ]
    measured(lambda _: synthetic.record(runs))
    said = Said(["compare", "job.py"])

    assert said.code == 1
    assert said.err == f"error: mutex failed:\n{trace}"
    assert "  mutex      failed: ValueError: bad item" in said.out
    assert "Verdict: use par" in said.out


def test_a_workload_that_cannot_be_had_ends_with_2(measured: Callable[[Measure], None]) -> None:
    """The message, then the user's own traceback."""

    def fail(_: Plan) -> Record:
        raise WorkloadError("job.py does not import", 'Traceback\n  File "job.py", line 1\nNameError: x\n')

    measured(fail)
    said = Said(["compare", "job.py"])

    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("error: job.py does not import\n\nTraceback\n")


@pytest.mark.parametrize(
    ("argv", "known"),
    [
        (["compare"], "word-index, checksum, line-metrics, pipeline"),
        (["compare", "word-index", "--patterns", "parr"], "known: serial, par, threads"),
        (["compare", "word-index", "--python", "python9.9"], "known here"),
        (["compare", "--show", "parr"], "known: serial, par, threads"),
    ],
)
def test_what_is_unknown_names_the_known(argv: list[str], known: str) -> None:
    """And ends with 2."""
    said = Said(argv)

    assert said.code == 2
    assert said.err.startswith("error: ")
    assert known in said.err


@pytest.mark.parametrize(
    ("option", "value", "rule"),
    [
        ("--workers", "0", "whole numbers >= 1"),
        ("--workers", "two", "whole numbers >= 1"),
        ("--budget", "0", "a number of seconds >= 1"),
        ("--budget", "nan", "a number of seconds >= 1"),
        ("--arg", "folder", "NAME=VALUE"),
        ("--patterns", ",", "at least one pattern"),
    ],
)
def test_a_bad_value_names_the_rule_and_the_value(
    option: str, value: str, rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The parser says it, and the code is 2."""
    assert Said(["compare", "word-index", option, value]).code == 2

    assert f"argument {option}: must " in (err := capsys.readouterr().err)
    assert rule in err


@pytest.mark.parametrize("pattern", catalog.PATTERNS)
def test_show_prints_the_file_of_the_pattern(pattern: str) -> None:
    """As it is, so that it can be redirected into a file and compiled."""
    said = Said(["compare", "--show", pattern])

    assert said.code == 0
    assert said.out.rstrip("\n") == catalog.source(pattern).rstrip("\n")
    compile(said.out, pattern, "exec")


def test_list_names_every_workload_and_pattern_with_its_card() -> None:
    """On lines of 100 columns at most."""
    said = Said(["compare", "--list"])

    assert said.code == 0
    assert all(f"  {name} " in said.out for name in (*catalog.BUILT_INS, *catalog.PATTERNS))
    assert "keep in mind" in said.out
    assert "a bare atomic" in said.out
    assert max(map(len, said.out.splitlines())) <= 100


@pytest.mark.parametrize("argv", [["--help"], ["compare", "--help"]])
def test_help_ends_with_0(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """And names the verb."""
    assert Said(argv).code == 0
    assert "compare" in capsys.readouterr().out


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    """With a sentence each."""
    Said(["compare", "--help"])
    text = capsys.readouterr().out

    options = ("workers", "patterns", "python", "budget", "json", "emit", "force", "show", "list", "arg", "items")
    assert all(f"--{name}" in text for name in options)
    assert "exit codes: 0 a verdict" in text


def command(*argv: str, missing: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """The installed command in a fresh process, without the modules in ``missing``."""
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({list(missing)!r})); sys.argv[1:] = {list(argv)!r}\n"
        "from fearless._cli import main; sys.exit(main())"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=BOUND, check=False)


def test_without_the_extra_the_command_says_how_to_get_it() -> None:
    """The exact line, for this interpreter, for a release and for a checkout."""
    done = command("compare", "--list", missing=["rich"])

    assert done.returncode == 2
    assert done.stdout == ""
    assert "error: this command needs the extra 'lab' (rich is not installed)\n" in done.stderr
    assert "-m pip install 'fearless[lab]'\n" in done.stderr
    assert "-m pip install '.[lab]'\n" in done.stderr
    assert "Traceback" not in done.stderr


def test_with_the_extra_the_command_hands_over() -> None:
    """To the same command line."""
    done = command("compare", "--list")

    assert done.returncode == 0
    assert "word-index" in done.stdout
    assert done.stderr == ""


def test_the_module_is_the_command() -> None:
    """``python -m fearless`` ends with the same code."""
    argv: list[Any] = [sys.executable, "-m", "fearless", "compare"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=BOUND, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith("error: name a workload")


WORKLOAD = """
from fearless import workload

@workload
class Sums:
    \"\"\"Add up a few numbers.\"\"\"
    count = 4

    def items(self):
        return range(self.count)

    def work(self, item):
        return item

    def start(self):
        return 0
"""


def test_a_workload_of_ones_own_goes_all_the_way(tmp_path: Path) -> None:
    """Really measured, in processes of their own: a report on stdout, a record in the file."""
    (tmp_path / "job.py").write_text(WORKLOAD)
    options = ["--arg", "count=5", "--patterns", "threads", "--budget", "20", "--json", "record.json"]
    done = subprocess.run(
        [sys.executable, "-m", "fearless", "compare", "job.py", *options],
        capture_output=True,
        text=True,
        timeout=BOUND,
        check=False,
        cwd=tmp_path,
    )
    record = Record.read(tmp_path / "record.json")

    assert done.returncode in {0, 1}, done.stderr
    assert done.stdout.startswith("Sums: Add up a few numbers (5 items; count=5)\n")
    assert "Verdict: " in done.stdout
    assert {run.pattern for run in record.runs} == {"serial", "threads"}
    assert all(run.ok for run in record.runs)
    assert record.verdict is not None
