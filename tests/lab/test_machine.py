"""What the machine grants: control groups, steal, and cores that were measured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fearless.lab import machine


@pytest.fixture
def few_iterations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spinners that are done soon."""
    monkeypatch.setattr(machine, "SPINNER", machine.SPINNER.replace(str(machine.ITERATIONS), "20000"))
    monkeypatch.setattr(machine, "ITERATIONS", 20_000)


def test_the_smallest_quota_on_the_way_to_the_root_counts(tmp_path: Path) -> None:
    """A group cannot have more than the groups around it."""
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    (inner / "cpu.max").write_text("max 100000\n")
    (inner.parent / "cpu.max").write_text("150000 100000\n")
    own = tmp_path / "own"
    own.write_text("0::/outer/inner\n")

    assert machine.cgroup_cpus(tmp_path, own) == 1.5


def test_quotas_of_the_first_version_are_read_too(tmp_path: Path) -> None:
    """They are in two files."""
    group = tmp_path / "cpu" / "a"
    group.mkdir(parents=True)
    (group / "cpu.cfs_quota_us").write_text("50000\n")
    (group / "cpu.cfs_period_us").write_text("100000\n")
    own = tmp_path / "own"
    own.write_text("3:cpuset:/\n2:cpu,cpuacct:/a\n")

    assert machine.cgroup_cpus(tmp_path, own) == 0.5


def test_no_quota_is_no_limit(tmp_path: Path) -> None:
    """Nor is a system without control groups."""
    own = tmp_path / "own"
    own.write_text("0::/\n")

    assert machine.cgroup_cpus(tmp_path, own) is None
    assert machine.cgroup_cpus(tmp_path, tmp_path / "absent") is None


def test_steal_is_a_share_of_the_time_between() -> None:
    """None where the system does not say, or no time has passed."""
    assert machine.steal_share((10, 1000), (15, 1100)) == 0.05
    assert machine.steal_share(None, (15, 1100)) is None
    assert machine.steal_share((10, 1000), (10, 1000)) is None


def test_spread_needs_a_few_values() -> None:
    """Two say nothing of a spread."""
    assert machine.spread([1.0, 2.0]) is None
    assert machine.spread([1.0, 1.0, 1.0, 1.0]) == 0.0
    assert machine.spread([0.9, 1.0, 1.0, 1.1, 1.0]) == pytest.approx(0.05)


@pytest.mark.usefixtures("few_iterations")
@pytest.mark.parametrize("how", ["threads", "processes"])
def test_a_calibration_measures_spinners(how: str) -> None:
    """Alone and together; k of them are never more than k times as fast, but for noise."""
    if how == "threads":
        found = machine.calibrate_with_threads(2)
    else:
        found = machine.calibrate_with_processes(sys.executable, 2)

    assert found.alone > 0
    assert found.cores > 0


def test_a_spinner_that_does_not_start_is_said(tmp_path: Path) -> None:
    """And the others are ended."""
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\nexit 3\n")
    script.chmod(0o755)

    with pytest.raises(RuntimeError, match="a spinner ended with code 3"):
        machine.calibrate_with_processes(str(script), 2)


def test_spinners_count_iterations_and_have_no_clock_inside() -> None:
    """A spin by the clock would be done in time without a core. Here twice the iterations are twice the work."""
    loop = machine.SPINNER.partition("def spin")[2].partition("spin()\nwhile")[0]

    assert str(machine.ITERATIONS) in loop
    assert "time" not in loop
    assert subprocess.run([sys.executable, "-c", f"def spin{loop}"], check=True, timeout=60).returncode == 0
