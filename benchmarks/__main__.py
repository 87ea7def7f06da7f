"""The command: measure shapes, print their figures, and record a full session in `benchmarks/results`.

    python -m benchmarks [--quick] [--rounds N] [--json FILE] [--list] [SHAPE ...]

Run it in the root of a checkout, with an interpreter that fearless is installed in. A SHAPE is the beginning of a
name: `spsc` is all of them, `spsc/0` the rendezvous alone. Not here: shapes; each `bench_*.py` has some.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

from benchmarks import machine, peers, report
from benchmarks.harness import QUICK, Plan, Shape, measure

HERE = Path(__file__).resolve().parent
DISTRIBUTIONS = ("fearless", *peers.PEERS.values())


def all_shapes() -> list[Shape]:
    """Collect the shapes of every `bench_*.py`."""
    modules = [importlib.import_module(f"benchmarks.{path.stem}") for path in sorted(HERE.glob("bench_*.py"))]
    return [shape for module in modules for shape in module.shapes()]


def selected(shapes: list[Shape], wanted: list[str]) -> list[Shape]:
    """Choose the shapes whose name begins as one of those wanted."""
    for start in wanted:
        if not any(shape.name.startswith(start) for shape in shapes):
            raise SystemExit(f"no shape {start!r}; there are {', '.join(shape.name for shape in shapes)}")
    return [shape for shape in shapes if not wanted or shape.name.startswith(tuple(wanted))]


def session(shapes: list[Shape], plan: Plan, output: Path | None) -> None:
    """Measure and print; write the record if it has somewhere to go."""
    environment: dict[str, Any] = machine.describe()
    cores = machine.effective_cores()
    environment |= {"effective_cores": [cores, cores], "sample_seconds": plan.sample}
    print(report.heading(environment), flush=True)
    clock = machine.Clock()
    entries = []
    for shape in shapes:
        entry = report.result(shape, plan, measure(shape, plan), free_threaded=machine.is_free_threaded())
        entries.append(entry)
        print(report.table(entry), flush=True)
    environment |= {
        "steal": clock.stolen(),
        "busy_elsewhere": clock.busy_elsewhere(),
        "effective_cores": [cores, machine.effective_cores()],
        "gil": machine.has_gil(),  # read after the run: an import may have turned it on
        "versions": machine.versions(DISTRIBUTIONS),
        "absent": peers.absent,
    }
    print(report.closing(environment))
    if output is not None:
        report.write(output, environment, entries)
        print(f"written to {output}")


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure fearless beside its peers.")
    parser.add_argument("shape", nargs="*", help="the beginning of a shape's name; all if none is given")
    parser.add_argument("--quick", action="store_true", help="see that all of it runs; the figures mean nothing")
    parser.add_argument("--rounds", type=int, default=Plan().rounds, help="rounds of each shape (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the record")
    parser.add_argument("--list", action="store_true", help="print the names of the shapes")
    options = parser.parse_args()
    shapes = selected(all_shapes(), options.shape)
    if options.list:
        print("\n".join(shape.name for shape in shapes))
        return 0
    whole = not (options.quick or options.shape)
    output = options.json or (HERE / "results" / f"{machine.tag()}.json" if whole else None)
    session(shapes, QUICK if options.quick else Plan(rounds=options.rounds), output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
