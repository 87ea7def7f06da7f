"""Programs: a pattern around a job, spelled out with the toolkit, as a file of its own that knows nothing of the lab.

Holds how the pieces are put together and how the file is written. The text of the pattern is that of its file, see
`emit_pattern`; what it works on is in `emit_subject`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from fearless.lab import catalog
from fearless.lab._errors import LabError
from fearless.lab.emit_pattern import Spelled, spelled
from fearless.lab.emit_subject import Subject
from fearless.lab.emit_text import Import, docstring, import_lines, names_in, wrapped
from fearless.lab.record import Because, Verdict

__all__ = ["check", "of_verdict", "program", "write"]

ALWAYS = {
    "Any": Import("typing", "Any"),
    "Callable": Import("collections.abc", "Callable"),
    "reprlib": Import("reprlib"),
}
ADDS_ONE = '''\
def add(total: Result, part: Part) -> Result:
    """Add one part, or another total."""
    return total + part'''
ADDS_EACH = '''\
def add(totals: Result, part: Part) -> Result:
    """Add one part, or other totals, key by key."""
    for key, amount in part.items():
        totals[key] += amount
    return totals'''
IN_ORDER = '''\
def work(item: Item) -> Part:
    """Take an item through all stages."""
    value: Any = item
    for stage in stages:
        value = stage(value)
    part: Part = value
    return part'''
IN_PLACE = '''\
def {name}(state: Result, {other}: {kind}) -> Result:
    """{says} The workload changes the state in place."""
    job.{name}(state, {other})
    return state'''
EITHER = '''\
def {name}(state: Result, {other}: {kind}) -> Result:
    """{says} A method that returns nothing has changed the state in place."""
    changed = job.{name}(state, {other})
    return state if changed is None else changed'''
BOUND = ("work_async", "start", "read", "keys", "update", "merge")
SAYS = {"update": ("part", "Part", "Take one part in."), "merge": ("other", "Result", "Join two states.")}
MAIN = '''\
def main() -> None:
    """Run it, and print what came out."""
    items = {items}
    result = run({arguments})
    print(f"{{len(items):,}} items: {{reprlib.repr(result)}}")


if __name__ == "__main__":
    main()'''


def program(
    pattern: str,
    subject: Subject,
    *,
    workers: int = 2,
    because: Sequence[Because] = (),
    capacity: int | None = None,
) -> str:
    """The text of a program that runs ``subject`` under ``pattern`` with ``workers`` workers.

    ``because`` says why this pattern; ``capacity`` is that of its channel, where it has one.
    Raises: `LabError`, with the reason, if the pattern cannot run such a job.
    """
    (name,) = catalog.check_names([pattern])
    asks = {"whole": subject.whole, "staged": subject.staged, "reads": subject.reads, "keyed": subject.keyed}
    asks["awaits"] = subject.awaits
    fitting = catalog.fit(name, subject.state, **asks)
    if isinstance(fitting, str):
        raise LabError(f"no program with {name} for this job: {fitting}")
    spelling = spelled(fitting, capacity)
    blocks = [*subject.definitions, _making(subject, spelling), *_adapters(subject, spelling), *spelling.functions]
    if spelling.takes_workers:
        blocks.append(f"WORKERS = {workers}")
    arguments = "items, WORKERS" if spelling.takes_workers else "items"
    blocks.append(MAIN.format(items=subject.items, arguments=arguments))
    body = "\n\n\n".join(filter(None, blocks))
    known = {**ALWAYS, **spelling.imports, **subject.imports}
    imports = {bound: one for bound, one in known.items() if not one.module.startswith("fearless.lab")}
    lines = import_lines(imports, names_in(body), set(subject.own))
    head = docstring(list(_about(name, subject, spelling, because)))
    between = "\n\n\n" if _is_code(body) else "\n\n"
    return f"{head}\n\n" + "\n".join(lines) + between + body + "\n"


def of_verdict(verdict: Verdict, subject: Subject) -> str | None:
    """The program for what a comparison recommends; ``None`` if it could not tell."""
    if verdict.pattern is None:
        return None
    return program(verdict.pattern, subject, workers=verdict.workers, because=verdict.because)


def check(path: Path, *, force: bool = False) -> None:
    """Raise `LabError` if `write` would."""
    if not path.absolute().parent.is_dir():
        raise LabError(f"--emit {path}: there is no folder {path.parent}")
    if path.is_dir():
        raise LabError(f"--emit {path}: that is a folder; name a file")
    if path.exists() and not force:
        raise LabError(f"--emit {path}: the file exists; --force overwrites it")


def write(path: Path, text: str, *, force: bool = False) -> None:
    """Write a program. Raises: `LabError` if the file exists and ``force`` is not set, or if it cannot be written."""
    check(path, force=force)
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise LabError(f"--emit {path}: the file exists; --force overwrites it") from None
    except OSError as error:
        raise LabError(f"--emit {path} cannot be written: {error.strerror}") from None


def _is_code(text: str) -> bool:
    """True for a function or a class, before which two blank lines stand."""
    start = next(line for line in text.splitlines() if not line.startswith("#"))
    return start.startswith(("def ", "class ", "@"))


def _making(subject: Subject, spelling: Spelled) -> str:
    """The job, its types, and its methods by their own names."""
    used = {name for text in (*spelling.functions, *_adapters(subject, spelling)) for name in names_in(text)}
    lines = list(subject.making)
    kinds = subject.types
    lines += [line for line in kinds.aliases if line.partition(" = ")[0] in _closed(used, kinds.names)]
    work = f"work = {subject.work}" if kinds.known or subject.work == "job.work" else ""
    lines.append("stages = job.stages()" if subject.staged else work or f"work: Callable[[Any], Any] = {subject.work}")
    lines += [f"{name} = job.{name}" for name in BOUND if name in _bound(subject, spelling)]
    return "\n".join(lines)


def _closed(used: set[str], names: dict[str, str]) -> set[str]:
    """``used`` with the names that the types in it are made of."""
    return used | {other for name in used & names.keys() for other in names_in(names[name])}


def _bound(subject: Subject, spelling: Spelled) -> set[str]:
    """The methods of the job that the pattern can call as they are."""
    plain = set(spelling.methods) & set(subject.methods)
    return {name for name in plain if name not in SAYS or name in subject.types.returns}


def _adapters(subject: Subject, spelling: Spelled) -> tuple[str, ...]:
    """What the pattern needs and the job's own methods do not give."""
    missing = {"update", "merge"} & spelling.methods - _bound(subject, spelling)
    work = [IN_ORDER] if subject.staged and "work" in spelling.methods else []
    if subject.state == "add":
        lines = [ADDS_ONE if subject.whole else ADDS_EACH] if missing else []
        names = "\n".join(f"{name} = add" for name in ("update", "merge") if name in missing)
        return (*work, *lines, names) if names else tuple(work)
    form = IN_PLACE if subject.types.known else EITHER
    joins = [
        form.format(name=name, other=SAYS[name][0], kind=SAYS[name][1], says=SAYS[name][2])
        for name in ("update", "merge")
        if name in missing
    ]
    return (*work, *joins)


def _about(name: str, subject: Subject, spelling: Spelled, because: Sequence[Because]) -> Iterator[str]:
    """The docstring: what it does, how, why so, and how to see whether that still holds."""
    quotes = '"""'
    yield from "\n".join(wrapped(subject.summary or "A job of yours.", quotes)).removeprefix(quotes).split("\n")
    yield ""
    yield from wrapped(f"The pattern is {name}. {spelling.about}")
    if because:
        yield ""
        yield "Why this pattern:"
        for one in because:
            yield from wrapped(f"{one.rule}: {one.text}", "- ", "  ")
    yield ""
    yield from wrapped(f"To measure it beside the other patterns: fearless compare {subject.compare}")
