"""Interpreters for a comparison: finds them, asks what they are, and sees to it that each has this fearless.

Where it is missing, `build` makes an environment of the same source. Measures nothing.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fearless.lab import build, gil
from fearless.lab._errors import LabError
from fearless.lab.record import Interpreter

OLDEST = (3, 11)
PROBE_SECONDS = 60.0
NAMED = re.compile(r"python3\.(\d+)t?$")

# Runs under an interpreter that may lack fearless; what it prints is one line of JSON. The digest is that of the
# Python sources.
PROBE = """
import sys
sys.path = [folder for folder in sys.path if folder]  # what lies in the current folder is not asked
import json, platform, sysconfig
found = {"executable": sys.executable, "version": platform.python_version(),
         "implementation": platform.python_implementation(), "numbers": list(sys.version_info[:2]),
         "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
         "digest": None, "fearless": None, "why": None}
try:
    import hashlib, pathlib, importlib.metadata, fearless._core
    found["fearless"] = importlib.metadata.version("fearless")
    root = pathlib.Path(fearless.__file__).parent
    files = sorted(root.rglob("*.py"))
    sums = [hashlib.sha256(file.read_bytes()).hexdigest() + file.relative_to(root).as_posix() for file in files]
    found["digest"] = hashlib.sha256("".join(sums).encode()).hexdigest()
except Exception as error:
    found["why"] = f"{type(error).__name__}: {error}"
print(json.dumps(found))
"""


@dataclass(frozen=True, slots=True)
class Probed:
    """What an interpreter says of itself."""

    interpreter: Interpreter
    numbers: tuple[int, int]
    digest: str | None  # of the fearless it has
    why: str | None  # it has none


def interpreters(pythons: Sequence[str], on_note: build.Note | None = None) -> list[Interpreter]:
    """An `Interpreter` for each of ``pythons``, each with this fearless; the running one if none is named.

    A name may be a path, a command, or a version such as ``3.13`` that is found on this machine. ``on_note`` is told
    what takes long.

    Blocks: for minutes where an environment has to be built.
    Raises: `LabError` if an interpreter is not found, too old, or cannot get fearless; it says what is known or what
    to do.
    """
    if not pythons:
        return [running()]
    found = [_with_fearless(probe(locate(name)), on_note or _silent) for name in pythons]
    return _labelled(found)


def running() -> Interpreter:
    """The interpreter that runs this."""
    numbers = sys.version_info
    return Interpreter(
        label=f"{numbers[0]}.{numbers[1]}{'t' if gil.free_threaded() else ''}",
        executable=sys.executable,
        version=platform.python_version(),
        implementation=platform.python_implementation(),
        free_threaded=gil.free_threaded(),
        versions={"fearless": importlib.metadata.version("fearless")},
    )


def locate(name: str) -> str:
    """The path of the interpreter ``name``. Raises: `LabError` with the known ones."""
    if os.sep in name or Path(name).is_file():
        if os.access(name, os.X_OK) and not Path(name).is_dir():
            return str(Path(name).absolute())
        raise LabError(f"there is no interpreter {name!r}; {_listed(known_interpreters())}")
    known = known_interpreters()
    path = (
        shutil.which(name, path=_without_shims())
        or _of_version(name.removeprefix("python"), known)
        or shutil.which(name)
    )
    if path is None:
        raise LabError(f"there is no interpreter {name!r}; {_listed(known)}")
    return path


def known_interpreters() -> dict[str, str]:
    """Name and path of interpreters that are new enough: on PATH, in pyenv, in the cache of free-threaded builds."""
    found: dict[str, str] = {}
    for folder in _without_shims().split(os.pathsep):
        for path in sorted(Path(folder).glob("python3.*")) if folder else []:
            match = NAMED.fullmatch(path.name)
            if match and int(match[1]) >= OLDEST[1] and os.access(path, os.X_OK):
                found.setdefault(path.name, str(path))
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for home in sorted([*pyenv.glob("versions/3.*"), *build.cache().glob("cpython-*")]):
        path = home / "bin" / "python3"
        numbers = re.search(r"3\.(\d+)", home.name)
        if numbers and int(numbers[1]) >= OLDEST[1] and path.exists():
            found.setdefault(home.name.removeprefix("cpython-"), str(path))
    return found


def probe(executable: str) -> Probed:
    """Ask ``executable`` what it is. Raises: `LabError` if it does not say, or is too old."""
    command = [executable, "-c", PROBE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=False)  # noqa: S603  # the user named it
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"{executable} does not run: {error}") from None
    try:
        said = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError, TypeError):
        last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        raise LabError(f"{executable} does not run as a Python: {last[:200]}") from None
    numbers = (int(said["numbers"][0]), int(said["numbers"][1]))
    if numbers < OLDEST:
        raise LabError(f"fearless needs Python {OLDEST[0]}.{OLDEST[1]} or later, {executable} is {said['version']}")
    interpreter = Interpreter(
        label=f"{numbers[0]}.{numbers[1]}{'t' if said['free_threaded'] else ''}",
        executable=said["executable"],
        version=said["version"],
        implementation=said["implementation"],
        free_threaded=said["free_threaded"],
        versions={"fearless": said["fearless"]} if said["fearless"] else {},
    )
    return Probed(interpreter, numbers, said["digest"], said["why"])


def own_digest() -> str:
    """The digest of the Python sources of the fearless that runs this."""
    root = Path(__file__).parents[1]
    files = sorted(root.rglob("*.py"))
    sums = [hashlib.sha256(file.read_bytes()).hexdigest() + file.relative_to(root).as_posix() for file in files]
    return hashlib.sha256("".join(sums).encode()).hexdigest()


def _with_fearless(probed: Probed, on_note: build.Note) -> Interpreter:
    """The interpreter itself if it has this fearless, else the one of an environment that has."""
    if probed.digest == own_digest():
        return probed.interpreter
    made = probe(str(build.environment(probed.interpreter, old_pyo3=_needs_old_pyo3(probed), on_note=on_note)))
    if made.digest != own_digest():
        raise LabError(
            f"{made.interpreter.executable} has another fearless: {made.why or 'the source has changed meanwhile'}"
        )
    return made.interpreter


def _needs_old_pyo3(probed: Probed) -> bool:
    return probed.interpreter.free_threaded and probed.numbers == (3, 13)


def _labelled(found: Sequence[Interpreter]) -> list[Interpreter]:
    """The same interpreters with labels that tell them apart."""
    labels = [one.label for one in found]
    if len(set(labels)) < len(labels):
        labels = [f"{one.version}{'t' if one.free_threaded else ''}" for one in found]
    taken: dict[str, int] = {}
    for index, label in enumerate(labels):
        taken[label] = taken.get(label, 0) + 1
        labels[index] = label if taken[label] == 1 else f"{label}-{taken[label]}"
    return [replace(one, label=label) for one, label in zip(found, labels, strict=True)]


def _of_version(text: str, known: Mapping[str, str]) -> str | None:
    """The path of the newest known interpreter of the version ``text``, such as "3.13" or "3.13t"."""
    if not re.fullmatch(r"3(\.\d+)*t?", text):
        return None
    wanted = text.removesuffix("t").split(".")
    fitting = {}
    for name, path in known.items():
        version = name.removeprefix("python")
        numbers = version.removesuffix("t").split(".")
        if numbers[: len(wanted)] == wanted and version.endswith("t") == text.endswith("t"):
            fitting[tuple(int(one) for one in numbers if one.isdigit())] = path
    return fitting[max(fitting)] if fitting else None


def _without_shims() -> str:
    """PATH without pyenv's shims, which stand for interpreters that may not be switched on."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if Path(folder).name != "shims")


def _listed(known: Mapping[str, str]) -> str:
    return "known here:" + ("".join(f"\n  {name}  {path}" for name, path in known.items()) or " none")


def _silent(_: str) -> None:
    pass
