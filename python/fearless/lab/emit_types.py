"""The types of a workload's methods as text, where its author wrote them down, so that a program can repeat them.

Reads source; runs nothing. A type counts if a program can name it: by built-in names and those that the workload's own
file defines at its top.
"""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass

ITEM, PART, RESULT = "Item", "Part", "Result"
ANY = {ITEM: "Any", PART: "Any", RESULT: "Any"}


@dataclass(frozen=True, slots=True)
class Types:
    """What the types of a job are called, and the names of the workload's file that takes."""

    names: dict[str, str]  # Item, Part and Result to the text of a type
    needed: frozenset[str] = frozenset()
    known: bool = True  # False: something is not written down, and all are Any
    returns: frozenset[str] = frozenset()  # those of update and merge that return the state

    @property
    def aliases(self) -> list[str]:
        """The lines that define them."""
        return [f"{name} = {text}" for name, text in self.names.items() if name != text]


UNKNOWN = Types(ANY, known=False)


def of_class(tree: ast.Module, name: str, methods: set[str]) -> Types:
    """The types of the workload class ``name``, whose ``methods`` a program calls."""
    found = next((one for one in tree.body if isinstance(one, ast.ClassDef) and one.name == name), None)
    functions = {one.name: one for one in found.body if isinstance(one, ast.FunctionDef)} if found else {}
    if not methods <= functions.keys() or not all(map(_complete, (functions[one] for one in methods))):
        return UNKNOWN
    work, start = functions["work"], functions.get("start")
    names = {ITEM: _text(work.args.args[-1].annotation), PART: _text(work.returns)}
    names[RESULT] = _text(start.returns) if start else f"list[{PART}]"
    returns = {one for one in ("update", "merge") if one in methods and _text(functions[one].returns) != "None"}
    return _checked(tree, names, frozenset(returns))


def of_function(tree: ast.Module, name: str) -> Types:
    """The types of the plain function ``name``, which takes the path of a file."""
    found = next((one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name == name), None)
    if found is None or found.returns is None or any(one.annotation is None for one in found.args.args):
        return UNKNOWN
    return _checked(tree, {ITEM: "str", PART: _text(found.returns), RESULT: f"list[{PART}]"}, frozenset())


def _checked(tree: ast.Module, names: dict[str, str], returns: frozenset[str]) -> Types:
    used = {node.id for text in names.values() for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    own = used - {*names, *vars(builtins)}
    if not own <= _defined(tree) or "Attribute(" in "".join(ast.dump(ast.parse(text)) for text in names.values()):
        return UNKNOWN
    return Types(names, frozenset(own), returns=returns)


def _complete(node: ast.FunctionDef) -> bool:
    """Everything is annotated but self."""
    return node.returns is not None and all(one.annotation is not None for one in node.args.args[1:])


def _defined(tree: ast.Module) -> set[str]:
    """The names that the file defines at its top, and does not just import."""
    found = {one.name for one in tree.body if isinstance(one, ast.ClassDef)}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def _text(node: ast.expr | None) -> str:
    """An annotation as text; one in quotes without them."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return ast.unparse(node) if node is not None else "None"
