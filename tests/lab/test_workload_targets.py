"""From a name to a job: built-ins, files, modules, plain functions, parameters, and every way to get it wrong."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest

from fearless.lab import corpus
from fearless.lab._errors import WorkloadError
from fearless.lab.job import Job
from fearless.lab.resolve import Target, resolve
from tests.lab import tiny

FUNCTIONS = """
import os.path

def size(path):
    \"\"\"Bytes of a file.\"\"\"
    return os.path.getsize(path)

def other(path):
    return path
"""

NO_UPDATE = """
from fearless import workload

@workload
class Lists:
    def items(self):
        return [1]

    def work(self, item):
        return item

    def start(self):
        return []
"""


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a test imports is forgotten after it, and its folder is the current one."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", sys.modules.copy())
    monkeypatch.chdir(tmp_path)


def job(name: str, items: str | None = None, **args: str) -> Job:
    """The job that the command line would name so."""
    return resolve(Target(name, args, items))


def test_a_file_with_one_workload_needs_no_name(tmp_path: Path) -> None:
    """And with a name it is the same."""
    path = tiny.write(tmp_path, tiny.SQUARES)

    assert job(path).items() == job(f"{path}:Squares").items() == list(range(6))


def test_a_module_is_found_from_the_current_folder(tmp_path: Path) -> None:
    """As `python -m` would find it."""
    tiny.write(tmp_path, tiny.SQUARES, "shapes.py")

    assert job("shapes:Squares").name == "Squares"


def test_a_plain_function_takes_paths(tmp_path: Path) -> None:
    """Strings, sorted; the result is the list of parts, so there is no state."""
    path = tiny.write(tmp_path, FUNCTIONS)
    for name in ("b.txt", "a.txt"):
        (tmp_path / name).write_text(name)

    found = job(f"{path}:size", items="*.txt")

    assert found.items() == ["a.txt", "b.txt"]
    assert (found.state, found.work("a.txt"), found.summary) == ("none", 5, "Bytes of a file.")


def test_a_parameter_gets_the_type_of_its_default(tmp_path: Path) -> None:
    """An int stays an int; a bool takes the usual words."""
    source = tiny.SQUARES.replace("size = 6", "size = 6\n    fast = True\n    rate = 0.5\n    title = 'x'")
    path = tiny.write(tmp_path, source)

    assert job(path, size="2", fast="no", rate="2", title="5").parameters == {
        "size": 2,
        "fast": False,
        "rate": 2.0,
        "title": "5",
    }


def test_a_job_is_sent_to_another_process_by_its_target(tmp_path: Path) -> None:
    """Not as its objects: the class lives in a file that no import finds there."""
    path = tiny.write(tmp_path, tiny.SQUARES)

    again = pickle.loads(pickle.dumps(job(path, size="2")))  # noqa: S301  # what the process pool does

    assert again.items() == [0, 1]


def test_a_built_in_reads_the_files_that_were_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that every process reads the same."""
    monkeypatch.setattr(corpus, "_current", None)
    corpus.use([tiny.write(tmp_path, "x = 1\n")])

    assert job("line-metrics").items() == ["x = 1\n"]


MISTAKES = [
    ("nothing", "", {}, "there is no workload 'nothing'; known: word-index, checksum, line-metrics, pipeline"),
    ("missing.py", "", {}, "there is no file missing.py"),
    ("job.py:Nobody", tiny.SQUARES, {}, "job.py has no 'Nobody'; it has Squares"),
    ("job.py", FUNCTIONS, {}, "job.py has no workload: no class is marked with @workload; a plain function will do"),
    ("job.py:size", FUNCTIONS, {}, "size is a plain function: give its items with --items"),
    ("job.py", tiny.SQUARES + tiny.SQUARES.replace("Squares", "Other"), {}, "name one: job.py:Squares, job.py:Other"),
    ("job.py", tiny.SQUARES, {"big": "1"}, "workload Squares has no parameter 'big'; it has: size"),
    ("job.py", tiny.SQUARES, {"size": "many"}, "--arg size must be a whole number, got 'many'"),
    ("job.py:x", "x = 5", {}, "must be a workload or a function, got 5"),
    ("job.py:Plain", "class Plain: pass", {}, "is a class that is not marked with @workload"),
    ("absent_module:Name", "", {}, "absent_module does not import"),
    ("job.py", NO_UPDATE, {}, "workload Lists must have update(self, state, part), unless its state is an int"),
]


@pytest.mark.parametrize(("name", "source", "args", "message"), MISTAKES, ids=[one[3][:40] for one in MISTAKES])
def test_a_mistake_is_named(name: str, source: str, args: dict[str, str], message: str, tmp_path: Path) -> None:
    """With what is known, or with the rule and the value."""
    if source:
        tiny.write(tmp_path, source)

    with pytest.raises(WorkloadError) as caught:
        job(name, **args)

    assert message in str(caught.value)


def test_a_file_that_does_not_import_shows_its_own_traceback(tmp_path: Path) -> None:
    """The frames of the lab and of the import system are left out."""
    tiny.write(tmp_path, "def broken():\n    return 1 / 0\n\nbroken()\n")

    with pytest.raises(WorkloadError) as caught:
        job("job.py")

    text = str(caught.value)
    assert text.startswith("job.py does not import")
    assert "in broken" in text
    assert text.endswith("ZeroDivisionError: division by zero")
    assert "fearless" not in text
    assert "importlib" not in text


def test_items_that_match_nothing_are_a_mistake(tmp_path: Path) -> None:
    """Not an empty run."""
    path = tiny.write(tmp_path, FUNCTIONS)

    with pytest.raises(WorkloadError, match=r"--items '\*.none' matches no file"):
        job(f"{path}:size", items="*.none")


def test_items_are_for_functions_alone(tmp_path: Path) -> None:
    """A workload has items of its own."""
    path = tiny.write(tmp_path, tiny.SQUARES)

    with pytest.raises(WorkloadError, match="--items is for a plain function"):
        job(path, items="*.py")


def test_no_items_are_a_mistake(tmp_path: Path) -> None:
    """A run of nothing is fast under every pattern."""
    path = tiny.write(tmp_path, tiny.SQUARES)

    with pytest.raises(WorkloadError, match=r"items\(\) gave nothing"):
        job(path, size="0").items()
