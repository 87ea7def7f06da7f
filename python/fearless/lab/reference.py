"""Compares the result of a run with that of the first serial run, which leaves it in a file for the others."""

from __future__ import annotations

import array
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fearless.lab.job import Job
from fearless.lab.result import Canonical, canonical, difference


@dataclass(frozen=True, slots=True)
class Compared:
    """The fields of a `Run` that are about its result."""

    result_sha256: str
    equal: bool | None
    difference: str | None


def compare(job: Job, result: Any, path: Path, *, write: bool) -> Compared:
    """Is ``result`` right? By the workload's own check if it has one, else by the reference in ``path``.

    With ``write``, ``result`` becomes the reference.
    """
    form = canonical(result)
    if write:
        _write(path, form, result)
    if "check" in job.methods:
        wrong = job.check(result)
        return Compared(form.sha256, wrong is None, wrong)
    if write:
        return Compared(form.sha256, equal=True, difference=None)
    if not path.exists():
        return Compared(form.sha256, equal=None, difference=None)
    return _compare(form, result, path)


def _compare(form: Canonical, result: Any, path: Path) -> Compared:
    sha256, floats, pickled = pickle.loads(path.read_bytes())  # noqa: S301  # written by our serial run
    if form.equals(Canonical(sha256, array.array("d", floats))):
        return Compared(form.sha256, equal=True, difference=None)
    text = difference(result, pickle.loads(pickled)) if pickled else None  # noqa: S301  # same
    return Compared(form.sha256, equal=False, difference=text or "the result differs from the serial one")


def _write(path: Path, form: Canonical, result: Any) -> None:
    try:
        pickled = pickle.dumps(result)
    except Exception:  # noqa: BLE001  # a result of the user's own kind: differences then have no place, only a name
        pickled = None
    path.write_bytes(pickle.dumps((form.sha256, form.floats.tobytes(), pickled)))
