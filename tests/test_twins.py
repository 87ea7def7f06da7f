"""The programs that the guide shows in Python and in Rust do the same: one corpus, one output.

Whether a pair is a good example is not judged here, and the patterns of the lab have their twins in `test_guide.py`.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugins.sources import ROOT
from tests.support.rust import cargo

FOLDER = ROOT / "guide/examples/twins"
RUST = ROOT / "crates/fearless-patterns/examples"
JOB = "words"  # what all of them count; its twin is in the sources of the crate
SHAPES = {"pipeline": "channel"}  # programs whose Rust is that of another
PROGRAMS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != JOB)
PAGES = [str(path) for path in sorted((ROOT / "guide/docs").glob("*.md"))]


def python(name: str, *files: str) -> str:
    """What the Python of a pair prints, without a warning."""
    command = [sys.executable, "-B", "-X", "dev", "-W", "error", str(FOLDER / f"{name}.py"), *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout


def rust(name: str, *files: str) -> str:
    """What the Rust of a pair prints."""
    return cargo("run", "--example", SHAPES.get(name, name), "--", *files)


@pytest.fixture
def corpus(tmp_path: Path) -> list[str]:
    """The pages of the guide, and a text with what is easily counted wrong."""
    text = tmp_path / "odd.txt"
    text.write_text(f"it's 2 über-long_words\r\n{'x' * 40}\n", encoding="utf-8", newline="")
    return [*PAGES, str(text)]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_pair_prints_the_same(name: str, corpus: list[str]) -> None:
    """The same digest and the same number of words, which is not zero."""
    printed = python(name, *corpus)

    assert rust(name, *corpus) == printed
    assert int(printed.split()[1]) > len(corpus)


def test_every_pair_comes_to_the_same_totals(corpus: list[str]) -> None:
    """They differ in how the parts come together, not in what comes of it."""
    assert len({python(name, *corpus) for name in PROGRAMS}) == 1


def test_a_word_more_is_another_digest(corpus: list[str]) -> None:
    """What is compared can differ."""
    assert python(PROGRAMS[0], *corpus) != python(PROGRAMS[0], *corpus, corpus[-1])


def test_both_listeners_tell_what_cannot_be_read(corpus: list[str], tmp_path: Path) -> None:
    """A file that is no text, and one that there is not; the rest is counted."""
    no_text, nowhere = tmp_path / "no_text", tmp_path / "nowhere"
    no_text.write_bytes(b"\xff\xfe")

    printed = python("listen", str(nowhere), *corpus, str(no_text))

    assert printed == f"{python('listen', *corpus)}cannot be read: {no_text}\ncannot be read: {nowhere}\n"
    assert rust("listen", str(nowhere), *corpus, str(no_text)) == printed


def test_a_failure_stops_both(corpus: list[str], tmp_path: Path) -> None:
    """And is told, instead of totals that lack something."""
    nowhere = str(tmp_path / "nowhere")

    printed = python("cancellation", *corpus, nowhere, *corpus)

    assert printed == f"stopped: {nowhere} cannot be read\n"
    assert rust("cancellation", *corpus, nowhere, *corpus) == printed


def test_every_program_has_its_twin() -> None:
    """By its name, or by the name of the one whose shape it has."""
    assert [name for name in PROGRAMS if not (RUST / f"{SHAPES.get(name, name)}.rs").is_file()] == []
    assert {path.stem for path in RUST.glob("*.rs")} == {JOB, *PROGRAMS} - set(SHAPES)
