"""Errors of the lab, and the user's own traceback without our frames. Prints nothing."""

from __future__ import annotations

import os
import re
import sysconfig
import traceback
from pathlib import Path

OURS = str(Path(__file__).parents[1]) + os.sep
STANDARD_LIBRARY = sysconfig.get_path("stdlib") + os.sep
BETWEEN = frozenset(
    {"concurrent", "importlib", "multiprocessing", "threading.py"}
)  # of the standard library, on the way
FRAME = re.compile(r'^ *File "([^"]+)", line \d+, in ')


class LabError(Exception):
    """Something the user can put right: the text says what, and how."""


class WorkloadError(LabError):
    """A workload that cannot be found, loaded or run. ``trace`` is the user's own, or None."""

    def __init__(self, text: str, trace: str | None = None) -> None:
        super().__init__(text)
        self.trace = trace

    def __str__(self) -> str:
        text = str(self.args[0])
        return f"{text}\n\n{self.trace.rstrip()}" if self.trace else text


def user_traceback(error: BaseException) -> str:
    """The traceback of ``error`` with only the frames of the user's code; all frames if there are no others.

    A group of one error is shown as that error, and so is an error that another process raised.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    cause = error.__cause__
    remote = getattr(cause, "tb", None)  # concurrent.futures' note of what happened in the other process
    if isinstance(remote, str):
        return _without_our_frames(remote.strip().strip('"').strip()) + "\n"
    return _without_our_frames("".join(traceback.format_exception(error)).rstrip()) + "\n"


def _without_our_frames(text: str) -> str:
    kept: list[str] = []
    skipping = False
    frames = 0
    for line in text.splitlines():
        frame = FRAME.match(line)
        if frame:
            skipping = _is_ours(frame[1])
            frames += not skipping
        elif not line.startswith("    "):
            skipping = False
        if not skipping:
            kept.append(line)
    return "\n".join(kept) if frames else text


def _is_ours(filename: str) -> bool:
    """True for frames on the way from the lab to the user's code; a built-in workload stands for the user's."""
    if filename.startswith(OURS):
        return not filename.startswith(os.path.join(OURS, "lab", "workloads"))  # noqa: PTH118  # both are text
    if filename.startswith(STANDARD_LIBRARY):
        return Path(filename.removeprefix(STANDARD_LIBRARY)).parts[0] in BETWEEN
    return filename.startswith("<frozen ")
