"""Programs that import fearless in an interpreter beside the main one, each in a process of its own.

Not here: pytest, which these programs do not need. Where CPython keeps the functions differs by version.
"""

import importlib
import importlib.util
import os
import sys
from types import ModuleType

_ATTEMPT = """
import os, sys
sys.path[:] = {path!r}
import fearless
for _ in range(2):
    try:
        fearless.Mutex
    except ImportError as error:
        text = f"refused: {{error}}\\n"
    else:
        text = "loaded\\n"
    os.write(1, text.encode())
"""


def _interpreters() -> ModuleType:
    names = ("_interpreters", "_xxsubinterpreters")
    return importlib.import_module(next(name for name in names if importlib.util.find_spec(name)))


def _import_beside(*configuration: str) -> None:
    interpreters = _interpreters()
    beside = interpreters.create(*configuration)
    run = getattr(interpreters, "exec", None) or interpreters.run_string
    failure = run(beside, _ATTEMPT.format(path=sys.path))
    assert failure is None, failure
    interpreters.destroy(beside)


def _configurations() -> list[tuple[str, ...]]:
    """The default; and, where there is a choice, one that shares the lock, which CPython itself lets import all."""
    return [(), ("legacy",)] if hasattr(_interpreters(), "new_config") else [()]


def import_beside_first() -> None:
    """The main interpreter comes second, and is served."""
    for configuration in _configurations():
        _import_beside(*configuration)
    _import_here()


def import_beside_second() -> None:
    """The main interpreter came first."""
    _import_here()
    for configuration in _configurations():
        _import_beside(*configuration)


def _import_here() -> None:
    import fearless

    assert fearless.Mutex(1).copy() == 1
    os.write(1, b"main\n")
