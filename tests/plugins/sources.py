"""Reads the repository's sources for the tests that hold its structure. Runs nothing."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

RUST_NOISE = re.compile(
    r"""
    //[^\n]*                        # a comment, also a doc comment
    | /\*.*?\*/                     # a block comment
    | (?<![\w'])b?r(\#*)".*?"\1     # a raw string
    | "(?:\\.|[^"\\])*"             # a string
    | '(?:\\[^']+|[^'\\\n])'        # a character, not a lifetime
    """,
    re.VERBOSE | re.DOTALL,
)


def rust_code(text: str) -> str:
    """Return Rust source without comments and literals, so that a word found in it is code."""
    return RUST_NOISE.sub(" ", text)


def rust_files(*folders: str) -> list[Path]:
    """Every Rust file below folders of the repository; there is at least one."""
    found = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.rs"))
    assert found, f"no Rust file in {folders}"
    return found


def python_files(*folders: str) -> list[Path]:
    """Every Python file below folders of the repository; there is at least one."""
    found = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    assert found, f"no Python file in {folders}"
    return found


def module_name(path: Path) -> str:
    """Return the dotted name of a file of the package, as in `fearless.lab.rules`."""
    parts = path.relative_to(ROOT / "python").with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source: str, module: str, *, package: bool = False) -> Iterator[str]:
    """Yield the dotted name of everything that a module imports, early or late.

    `from fearless.lab import rules` yields `fearless.lab.rules`: the name may be a module, and
    whoever asks compares by prefix.
    """
    parent = module if package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                ancestor = parent.split(".")[: len(parent.split(".")) - node.level + 1]
                base = ".".join([*ancestor, *([base] if base else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def within(name: str, *packages: str) -> bool:
    """Whether a dotted name is one of the packages, or lies in one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)
