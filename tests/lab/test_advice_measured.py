"""The advice, from facts alone, beside what was measured: on workloads whose best pattern is known, on both builds.

Replays the facts that ``python -m benchmarks.advice`` recorded, so it measures nothing and always ends the same way.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import advice as sessions
from benchmarks.advice_workloads import CASES, Case
from fearless.lab.advice import Advice, advise

RESULTS = Path(sessions.__file__).parent / "results"
SESSIONS = ("advice-cpython-313.json", "advice-cpython-313t.json")
AS_GOOD = 1.10  # times the fastest
MOST = 0.90  # of the workloads

BY_NAME = {one.name: one for one in CASES}


@functools.cache
def session(name: str) -> dict[str, Any]:
    """What one interpreter was measured to do."""
    found: dict[str, Any] = json.loads((RESULTS / name).read_text(encoding="utf-8"))
    return found


def replayed(name: str) -> list[tuple[Case, Advice, dict[str, float]]]:
    """Each workload with the advice for its facts, and the seconds of each pattern, the fastest first."""
    known = session(name)
    return [
        (case, advise(sessions.facts_of(case, known, kept)), sessions.best(kept))
        for kept in known["cases"]
        for case in [BY_NAME[kept["name"]]]
    ]


def behind(advice: Advice, seconds: dict[str, float]) -> float | None:
    """How many times the fastest the advised pattern takes; None if it names none that was measured."""
    taken = seconds.get(advice.pattern or "")
    return None if taken is None else taken / min(seconds.values())


@pytest.mark.parametrize("name", SESSIONS)
def test_every_workload_was_measured(name: str) -> None:
    """At least twenty-four, each pattern with the result of the serial run."""
    cases = session(name)["cases"]

    assert {one["name"] for one in cases} == set(BY_NAME)
    assert len(cases) >= 24
    assert [one["name"] for one in cases if one["wrong"]] == []
    assert all("serial/1" in one["seconds"] and len(one["seconds"]) > 3 for one in cases)


def test_the_sessions_are_of_both_builds() -> None:
    """The GIL is an axis like any other."""
    gils = [{one["interpreter"]["gil"] for one in session(name)["cases"]} for name in SESSIONS]

    assert gils == [{True}, {False}]


@pytest.mark.parametrize("name", SESSIONS)
def test_the_advice_is_as_good_as_the_measured_best(name: str) -> None:
    """Within 10 % of the fastest pattern, in nine of ten workloads."""
    found = replayed(name)

    worse = {}
    for case, advice, seconds in found:
        times = behind(advice, seconds)
        if times is None or times > AS_GOOD:
            worse[case.name] = (advice.pattern, times and round(times, 2), next(iter(seconds)))

    assert len(worse) <= (1 - MOST) * len(found), worse


@pytest.mark.parametrize("name", SESSIONS)
def test_the_reason_names_the_rule_that_holds(name: str) -> None:
    """In nine of ten workloads; the table of workloads says which rule ought to speak."""
    found = replayed(name)
    gil = name == SESSIONS[0]

    silent = {}
    for case, advice, _ in found:
        wanted = case.gil if gil else case.free
        rules = [because.rule for because in advice.because]
        if wanted not in rules:
            silent[case.name] = (wanted, rules)

    assert len(silent) <= (1 - MOST) * len(found), silent


@pytest.mark.parametrize("name", SESSIONS)
def test_the_sessions_were_made_with_care(name: str) -> None:
    """A figure comes with its machine, its interpreter and its noise."""
    known = session(name)

    assert known["machine"]["rounds"] >= 5
    assert known["machine"]["cores"] >= 2
    assert known["machine"]["commit"]
    assert known["cores"] >= 1.5
