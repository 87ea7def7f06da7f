"""The types of a workload's methods as text, where its author wrote them down, so that a program can repeat them.

Reads source; runs nothing. A type counts if a program can name it: by built-in names and those that the workload's own
file defines at its top.
"""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass

ITEM, PART, RESULT = "Item", "Part", "Result"
Method = ast.FunctionDef | ast.AsyncFunctionDef
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
    written = [one for one in found.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)] if found else []
    functions: dict[str, Method] = {one.name: one for one in written}
    if not methods <= functions.keys() or not all(map(_complete, (functions[one] for one in methods))):
        return UNKNOWN
    start = functions.get("start")
    item, part = _work(functions["work"]) if "work" in methods else _stages(tree, functions)
    if "read" in methods:  # that is what gets the item; and what changes nothing is no part
        item, part = _text(functions["read"].args.args[-1].annotation), part.removesuffix(" | None")
    names = {ITEM: item, PART: part, RESULT: _text(start.returns) if start else f"list[{part}]"}
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
    own = used - {*names, *vars(builtins), "Any"}
    if not own <= _defined(tree) or "Attribute(" in "".join(ast.dump(ast.parse(text)) for text in names.values()):
        return UNKNOWN
    return Types(names, frozenset(own), returns=returns)


def _work(node: Method) -> tuple[str, str]:
    """What it takes and what it gives."""
    return _text(node.args.args[-1].annotation), _text(node.returns)


def _stages(tree: ast.Module, methods: dict[str, Method]) -> tuple[str, str]:
    """What the first stage takes and the last one gives, where ``stages`` returns a list of names; else Any."""
    end = methods["stages"].body[-1]
    listed = end.value if isinstance(end, ast.Return) else None
    if not isinstance(listed, ast.List | ast.Tuple) or not listed.elts:
        return "Any", "Any"
    functions = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef)}
    first, last = (_stage(listed.elts[place], methods, functions) for place in (0, -1))
    taken = [one for one in first.args.args if one.arg != "self"] if first else []
    item = _text(taken[0].annotation) if taken and taken[0].annotation else "Any"
    return item, _text(last.returns) if last and last.returns else "Any"


def _stage(node: ast.expr, methods: dict[str, Method], functions: dict[str, ast.FunctionDef]) -> Method | None:
    """The function that a name in the list stands for: a method of the workload, or one of its file."""
    if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self":
        return methods.get(node.attr)
    return functions.get(node.id) if isinstance(node, ast.Name) else None


def _complete(node: Method) -> bool:
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
