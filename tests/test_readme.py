"""What the README and the guide promise: code that runs, commands as they are, links that lead to a file."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fearless.lab.job import Job
from fearless.lab.resolve import Target, resolve
from tests.plugins.sources import ROOT

README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "guide/docs").glob("*.md"))]
BOUND = 60.0  # seconds that an example may take

COMMANDS = [
    "python3 -m venv .venv && .venv/bin/python -m pip install '.[lab]' && .venv/bin/fearless compare word-index",
    "python3 -m venv .venv && .venv/bin/python -m pip install '.[lab,test]' && .venv/bin/python -m pytest",
]


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a page that are in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_stand_in_the_readme_as_they_are(command: str) -> None:
    """Each is a block of its own, to be copied whole."""
    assert f"{command}\n" in blocks(README, "sh")


@pytest.mark.parametrize("number", range(5))
def test_an_example_of_the_readme_runs(number: int, tmp_path: Path) -> None:
    """Alone, in a fresh interpreter, as a reader would paste it; its assertions hold."""
    example = blocks(README, "python")[number]
    file = tmp_path / "example.py"
    file.write_text(example, encoding="utf-8")
    command = [sys.executable, "-W", "error", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BOUND, check=False)

    assert "assert" in example
    assert (done.returncode, done.stderr) == (0, "")


def test_no_example_of_the_readme_is_left_out() -> None:
    """The numbers above are those of all blocks."""
    assert len(blocks(README, "python")) == 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_of_the_repository(page: Path) -> None:
    """Every link of a page that is no address elsewhere."""
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    inside = [link for link in links if not link.startswith("https://")]

    assert links
    assert [link for link in inside if not (page.parent / link).exists()] == []


def workload(number: int, folder: Path) -> Job:
    """Return a workload of the page about compare, with its parameter set as the page does."""
    examples = [block for block in blocks(ROOT / "guide/docs/compare.md", "python") if "@workload" in block]
    (folder / "job.py").write_text(examples[number], encoding="utf-8")
    (folder / "lib").mkdir()
    (folder / "lib/module.py").write_text("x = 1\ny = 2\n\n", encoding="utf-8")
    return resolve(Target(str(folder / "job.py"), {"folder": str(folder / "lib")}))


def test_the_workload_of_the_guide_runs(tmp_path: Path) -> None:
    """The class with a state that can be joined."""
    job = workload(0, tmp_path)
    parts = [job.work(item) for item in job.items()]
    state = job.update(job.start(), parts[0])

    assert job.state == "merge"
    assert job.merge(state, job.start()) == {5: 2, 0: 1}


def test_the_stages_of_the_guide_run(tmp_path: Path) -> None:
    """The class whose work has steps."""
    job = workload(1, tmp_path)
    (item,) = job.items()

    assert job.stage_names == ("read_bytes", "pack", "len")
    assert job.work(item) == len(gzip.compress(b"x = 1\ny = 2\n\n"))
