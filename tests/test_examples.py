"""Every example of the guide runs and prints what it says it prints: programs, the blocks of pages, and docstrings.

Whether an example is a good one is not judged here.
"""

import ast
import doctest
import inspect
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest

import fearless
from tests.plugins.sources import ROOT

PROGRAMS = sorted((ROOT / "guide/examples").glob("*.py"))
PAGES = sorted((ROOT / "guide/docs").rglob("*.md"))
REFERENCE = sorted((ROOT / "guide/docs/reference").glob("*.md"))
NAMES = [name for name in fearless.__all__ if ">>>" in (getattr(fearless, name).__doc__ or "")]
TESTING = [name for name in fearless.testing.__all__ if ">>>" in (getattr(fearless.testing, name).__doc__ or "")]


def promised(program: Path) -> str:
    """The output that a program's docstring ends with."""
    text = ast.get_docstring(ast.parse(program.read_text(encoding="utf-8"))) or ""
    _, _, block = text.partition("\nPrints:\n\n")
    return textwrap.dedent(block) + "\n"


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_prints_what_its_docstring_promises(program: Path) -> None:
    """It ends well, in time, with that output and without a warning."""
    command = [sys.executable, "-X", "dev", "-W", "error", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (done.stdout, done.stderr, done.returncode) == (promised(program), "", 0)


def sessions(page: Path) -> str:
    """The interactive sessions of a page, one after the other: a page is read from the top."""
    blocks = re.findall(r"^```pycon\n(.*?)^```$", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return "\n".join(blocks)


def failures_of(session: str, name: str) -> list[str]:
    """Run a session that knows `name`, in a namespace of its own; return what came out otherwise than shown."""
    known = {"__name__": "__main__", name: getattr(fearless, name, None)}
    test = doctest.DocTestParser().get_doctest(session, known, name, name, 0)
    reports: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False).run(test, out=reports.append)
    return reports


@pytest.mark.parametrize(
    "page", [page for page in PAGES if sessions(page)], ids=lambda path: str(path.relative_to(ROOT / "guide/docs"))
)
def test_the_sessions_of_a_page_go_as_shown(page: Path) -> None:
    """What stands in a page's `pycon` blocks is what one sees."""
    assert failures_of(sessions(page), page.name) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_example_of_a_docstring_goes_as_shown(name: str) -> None:
    """What stands behind `>>>` in a docstring is what one sees."""
    thing = getattr(fearless, name)
    assert not isinstance(thing, ModuleType)

    assert failures_of(inspect.cleandoc(thing.__doc__), name) == []


def test_a_session_that_goes_otherwise_is_found() -> None:
    """The check sees a wrong result."""
    assert failures_of(">>> 1 + 1\n3\n", "wrong")


@pytest.mark.parametrize("name", TESTING)
def test_the_example_of_a_test_helper_goes_as_shown(name: str) -> None:
    """The same for `fearless.testing`."""
    assert failures_of(inspect.cleandoc(getattr(fearless.testing, name).__doc__), name) == []


@pytest.mark.parametrize("page", REFERENCE, ids=lambda path: path.stem)
def test_a_reference_page_shows_python_only_as_a_session_that_runs(page: Path) -> None:
    """A block that nobody runs goes stale."""
    assert "```python" not in page.read_text(encoding="utf-8")
