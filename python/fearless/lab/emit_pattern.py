"""A pattern's file as the functions of a program: the same lines, with the job's methods by their own names.

Reads the pattern files, so that what is measured, shown and written has one source. Runs none of them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from fearless.lab import catalog
from fearless.lab.catalog import Pattern
from fearless.lab.emit_text import Edit, Import, edited, imports_of, replacing

ENTRY = "run"
JOB = "job"
REASON = re.compile(r"  # noqa.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Spelled:
    """The functions of a pattern for a program. ``methods`` are those of the job that they call."""

    functions: tuple[str, ...]
    imports: dict[str, Import]
    methods: frozenset[str]
    takes_workers: bool
    about: str  # the pattern in a sentence


def spelled(pattern: Pattern, capacity: int | None = None) -> Spelled:
    """The functions of ``pattern``; its entry is called `ENTRY`. ``capacity`` is that of its channel, if it has one."""
    source = catalog.source_of(pattern)
    tree = ast.parse(source)
    nodes = catalog.reached(pattern)
    methods = {node.attr for one in nodes for node in _methods(one)}
    takes = any(isinstance(node, ast.Name) and node.id == "workers" for node in ast.walk(nodes[0]))
    texts = [_function(source, node, pattern.entry, capacity=capacity, takes_workers=takes) for node in nodes]
    return Spelled(tuple(texts), imports_of(tree), frozenset(methods), takes, pattern.card.summary)


def _function(source: str, node: ast.FunctionDef, entry: str, *, capacity: int | None, takes_workers: bool) -> str:
    """One function, without the parameter that is the job."""
    edits = [*_parameters(node, keep_workers=takes_workers or node.name != entry), *_calls(node)]
    edits += [replacing(one, one.attr) for one in _methods(node)]
    if capacity is not None:
        edits += [replacing(one, str(capacity)) for one in _capacities(node)]
    if node.name == entry:
        column = node.col_offset + len("def ")
        edits.append(Edit(node.lineno, column, node.lineno, column + len(entry), ENTRY))
    lines = source.splitlines(keepends=True)
    before = "".join(lines[: node.lineno - 1])
    whole = edited("".join(lines[: node.end_lineno]), edits)
    return REASON.sub("", whole[len(before) :]).rstrip()


def _parameters(node: ast.FunctionDef, *, keep_workers: bool) -> Iterator[Edit]:
    given = node.args.args
    if given and given[0].arg == JOB:
        yield Edit(given[0].lineno, given[0].col_offset, given[1].lineno, given[1].col_offset, "")
    if not keep_workers and given[-1].arg == "workers":
        end, last = given[-2], given[-1]
        yield Edit(end.lineno, end.end_col_offset or 0, last.lineno, last.end_col_offset or 0, "")


def _calls(node: ast.FunctionDef) -> Iterator[Edit]:
    """Take the job out of the arguments; ``partial(function, job)`` is then the function."""
    for call in _calls_of(node):
        if not any(map(_is_job, call.args)):
            continue
        if isinstance(call.func, ast.Name) and call.func.id == "partial" and len(call.args) == 2:  # noqa: PLR2004
            yield replacing(call, ast.unparse(call.args[0]))
        else:
            raise AssertionError(f"{node.name}: {ast.unparse(call)} passes the job on in a way that is not known here")


def _capacities(node: ast.FunctionDef) -> Iterator[ast.expr]:
    """Where it says how many items a channel holds, its own or those of a pipeline."""
    for call in _calls_of(node):
        if ast.unparse(call.func) == "fl.channel":
            yield call.args[0]
        yield from (one.value for one in call.keywords if one.arg == "capacity")


def _is_job(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == JOB


def _methods(node: ast.AST) -> list[ast.Attribute]:
    """Where the job's methods are named."""
    return [one for one in ast.walk(node) if isinstance(one, ast.Attribute) and _is_job(one.value)]


def _calls_of(node: ast.AST) -> list[ast.Call]:
    return [one for one in ast.walk(node) if isinstance(one, ast.Call)]
