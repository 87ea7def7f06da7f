"""The lab: measures patterns on a workload and says which one to use.

Holds one name for each verb, loaded on first use: `choose`, `compare`, `doctor`. Beneath it `record` has the types,
`runner` measures, `rules` decides, `report` shows and `cli` is the command line. Needs the extra ``fearless[lab]`` for
printing and asking; measuring needs the standard library only.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fearless.lab.checkup import doctor
    from fearless.lab.choosing import Choice, choose
    from fearless.lab.comparison import Comparison, compare
    from fearless.lab.diagnosis import Diagnosis

HOMES = {
    "Choice": "choosing",
    "Comparison": "comparison",
    "Diagnosis": "diagnosis",
    "choose": "choosing",
    "compare": "comparison",
    "doctor": "checkup",
}

__all__ = ["Choice", "Comparison", "Diagnosis", "choose", "compare", "doctor"]


def __getattr__(name: str) -> object:
    """Load a verb the first time it is asked for: the processes that measure never do."""
    if name not in HOMES:
        text = f"module 'fearless.lab' has no attribute {name!r}"
        raise AttributeError(text)
    value: object = getattr(importlib.import_module(f"{__name__}.{HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the verbs."""
    return sorted(__all__)
