"""The process in which one pattern runs once: ``python -m fearless.lab.child``, started by the lab and by nobody else.

It reads its orders as one line of JSON from standard input, and leaves its answer as JSON in the file that the orders
name; what the user's code prints goes elsewhere. Standard input stays open: when it ends, the lab is gone, and this
process removes the folder that the lab worked in, and takes its group with it.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fearless.lab import catalog, corpus, dispatch, gil, machine, memory, reference, watch
from fearless.lab._codec import encode
from fearless.lab._errors import LabError, user_traceback
from fearless.lab.job import Job
from fearless.lab.resolve import Target, resolve, source_of

Answer = dict[str, Any]
WAITING = ("lock", "channel", "pool")  # a join or a sleep is no worker's waiting
TRIES = 10  # to remove a folder that others may still write to

_ending = threading.Lock()  # held by whichever thread ends the process, so that none ends it while a folder is removed


def main() -> None:
    """Do what the orders say, leave the answer, and end at once: tearing down a large heap would take longer."""
    culprit = gil.Culprit()
    orders = json.loads(_first_line())
    if os.name == "posix":
        watch = threading.Thread(target=_end_with_the_lab, args=(orders["folder"],), name="lab-watch", daemon=True)
        watch.start()
    answer = _answer(orders)
    for found in (answer.get("run"), answer.get("doctor")):
        if found:
            found |= {"gil": gil.is_on(), "gil_enabled_by": culprit.name if gil.is_on() else None}
    with _ending:
        _leave(answer, orders["answer"])
        os._exit(0)


def _leave(answer: Answer, name: str) -> None:
    """Write the answer, whole or not at all, and what the user's code has printed."""
    scratch = Path(name + ".part")
    scratch.write_text(json.dumps(answer), encoding="utf-8")
    scratch.replace(name)
    for stream in (sys.__stdout__, sys.__stderr__):  # what the user's code printed
        with contextlib.suppress(Exception):
            stream.flush()  # type: ignore[union-attr]  # None is one of the exceptions


def _answer(orders: Mapping[str, Any]) -> Answer:
    """The answer to ``orders``; whatever the user's code raises is one, too."""
    modes: dict[str, Callable[[Mapping[str, Any]], Answer]] = {
        "cores": _cores,
        "profile": _profile,
        "costs": _costs,
        "doctor": _doctor,
        "run": _run,
    }
    try:
        return modes[orders["mode"]](orders)
    except LabError as error:
        return {"error": str(error), "ours": True}
    except BaseException as error:  # noqa: BLE001  # also SystemExit: the code is the user's
        return {"error": user_traceback(error)}


def _cores(orders: Mapping[str, Any]) -> Answer:
    """One calibration with threads."""
    answer: Answer = encode(machine.calibrate_with_threads(orders["spinners"]))
    return answer


def _doctor(orders: Mapping[str, Any]) -> Answer:
    """What this interpreter says of itself."""
    from fearless.lab import introspect  # here alone, as it loads what each of many runs would have to wait for

    return {"doctor": introspect.answer(orders["imports"])}


def _job(orders: Mapping[str, Any]) -> Job:
    if orders.get("files") is not None:
        corpus.use(orders["files"])
    target = orders["target"]
    return resolve(Target(target["name"], target["args"], target["items"]))


def _profile(orders: Mapping[str, Any]) -> Answer:
    """What the workload is, and what a watched serial run tells. A failure of that run is told beside the rest."""
    job = _job(orders)
    items = job.items()
    answer: Answer = {
        "name": job.name,
        "source": source_of(Target(orders["target"]["name"])),
        "summary": job.summary,
        "parameters": encode(job.parameters),
        "items": len(items),
        "state": job.state,
        "methods": list(job.methods),
        "stages": list(job.stage_names),
        "whole": catalog.whole_total(job),
    }
    try:
        answer["profile"] = encode(watch.watch(job, items, orders["python"]))
    except Exception as error:  # noqa: BLE001  # the code is the user's; each pattern will tell its own error
        answer["failed"] = user_traceback(error)
    return answer


def _costs(orders: Mapping[str, Any]) -> Answer:
    """What the patterns themselves cost, and how long the lock is held. Fields of a `Profile`."""
    job, names = _job(orders), orders["patterns"]
    items = job.items()
    costs: Answer = {"dispatch": dispatch.measure(job, names, orders["workers"], items)}
    if "mutex" in names and (lock := watch.watch_lock(job, items)) is not None:
        costs["hold_seconds"], costs["gap_seconds"] = lock
    if "processes" in names and (process := dispatch.process(job, items)) is not None:
        costs["dispatch"][dispatch.PROCESS], costs["transfer_seconds"] = process
    return {"costs": costs}


def _run(orders: Mapping[str, Any]) -> Answer:
    """Run a pattern, and say what it took and whether its result is the serial one."""
    job = _job(orders)
    pattern = catalog.fit_job(orders["pattern"], job)
    if isinstance(pattern, str):
        raise LabError(f"{orders['pattern']}: {pattern}")
    entry, items = pattern.load(), job.items()
    waiting = _waiting if pattern.uses_toolkit else _no_clock
    peaks = Path(orders["peaks"])
    os.environ[memory.FOLDER] = str(peaks)
    gc.collect()

    waited, cpu, start = waiting(), _cpu_seconds(), time.perf_counter()
    result = entry(job, items, orders["workers"])
    seconds, spent, now = time.perf_counter() - start, _cpu_seconds() - cpu, waiting()

    peak = memory.own_peak()
    run = {
        "threads": pattern.threads(orders["workers"], len(job.stages)),
        "seconds": seconds,
        "cpu_seconds": spent,
        "waiting_seconds": now - waited if now is not None and waited is not None else None,
        "peak_bytes": peak + memory.workers_peak(peaks) if peak is not None else None,
    }
    return {"run": run | encode(reference.compare(job, result, Path(orders["reference"]), write=orders["write"]))}


def _waiting() -> float | None:
    """Seconds that threads have waited so far, by the clock of the waiting door; None if this build has none."""
    try:
        from fearless._core import waiting
    except ImportError:
        return None
    kinds: Mapping[str, float] = waiting()
    return sum(kinds.get(kind, 0.0) for kind in WAITING)


def _no_clock() -> float | None:
    return None


def _cpu_seconds() -> float:
    """CPU seconds of this process and of the children it has waited for."""
    try:
        import resource
    except ImportError:  # Windows knows no children's time
        return time.process_time()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _first_line() -> bytes:
    """Standard input up to the first newline, unbuffered: a thread reads on from there."""
    line = bytearray()
    while not line.endswith(b"\n"):
        more = os.read(0, 65536)
        if not more:
            break
        line += more
    return bytes(line)


def _end_with_the_lab(folder: str) -> None:
    """Wait for the end of standard input, which is the end of the lab; clear up for it, and end the whole group."""
    while os.read(0, 4096):
        pass
    with _ending:
        for _ in range(TRIES):  # a file that is written meanwhile keeps its folder
            shutil.rmtree(folder, ignore_errors=True)
            if not Path(folder).exists():
                break
        os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
