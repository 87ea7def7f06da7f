"""Runs a function in another interpreter: for signals, forks and exits, which concern a whole process.

`succeed` and `execute` start one for each; a `Series` lets functions that leave nothing behind follow each other in
one, which spares the start. The function has to be importable by its module's name, and that module must not need
pytest.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, NamedTuple

from tests.support.until import BOUND

ROOT = Path(__file__).resolve().parent.parent.parent

_MAIN = """
import faulthandler, importlib
faulthandler.enable()
faulthandler.dump_traceback_later({bound}, exit=True)
getattr(importlib.import_module({module!r}), {function!r})(*{arguments!r})
"""


class Ended(NamedTuple):
    """How a process ended."""

    code: int
    output: str
    errors: str


def execute(function: Callable[..., object], *arguments: str | float, options: tuple[str, ...] = ()) -> Ended:
    """Run the function with plain arguments in a fresh interpreter, whatever comes of it.

    `options` go to the interpreter. After `BOUND` seconds every thread's stack is printed and the process ends.
    """
    text = _MAIN.format(bound=BOUND, module=function.__module__, function=function.__name__, arguments=arguments)
    done = subprocess.run(
        [sys.executable, *options, "-c", text],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=2 * BOUND,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def succeed(function: Callable[..., object], *arguments: str | float, options: tuple[str, ...] = ()) -> str:
    """Run the function; it has to end with code 0 and a silent standard error. Return its output."""
    ended = execute(function, *arguments, options=options)
    assert (ended.code, ended.errors) == (0, ""), f"code {ended.code}\n{ended.output}\n{ended.errors}"
    return ended.output


_SERIES = """
import contextlib, faulthandler, importlib, io, json, signal, sys
faulthandler.enable()
answers = sys.stdout
for line in iter(sys.stdin.readline, ""):
    module, function, arguments = json.loads(line)
    faulthandler.dump_traceback_later({bound}, exit=True)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        getattr(importlib.import_module(module), function)(*arguments)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    faulthandler.cancel_dump_traceback_later()
    print(json.dumps(printed.getvalue()), file=answers, flush=True)
"""


class Series:
    """An interpreter in which functions run one after another, in its main thread. After a failure another is begun."""

    def __init__(self) -> None:
        """None is started yet."""
        self._process: subprocess.Popen[str] | None = None
        self._errors: IO[str] | None = None

    def succeed(self, function: Callable[..., object], *arguments: str | float) -> str:
        """As the function `succeed`, but for the end of the interpreter, which is `close`."""
        process = self._process or self._start()
        assert process.stdin
        assert process.stdout
        assert self._errors
        # Whatever is wrong with the function ends the process, at the latest after BOUND, and so the wait for its line.
        process.stdin.write(json.dumps([function.__module__, function.__name__, arguments]) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer or os.fstat(self._errors.fileno()).st_size:
            self.close()
            raise AssertionError("the function failed, and the interpreter ended well")
        output: str = json.loads(answer)
        return output

    def close(self) -> None:
        """Let the interpreter end, which it has to do with code 0 and a silent standard error."""
        process, self._process = self._process, None
        if process is None or self._errors is None:
            return
        try:
            process.communicate(timeout=BOUND)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        with self._errors as file:
            file.seek(0)
            errors = file.read()
        assert (process.returncode, errors) == (0, ""), f"code {process.returncode}\n{errors}"

    def _start(self) -> "subprocess.Popen[str]":
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - `close` does
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERIES.format(bound=BOUND)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        return self._process
