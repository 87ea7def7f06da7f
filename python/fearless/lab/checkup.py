"""`doctor`: looks at this machine and at interpreters, and says what can be shown here.

Holds what is asked and measured. What follows from it is in `diagnosis`. Prints nothing.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

from fearless.lab import children, environments, machine
from fearless.lab._codec import decode
from fearless.lab._errors import LabError
from fearless.lab.diagnosis import Checked, Diagnosis, Machine
from fearless.lab.machine import Calibration
from fearless.lab.record import Interpreter

LOOK_SECONDS = 10.0
ANSWER_SECONDS = 60.0

Progress = Callable[[float, str], None]


def doctor(
    pythons: Sequence[str] = (),
    *,
    seconds: float = LOOK_SECONDS,
    imports: Sequence[str] = (),
    progress: Progress | None = None,
    note: Callable[[str], None] | None = None,
) -> Diagnosis:
    """Look at the machine and at ``pythons``, by default the running one, and say what can be shown with them.

    Effective cores are looked at for ``seconds``, all interpreters in turn. ``imports`` are modules that each imports
    before it says whether its GIL is on. ``progress`` is called with the share done, 0 to 1, and what is looked at;
    ``note`` with what takes long before that.

    Blocks: for ``seconds``, and a second or two for each interpreter.
    Raises: `LabError` if ``seconds`` is not a positive number, an interpreter cannot be had, or a module of
    ``imports`` cannot be imported.
    """
    if not 0 < seconds < math.inf:
        raise LabError(f"seconds must be a number > 0, got {seconds}")
    tell = progress or _silent
    interpreters = environments.interpreters(list(pythons), note)
    steal, throttled = machine.steal_ticks(), machine.throttled_periods()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    asked = []
    for one in interpreters:
        tell(0.0, f"interpreter {one.label}")
        asked.append(_ask(one, imports))
    looks = _looks(interpreters, [answer["gil"] for answer in asked], seconds, tell)
    checked = [_checked(one, answer, seen) for one, answer, seen in zip(interpreters, asked, looks, strict=True)]
    return Diagnosis(_machine(steal, throttled, load), tuple(checked), seconds)


def _machine(steal: tuple[int, int] | None, throttled: int | None, load: float | None) -> Machine:
    """What is granted, and what has happened since the readings that are given."""
    now = machine.throttled_periods()
    return Machine(
        platform=machine.platform_name(),
        processor=machine.processor_name(),
        cpu_count=machine.cpu_count(),
        affinity=machine.affinity(),
        cgroup=machine.cgroup_version(),
        cgroup_cpus=machine.cgroup_cpus(),
        cpuset=machine.cpuset(),
        throttled=now - throttled if now is not None and throttled is not None else None,
        steal=machine.steal_share(steal, machine.steal_ticks()),
        load=load,
    )


def _ask(one: Interpreter, imports: Sequence[str]) -> dict[str, Any]:
    """What the interpreter says of itself."""
    orders = {"mode": "doctor", "imports": list(imports)}
    answer = children.ask(one.executable, orders, timeout=ANSWER_SECONDS)
    if "error" in answer:
        said = answer["error"].rstrip()
        raise LabError(said if answer.get("ours") else f"Python {one.label} cannot be looked at:\n{said}")
    found: dict[str, Any] = answer["doctor"]
    return found


def _looks(
    interpreters: Sequence[Interpreter], gils: Sequence[bool], seconds: float, tell: Progress
) -> list[list[Calibration]]:
    """Looks at the effective cores, all interpreters in turn, until the time is over; each has one at the least."""
    found: list[list[Calibration]] = [[] for _ in interpreters]
    start, limit = time.monotonic(), _spinners()
    while (spent := time.monotonic() - start) < seconds or not found[0]:
        for one, gil, seen in zip(interpreters, gils, found, strict=True):
            tell(min(1.0, spent / seconds), f"effective cores on {one.label}")
            if (look := _look(one, limit, gil=gil)) is not None:
                seen.append(look)
            elif not seen:
                raise LabError(f"no spinner of Python {one.label} gave an answer")
    return found


def _look(one: Interpreter, spinners: int, *, gil: bool) -> Calibration | None:
    if gil:
        return machine.calibrate_with_processes(one.executable, spinners)
    answer = children.ask(one.executable, {"mode": "cores", "spinners": spinners}, timeout=ANSWER_SECONDS)
    return None if "error" in answer else Calibration(**answer)


def _spinners() -> int:
    """As many as there are cores allowed, and two at the least."""
    limits = [limit for limit in (machine.affinity(), machine.cgroup_cpus(), machine.cpuset()) if limit]
    return max(2, round(min([machine.cpu_count(), *limits])))


def _checked(one: Interpreter, answer: dict[str, Any], seen: Sequence[Calibration]) -> Checked:
    known = {
        "label": one.label,
        "executable": one.executable,
        "version": one.version,
        "implementation": one.implementation,
        "free_threaded": one.free_threaded,
        "cores": [look.cores for look in seen],
        "alone": [look.alone for look in seen],
    }
    return decode(Checked, {**known, **answer}, "doctor")


def _silent(_share: float, _text: str) -> None:
    pass
