"""What an interpreter says of itself when `doctor` asks: build, clock, versions, what is known to be dear.

Runs in a process of that interpreter. Decides nothing.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import platform
import sys
import sysconfig
import threading
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from fearless.lab._errors import LabError

KEYS = 500  # of the dicts that are read
TICKS = 2_000
DISTRIBUTIONS = ("fearless", "rich")
HARDWARE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")


def answer(imports: Sequence[str]) -> dict[str, Any]:
    """Import the toolkit and ``imports``, which may turn the GIL on, and tell.

    Raises: `LabError` if one of them cannot be imported.
    """
    importlib.import_module("fearless._core")
    for name in imports:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001  # the module is the user's
            text = f"{name} cannot be imported by {sys.executable}: {type(error).__name__}: {error}"
            raise LabError(text) from None
    own, foreign = dict_reads()
    return {
        "build": build(),
        "debug": hasattr(sys, "gettotalrefcount"),
        "imported": ["fearless", *imports],
        "clock": clock(),
        "versions": versions(),
        "dict_read": own,
        "dict_read_foreign": foreign,
    }


def build() -> str:
    """The compiler, and whether it was told to optimise across the program."""
    told = str(sysconfig.get_config_var("CONFIG_ARGS") or "")
    marks = [name for name, flag in (("PGO", "--enable-optimizations"), ("LTO", "--with-lto")) if flag in told]
    return ", ".join([platform.python_compiler(), *marks])


def versions() -> dict[str, str]:
    """The versions of what takes part, as far as it is installed."""
    found: dict[str, str] = {}
    for name in DISTRIBUTIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found | _pyo3()


def _pyo3() -> dict[str, str]:
    """The version of PyO3 in the compiled module, from the list of parts in the wheel; nothing if it has none."""
    for file in importlib.metadata.files("fearless") or []:
        if file.name.endswith(".cyclonedx.json"):
            parts = json.loads(file.read_text(encoding="utf-8")).get("components", ())
            return {part["name"]: part["version"] for part in parts if part.get("name") == "pyo3"}
    return {}


def clock() -> dict[str, Any]:
    """The clock of `time.perf_counter`: its source, the smallest step seen, and what a reading costs."""
    info = time.get_clock_info("perf_counter")
    start = time.perf_counter()
    readings = [time.perf_counter() for _ in range(TICKS)]
    took = time.perf_counter() - start
    steps = [later - one for one, later in pairwise(readings) if later > one]
    return {
        "source": info.implementation,
        "monotonic": info.monotonic and all(later >= one for one, later in pairwise(readings)),
        "resolution": min(steps, default=info.resolution),
        "read": took / TICKS,
        "hardware": HARDWARE.read_text(encoding="ascii").strip() if HARDWARE.exists() else None,
    }


def dict_reads() -> tuple[float, float]:
    """Seconds for a key on the first way through a dict: made by this thread, and made by another one."""
    made: list[dict[int, int]] = []
    thread = threading.Thread(target=lambda: made.append(_fresh()))
    thread.start()
    thread.join()
    own = _fresh()
    return _read(own), _read(made[0])


def _fresh() -> dict[int, int]:
    return {key: key for key in range(1000, 1000 + KEYS)}


def _read(known: dict[int, int]) -> float:
    get, start = known.get, time.perf_counter()
    for key in range(1000, 1000 + KEYS):
        get(key)
    return (time.perf_counter() - start) / KEYS
