"""Text of Python files, taken apart and put together: edits by place, imports, lines of a bounded width.

Knows nothing of patterns and workloads; see `emit`.
"""

from __future__ import annotations

import ast
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

WIDTH = 88  # what formatters agree on where nobody configured them
FUTURE = "from __future__ import annotations"


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name: ``import module`` if ``name`` is empty, else ``from module import name``; perhaps ``as``."""

    module: str
    name: str = ""
    alias: str = ""

    @property
    def bound(self) -> str:
        """The name that it binds."""
        return self.alias or self.name or self.module.partition(".")[0]

    @property
    def text(self) -> str:
        """The name as the statement writes it."""
        name = self.name or self.module
        return f"{name} as {self.alias}" if self.alias else name


@dataclass(frozen=True, slots=True)
class Edit:
    """Put ``text`` in the place of a piece of a source; lines count from 1, columns from 0."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


def replacing(node: ast.expr | ast.arg, text: str) -> Edit:
    """The edit that puts ``text`` in the place of ``node``."""
    return Edit(node.lineno, node.col_offset, node.end_lineno or node.lineno, node.end_col_offset or 0, text)


def edited(source: str, edits: Iterable[Edit]) -> str:
    """``source``, which must be ASCII in the lines concerned, with all ``edits`` made; they must not overlap."""
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    for one in sorted(edits, key=lambda one: (one.line, one.column), reverse=True):
        begin, end = starts[one.line - 1] + one.column, starts[one.end_line - 1] + one.end_column
        source = source[:begin] + one.text + source[end:]
    return source


def segment(source: str, node: ast.stmt) -> str:
    """The text of a statement at the top of a file, decorators and the comment lines right above it included."""
    lines = source.splitlines()
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
    first = min([node.lineno, *(one.lineno for one in decorators)])
    while first > 1 and lines[first - 2].startswith("#"):
        first -= 1
    return "\n".join(lines[first - 1 : node.end_lineno])


def imports_of(tree: ast.Module) -> dict[str, Import]:
    """The imports at the top of a file, by the name that they bind."""
    found: list[Import] = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            found += [Import(one.name, "", one.asname or "") for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__" and not node.level:
            found += [Import(node.module or "", one.name, one.asname or "") for one in node.names]
    return {one.bound: one for one in found}


def names_in(text: str) -> set[str]:
    """The names that ``text`` uses or defines."""
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def import_lines(known: Mapping[str, Import], used: set[str], own: set[str]) -> list[str]:
    """The statements for those of ``known`` that are ``used``, as isort puts them; ``own`` are the user's modules."""
    needed = [one for name, one in known.items() if name in used]
    sections: list[list[Import]] = [[], [], []]
    for one in needed:
        top = one.module.partition(".")[0]
        sections[0 if top in sys.stdlib_module_names else 2 if top in own else 1].append(one)
    lines = [FUTURE]
    for section in filter(None, sections):
        lines += ["", *_section(section)]
    return lines


def _section(found: Sequence[Import]) -> Iterator[str]:
    for one in sorted((one for one in found if not one.name), key=lambda one: one.module):
        yield f"import {one.text}"
    for module in sorted({one.module for one in found if one.name}):
        names = [one.text for one in found if one.module == module and one.name]
        line = f"from {module} import {', '.join(sorted(names, key=_rank))}"
        if len(line) <= WIDTH:
            yield line
        else:
            yield from (f"from {module} import (", *(f"    {name}," for name in sorted(names, key=_rank)), ")")


def _rank(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2, name)


def wrapped(text: str, first: str = "", rest: str = "") -> list[str]:
    """``text`` in lines of at most `WIDTH` columns."""
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def docstring(lines: Sequence[str]) -> str:
    """``lines`` as a docstring at the top of a file, whatever is in them."""
    body = "\n".join(line.rstrip() for line in lines)
    body = body.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""{body}\n"""'
