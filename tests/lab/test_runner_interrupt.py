"""Ctrl-C, and worse: nothing of the lab is left, no process and no file, and what was measured is kept.

The workload opens a named pipe for writing in every process it runs in, and then waits. The test reads the other end:
a byte says that a process has got there, and the end of the pipe says that the last of them is gone.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fearless.lab.record import Record
from tests.lab import tiny

pytestmark = pytest.mark.skipif(os.name != "posix", reason="named pipes and SIGINT are POSIX")

SECONDS = 60.0  # the bound of every wait

WAITS = """
import multiprocessing, os, threading
from fearless import workload

def elsewhere():
    serial = threading.current_thread() is threading.main_thread() and multiprocessing.parent_process() is None
    return not serial

@workload
class Waits:
    pipe = ""

    def items(self):
        return range(4)

    def work(self, item):
        if elsewhere():
            end = os.open(self.pipe, os.O_WRONLY)
            os.write(end, b"x")
            threading.Event().wait(600)
        return item
"""

LAB = "import sys; from fearless.lab.cli import run; sys.exit(run(sys.argv[1:]))"
OPTIONS = "compare {job} --arg pipe={pipe} --patterns {pattern} --workers 2 --budget 500 --json {record}"


class Lab:
    """A lab in a process of its own, and our end of the pipe. Its second run waits."""

    def __init__(self, folder: Path, pattern: str) -> None:
        self.record = folder / "record.json"
        self.files = folder / "files"
        self.files.mkdir()
        pipe = folder / "pipe"
        os.mkfifo(pipe)
        self.end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        job = tiny.write(folder, WAITS)
        options = OPTIONS.format(job=job, pipe=pipe, pattern=pattern, record=self.record).split()
        place = os.environ | {"TMPDIR": str(self.files)}
        self.process = subprocess.Popen([sys.executable, "-c", LAB, *options], env=place, stdout=subprocess.DEVNULL)

    def arrived(self, count: int) -> None:
        """Wait until ``count`` processes or threads of the workload wait."""
        seen = b""
        while len(seen) < count:
            ready, _, _ = select.select([self.end], [], [], SECONDS)
            assert ready, f"only {len(seen)} of {count} got to work"
            seen += os.read(self.end, 100)

    def ended(self) -> int:
        """The code with which the lab ended, once no process of the workload is left; no file may be left then."""
        code = self.process.wait(SECONDS)
        ready, _, _ = select.select([self.end], [], [], SECONDS)
        assert ready, "a process of the workload is still there"
        assert os.read(self.end, 100) == b""
        assert list(self.files.iterdir()) == []
        return code

    def close(self) -> None:
        """End what a failed test has left."""
        self.process.kill()
        self.process.wait(SECONDS)
        os.close(self.end)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Callable[[str], Lab]]:
    """Start a lab with a pattern: it waits in two threads of a process, or in two processes of a process."""
    with contextlib.ExitStack() as stack:

        def start(pattern: str) -> Lab:
            found = Lab(tmp_path, pattern)
            stack.callback(found.close)
            found.arrived(2)
            return found

        yield start


@pytest.mark.parametrize("pattern", ["executor", "processes"])
def test_ctrl_c_ends_every_process_and_keeps_what_was_measured(lab: Callable[[str], Lab], pattern: str) -> None:
    """The record says that it was interrupted, and holds the serial run."""
    found = lab(pattern)

    found.process.send_signal(signal.SIGINT)

    assert found.ended() in {0, 1}  # R1 has a verdict where the serial run was short enough
    record = Record.read(found.record)
    assert record.interrupted
    assert [run.pattern for run in record.runs] == ["serial"]
    assert record.runs[0].ok


def test_a_lab_that_is_told_to_end_clears_up(lab: Callable[[str], Lab]) -> None:
    """It ends with the code that a shell gives to such an end."""
    found = lab("executor")

    found.process.terminate()

    assert found.ended() == 128 + signal.SIGTERM


def test_a_lab_that_is_killed_leaves_nothing(lab: Callable[[str], Lab]) -> None:
    """It had no time to clear up, so its processes see that it is gone, and do."""
    found = lab("processes")

    found.process.kill()

    assert found.ended() == -signal.SIGKILL
