"""Who may know what: the import rules of the package and of the crates, each with a counter-example.

A rule is a function from (file, source) to complaints, so that the same function reads the
repository and a line that breaks it. What a file does is tested elsewhere.
"""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.plugins.sources import (
    ROOT,
    imports,
    module_name,
    python_files,
    rust_code,
    rust_files,
    within,
)

Rule = Callable[[str, str], Iterator[str]]

LAB = "fearless.lab"
DECIDE = (
    "fearless.lab.facts",
    "fearless.lab.rules",
    "fearless.lab.explain",
    "fearless.lab.advice",
    "fearless.lab.costs",
    "fearless.lab.contradictions",
    "fearless.lab.ranking",
    "fearless.lab.sensitivity",
    "fearless.lab.unknowns",
)
SHOW = ("fearless.lab.report", "fearless.lab.cli")
DATA = (  # neither measures nor decides: the record, its statistics, its words
    "fearless.lab.record",
    "fearless.lab.stats",
    "fearless.lab.wording",
    "fearless.lab._codec",
    "fearless.lab._errors",
)
MAKES_A_RUN = ("os", "subprocess", "multiprocessing", "threading", "time", "resource", "signal")
JOINS = (LAB, "fearless.lab.comparison", "fearless.lab.choosing")  # a verb: it measures, then decides, then hands over
PLUGIN = "fearless._pytest"
PRINTERS = ("fearless.lab.report.printer", "fearless._cli")  # _cli speaks where the lab is missing
DOORS = (  # where a thread may go to sleep
    "crates/fearless-core/src/sync.rs",
    "crates/fearless-core/src/waiter.rs",
    "crates/fearless-py/src/wait.rs",
)


# ---- rules for Python: (module, source) -> complaints -------------------------------------------


def nothing_outside_the_lab_knows_it(module: str, source: str) -> Iterator[str]:
    """The toolkit works without the extra. Only the console script asks for the lab, late."""
    if within(module, LAB, "fearless._cli", "fearless.__main__"):
        return
    yield from (name for name in imports(source, module) if within(name, LAB))


def the_toolkit_needs_nothing_beside_it(module: str, source: str) -> Iterator[str]:
    """Outside the lab, everything imported is ours or the standard library's; but pytest imports the plugin."""
    if within(module, LAB, PLUGIN):
        return
    known = {*sys.stdlib_module_names, "fearless"}
    yield from (name for name in imports(source, module) if name.partition(".")[0] not in known)


def deciders_do_not_measure(module: str, source: str) -> Iterator[str]:
    """Rules read facts: of the lab they know data and each other, and they have no clock."""
    if not within(module, *DECIDE):
        return
    for name in imports(source, module):
        if within(name, LAB) and not within(name, *DECIDE, *DATA):
            yield name
        if within(name, *MAKES_A_RUN):
            yield name


def whoever_measures_does_not_decide(module: str, source: str) -> Iterator[str]:
    """Patterns, workloads, runner, statistics and record know no rule. `fearless.lab` joins the two."""
    if not within(module, LAB) or within(module, *DECIDE, *SHOW) or module in JOINS:
        return
    yield from (name for name in imports(source, module) if within(name, *DECIDE))


def one_module_prints(module: str, source: str) -> Iterator[str]:
    """Everything shown goes through one door, which knows about pipes, colours and progress."""
    if module in PRINTERS:
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and node.id == "print":
            yield f"print, line {node.lineno}"
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"sys.stdout", "sys.stderr"}:
            yield f"{ast.unparse(node)}, line {node.lineno}"


def nobody_sleeps_by_the_clock(module: str, source: str) -> Iterator[str]:
    """The package waits through its one door, and a test waits for an event."""
    for name in imports(source, module):
        if name == "time.sleep":
            yield name
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep":
            yield f"time.sleep, line {node.lineno}"


# ---- rules for Rust: (path, source) -> complaints -----------------------------------------------


def the_core_knows_no_python(path: str, source: str) -> Iterator[str]:
    """No algorithm depends on an interpreter, so all of them can be explored by a model."""
    if path.startswith("crates/fearless-core/"):
        yield from re.findall(r"\bpyo3\w*|\bPy(?:Object|Any|Err|Result)\b|\bPython\b", rust_code(source))


def only_the_doors_sleep(path: str, source: str) -> Iterator[str]:
    """One waiter protocol: nothing else parks a thread, or cancel and Ctrl-C would not reach it."""
    if path in DOORS or "/src/" not in path:
        return
    code = rust_code(source)
    yield from re.findall(r"\bthread::(?:park\w*|sleep\w*)|\bpark_until\s*\(|\bsync::Condvar\b", code)
    for names in re.findall(r"\bthread::\{([^}]*)\}", code):
        yield from re.findall(r"\b(?:park|sleep)\w*", names)
    # The group may hold others: `sync::{Arc, atomic::{AtomicU64}, Condvar}`. Ours comes from a module of its own.
    for names in re.findall(r"\bsync::\{((?:[^{}]|\{[^{}]*\})*)\}", code):
        yield from re.findall(r"(?<!:)\bCondvar\b", names)


def unsafe_only_where_listed(path: str, source: str) -> Iterator[str]:
    """Each file with `unsafe` is in the list of crates/README.md, which says why."""
    if re.search(r"\bunsafe\b", rust_code(source)) and path not in listed_as_unsafe():
        yield "unsafe"


def listed_as_unsafe() -> list[str]:
    """The files that crates/README.md allows to use `unsafe`."""
    table = (ROOT / "crates/README.md").read_text(encoding="utf-8")
    return re.findall(r"^\| `(crates/[^`]+\.rs)` \|", table, re.MULTILINE)


# ---- the rules against the repository -----------------------------------------------------------

PACKAGE_RULES: list[Rule] = [
    nothing_outside_the_lab_knows_it,
    the_toolkit_needs_nothing_beside_it,
    deciders_do_not_measure,
    whoever_measures_does_not_decide,
    one_module_prints,
    nobody_sleeps_by_the_clock,
]
RUST_RULES: list[Rule] = [the_core_knows_no_python, only_the_doors_sleep, unsafe_only_where_listed]


def found(rule: Rule, files: list[Path], name: Callable[[Path], str]) -> list[str]:
    """Every complaint of a rule about these files, with the file in front."""
    return [f"{name(path)}: {what}" for path in files for what in rule(name(path), path.read_text(encoding="utf-8"))]


def relative(path: Path) -> str:
    """Return the path inside the repository, with forward slashes."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("rule", PACKAGE_RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps(rule: Rule) -> None:
    """Every module of the package keeps the rule."""
    assert found(rule, python_files("python"), module_name) == []


@pytest.mark.parametrize("rule", RUST_RULES, ids=lambda rule: rule.__name__)
def test_the_crates_keep(rule: Rule) -> None:
    """Every Rust file keeps the rule."""
    assert found(rule, rust_files("crates"), relative) == []


def test_nothing_imports_the_plugin() -> None:
    """It needs pytest, so only pytest may load it."""
    files = [path for path in python_files("python") if module_name(path) != PLUGIN]

    assert [
        path for path in files for name in imports(path.read_text(), module_name(path)) if within(name, PLUGIN)
    ] == []


def test_the_core_depends_on_no_python() -> None:
    """Neither does its manifest name PyO3."""
    manifest = tomllib.loads((ROOT / "crates/fearless-core/Cargo.toml").read_text(encoding="utf-8"))

    assert "pyo3" not in str(manifest)


def test_no_test_sleeps_by_the_clock() -> None:
    """A test waits for an event, under a bound."""
    assert found(nobody_sleeps_by_the_clock, python_files("tests"), relative) == []


def test_every_file_listed_as_unsafe_still_is() -> None:
    """The list shrinks with the code."""
    listed = listed_as_unsafe()
    stale = [
        name for name in listed if not re.search(r"\bunsafe\b", rust_code((ROOT / name).read_text(encoding="utf-8")))
    ]

    assert listed
    assert stale == []


# ---- that each rule can fail --------------------------------------------------------------------

BROKEN: list[tuple[Rule, str, str]] = [
    (nothing_outside_the_lab_knows_it, "fearless.pools", "from fearless.lab import rules"),
    (nothing_outside_the_lab_knows_it, "fearless.pools", "def late():\n    from .lab import rules"),
    (the_toolkit_needs_nothing_beside_it, "fearless.pools", "import rich.table"),
    (deciders_do_not_measure, "fearless.lab.rules", "from fearless.lab.patterns import serial"),
    (deciders_do_not_measure, "fearless.lab.facts", "from . import runner"),
    (deciders_do_not_measure, "fearless.lab.explain", "from time import perf_counter"),
    (whoever_measures_does_not_decide, "fearless.lab.patterns.serial", "from ..rules import choose"),
    (whoever_measures_does_not_decide, "fearless.lab.runner", "import fearless.lab.explain"),
    (whoever_measures_does_not_decide, "fearless.lab.record", "from fearless.lab import facts"),
    (one_module_prints, "fearless.lab.report.table", "print('fast')"),
    (one_module_prints, "fearless.lab.runner", "import sys\nsys.stderr.write('slow')"),
    (nobody_sleeps_by_the_clock, "fearless.scopes", "import time\ntime.sleep(1)"),
    (nobody_sleeps_by_the_clock, "tests/test_x.py", "from time import sleep"),
    (the_core_knows_no_python, "crates/fearless-core/src/mutex.rs", "use pyo3::Py;"),
    (the_core_knows_no_python, "crates/fearless-core/src/mutex.rs", "fn f(value: PyObject) {}"),
    (only_the_doors_sleep, "crates/fearless-core/src/mutex.rs", "fn f() { thread::park(); }"),
    (only_the_doors_sleep, "crates/fearless-py/src/mutex.rs", "fn f() { std::thread::sleep(LONG); }"),
    (only_the_doors_sleep, "crates/fearless-py/src/mutex.rs", "use std::thread::{Thread, park_timeout};"),
    (only_the_doors_sleep, "crates/fearless-py/src/mutex.rs", "fn f(waiter: &Waiter) { waiter.park_until(None); }"),
    (only_the_doors_sleep, "crates/fearless-py/src/mutex.rs", "static DOOR: std::sync::Condvar = Condvar::new();"),
    (only_the_doors_sleep, "crates/fearless-py/src/mutex.rs", "use std::sync::{Arc, atomic::{AtomicU64}, Condvar};"),
    (unsafe_only_where_listed, "crates/fearless-core/src/elsewhere.rs", "unsafe { free(value) }"),
]


@pytest.mark.parametrize(("rule", "name", "source"), BROKEN)
def test_a_line_that_breaks_the_rule_is_found(rule: Rule, name: str, source: str) -> None:
    """The rule sees its counter-example."""
    assert list(rule(name, source))


def test_every_rule_has_a_counter_example() -> None:
    """No rule is here that was never seen to fail."""
    assert {rule for rule, _, _ in BROKEN} == {*PACKAGE_RULES, *RUST_RULES}


@pytest.mark.parametrize(
    "source",
    [
        "// unsafe { park() }",
        'const TEXT: &str = "unsafe { park() }";',
        "/* unsafe, and thread::park() */",
        "/// An `unsafe` word about `park()`.\nfn f<'a>(x: &'a str) -> char { 'u' }",
        'const RAW: &str = r#"unsafe "park()" "#;',
    ],
)
@pytest.mark.parametrize("rule", RUST_RULES, ids=lambda rule: rule.__name__)
def test_words_in_comments_and_literals_break_nothing(rule: Rule, source: str) -> None:
    """Only code counts."""
    assert list(rule("crates/fearless-core/src/mutex.rs", source)) == []


# ---- what the first import costs ----------------------------------------------------------------

HEAVY = {
    "asyncio",
    "concurrent.futures",
    "dataclasses",
    "inspect",
    "logging",
    "multiprocessing",
    "queue",
    "rich",
    "trio",
}


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a statement loads in a fresh interpreter, which starts with almost none."""
    program = f"""
import sys; before = set(sys.modules); {statement}
loaded = [*set(sys.modules) - before]; import json; print(json.dumps(loaded))"""
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(done.stdout))


def test_the_first_import_is_light() -> None:
    """`import fearless` loads nothing heavy, and no module of its own that it does not need yet."""
    loaded = loaded_by("import fearless")

    assert loaded & HEAVY == set()
    assert [name for name in loaded if within(name, "fearless")] == ["fearless"]


def test_the_first_pool_brings_the_executor() -> None:
    """What a name needs comes with the name: this also shows that the check above can fail."""
    assert "concurrent.futures" in loaded_by("import fearless; fearless.ThreadPool")
