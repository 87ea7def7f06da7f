"""The workload `fetch`: its server ends with it, however that comes about, and its waiting is seen for what it is."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fearless.lab import comparison, corpus, explain, facts, rules, runner, watch
from fearless.lab.job import Job
from fearless.lab.resolve import Target, resolve
from fearless.lab.rules.finding import NO_WAITING
from tests.lab import synthetic

SECONDS = 60.0  # the bound of every wait
SOURCE = "def one(): pass\nclass Two:\n    def one(self): pass\n"
STARTS = """
import sys
from fearless.lab.resolve import Target, resolve

if __name__ == "__main__":
    job = resolve(Target("fetch", {"folder": sys.argv[1]}))
    print(job.items()[0][0], flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """The workload on twelve small sources."""
    monkeypatch.setattr(corpus, "_current", None)
    for number in range(12):
        (tmp_path / f"source_{number}.py").write_text(SOURCE, encoding="utf-8")
    return resolve(Target("fetch", {"folder": str(tmp_path), "sources": "10", "latency": "0.01"}))


def servers() -> set[int | None]:
    """The processes of all servers that this process has started."""
    return {one.pid for one in multiprocessing.active_children() if one.name == "fetch-server"}


def test_the_server_ends_with_the_workload(fetch: Job) -> None:
    """And answers until then; what is defined is counted."""
    before = servers()
    items = fetch.items()

    assert len(servers() - before) == 1
    assert fetch.work(items[0]) == {"one": 2, "Two": 1}
    assert len(items) == 10

    fetch.source = None  # the job itself may be held by the test
    gc.collect()
    assert servers() == before


def test_the_server_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    """Also if that is killed: who is connected then sees the end."""
    (tmp_path / "source.py").write_text(SOURCE, encoding="utf-8")
    program = tmp_path / "starts.txt"
    program.write_text(STARTS, encoding="utf-8")
    command = [sys.executable, str(program), str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        with socket.create_connection(("127.0.0.1", port), SECONDS) as link:
            child.kill()
            assert child.wait(SECONDS) != 0
            with contextlib.suppress(ConnectionError):  # another way to see it
                assert link.recv(1) == b""


def test_a_server_that_does_not_start_is_an_error(fetch: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the code with which it ended."""
    monkeypatch.setattr("fearless.lab.workloads.fetch._serve", sys.exit)

    with pytest.raises(RuntimeError, match="the server did not start: exit code "):
        fetch.items()


def test_its_waiting_is_seen(fetch: Job) -> None:
    """An item waits for the server's delay, so R3 asks for more workers than there are cores."""
    items = fetch.items()
    profile = watch.watch(fetch, items, "3.13")
    if profile.blocked_seconds is None:
        pytest.skip("this system does not say what a thread waits for")
    record = synthetic.record(interpreters=[synthetic.interpreter("3.13", cores=2.0)], profiles=[profile])
    known = facts.from_record(record, "3.13")

    assert (known.waiting_share or 0.0) >= NO_WAITING
    assert comparison._waiting(record, "3.13") > 2
    found = rules.r3(known)
    assert found is not None
    assert "and each item waits " in found.text


def test_work_that_waits_is_tried_with_more_workers(tmp_path: Path) -> None:
    """But not with more processes, and not where the numbers were given or nothing waits."""

    def counts(pattern: str, *given: int) -> list[int]:
        plan = runner.Plan(Target("fetch"), [synthetic.interpreter()], workers=given or None)
        return list(runner._Session(plan, tmp_path, lambda _: None)._counts(pattern, 40))

    assert counts("par")[-1] == counts("asyncio")[-1] == 40
    assert counts("processes") == counts("par")[:-1]
    assert counts("serial") == [1]
    assert counts("par", 2, 3) == [2, 3]
    assert comparison._waiting(synthetic.record(), "3.13t") == 1


def test_the_reasons_of_a_verdict_name_the_waiting() -> None:
    """R3 from the profile, with the figures that it used."""
    speeds = {("serial", 1): 1.0, ("par", 2): 1.9, ("par", 20): 12.0}
    waits = synthetic.profile("3.13", blocked_seconds=0.9, cpu_seconds=0.1, work_seconds=0.1, dispatch={"par": 1e-7})
    record = synthetic.record(
        synthetic.runs(speeds, "3.13", gil=True),
        interpreters=[synthetic.interpreter("3.13", gil=True, cores=2.0)],
        profiles=[replace(waits, gil_released=0.5)],
    )
    (verdict,) = explain.decided(record).verdicts

    assert (verdict.pattern, verdict.workers) == ("par", 20)
    (text,) = [one.text for one in verdict.because if one.rule == "R3"]
    assert text == "20 workers, as 2.00 can compute at once and each item waits 900 us for 100 us of work"
    (early,) = explain.decided(replace(record, runs=[run for run in record.runs if run.round < 2])).verdicts
    assert early.kind == "cannot tell"  # and why 20 workers were tried is told all the same
    text = "up to 20 workers ran, as each item waits 900 us for 100 us of work"
    assert text in [one.text for one in early.because]
