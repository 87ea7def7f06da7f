"""The built-in workloads, each on real input. Holds their names; a module is imported when its workload is run."""

from __future__ import annotations

import importlib

_MODULES = {
    "word-index": ("word_index", "WordIndex"),
    "checksum": ("checksum", "Checksum"),
    "line-metrics": ("line_metrics", "LineMetrics"),
    "pipeline": ("pipeline", "Pipeline"),
    "read-mostly-cache": ("read_mostly_cache", "ReadMostlyCache"),
    "uneven": ("uneven", "Uneven"),
    "ledger": ("ledger", "Ledger"),
    "fetch": ("fetch", "Fetch"),
}

NAMES = tuple(_MODULES)


def load(name: str) -> type:
    """The class of the built-in workload ``name``. Raises: `KeyError` if there is none."""
    module, attribute = _MODULES[name]
    found: type = getattr(importlib.import_module(f"{__name__}.{module}"), attribute)
    return found
