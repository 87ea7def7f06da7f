"""Ctrl-C, and worse: nothing of the lab is left running, and what was measured is kept.

The workload opens a named pipe for writing in every process it runs in, and then waits. The test reads the other end:
a byte says that a process has got there, and the end of the pipe says that the last of them is gone.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
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

LAB = """
import sys
from fearless.lab import environments, runner
from fearless.lab.resolve import Target

target = Target(sys.argv[1], {"pipe": sys.argv[2]})
plan = runner.Plan(target, environments.interpreters([]), [sys.argv[3]], (2,), budget=500.0)
runner.measure(plan).write(sys.argv[4])
"""


class Lab:
    """A lab in a process of its own, and our end of the pipe."""

    def __init__(self, folder: Path, pattern: str) -> None:
        self.record = folder / "record.json"
        pipe = folder / "pipe"
        os.mkfifo(pipe)
        self.end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        job = tiny.write(folder, WAITS)
        self.process = subprocess.Popen([sys.executable, "-c", LAB, job, str(pipe), pattern, str(self.record)])

    def arrived(self, count: int) -> None:
        """Wait until ``count`` processes or threads of the workload wait."""
        seen = b""
        while len(seen) < count:
            ready, _, _ = select.select([self.end], [], [], SECONDS)
            assert ready, f"only {len(seen)} of {count} got to work"
            seen += os.read(self.end, 100)

    def all_gone(self) -> None:
        """Wait until no process of the workload is left."""
        ready, _, _ = select.select([self.end], [], [], SECONDS)
        assert ready, "a process of the workload is still there"
        assert os.read(self.end, 100) == b""

    def close(self) -> None:
        """End what a failed test has left."""
        self.process.kill()
        self.process.wait(SECONDS)
        os.close(self.end)


@pytest.fixture(params=["executor", "processes"])
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    """A lab whose second run waits: in two threads, or in two processes of a process."""
    found = Lab(tmp_path, request.param)
    yield found
    found.close()


def test_ctrl_c_ends_every_process_and_keeps_what_was_measured(lab: Lab) -> None:
    """The record says that it was interrupted, and holds the serial run."""
    lab.arrived(2)

    lab.process.send_signal(signal.SIGINT)

    assert lab.process.wait(SECONDS) == 0
    lab.all_gone()
    record = Record.read(lab.record)
    assert record.interrupted
    assert [run.pattern for run in record.runs] == ["serial"]
    assert record.runs[0].ok


def test_a_lab_that_is_killed_leaves_no_process(lab: Lab) -> None:
    """It had no time to end them, so they see that it is gone."""
    lab.arrived(2)

    lab.process.kill()

    lab.process.wait(SECONDS)
    lab.all_gone()
