"""The tests of the Rust core, run from here so that one command runs everything.

The models are not among them: they take minutes and have a leg of their own in `.ci/run`.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOUND = 280  # seconds; below the bound of a test, so that cargo's output is shown


def test_the_core_passes_its_own_tests() -> None:
    """`cargo test` succeeds, and runs at least one test."""
    cargo = shutil.which("cargo")
    assert cargo, "cargo is not on PATH; the core is written in Rust and is tested with cargo"
    done = subprocess.run(
        [cargo, "test", "--package", "fearless-core", "--locked", "--color", "never"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "RUSTFLAGS"},  # meant for the bindings
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BOUND,
        check=False,
    )
    passed = [int(number) for number in re.findall(r"^test result: ok\. (\d+) passed", done.stdout, re.MULTILINE)]

    assert done.returncode == 0, done.stdout
    assert sum(passed) > 0, done.stdout
