"""One name, everywhere: the table of types, and the files that each of them must have.

A type `t` is `crates/fearless-core/src/t.rs`, `crates/fearless-py/src/t.rs`, `tests/test_t.py`,
`benchmarks/bench_t.py` and `guide/docs/reference/t.md`. What the files say is not judged here, only
that each is there, names its type, and holds something of its own.
"""

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import fearless
from tests.plugins.sources import ROOT, rust_code


class Type(NamedTuple):
    """A row of the table. `public` is the name that users import."""

    name: str
    public: str
    python_alone: bool = False  # then there are no Rust files


TYPES = [
    Type("channel", "channel"),
    Type("select", "select"),
    Type("timer", "after"),
    Type("owned", "Owned"),
    Type("condvar", "Condvar"),
    Type("mutex", "Mutex"),
    Type("once", "Once"),
    Type("semaphore", "Semaphore"),
    Type("event", "Event"),
    Type("latch", "Latch"),
    Type("barrier", "Barrier"),
    Type("atomic_bool", "AtomicBool"),
    Type("atomic_float", "AtomicFloat"),
    Type("rwlock", "RwLock"),
    Type("atomic_int", "AtomicInt"),
    Type("atomic_ref", "AtomicRef"),
    Type("sharded_counter", "ShardedCounter"),
    Type("compat", "compat"),
    Type("task", "Task"),
    Type("scope", "scope"),
    Type("thread_pool", "ThreadPool"),
    Type("par", "par"),
    Type("pipeline", "pipeline", python_alone=True),
]

Complaint = str | None
Place = tuple[str, Callable[[Path, Type], Complaint]]


def read(path: Path) -> str:
    """Return the text of a file that has to be there."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def lacks_the_name(text: str, row: Type) -> bool:
    """Whether a text names the type nowhere: not as users call it, and not as its file is called."""
    camel = "".join(part.capitalize() for part in row.name.split("_"))
    return not re.search(rf"\b({row.public}|{row.name}|{camel})\b", text)


def rust_complaint(path: Path, row: Type) -> Complaint:
    """A Rust file offers something under the name of its type."""
    text = rust_code(read(path))
    offered = re.findall(r"\b(?:pub(?:\([^)]*\))?\s+)?(?:fn|struct|enum|trait|type)\s+(\w+)", text)
    if not offered:
        return "holds no item"
    return "does not name its type" if lacks_the_name(read(path), row) else None


def suite_complaint(path: Path, row: Type) -> Complaint:
    """A test file holds a test."""
    functions = [node.name for node in ast.walk(ast.parse(read(path))) if isinstance(node, ast.FunctionDef)]
    if not any(name.startswith("test_") for name in functions):
        return "holds no test"
    return "does not name its type" if lacks_the_name(read(path), row) else None


def benchmark_complaint(path: Path, row: Type) -> Complaint:
    """A benchmark file defines a function and calls something: it measures."""
    tree = ast.parse(read(path))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    if not any(isinstance(node, ast.Call) for function in functions for node in ast.walk(function)):
        return "holds no benchmark"
    return "does not name its type" if lacks_the_name(read(path), row) else None


def page_complaint(path: Path, row: Type) -> Complaint:
    """A reference page holds a sentence of prose, beside its headings and code."""
    prose = re.sub(r"```.*?```", "", read(path), flags=re.DOTALL)
    lines = [line for line in prose.splitlines() if line[:1].isalpha() or line[:1] in "`*"]
    if not any(len(line.split()) > 4 for line in lines):
        return "holds no sentence"
    return "does not name its type" if lacks_the_name(read(path), row) else None


PLACES: list[Place] = [
    ("crates/fearless-core/src/{}.rs", rust_complaint),
    ("crates/fearless-py/src/{}.rs", rust_complaint),
    ("tests/test_{}.py", suite_complaint),
    ("benchmarks/bench_{}.py", benchmark_complaint),
    ("guide/docs/reference/{}.md", page_complaint),
]


def places(row: Type) -> list[Place]:
    """The files that a type must have."""
    return PLACES[2:] if row.python_alone else PLACES


def complaints(root: Path, row: Type) -> list[str]:
    """What is wrong with the files of a type, in words."""
    found = []
    for pattern, check in places(row):
        path = root / pattern.format(row.name)
        complaint = check(path, row) if path.is_file() else "is missing"
        if complaint:
            found.append(f"{path.relative_to(root)} {complaint}")
    return found


@pytest.mark.parametrize("row", TYPES, ids=lambda row: row.name)
def test_a_type_has_its_five_files(row: Type) -> None:
    """Each file of the type is there, names it, and holds something of its own."""
    assert complaints(ROOT, row) == []


@pytest.mark.parametrize("row", TYPES, ids=lambda row: row.name)
def test_the_public_name_is_importable(row: Type) -> None:
    """The package offers the type under its public name."""
    assert row.public in dir(fearless)
    assert getattr(fearless, row.public) is not None


SOUND = {  # files of a type named turnstile with which nothing is wrong
    "crates/fearless-core/src/{}.rs": "pub struct Turnstile;",
    "crates/fearless-py/src/{}.rs": "#[pyclass(frozen)]\npub struct Turnstile { gate: turnstile::Turnstile }",
    "tests/test_{}.py": "def test_it_turns():\n    assert Turnstile().turn()",
    "benchmarks/bench_{}.py": "def turn(runner):\n    runner.add('turn/fearless', Turnstile().turn)",
    "guide/docs/reference/{}.md": "# Turnstile\n\nOne task passes at a time.",
}
TURNSTILE = Type("turnstile", "Turnstile")


def sound_files(root: Path) -> None:
    """Write the files of a type with which nothing is wrong."""
    for pattern, text in SOUND.items():
        path = root / pattern.format(TURNSTILE.name)
        path.parent.mkdir(parents=True)
        path.write_text(text)


def test_sound_files_pass(tmp_path: Path) -> None:
    """The check has nothing to say about a type that has what it must have."""
    sound_files(tmp_path)

    assert complaints(tmp_path, TURNSTILE) == []


@pytest.mark.parametrize("text", [None, "", "turnstile"], ids=["missing", "empty", "of no use"])
@pytest.mark.parametrize("pattern", [pattern for pattern, _ in PLACES])
def test_a_file_that_lacks_something_is_found(tmp_path: Path, pattern: str, text: str | None) -> None:
    """A file that is missing, empty or of no use is complained about, and no other is."""
    sound_files(tmp_path)
    broken = tmp_path / pattern.format(TURNSTILE.name)
    broken.unlink()
    if text is not None:
        broken.write_text(text)

    (found,) = complaints(tmp_path, TURNSTILE)

    assert found.startswith(f"{pattern.format(TURNSTILE.name)} {'is missing' if text is None else 'holds no'}")


def test_a_file_about_another_type_is_found(tmp_path: Path) -> None:
    """Files that speak of another type do not pass for those of this one."""
    sound_files(tmp_path)

    for pattern in SOUND:
        path = tmp_path / pattern.format(TURNSTILE.name)
        path.write_text(path.read_text().replace("urnstile", "rapdoor"))

    found = complaints(tmp_path, TURNSTILE)

    assert [line.split(" ", 1)[1] for line in found] == ["does not name its type"] * len(PLACES)


def test_a_type_written_in_python_alone_has_no_rust_files(tmp_path: Path) -> None:
    """The flag of the table drops the two Rust files, and nothing else."""
    found = complaints(tmp_path, Type("turnstile", "Turnstile", python_alone=True))

    assert [line.split(" ", 1)[0] for line in found] == [
        "tests/test_turnstile.py",
        "benchmarks/bench_turnstile.py",
        "guide/docs/reference/turnstile.md",
    ]
