"""Interpreters by name, and an environment for one that has no fearless."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from fearless.lab import build, environments
from fearless.lab._errors import LabError
from fearless.lab.record import Interpreter


def unheard(_: str) -> None:
    """Take a note that the test does not look at."""


def fake(path: Path, script: str) -> Path:
    """An executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with a few interpreters, none of which runs."""
    for name in ("bin/python3.12", "bin/python3.9", "shims/python3.13", "pyenv/versions/3.13.0/bin/python3"):
        fake(tmp_path / name, "exit 3")
    fake(tmp_path / "pyenv/versions/3.13.2/bin/python3", "exit 3")
    fake(tmp_path / "cache/fearless/cpython-3.13.1t/bin/python3", "exit 3")
    monkeypatch.setenv("PATH", f"{tmp_path / 'shims'}{os.pathsep}{tmp_path / 'bin'}")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_without_a_name_it_is_the_running_one() -> None:
    """And nothing is started to find that out."""
    (found,) = environments.interpreters([])

    assert found.executable == sys.executable
    assert found.version == sys.version.split()[0]
    assert found.label.startswith(f"3.{sys.version_info[1]}")


def test_the_running_one_by_its_path_is_taken_as_it_is() -> None:
    """It has this fearless, so nothing is built."""
    (found,) = environments.interpreters([sys.executable])

    assert found.executable == sys.executable


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("python3.12", "bin/python3.12"),
        ("3.12", "bin/python3.12"),
        ("3.13", "pyenv/versions/3.13.2/bin/python3"),
        ("python3.13", "pyenv/versions/3.13.2/bin/python3"),
        ("3.13.0", "pyenv/versions/3.13.0/bin/python3"),
        ("3.13t", "cache/fearless/cpython-3.13.1t/bin/python3"),
        ("python3.13t", "cache/fearless/cpython-3.13.1t/bin/python3"),
    ],
)
def test_an_interpreter_is_found_by_name_or_version(machine: Path, name: str, path: str) -> None:
    """On PATH, in pyenv, in the cache; a shim that may be switched off comes last."""
    assert environments.locate(name) == str(machine / path)


@pytest.mark.parametrize("name", ["3.14", "python3.14t", "pypy", "./python", "3.12t"])
def test_an_unknown_interpreter_lists_the_known(machine: Path, name: str) -> None:
    """All that are new enough, with their paths."""
    with pytest.raises(LabError) as caught:
        environments.locate(name)

    text = str(caught.value)
    assert text.startswith(f"there is no interpreter {name!r}; known here:")
    assert str(machine / "bin/python3.12") in text
    assert "3.13.1t" in text
    assert "python3.9" not in text


def test_what_is_no_python_is_said(tmp_path: Path) -> None:
    """With its last words."""
    path = fake(tmp_path / "python3.99", "echo not here >&2; exit 3")

    with pytest.raises(LabError, match="does not run as a Python: not here"):
        environments.interpreters([str(path)])


def test_a_python_that_is_too_old_is_said(tmp_path: Path) -> None:
    """With both versions."""
    path = fake(tmp_path / "python", 'echo \'{"numbers": [3, 10], "version": "3.10.1"}\'')

    with pytest.raises(LabError, match=r"needs Python 3\.11 or later, .* is 3\.10\.1"):
        environments.interpreters([str(path)])


def test_labels_tell_interpreters_apart() -> None:
    """By the least that does."""
    threes = [Interpreter("3.13", "a", "3.13.0"), Interpreter("3.13t", "b", "3.13.1", free_threaded=True)]
    alike = [Interpreter("3.13", "a", "3.13.0"), Interpreter("3.13", "b", "3.13.1"), Interpreter("3.13", "c", "3.13.0")]

    assert [one.label for one in environments._labelled(threes)] == ["3.13", "3.13t"]
    assert [one.label for one in environments._labelled(alike)] == ["3.13.0", "3.13.1", "3.13.0-2"]


BACKEND = """
import zipfile

def build_wheel(folder, settings=None, metadata=None):
    name = "fearless-0.1.0-py3-none-any.whl"
    info = "fearless-0.1.0.dist-info"
    files = {
        "fearless.py": open("python/fearless.py").read(),
        f"{info}/METADATA": "Metadata-Version: 2.1\\nName: fearless\\nVersion: 0.1.0\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    record = "".join(f"{path},,\\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        for path, text in {**files, f"{info}/RECORD": record}.items():
            wheel.writestr(path, text)
    return name
"""


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source tree that builds without network and compiler."""
    folder = tmp_path / "source"
    for path, text in {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["crates"]\n',
        "crates/backend.py": textwrap.dedent(BACKEND),
        "python/fearless.py": "number = 1\n",
        "Cargo.lock": '[[package]]\nname = "pyo3"\nversion = "0.29.2"\n',
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    monkeypatch.setattr(build, "source_folder", lambda: folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def number(python: Path) -> str:
    """What the fearless of an environment says."""
    code = "import fearless; print(fearless.number)"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def test_an_environment_is_built_once_and_again_when_the_source_changes(source: Path) -> None:
    """The cache is asked first, by the digest of the source."""
    here = environments.running()

    notes: list[str] = []

    python = build.environment(here, old_pyo3=False, on_note=notes.append)
    assert number(python) == "1"
    assert build.environment(here, old_pyo3=False, on_note=notes.append) == python
    assert len(notes) == 1

    (source / "python/fearless.py").write_text("number = 2\n")
    assert number(build.environment(here, old_pyo3=False, on_note=notes.append)) == "2"
    assert len(notes) == 2


def test_a_build_that_fails_tells_what_was_said_and_what_to_do(source: Path, tmp_path: Path) -> None:
    """The last lines of the tool, and the line that installs fearless by hand."""
    here = environments.running()
    venv = fake(
        tmp_path / "python", 'mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; echo no compiler here; [ "$2" = venv ]'
    )

    with pytest.raises(LabError) as caught:
        build.environment(replace(here, executable=str(venv)), old_pyo3=False, on_note=unheard)

    assert "ended with code 1:\nno compiler here" in str(caught.value)
    assert f"{venv} -m pip install {source}" in str(caught.value)


def test_without_source_it_says_how_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exact line."""
    monkeypatch.setattr(build, "source_folder", lambda: None)

    with pytest.raises(LabError, match=r"install it, and name it again: .* -m pip install fearless==\d"):
        build.environment(environments.running(), old_pyo3=False, on_note=unheard)


def test_free_threaded_3_13_gets_an_older_pyo3(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the copy; the lock file of the source stays as it is."""
    ran: list[list[str]] = []
    before = (source / "Cargo.lock").read_text()
    monkeypatch.setattr(build, "_run", lambda command, *_, **__: ran.append(command))

    build.environment(environments.running(), old_pyo3=True, on_note=unheard)

    assert ["cargo", "update", "pyo3@0.29.2", "--precise", build.OLD_PYO3] in ran
    assert (source / "Cargo.lock").read_text() == before


def test_the_source_of_this_fearless_is_known() -> None:
    """It was installed from a folder that has pyproject.toml and crates, or there is none to build from."""
    found = build.source_folder()

    assert found is None or ((found / "pyproject.toml").is_file() and (found / "crates").is_dir())
