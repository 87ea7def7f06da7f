"""The ``fearless`` command: hands over to the lab, or says how to install it.

Needs the standard library only, so that it works in an installation without the extra ``lab``.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import sys

NEEDED = ("questionary", "rich")  # what the extra `lab` brings
FAILURE = 2


def main() -> int:
    """Run the command with the arguments of the process, and return its exit code."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        print(_advice(missing), file=sys.stderr)
        return FAILURE
    from fearless.lab.cli import run

    return run(sys.argv[1:])


def _advice(missing: list[str]) -> str:
    """What is missing and the exact lines that install it into this interpreter."""
    command = python()
    return (
        f"error: this command needs the extra 'lab' ({', '.join(missing)} is not installed)\n"
        f"hint: {command} -m pip install 'fearless[lab]'\n"
        f"hint: in a checkout: {command} -m pip install '.[lab]'"
    )


def python() -> str:
    """The running interpreter as one would type it: relative where that is shorter."""
    executable = sys.executable or "python3"
    try:
        relative = os.path.relpath(executable)
    except ValueError:  # on another drive
        relative = executable
    return shlex.quote(min(executable, relative, key=len))
