"""The lab: measures patterns on a workload and says which one to use.

Holds one name for each verb, loaded on first use: `compare`. Beneath it `record` has the types, `runner` measures,
`rules` decides, `report` shows and `cli` is the command line. Needs the extra ``fearless[lab]`` for printing; measuring
needs the standard library only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fearless.lab.comparison import Comparison, compare

__all__ = ["Comparison", "compare"]


def __getattr__(name: str) -> object:
    """Load a verb the first time it is asked for: the processes that measure never do."""
    if name not in __all__:
        text = f"module 'fearless.lab' has no attribute {name!r}"
        raise AttributeError(text)
    from fearless.lab import comparison

    value: object = getattr(comparison, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the verbs."""
    return sorted(__all__)
