"""Cargo, run on the Rust twins. Not here: what they are compared with."""

import os
import shutil
import subprocess

from tests.plugins.sources import ROOT

BOUND = 280  # seconds for cargo, below the bound of a test


def cargo(verb: str, *arguments: str) -> str:
    """Run cargo on the twins and return what it printed."""
    program = shutil.which("cargo")
    assert program, "cargo is not on PATH; the twins are written in Rust"
    done = subprocess.run(
        [program, verb, "--package", "fearless-patterns", "--locked", "--color", "never", *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "RUSTFLAGS"},  # meant for the bindings
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BOUND,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
