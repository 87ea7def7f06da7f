"""The scripts that find and set up interpreters. What takes minutes (a build of CPython) is run by CI itself."""

import importlib.util
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from tests.plugins.sources import ROOT

BOUND = 60  # seconds


def load(path: str) -> ModuleType:
    """Import a script, which has no suffix, without running it."""
    name = path.rpartition("/")[2].replace("-", "_")
    spec = importlib.util.spec_from_loader(name, SourceFileLoader(name, str(ROOT / path)))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(path: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script with the interpreter of the tests."""
    return subprocess.run(
        [sys.executable, ROOT / path, *arguments], capture_output=True, text=True, timeout=BOUND, check=False
    )


@pytest.fixture(autouse=True)
def no_compiled_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing a script leaves nothing beside it."""
    monkeypatch.setattr(sys, "dont_write_bytecode", True)


def test_an_apt_source_is_read_with_its_key() -> None:
    """A comment is skipped, and a key that spans lines stays whole."""
    text = (
        "# where from\nTypes: deb\n# old\nURIs: mirror/debian\nSigned-By:\n -----BEGIN\n .\n -----END\n\nTypes: deb\n"
    )

    first, second = load("scripts/free-threaded").stanzas(text)

    assert first == {"types": "deb", "uris": "mirror/debian", "signed-by": "\n -----BEGIN\n .\n -----END"}
    assert second == {"types": "deb"}


def test_the_older_form_of_apt_sources_is_read() -> None:
    """Options stand in brackets, if there are any."""
    text = "# deb gone stable main\ndeb [arch=amd64 signed-by=/key] mirror/debian sid main\ndeb other/debian sid main\n"

    found = list(load("scripts/free-threaded").one_liners(text))

    assert found == [{"uris": "mirror/debian", "signed-by": "/key"}, {"uris": "other/debian", "signed-by": ""}]


def test_releases_are_tried_by_number_and_never_before_they_are_released(monkeypatch: pytest.MonkeyPatch) -> None:
    """3.13.10 is newer than 3.13.9, and a pre-release is none."""
    script = load("scripts/free-threaded")
    listing = "".join(
        f"Package: python3.13\nVersion: {v}\n" for v in ("3.13.9-1+deb13u5", "3.13.10-2", "3.13.11~rc1-1")
    )
    monkeypatch.setattr(script.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0, listing, ""))

    assert script.versions([], "python3.13") == ["3.13.10-2", "3.13.9-1+deb13u5"]


def test_an_interpreter_that_was_named_but_will_not_do_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The output stays empty, so that nothing goes on with a wrong interpreter."""
    monkeypatch.setenv("FEARLESS_FREE_THREADED", "/nowhere/python")

    done = run("scripts/free-threaded")

    assert (done.returncode, done.stdout) == (1, "")
    assert "FEARLESS_FREE_THREADED=/nowhere/python cannot be used" in done.stderr


def test_an_unfinished_build_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a build that was checked and marked counts; of two, the newer."""
    script = load("scripts/free-threaded")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for version in ("3.13.9", "3.13.15", "3.14.2"):
        folder = tmp_path / "fearless" / f"cpython-{version}t"
        folder.mkdir(parents=True)
        (folder / "python").symlink_to(sys.executable)
        if version != "3.14.2":
            (folder / ".complete").write_text("python\n")

    assert script.cached() == tmp_path / "fearless" / "cpython-3.13.15t" / "python"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["/nowhere/python"], "/nowhere/python does not run"),
        ([sys.executable, "--extras", "tset"], "no extra named tset; there are"),
    ],
)
def test_a_wrong_argument_for_an_environment_is_explained(arguments: list[str], message: str) -> None:
    """Nothing is built, and the output stays empty."""
    done = run("scripts/environment", *arguments)

    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr


def test_the_interpreters_of_the_machine_are_listed_once_each() -> None:
    """Every path is another version, and a version that is named is left out."""
    paths = run(".ci/interpreters").stdout.splitlines()
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    versions = [subprocess.check_output([path, "-c", ask], text=True, timeout=BOUND).strip() for path in paths]

    assert len(set(versions)) == len(versions)
    assert run(".ci/interpreters", *versions).stdout == ""
