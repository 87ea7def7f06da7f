"""Starts children, waits for their answers, and sees to it that nothing of them is left."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

GRACE_SECONDS = 0.3  # between the polite and the final signal
LAST_LINES = 20


def ask(
    executable: str, orders: Mapping[str, Any], *, timeout: float | None = None, within: Path | None = None
) -> dict[str, Any]:
    """The answer of a fresh process of ``executable`` to ``orders``; it has ``error`` if there is no better one.

    Blocks: until the answer, for ``timeout`` seconds at the most. Whatever ends the wait, Ctrl-C included, the child
    and all that it started have ended when this returns or raises. The files that it leaves its answer in are made in
    ``within``, and removed. If this process is killed over it, the child removes them, with all of ``within``.
    """
    with tempfile.TemporaryDirectory(prefix="fearless-run-", dir=within, ignore_cleanup_errors=True) as folder:
        scratch = Path(folder)
        full = {**orders, "answer": str(scratch / "answer.json"), "peaks": folder, "folder": str(within or scratch)}
        with (scratch / "said").open("w+b") as said:
            child = _start(executable, said)
            try:
                _tell(child, full)
                child.wait(timeout)
            except subprocess.TimeoutExpired:
                return {"error": f"stopped after {timeout:.0f} s, which is what was left of the time allowed\n"}
            finally:
                end(child)
            return _answer(scratch, child)


def end(child: subprocess.Popen[bytes]) -> None:
    """End ``child`` and every process of its group, and wait for it. Blocks: a third of a second at the most."""
    if child.poll() is None:
        _signal(child, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_SECONDS)
    _signal(child, getattr(signal, "SIGKILL", signal.SIGTERM))
    child.wait()
    if child.stdin is not None:  # not before: to a child that runs, its end is that of the lab
        with contextlib.suppress(OSError):
            child.stdin.close()


def _start(executable: str, said: Any) -> subprocess.Popen[bytes]:
    command = [executable, "-P", "-X", "faulthandler", "-m", "fearless.lab.child"]
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "__PYVENV_LAUNCHER__")}
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    return subprocess.Popen(  # noqa: S603  # an interpreter that the user named
        command,
        stdin=subprocess.PIPE,
        stdout=said,
        stderr=subprocess.STDOUT,
        env=env,
        # A group of its own: Ctrl-C in the terminal reaches the lab alone, which ends its children itself. Not a
        # session of its own: Linux shares out the CPU by session, and the lab's priority would not count for them.
        process_group=0 if os.name == "posix" else None,
        creationflags=flags,
    )


def _tell(child: subprocess.Popen[bytes], orders: Mapping[str, Any]) -> None:
    if child.stdin is not None:
        with contextlib.suppress(BrokenPipeError):  # it has ended already; what it said tells why
            child.stdin.write(json.dumps(orders).encode() + b"\n")
            child.stdin.flush()


def _answer(scratch: Path, child: subprocess.Popen[bytes]) -> dict[str, Any]:
    """What the child left; if it left nothing, how it ended and what it said last."""
    file = scratch / "answer.json"
    if file.exists():
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return found
    said = (scratch / "said").read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
    return {"error": "\n".join([f"the process {_ending(child.returncode)} before it had a result", *said]) + "\n"}


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _signal(child: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to the group of ``child``, which leads it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(child.pid, number)
        else:
            child.send_signal(number)
