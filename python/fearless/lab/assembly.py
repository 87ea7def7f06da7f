"""Makes the record out of what the runner found. Measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Any, Protocol

from fearless.lab import catalog, corpus, machine
from fearless.lab.record import Environment, Interpreter, LeftOut, Profile, Record, Refused, Run, WorkloadInfo
from fearless.lab.resolve import Target, source_of


class Planned(Protocol):
    """What of the plan goes into the record."""

    @property
    def target(self) -> Target:
        """What was asked for."""

    @property
    def interpreters(self) -> Sequence[Interpreter]:
        """What it was to run under."""

    @property
    def budget(self) -> float:
        """Seconds."""


class Found(Protocol):
    """What the runner has found so far."""

    described: dict[str, Any] | None
    runs: list[Run]
    profiles: list[Profile]
    refused: list[Refused]
    left_out: list[LeftOut]
    patterns: list[catalog.Pattern]
    calibrations: dict[str, list[machine.Calibration]]
    rounds: int
    interrupted: bool


def record(plan: Planned, found: Found, chosen: corpus.Chosen | None, *, started: str, steal: float | None) -> Record:
    """The record of ``plan`` as far as it was carried out."""
    return Record(
        environment=Environment(
            platform=machine.platform_name(),
            cpu_count=machine.cpu_count(),
            affinity=machine.affinity(),
            cgroup_cpus=machine.cgroup_cpus(),
            steal=steal,
            started=started,
            interpreters=tuple(_measured(one, found) for one in plan.interpreters),
        ),
        workload=_workload(plan.target, found.described or {}, chosen),
        runs=tuple(found.runs),
        profiles=tuple(found.profiles),
        cards=tuple(pattern.card for pattern in found.patterns),
        refused=tuple(found.refused),
        left_out=tuple(found.left_out),
        interrupted=found.interrupted,
        budget_seconds=plan.budget,
        rounds=found.rounds,
    )


def _workload(target: Target, described: dict[str, Any], chosen: corpus.Chosen | None) -> WorkloadInfo:
    known = ("summary", "parameters", "items", "state")
    return WorkloadInfo(
        name=described.get("name", target.name),
        source=source_of(target),
        methods=tuple(described.get("methods", ())),
        stages=tuple(described.get("stages", ())),
        corpus=chosen.corpus if chosen else None,
        **{key: described[key] for key in known if key in described},
    )


def _measured(one: Interpreter, found: Found) -> Interpreter:
    """The interpreter with what was learned about it: cores, noise, and whether the GIL was on after any run."""
    looks = found.calibrations.get(one.label, [])
    runs = [run for run in found.runs if run.python == one.label and run.gil is not None]
    limit = min(limit for limit in (machine.cpu_count(), machine.affinity(), machine.cgroup_cpus()) if limit)
    cores = [min(look.cores, float(limit)) for look in looks]
    return replace(
        one,
        gil=any(run.gil for run in runs) if runs else one.gil,
        gil_enabled_by=next((run.gil_enabled_by for run in runs if run.gil_enabled_by), None),
        effective_cores=median(cores) if cores else None,
        calibrations=tuple(look.cores for look in looks),
        noise=machine.spread([look.alone for look in looks]),
    )
