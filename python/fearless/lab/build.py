"""Builds an environment with this fearless for another interpreter, from the source that this one was installed from.

Environments are kept in the cache, and built again when the source changes. Finds and probes nothing; see
`environments`.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse
from urllib.request import url2pathname

from fearless.lab._errors import LabError
from fearless.lab.record import Interpreter

PARTS = ("Cargo.toml", "Cargo.lock", "LICENSE-*", "README.md", "crates", "pyproject.toml", "python")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd", "target", "*.egg-info")
OLD_PYO3 = "0.28.3"  # the last release that builds for free-threaded 3.13
LAST_LINES = 15

Note = Callable[[str], None]


def cache() -> Path:
    """The folder in which fearless keeps what is costly to make."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fearless"


def source_folder() -> Path | None:
    """The folder that this fearless was installed from, if it still has the source."""
    folders = [Path(__file__).resolve().parents[3]]
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        text = importlib.metadata.distribution("fearless").read_text("direct_url.json")
        url = urlparse(json.loads(text)["url"]) if text else None
        if url is not None and url.scheme == "file":
            folders.insert(0, Path(url2pathname(unquote(url.path))))
    return next(
        (folder for folder in folders if (folder / "crates").is_dir() and (folder / "pyproject.toml").is_file()), None
    )


def environment(interpreter: Interpreter, *, old_pyo3: bool, on_note: Note) -> Path:
    """The python of an environment for ``interpreter`` with this fearless in it, built if need be.

    ``on_note`` is told before a build begins.

    Blocks: for minutes if it has to be built.
    Raises: `LabError` with what failed, or with the line that installs fearless where there is no source to build from.
    """
    source = source_folder()
    if source is None:
        raise LabError(_advice(interpreter))
    name = hashlib.sha256(f"{interpreter.executable} {interpreter.version}".encode()).hexdigest()[:8]
    home = cache() / "environments" / f"lab-{interpreter.label}-{name}"
    home.mkdir(parents=True, exist_ok=True)
    with _locked(home):
        return _refreshed(interpreter, source, home, old_pyo3=old_pyo3, on_note=on_note)


def _refreshed(interpreter: Interpreter, source: Path, home: Path, *, old_pyo3: bool, on_note: Note) -> Path:
    """The environment in ``home``, up to date with ``source``."""
    venv, tree, stamp = home / "venv", home / "tree", home / "stamp"
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    wanted = _digest(source)
    if python.exists() and stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return python
    on_note(f"Python {interpreter.label} lacks this fearless: building an environment for it, which takes minutes")
    stamp.unlink(missing_ok=True)
    _copy(source, tree)
    if old_pyo3:
        _step_back(tree)
    if not python.exists():
        _run([interpreter.executable, "-m", "venv", "--clear", str(venv)], interpreter)
    install = [
        str(python),
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--force-reinstall",
        "--no-deps",
        str(tree),
    ]
    _run(install, interpreter, target=home / "target")
    stamp.write_text(wanted, encoding="ascii")
    return python


def _copy(source: Path, tree: Path) -> None:
    """A fresh copy of what makes the package; times are kept, so that only what changed is compiled again."""
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir()
    for pattern in PARTS:
        for part in source.glob(pattern):
            if part.is_dir():
                shutil.copytree(part, tree / part.name, ignore=LEFT_OUT)
            else:
                shutil.copy2(part, tree)


def _step_back(tree: Path) -> None:
    """Lock the last PyO3 that free-threaded 3.13 can use, in the copy."""
    lock = (tree / "Cargo.lock").read_text(encoding="utf-8")
    for name in ("pyo3", "pyo3-build-config"):
        for version in re.findall(rf'name = "{name}"\nversion = "([^"]+)"', lock):
            _run(["cargo", "update", f"{name}@{version}", "--precise", OLD_PYO3], None, folder=tree)


def _digest(source: Path) -> str:
    """A digest that changes with any file of the source."""
    digest = hashlib.sha256()
    for pattern in PARTS:
        for part in sorted(source.glob(pattern)):
            for file in sorted(part.rglob("*")) if part.is_dir() else [part]:
                if (
                    file.is_file()
                    and file.suffix not in {".pyc", ".so", ".pyd"}
                    and "target" not in file.parts[len(source.parts) :]
                ):
                    digest.update(f"{file.relative_to(source)} ".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _run(
    command: list[str], interpreter: Interpreter | None, *, folder: Path | None = None, target: Path | None = None
) -> None:
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    if target is not None:
        env["CARGO_TARGET_DIR"] = str(target)
    try:
        done = subprocess.run(  # noqa: S603  # our own commands
            command,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except FileNotFoundError:
        raise LabError(f"{command[0]} was not found: building fearless needs a Rust toolchain (cargo)") from None
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).rstrip().splitlines()[-LAST_LINES:])
        hint = f"\n\n{_advice(interpreter)}" if interpreter is not None else ""
        raise LabError(f"`{shlex.join(command)}` ended with code {done.returncode}:\n{said}{hint}")


def _advice(interpreter: Interpreter) -> str:
    """The exact line that gives ``interpreter`` this fearless."""
    version = importlib.metadata.version("fearless")
    source = source_folder()
    what = shlex.quote(str(source)) if source is not None else f"fearless=={version}"
    line = f"{shlex.quote(interpreter.executable)} -m pip install {what}"
    return (
        f"Python {interpreter.version} does not have this build of fearless {version}; "
        f"install it, and name it again: {line}"
    )


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[None]:
    """One build at a time in ``home``, where the system has file locks."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with (home / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
