"""The doctor: what follows from the facts of a machine, how it is shown, and one real look."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from fearless import lab
from fearless.lab import checkup, cli, introspect, machine
from fearless.lab._errors import LabError
from fearless.lab.diagnosis import Checked, Clock, Diagnosis, Finding, Machine
from fearless.lab.report import doctor as report
from fearless.lab.report.printer import Printer

CLOCK = Clock("clock_gettime(CLOCK_MONOTONIC)", monotonic=True, resolution=4e-8, read=5e-8, hardware="tsc")
MACHINE = Machine(
    platform="Linux-6.1-x86_64",
    processor="a processor",
    cpu_count=8,
    affinity=4,
    cgroup=2,
    cgroup_cpus=2.5,
    cpuset=4,
    throttled=0,
    steal=0.001,
    load=0.25,
)
STEADY = Checked(
    label="3.14t",
    executable="/usr/bin/python3.14t",
    version="3.14.1",
    implementation="CPython",
    free_threaded=True,
    build="GCC 12.2.0, PGO, LTO",
    debug=False,
    gil=False,
    gil_enabled_by=None,
    imported=("fearless",),
    clock=CLOCK,
    versions={"fearless": "0.1.0", "pyo3": "0.29.0"},
    dict_read=3e-8,
    dict_read_foreign=4e-8,
    cores=(2.4, 2.45, 2.5, 2.4, 2.5, 2.45),
    alone=(0.1, 0.101, 0.1, 0.099, 0.1, 0.101),
)


def diagnosis(python: Checked = STEADY, **machine: Any) -> Diagnosis:
    """A diagnosis of one interpreter."""
    return Diagnosis(replace(MACHINE, **machine), (python,), 10.0)


def found(one: Diagnosis, words: str) -> Finding:
    """The finding with these words in it."""
    (finding,) = [finding for finding in one.findings if words in finding.text]
    return finding


def test_a_steady_machine_limits_nothing() -> None:
    """But what nobody can see here is said all the same."""
    fine = diagnosis()

    assert fine.exit_code == 0
    assert not any(finding.limits for finding in fine.findings)
    assert "predicted" in found(fine, "nothing past 2 threads is measured here").text
    assert found(fine, "differences below 1.").text.endswith("cannot be seen here in 5 rounds")


def test_the_tightest_limit_counts() -> None:
    """Affinity, quota and set of CPUs hold at once."""
    assert MACHINE.allowed == 2.5
    assert replace(MACHINE, cgroup_cpus=None, cpuset=3).allowed == 3
    assert replace(MACHINE, cgroup_cpus=None, cpuset=None, affinity=None).allowed == 8


@pytest.mark.parametrize(
    ("python", "machine", "words"),
    [
        ({}, {"affinity": 1}, "no two threads can run at once"),
        ({}, {"throttled": 3}, "quota was used up in 3 periods"),
        ({}, {"steal": 0.05}, "the hypervisor took 5 %"),
        ({"debug": True}, {}, "debug build"),
        ({"gil": True, "gil_enabled_by": "old_module"}, {}, "the GIL was turned on by old_module"),
        ({"cores": (1.0, 1.1, 1.0)}, {}, "only 1.00 of 2.5 cores were free"),
        ({"alone": (0.1, 0.2, 0.1, 0.2, 0.1, 0.2, 0.1)}, {}, "cannot be seen here"),
        ({"clock": replace(CLOCK, monotonic=False)}, {}, "can go backwards"),
        ({"clock": replace(CLOCK, resolution=0.0156)}, {}, "steps of 15.6 ms"),
    ],
)
def test_what_limits_is_said_first_and_with_what_to_do(
    python: dict[str, Any], machine: dict[str, Any], words: str
) -> None:
    """It makes the exit code 1."""
    limited = diagnosis(replace(STEADY, **python), **machine)

    finding = found(limited, words)
    assert finding.limits
    assert finding.hint
    assert limited.findings[0].limits
    assert limited.exit_code == 1


def test_a_gil_build_is_no_fault() -> None:
    """It is said, and limits nothing that a GIL build could show."""
    known = diagnosis(replace(STEADY, label="3.14", free_threaded=False, gil=True))

    assert not found(known, "the GIL is on").limits
    assert known.exit_code == 0


def test_known_costs_are_the_measured_ones() -> None:
    """A dict that another thread made is dear to read on some interpreters, and then there is another way."""
    dear = diagnosis(replace(STEADY, dict_read_foreign=1.6e-5))

    finding = found(dear, "dict.get")
    assert "16.0 us a key, and 30 ns" in finding.text
    assert "merge" in (finding.hint or "")
    assert not [one for one in diagnosis().findings if "dict.get" in one.text]


def test_too_few_looks_tell_no_difference() -> None:
    """Five rounds need six looks."""
    assert replace(STEADY, alone=STEADY.alone[:5]).smallest_difference is None
    assert replace(STEADY, alone=(0.1,) * 6).smallest_difference == 0.0


def test_findings_of_several_interpreters_name_theirs() -> None:
    """One cannot tell otherwise whose GIL is on."""
    other = replace(STEADY, label="3.13t", gil=True)

    both = Diagnosis(MACHINE, (STEADY, other), 10.0)

    assert found(both, "GIL was turned on").text.startswith("3.13t: ")


@pytest.mark.parametrize("width", [60, 80, 100])
def test_the_report_keeps_to_the_width(width: int) -> None:
    """It names every fact."""
    lines = [line.text for line in report.lines(diagnosis(), width)]

    assert max(map(len, lines)) <= width
    text = " ".join(" ".join(lines).split())
    for fact in ("a processor", "2.5 may be used", "a quota of 2.5", "tsc", "pyo3 0.29.0", "2.45 effective", "GIL off"):
        assert fact.replace("GIL off", "GIL off, after importing fearless") in text


def test_a_notebook_shows_it_escaped() -> None:
    """Names come from outside."""
    html = diagnosis(replace(STEADY, gil=True, gil_enabled_by="<b>"))._repr_html_()

    assert "&lt;b&gt;" in html
    assert "<b>the GIL was turned on by &lt;b&gt;, so threads take turns</b>" in html


def test_json_holds_facts_and_findings(tmp_path: Path) -> None:
    """For scripts."""
    file = tmp_path / "doctor.json"

    diagnosis().write(file)
    data = json.loads(file.read_text())

    assert data["schema"] == 1
    assert data["machine"]["cgroup_cpus"] == 2.5
    assert data["pythons"][0]["clock"]["hardware"] == "tsc"
    assert data["exit_code"] == 0
    assert {"text", "limits", "hint"} == set(data["findings"][0])


def test_one_real_look() -> None:
    """Of this machine, for as long as one look takes."""
    told: list[float] = []

    one = lab.doctor(seconds=0.01, imports=["json"], progress=lambda share, _: told.append(share))
    (python,) = one.pythons

    assert python.executable == sys.executable
    assert python.gil == getattr(sys, "_is_gil_enabled", lambda: True)()
    assert python.imported == ("fearless", "json")
    assert python.clock.monotonic
    assert python.clock.read > 0.0
    assert len(python.cores) == len(python.alone) == 1
    assert one.machine.allowed >= 1
    assert told == sorted(told)
    assert f"Python {python.label}" in str(one)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("inf"), float("nan")])
def test_seconds_that_are_none_are_refused(seconds: float) -> None:
    """By name, with the value."""
    with pytest.raises(LabError, match=f"seconds must be a number > 0, got {seconds}"):
        checkup.doctor(seconds=seconds)


def test_a_module_that_cannot_be_imported_is_named() -> None:
    """With the interpreter and the error."""
    with pytest.raises(LabError, match=r"no_such_module cannot be imported by .*ModuleNotFoundError"):
        checkup.doctor(seconds=0.01, imports=["no_such_module"])


def run(*argv: str) -> tuple[int, str, str]:
    """Exit code, results and messages of a command line."""
    out, err = StringIO(), StringIO()
    return cli.run(argv, Printer(out, err)), out.getvalue(), err.getvalue()


def test_the_verb_prints_and_writes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What it found, with the exit code of that."""
    asked: list[Any] = []

    def fake(*args: Any, **named: Any) -> Diagnosis:
        asked.append((args, named["seconds"], named["imports"]))
        return diagnosis(throttled=2)

    monkeypatch.setattr("fearless.lab.cli.doctor.doctor", fake)
    file = tmp_path / "found.json"

    options = ("--python", "/p", "--import", "numpy", "--seconds", "3", "--json", str(file))
    code, out, _ = run("doctor", *options)

    assert code == 1
    assert asked == [((["/p"],), 3.0, ["numpy"])]
    assert "quota was used up" in out
    assert json.loads(file.read_text())["exit_code"] == 1


@pytest.mark.parametrize("text", ["0", "-1", "soon", "inf", "nan"])
def test_the_verb_refuses_times_that_are_none(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By name, with the value."""
    assert run("doctor", "--seconds", text)[0] == 2
    assert f"must be a number of seconds > 0, got {text!r}" in capsys.readouterr().err


def test_the_verb_looks_for_the_folder_first() -> None:
    """Ten seconds are not lost to a file that cannot be written."""
    code, _, err = run("doctor", "--json", "/no/such/folder/x.json")

    assert code == 2
    assert "there is no folder /no/such/folder" in err


def test_the_dict_of_another_thread_is_read_in_a_first_pass() -> None:
    """Both figures are seconds a key."""
    own, foreign = introspect.dict_reads()

    assert 0.0 < own < 1.0
    assert 0.0 < foreign < 1.0


def test_control_groups_of_either_version_are_told(tmp_path: Path) -> None:
    """Their version, the CPUs that they name, and the periods in which the quota was used up."""
    own = tmp_path / "own"
    own.write_text("0::/a\n")
    second = tmp_path / "second"
    (second / "a").mkdir(parents=True)
    (second / "cgroup.controllers").write_text("cpu cpuset\n")
    (second / "a/cpuset.cpus.effective").write_text("0-3,7\n")
    (second / "a/cpu.stat").write_text("usage_usec 5\nnr_throttled 12\n")

    assert machine.cgroup_version(second, own) == 2
    assert machine.cpuset(second, own) == 5
    assert machine.throttled_periods(second, own) == 12

    own.write_text("4:cpuset:/b\n3:cpu,cpuacct:/b\n")
    first = tmp_path / "first"
    (first / "cpuset/b").mkdir(parents=True)
    (first / "cpu/b").mkdir(parents=True)
    (first / "cpuset/b/cpuset.cpus").write_text("2\n")
    (first / "cpu/b/cpu.stat").write_text("nr_throttled 1\n")

    assert machine.cgroup_version(first, own) == 1
    assert machine.cpuset(first, own) == 1
    assert machine.throttled_periods(first, own) == 1

    own.write_text("")
    assert machine.cgroup_version(first, own) is None
    assert machine.cpuset(first, own) is None
    assert machine.throttled_periods(first, own) is None
