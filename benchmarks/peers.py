"""Libraries that can be measured beside ours, if the environment has them.

A peer that is not there is listed as absent, with the reason; its absence is nobody's win. On a free-threaded
interpreter a peer that turns the GIL on is absent, too: everything beside it would be measured with the GIL.

Not here: what is measured of a peer; each shape knows.
"""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from types import ModuleType

from benchmarks import machine

PEERS = {  # module -> distribution
    "ft_utils": "ft-utils",
    "cereggii": "cereggii",
    "atomicx": "atomicx",
    "aiologic": "aiologic",
    "culsans": "culsans",
    "janus": "janus",
    "readerwriterlock": "readerwriterlock",
    "fasteners": "fasteners",
    "rwlocker": "rwlocker",
    "joblib": "joblib",
}

absent: dict[str, str] = {}
"""The peers that were asked for and are not there, with the reason."""


def find(module: str) -> ModuleType | None:
    """Return the module of a peer, or note why it is absent."""
    package = module.partition(".")[0]
    if package not in absent and (reason := unusable(package)):
        absent[package] = reason
    return None if package in absent else importlib.import_module(module)


def unusable(package: str) -> str | None:
    """Say why a peer cannot be measured in this process, if so."""
    if package in sys.modules:
        return None
    if importlib.util.find_spec(package) is None:
        return f"not installed; pip install {PEERS[package]}"
    # In a process of its own: an import that turns the GIL on cannot be undone.
    probe = f"import sys, {package}; sys.exit(getattr(sys, '_is_gil_enabled', bool)())"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", probe], capture_output=True, text=True, check=False)  # noqa: S603 - a peer's name from the table above
    if machine.is_free_threaded() and done.returncode == 1 and not done.stderr:
        return "its import turns the GIL on"
    if done.stderr:
        return done.stderr.strip().splitlines()[-1]
    return None
