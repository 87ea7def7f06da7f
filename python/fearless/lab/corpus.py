"""The corpus: the real input of the built-in workloads.

Holds the choice of the files, made once by the process that measures, and the way in which workloads read them. Every
run, under every interpreter, reads the same files.
"""

from __future__ import annotations

import hashlib
import sysconfig
import tokenize
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fearless.lab._errors import WorkloadError
from fearless.lab.record import Corpus

STANDARD_LIBRARY = ""  # the default of the parameter `folder` of a built-in workload
LIMIT_BYTES = 8_000_000
LEFT_OUT = {"site-packages", "test", "tests", "idle_test", "__pycache__"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """The chosen files, sorted by path, and what the record says about them."""

    paths: tuple[str, ...]
    corpus: Corpus


_current: tuple[str, ...] | None = None


def use(paths: Iterable[str]) -> None:
    """Make ``paths`` what `files` gives in this process. Thread safety: call it before any workload runs."""
    global _current  # noqa: PLW0603  # one choice for a process, made before anything runs
    _current = tuple(paths)


def files(folder: str = STANDARD_LIBRARY) -> Sequence[str]:
    """The paths of the corpus; chosen now from ``folder`` if nobody chose before."""
    return _current if _current is not None else choose(folder).paths


def choose(folder: str = STANDARD_LIBRARY) -> Chosen:
    """The first `LIMIT_BYTES` of ``.py`` files in ``folder``, or in the standard library, by sorted path.

    Left out: packages installed beside the standard library, tests, and files that do not decode.

    Raises: `WorkloadError` if there is no such file.
    """
    paths, digest, total = listing(folder), hashlib.sha256(), 0
    if not paths:
        raise WorkloadError(f"no Python file found in {folder or sysconfig.get_path('stdlib')}")
    for path in paths:
        content = Path(path).read_bytes()
        digest.update(content)
        total += len(content)
    return Chosen(tuple(paths), Corpus(files=len(paths), bytes=total, sha256=digest.hexdigest()))


def listing(folder: str = STANDARD_LIBRARY) -> list[str]:
    """The paths of the Python files in ``folder``, sorted, up to the limit of bytes."""
    root = Path(folder or sysconfig.get_path("stdlib"))
    paths, total = [], 0
    for path in sorted(root.rglob("*.py")):
        if LEFT_OUT & set(path.relative_to(root).parts) or not _decodes(path):
            continue
        total += path.stat().st_size
        if total > LIMIT_BYTES:
            break
        paths.append(str(path))
    return paths


def read_text(path: str) -> str:
    """The text of a Python file, decoded as Python would."""
    with tokenize.open(path) as file:
        return file.read()


def _decodes(path: Path) -> bool:
    try:
        read_text(str(path))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return False
    return True
