"""What a program works on: the user's own workload, which is imported, or the text of a built-in one or of an example.

Gives the lines that define ``job``, with all they need. Measures nothing and writes nothing.
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import sys
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from fearless.lab import catalog, corpus, emit_types, workloads
from fearless.lab._errors import LabError
from fearless.lab.emit_text import Import, imports_of, names_in, segment
from fearless.lab.emit_types import Types
from fearless.lab.job import FunctionSource, Job, State
from fearless.lab.resolve import Target, resolve

JOB = "job"
TEMPLATES: Mapping[State, str] = {"none": "listed", "add": "added", "merge": "merged", "update": "updated"}
LOOKED_UP = "looked_up"  # the template whose items read the state
METHODS: Mapping[State, tuple[str, ...]] = {
    "none": ("work",),
    "add": ("work", "start"),
    "merge": ("work", "start", "update", "merge"),
    "update": ("work", "start", "update"),
}
CORPUS = ("STANDARD_LIBRARY", "LIMIT_BYTES", "LEFT_OUT", "listing", "read_text", "_decodes")
TAKEN = frozenset(
    {
        "fl",
        "run",
        "main",
        "job",
        "add",
        "work",
        "work_async",
        "stages",
        "start",
        "update",
        "merge",
        "read",
        "keys",
        "WORKERS",
        "ITEMS",
    }
)
RETURNS = re.compile(r"^        return (?:item, )?sum\(", re.MULTILINE)  # in a template: the end of the work
WAITING_SIZE, WAIT = 200, "fl.sleep(0.002)  # stands for what it waits for: a file, a request, a database"
AWAIT = "await asyncio.sleep(0.002)  # stands for a request, or a database"


@dataclass(frozen=True, slots=True)
class Subject:
    """A job as lines of a program, which define it as ``job``."""

    summary: str
    definitions: tuple[str, ...]  # of what the job is made from
    making: tuple[str, ...]  # of the job itself
    imports: Mapping[str, Import]
    types: Types
    state: State
    compare: str  # what to give to `fearless compare`
    whole: bool = False  # the state is one int
    staged: bool = False  # the job has stages in place of work
    reads: bool = False  # items look at the state
    keyed: bool = False  # they say which entries they touch
    awaits: bool = False  # the work is also a coroutine
    items: str = "list(job.items())"
    work: str = "job.work"
    own: frozenset[str] = frozenset()  # the user's modules

    @property
    def methods(self) -> tuple[str, ...]:
        """Those of the job's methods that the user wrote."""
        beside = {"read": self.reads, "keys": self.keyed, "work_async": self.awaits}
        return (*METHODS[self.state], *(name for name, has in beside.items() if has))


def of_target(target: Target, file: Path) -> Subject:
    """What ``target`` names, for a program that is to be ``file``.

    Raises: `LabError` if it cannot be had, or if a program there could not import it.
    """
    job = resolve(target)
    if target.built_in:
        return _built_in(target, job, file)
    module, known = _importable(target, job, file)
    tree = _tree(Path(target.name.rpartition(":")[0] or target.name), module)
    if isinstance(job.source, FunctionSource):
        return _function(target, job, module, tree, known)
    return _workload(target, job, module, tree, known)


def example(
    state: State, *, waits: bool = False, reads: bool = False, awaits: bool = False, file: str = "FILE"
) -> Subject:
    """A small job whose parts become a result in the way of ``state``; with ``waits`` its work waits, too.

    With ``reads`` its items look at the state, which is one of "update". With ``awaits`` the work is a coroutine, too.
    """
    name = f"{__package__}.templates.{LOOKED_UP if reads else TEMPLATES[state]}"
    source = Path(_origin(name)).read_text(encoding="utf-8")
    if waits:
        source = source.replace("size = 2000", f"size = {WAITING_SIZE}")
        source = RETURNS.sub(rf"        {WAIT}\n\g<0>", source)
    source = _with_coroutine(source) if awaits else source
    tree = ast.parse(source)
    imports = {**imports_of(tree), "fl": Import("fearless", "", "fl"), "asyncio": Import("asyncio")}
    types = emit_types.of_class(tree, "Example", {"items", *METHODS[state], *(["read"] if reads else [])})
    summary, made = _summary_of(tree, "Example"), ("job = Example()",)
    return Subject(
        summary,
        tuple(_segments(source)),
        made,
        imports,
        types,
        state,
        file,
        whole=state == "add",
        reads=reads,
        awaits=awaits,
    )


def _with_coroutine(source: str) -> str:
    """``source`` with the work also as a coroutine, which awaits what the work waits for."""
    kind = next(node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    work = next(node for node in kind.body if isinstance(node, ast.FunctionDef) and node.name == "work")
    text = "    " + (ast.get_source_segment(source, work) or "")
    other = text.replace("def work(", "async def work_async(").replace(WAIT, AWAIT)
    return source.replace(text, f"{text}\n\n{other}")


def _built_in(target: Target, job: Job, file: Path) -> Subject:
    """The text of a built-in workload, with what it needs of the corpus."""
    kind = workloads.load(target.name)
    source = Path(inspect.getfile(kind)).read_text(encoding="utf-8")
    tree, helpers = ast.parse(source), ast.parse(_corpus_source())
    body = "\n\n\n".join(_segments(source))
    for name, own in (("corpus.files", "listing"), ("corpus.", "")):
        body = body.replace(name, own)
    imports = {**imports_of(helpers), **imports_of(tree)}
    needed = _needed(body)
    types = emit_types.of_class(tree, kind.__name__, {"items", *_methods(job)})
    making = (f"{JOB} = {kind.__name__}()", *_arguments(target, job))
    return _asking(Subject(job.summary, (*needed, body), making, imports, types, job.state, str(file)), job)


def _function(target: Target, job: Job, module: str, tree: ast.Module, name: str) -> Subject:
    """A plain function, which is called with the paths of files."""
    types = emit_types.of_function(tree, name)
    imported = _from_its_home(tree, module, name, "function")
    pattern = f"ITEMS = {_quoted(target.items or '')}"
    return Subject(
        job.summary,
        (),
        (pattern,),
        {**_imported(module, types), imported.bound: imported, **_glob()},
        types,
        "none",
        f"{target.name} --items {_quoted(target.items or '')}",
        items="sorted(path for path in glob(ITEMS, recursive=True) if Path(path).is_file())",
        work=imported.bound,
        own=frozenset({module.partition(".")[0]}),
    )


def _workload(target: Target, job: Job, module: str, tree: ast.Module, name: str) -> Subject:
    """A workload of the user's own."""
    types = emit_types.of_class(tree, name, {"items", *_methods(job)})
    imported = _from_its_home(tree, module, name, "Workload")
    made = f"{JOB} = {imported.bound}()" if types.known else f"{JOB}: Any = {imported.bound}()"
    found = Subject(
        job.summary,
        (),
        (made, *_arguments(target, job)),
        {**_imported(module, types), imported.bound: imported},
        types,
        job.state,
        " ".join([target.name, *(f"--arg {name}={text}" for name, text in target.args.items())]),
        own=frozenset({module.partition(".")[0]}),
    )
    return _asking(found, job)


def _asking(subject: Subject, job: Job) -> Subject:
    """``subject`` with what decides how a pattern runs ``job``, beside the state."""
    whole = catalog.whole_total(job)
    return replace(subject, whole=whole, staged=bool(job.stages), reads=job.reads, keyed=job.keyed, awaits=job.awaits)


def _methods(job: Job) -> list[str]:
    """The methods that a program calls, beside ``items``."""
    beside = [name for name, has in (("read", job.reads), ("keys", job.keyed), ("work_async", job.awaits)) if has]
    return [*("stages" if one == "work" and job.stages else one for one in METHODS[job.state]), *beside]


def _from_its_home(tree: ast.Module, module: str, name: str, instead: str) -> Import:
    """The import of ``name``; what the user's file imports itself comes from where that has it."""
    home = imports_of(tree).get(name)
    module, original = (home.module, home.name) if home is not None and home.name else (module, name)
    bound = instead if name in TAKEN else name
    return Import(module, original, bound if bound != original else "")


def _imported(module: str, types: Types) -> dict[str, Import]:
    return {name: Import(module, name) for name in types.needed}


def _glob() -> dict[str, Import]:
    return {"glob": Import("glob", "glob"), "Path": Import("pathlib", "Path")}


def _arguments(target: Target, job: Job) -> Iterator[str]:
    """The parameters that the user set."""
    for name in target.args:
        value = getattr(job.source, name)
        if value is None or isinstance(value, str | int | float | bool):
            yield f"{JOB}.{name} = {_quoted(value)}"
        else:
            yield f"{JOB}.{name} = type({JOB}.{name})({_quoted(target.args[name])})"


def _quoted(value: Any) -> str:
    """A literal, with double quotes where formatters would have them."""
    text = repr(value)
    if isinstance(value, str) and text.startswith("'") and '"' not in text:
        return f'"{text[1:-1]}"'
    return text


def _importable(target: Target, job: Job, file: Path) -> tuple[str, str]:
    """The module and the name to import; a program that is ``file`` must be able to."""
    place, _, attribute = target.name.rpartition(":") if ":" in target.name[2:] else (target.name, "", "")
    name = attribute or type(job.source).__qualname__
    if not place.endswith(".py"):
        _check_found(place, file)
        return place, name
    home = Path(place).resolve()
    if not home.stem.isidentifier():
        raise LabError(f"--emit: a program cannot import {home.name}: the name of a module must be a Python name")
    if home.parent != file.resolve().parent:
        raise LabError(f"--emit {file}: the program imports {place}, so it has to stand beside it, in {home.parent}")
    if home == file.resolve():
        raise LabError(f"--emit {file}: that is the file with the workload itself")
    return home.stem, name


def _check_found(module: str, file: Path) -> None:
    """A module that is only found from the current folder is not found from another one."""
    top, here = module.partition(".")[0], str(Path.cwd())
    paths = [path for path in sys.path if path not in {"", here}]
    if PathFinder.find_spec(top, [str(file.resolve().parent), *paths]) is None:
        raise LabError(f"--emit {file}: a program there cannot import {module}; write it into {here}")


def _tree(place: Path, module: str) -> ast.Module:
    """The user's file, where types may be written down; nothing if there is no source to read."""
    origin = str(place) if place.suffix == ".py" else _origin(module)
    if not origin.endswith(".py"):
        return ast.Module([], [])
    with tokenize.open(origin) as file:
        return ast.parse(file.read())


def _segments(source: str) -> Iterator[str]:
    """The statements of a file without docstring and imports; short ones that follow each other stay together."""
    block: list[str] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import | ast.ImportFrom) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ):
            continue
        if isinstance(node, ast.Assign | ast.AnnAssign):
            block.append(segment(source, node))
            continue
        if block:
            yield "\n".join(block)
            block = []
        yield segment(source, node)
    if block:
        yield "\n".join(block)


def _corpus_source() -> str:
    return Path(inspect.getfile(corpus)).read_text(encoding="utf-8")


def _needed(body: str) -> Iterator[str]:
    """Those parts of the corpus that ``body`` uses, and what they use; constants come first, together."""
    source = _corpus_source()
    nodes = {name: node for node in ast.parse(source).body for name in _names_of(node) if name in CORPUS}
    wanted = [name for name in CORPUS if name in names_in(body)]
    for name in wanted:
        used = names_in(segment(source, nodes[name]))
        wanted += [other for other in CORPUS if other in used and other not in wanted]
    texts = {name: segment(source, nodes[name]) for name in CORPUS if name in wanted}
    constants = [text for name, text in texts.items() if name.isupper()]
    if constants:
        yield "\n".join(constants)
    yield from (text for name, text in texts.items() if not name.isupper())


def _names_of(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef):
        return [node.name]
    return [one.id for one in node.targets if isinstance(one, ast.Name)] if isinstance(node, ast.Assign) else []


def _summary_of(tree: ast.Module, name: str) -> str:
    kind = next(one for one in tree.body if isinstance(one, ast.ClassDef) and one.name == name)
    return (ast.get_docstring(kind) or "").partition("\n")[0]


def _origin(module: str) -> str:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise LabError(f"{module} has no file")
    return spec.origin
