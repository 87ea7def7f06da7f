"""The record: to JSON and back, for every field, and what a reader is told about a file that is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fearless.lab.record import (
    Because,
    Card,
    Corpus,
    Environment,
    Interpreter,
    Profile,
    Record,
    Refused,
    Rejected,
    Run,
    SchemaError,
    Verdict,
    WorkloadInfo,
)

RECORD = Record(
    environment=Environment(
        platform="Linux",
        cpu_count=4,
        affinity=2,
        cgroup_cpus=1.5,
        interpreters=(Interpreter("3.13t", "/python", "3.13.2", free_threaded=True, versions={"fearless": "0.1.0"}),),
    ),
    workload=WorkloadInfo("word-index", parameters={"folder": ""}, items=3, state="merge", corpus=Corpus(3, 10, "ab")),
    runs=(
        Run("serial", 1, "3.13t", 0, seconds=1.0, cpu_seconds=1, equal=True, gil=False),
        Run("par", 2, "3.13t", 0, error="Traceback\n"),
    ),
    verdict=Verdict("serial", "serial", because=(Because("R1", "small", {"seconds": 1.0}),)),
    verdicts=(Verdict("cannot tell", rejected=(Rejected("par", "slow"),), python="3.13t"),),
    profiles=(Profile("3.13t", 3, 1.0, 1.0, 0.9, 0.1, update_seconds=0.1),),
    cards=(Card("serial", "nothing", "uses one core, nothing more", 2, 0),),
    refused=(Refused("atomic", "needs totals"),),
    interrupted=True,
    rounds=1,
)


def test_json_and_back_is_the_same_record() -> None:
    """Every type of the record is in it."""
    assert Record.from_json(RECORD.to_json()) == RECORD


def test_a_record_without_runs_is_a_record() -> None:
    """It is written also when every pattern was refused, or Ctrl-C came early."""
    bare = Record(Environment("Linux", 1), WorkloadInfo("x"), interrupted=True)

    assert Record.from_json(bare.to_json()) == bare


def test_the_keys_are_those_of_schema_1() -> None:
    """Others read them, so they stay."""
    data = json.loads(RECORD.to_json())

    assert data["schema"] == 1
    assert set(data) >= {"schema", "environment", "workload", "runs", "verdict"}
    assert set(data["workload"]["corpus"]) == {"files", "bytes", "sha256"}
    assert set(data["runs"][0]) >= {
        "pattern",
        "workers",
        "python",
        "seconds",
        "cpu_seconds",
        "waiting_seconds",
        "peak_bytes",
        "result_sha256",
    }
    assert set(data["verdict"]) >= {"kind", "pattern", "workers", "confidence", "because", "rejected"}


def test_unknown_keys_are_left_alone() -> None:
    """A later version may add some."""
    data = json.loads(RECORD.to_json())
    data["later"] = {"x": 1}
    data["runs"][0]["later"] = 1

    assert Record.from_json(json.dumps(data)) == RECORD


BROKEN: list[tuple[list[Any], Any, str]] = [
    (["schema"], 2, "this reads records of schema 1, got 2"),
    (["runs", 0, "workers"], "two", "record.runs[0].workers must be a whole number, got 'two'"),
    (["runs", 1, "seconds"], True, "record.runs[1].seconds must be a number, got True"),
    (["runs"], {}, "record.runs must be a list, got {}"),
    (["verdict", "kind"], "maybe", "record.verdict.kind must be one of ['recommend', 'serial', 'cannot tell']"),
    (["environment", "interpreters", 0], "3.13", "record.environment.interpreters[0] must be an object, got '3.13'"),
    (["workload", "parameters"], [], "record.workload.parameters must be an object, got []"),
    (["workload", "name"], None, "record.workload.name must be a string, got None"),
    (["interrupted"], 1, "record.interrupted must be true or false, got 1"),
]


@pytest.mark.parametrize(("path", "value", "message"), BROKEN, ids=[message for _, _, message in BROKEN])
def test_a_wrong_value_is_named_by_its_path(path: list[Any], value: object, message: str) -> None:
    """With the rule, and with what was found."""
    data = json.loads(RECORD.to_json())
    place = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value

    with pytest.raises(SchemaError) as caught:
        Record.from_json(json.dumps(data))

    assert message in str(caught.value)


def test_a_missing_key_is_named() -> None:
    """By its path."""
    data = json.loads(RECORD.to_json())
    del data["environment"]["cpu_count"]

    with pytest.raises(SchemaError, match=r"record\.environment\.cpu_count is missing"):
        Record.from_json(json.dumps(data))


def test_a_file_that_is_no_record_is_named(tmp_path: Path) -> None:
    """With the reason."""
    path = tmp_path / "x.json"
    path.write_text("{")

    with pytest.raises(SchemaError, match=r"x\.json: not JSON"):
        Record.read(path)


def test_a_record_is_written_whole(tmp_path: Path) -> None:
    """Nothing but the file is left in the folder."""
    RECORD.write(tmp_path / "x.json")

    assert Record.read(tmp_path / "x.json") == RECORD
    assert [file.name for file in tmp_path.iterdir()] == ["x.json"]


def test_what_json_cannot_hold_becomes_null() -> None:
    """An infinite speed-up must not make the file unreadable."""
    record = Record(Environment("Linux", 1, steal=float("nan")), WorkloadInfo("x"))

    assert Record.from_json(record.to_json()).environment.steal is None


def test_waiting_is_a_share_of_all_threads() -> None:
    """The owner of a channel waits as well, and is counted as one that could have worked."""
    run = Run("channel", 2, "3.13t", 0, seconds=2.0, waiting_seconds=1.5)

    assert run.waiting_share == pytest.approx(0.375)
    assert Run("channel", 2, "3.13t", 0, seconds=2.0, waiting_seconds=1.5, threads=3).waiting_share == 0.25
    assert Run("executor", 2, "3.13t", 0, seconds=2.0).waiting_share is None


@given(work=st.floats(0.001, 10), update=st.floats(0, 10), merge=st.floats(0, 10), workers=st.floats(1, 64))
def test_amdahls_bound_lies_between_one_and_the_workers(
    work: float, update: float, merge: float, workers: float
) -> None:
    """Whatever the shares are."""
    profile = Profile("3.13t", 1, 1.0, 1.0, work, 0.0, update_seconds=update, merge_seconds=merge)

    for in_parts in (True, False):
        assert 1.0 - 1e-9 <= profile.amdahl(workers, update_in_parts=in_parts) <= workers + 1e-9


def test_updates_are_serial_under_one_lock_and_not_in_parts() -> None:
    """So the bound is another one."""
    profile = Profile("3.13t", 1, 1.0, 1.0, work_seconds=3.0, work_cv=0.0, update_seconds=1.0, merge_seconds=0.0)

    assert profile.amdahl(2, update_in_parts=False) == pytest.approx(1.6)
    assert profile.amdahl(2, update_in_parts=True) == pytest.approx(2.0)


def test_granted_cores_are_the_least_of_the_limits() -> None:
    """Affinity and control group both count."""
    assert RECORD.environment.cores_allowed == 1.5
    assert Environment("Linux", 4, affinity=2).cores_allowed == 2.0


def test_an_unknown_interpreter_lists_the_known() -> None:
    """By their labels."""
    with pytest.raises(KeyError, match=r"no interpreter '3\.9' in this record, only \['3\.13t'\]"):
        RECORD.environment.interpreter("3.9")
