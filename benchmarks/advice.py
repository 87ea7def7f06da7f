"""The command: measure every pattern on workloads whose best pattern is known, and record facts and medians.

    python -m benchmarks.advice [--quick | --again] [--rounds N] [--tries N] [WORKLOAD ...]

Run it in the root of a checkout, with an interpreter that has fearless[lab], on a quiet machine. A full session goes
to ``benchmarks/results/advice-<interpreter>.json``; a test replays the advice on the facts in it, so whoever changes a
rule sees which of them it answers worse. ``--again`` measures anew the workloads of that record that were measured
while other programs were busy, or those that are named. Not here: the workloads (`advice_workloads.py`) and the rules.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import advice_workloads, machine
from benchmarks.advice_workloads import Case
from fearless.lab import catalog, environments, facts, runner, stats
from fearless.lab._codec import decode, encode
from fearless.lab.facts import Facts
from fearless.lab.record import Environment, Interpreter, Profile, Record, WorkloadInfo
from fearless.lab.resolve import Target

HERE = Path(__file__).resolve().parent
ROUNDS = 5
QUIET = 0.1  # cores that other programs may keep busy, or the workload is measured again
LONG = 3600.0  # seconds; the rounds end first
DIGITS = 4  # significant ones, in the record
INTERPRETER = ("label", "executable", "version", "implementation", "free_threaded", "versions")
NOISE_KEYS = ("effective_cores", "noise", "gil", "gil_enabled_by")


def measure(case: Case, rounds: int) -> Record:
    """The record of a case. Blocks: for seconds."""
    path = Path(advice_workloads.__file__)
    target = Target(f"{path}:{case.workload}", dict(case.args))
    plan = runner.Plan(target, environments.interpreters([]), None, case.workers, budget=LONG, most_rounds=rounds)
    return runner.measure(plan)


def quiet(case: Case, rounds: int, most: int) -> tuple[Record, float]:
    """The quietest record of a few tries, and how many cores other programs kept busy. Blocks: for seconds."""
    tries: list[tuple[Record, float]] = []
    while len(tries) < most and not (tries and tries[-1][1] < QUIET):
        clock = machine.Clock()
        tries.append((measure(case, rounds), clock.busy_elsewhere() or 0.0))
    return min(tries, key=lambda pair: pair[1])


def entry(case: Case, record: Record) -> dict[str, Any]:
    """What is kept of a record: the facts, and the median and interval of each pattern."""
    (interpreter,) = record.environment.interpreters
    info = record.workload
    return {
        "name": case.name,
        "interpreter": {key: getattr(interpreter, key) for key in NOISE_KEYS},
        "workload": {"name": info.name, "items": info.items, "state": info.state, "methods": list(info.methods)},
        "profile": encode(record.profiles[0]),
        "seconds": dict(_medians(facts.from_record(record, interpreter.label))),
        "wrong": sorted({run.pattern for run in record.runs if not run.ok}),
    }


def _medians(found: Facts) -> Iterator[tuple[str, list[float]]]:
    """Median and bounds by pattern and workers, in seconds."""
    for one in found.candidates:
        known = stats.estimate(list(one.seconds.values()))
        yield f"{one.pattern}/{one.workers}", [known.median, *(known.bounds or ())]


def facts_of(case: Case, session: Mapping[str, Any], kept: Mapping[str, Any]) -> Facts:
    """The facts of a kept entry, without a single measured pattern, and with what the author knows."""
    measured = decode(Interpreter, {**session["interpreter"], **kept["interpreter"]})
    environment = replace(decode(Environment, session["environment"]), interpreters=(measured,))
    profile, info = decode(Profile, kept["profile"]), decode(WorkloadInfo, kept["workload"])
    asks = {"whole": case.workload != "Tally", "reads": "read" in info.methods, "keyed": "keys" in info.methods}
    fitting = (catalog.fit(name, info.state, **asks) for name in catalog.PATTERNS)
    cards = tuple(one.card for one in fitting if not isinstance(one, str))
    record = Record(environment, info, profiles=(profile,), cards=cards)
    return replace(facts.from_record(record, measured.label), **case.known)


def best(kept: Mapping[str, Any]) -> dict[str, float]:
    """The median of the fastest number of workers for each pattern, in seconds; the fastest pattern first."""
    found: dict[str, float] = {}
    for key, values in kept["seconds"].items():
        pattern = key.partition("/")[0]
        found[pattern] = min(found.get(pattern, values[0]), values[0])
    return dict(sorted(found.items(), key=lambda pair: pair[1]))


def rounded(value: Any) -> Any:
    """``value`` with floats of four significant digits: more would only look exact."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list) else value


def line(kept: Mapping[str, Any]) -> str:
    """One line for a case: the serial time, and each pattern's speed-up."""
    medians = best(kept)
    serial = medians["serial"]
    shown = " ".join(f"{name} {serial / seconds:.2f}" for name, seconds in medians.items())
    return f"{kept['name']:24} {serial * 1e3:8.2f} ms  busy {kept['busy_elsewhere']:.2f}  {shown}"


def session(cases: Sequence[Case], rounds: int, tries: int) -> dict[str, Any]:
    """Measure the cases, a line for each. Blocks: for seconds for each case and round."""
    environment, clock = machine.describe(), machine.Clock()
    entries, record = [], None
    for case in cases:
        record, busy = quiet(case, rounds, tries)
        entries.append(rounded({**entry(case, record), "busy_elsewhere": busy}))
        print(line(entries[-1]), flush=True)
    if record is None:
        raise SystemExit("no workload was named")
    (interpreter,) = record.environment.interpreters
    measured = replace(record.environment, interpreters=(), started=None)
    return {
        "machine": environment | {"rounds": rounds, "steal": clock.stolen(), "busy_elsewhere": clock.busy_elsewhere()},
        "environment": encode(measured),
        "interpreter": {key: encode(getattr(interpreter, key)) for key in INTERPRETER} | {"executable": ""},
        "cores": rounded(median(one["interpreter"]["effective_cores"] or 0.0 for one in entries)),
        "cases": entries,
    }


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.advice", description="Measure what advice is held to.")
    parser.add_argument("workload", nargs="*", help="the name of a workload; all if none is given")
    parser.add_argument("--quick", action="store_true", help="one round, to see that all of it runs; records nothing")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds of each workload (%(default)s)")
    parser.add_argument("--tries", type=int, default=3, help="times that a busy workload is measured (%(default)s)")
    parser.add_argument(
        "--again", action="store_true", help="replace workloads of the record, by default the busy ones"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the record")
    options = parser.parse_args()
    output = options.json or HERE / "results" / f"advice-{machine.tag()}.json"
    if options.again:
        return again(output, options.workload, options.rounds, options.tries)
    rounds, tries = (1, 1) if options.quick else (options.rounds, options.tries)
    found = session(advice_workloads.chosen(options.workload), rounds, tries)
    if options.json or not (options.quick or options.workload):
        write(output, found)
    return 0


def again(output: Path, names: Sequence[str], rounds: int, tries: int) -> int:
    """Measure workloads of a record anew, by default the busy ones, and put them into it."""
    old: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    busy = [one["name"] for one in old["cases"] if one["busy_elsewhere"] >= QUIET]
    found = session(advice_workloads.chosen(names or busy), rounds, tries) if names or busy else old
    new = {one["name"]: one for one in found["cases"]}
    write(output, {**old, "cases": [new.get(one["name"], one) for one in old["cases"]]})
    return 0


def write(output: Path, found: Mapping[str, Any]) -> None:
    """Write a record."""
    output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"written to {output}")


if __name__ == "__main__":
    sys.exit(main())
