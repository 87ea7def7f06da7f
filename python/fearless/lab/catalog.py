"""The patterns and the built-in workloads: which there are, which fit together, what a pattern asks of its reader.

Reads the pattern files; runs none of them.
"""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.util
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fearless.lab import workloads
from fearless.lab._errors import LabError
from fearless.lab.job import Job, State
from fearless.lab.record import Card

PATTERNS = (
    "serial",
    "par",
    "threads",
    "mutex",
    "channel",
    "atomic",
    "pool",
    "executor",
    "rwlock",
    "processes",
    "asyncio",
    "sharded",
    "snapshot",
)  # the simplest first
BUILT_INS = workloads.NAMES

CACHE = "read-mostly-cache"  # the one that reads its state
STATELESS = ("checksum", "pipeline", "uneven")  # they share nothing, so there is nothing to lock or to add to

# Every pattern must run every built-in, but for these pairs.
UNFIT = frozenset(
    {
        *((name, built_in) for name in ("mutex", "atomic", "sharded") for built_in in STATELESS),
        *(
            (name, built_in) for name in ("atomic", "sharded") for built_in in ("word-index", "fetch")
        ),  # no totals or keys
        *((name, built_in) for name in ("rwlock", "snapshot") for built_in in BUILT_INS if built_in != CACHE),
        *((name, CACHE) for name in ("par", "threads")),  # a cache for each worker would be filled as often
        # They have no state to look at.
        *((name, CACHE) for name in ("atomic", "pool", "executor", "processes", "sharded")),
        *(("asyncio", name) for name in BUILT_INS if name != "fetch"),  # nobody else has coroutines
        *((name, "ledger") for name in ("par", "threads", "atomic")),  # balances cannot be joined, and are no totals
    }
)

# What starts, joins, locks, sends, receives or merges; the rest of a pattern is the work itself.
METHODS = frozenset(
    {
        "AtomicInt",
        "AtomicRef",
        "Mutex",
        "RwLock",
        "ShardedCounter",
        "TaskGroup",
        "ThreadPool",
        "add",
        "channel",
        "clone",
        "close",
        "collect",
        "create_task",
        "drain",
        "fold",
        "for_each",
        "join",
        "load",
        "lock_all",
        "map",
        "merge",
        "move",
        "par",
        "pipeline",
        "read",
        "scope",
        "send",
        "spawn",
        "stage",
        "submit",
        "sum",
        "with_lock",
        "write",
    }
)
FUNCTIONS = frozenset({"ProcessPoolExecutor", "ThreadPoolExecutor", "get_context", "reduce"})

STATES: tuple[State, ...] = ("merge", "none", "add", "update")  # the kind that shows most of a pattern comes first

Entry = Callable[[Job, Sequence[Any], int], Any]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern as it serves jobs with one kind of state."""

    card: Card
    entry: str  # the function of the file that runs such a job
    module: str
    beside: int = 0  # threads beside the workers: the owner of the state, the source of a pipeline

    def load(self) -> Entry:
        """The function to run. What it needs of the toolkit is imported with it."""
        module = importlib.import_module(self.module)
        for name in _toolkit_names(self.module):
            getattr(importlib.import_module("fearless"), name)
        found: Entry = getattr(module, self.entry)
        return found

    def threads(self, workers: int, stages: int) -> int:
        """How many take part in a run with ``workers`` of a job with so many stages."""
        return workers * (stages if self.card.staged else 1) + self.beside

    @property
    def uses_toolkit(self) -> bool:
        """True if it is written with `fearless` itself, and so has a clock for its waiting."""
        return bool(_toolkit_names(self.module))


def check_names(names: Sequence[str]) -> tuple[str, ...]:
    """``names`` in the order of `PATTERNS`, without repeats. Raises: `LabError` naming the known patterns."""
    for name in names:
        if name not in PATTERNS:
            raise LabError(f"there is no pattern {name!r}; known: {', '.join(PATTERNS)}")
    return tuple(name for name in PATTERNS if name in names)


def must_run(pattern: str, built_in: str) -> bool:
    """True if ``pattern`` has to run the built-in workload ``built_in``."""
    return (pattern, built_in) not in UNFIT


def fit_job(name: str, job: Job) -> Pattern | str:
    """The pattern ``name`` for ``job``, or why it cannot run it."""
    asks = {"staged": bool(job.stages), "reads": job.reads, "keyed": job.keyed, "awaits": job.awaits}
    return fit(name, job.state, whole=whole_total(job), **asks)


def fit(  # noqa: PLR0913  # a state and what may be asked beside it
    name: str,
    state: State,
    *,
    whole: bool = False,
    staged: bool = False,
    reads: bool = False,
    keyed: bool = False,
    awaits: bool = False,
) -> Pattern | str:
    """The pattern ``name`` for jobs with ``state``, or why it cannot run them.

    ``whole``: the state is an int. ``staged``: the work has stages, which a pattern may run each with its own workers.
    ``reads``: items look at the state before the work. ``keyed``: they say which entries of it they touch. ``awaits``:
    the work is also a coroutine.
    """
    module = _module(name, reads=reads)
    functions = _functions(module)
    needed = _constants(module).get("NEEDS", "")
    if needed == "work_async" and not awaits:
        return "needs work_async(self, item), the work as a coroutine"
    lacking = _lacking(needed, functions, state, reads=reads, keyed=keyed)
    if lacking is not None:
        return lacking
    wanted = {
        "none": ["collect"],
        "update": ["gather", "fold"],
        "add": ["count" if whole else "tally", "fold"],
        "merge": ["fold"],
    }[state]
    wanted = [f"{one}_stages" for one in wanted if staged] + ["fold_keys"] * keyed + wanted
    entry = next((one for one in (["fold_reads"] if reads else wanted) if one in functions), "")
    if not entry:
        return "nothing in it runs such a workload"
    in_parts = _constants(module)["UPDATE"] == "in parts" and entry != "gather"
    if state == "update" and in_parts and entry != "fold_keys":
        return "needs merge(self, state, other): every worker has a state of its own, and they are joined at the end"
    card = _card(name, module, entry, in_parts=in_parts)
    return Pattern(card, entry, module, beside=bool(_constants(module).get("OWNER")) + card.staged)


def usual_card(name: str) -> Card:
    """The card of the pattern ``name`` as it joins states, or as it serves what it can."""
    for state in STATES:
        for reads in (False, True):
            found = fit(name, state, reads=reads, awaits=True)
            if isinstance(found, Pattern):
                return found.card
    raise LabError(f"{name} runs nothing")


def _lacking(needed: str, functions: Collection[str], state: State, *, reads: bool, keyed: bool) -> str | None:
    """What the workload does not have and the pattern needs, or the other way round."""
    if needed == "add" and (state != "add" or reads):
        return "needs a state of totals: start() gives an int or a dict of ints, and there is no update()"
    if needed == "add or keys" and (reads or not (keyed or state == "add")):
        return "needs totals that nobody reads meanwhile, or keys(self, item), which say what an update touches"
    if needed == "read" and not reads:
        return "needs read(self, state, item), which many may do at once"
    if state == "none" and "collect" not in functions:
        return "the workload shares no state, so there is nothing to lock"
    if reads and "fold_reads" not in functions:
        return "needs work that does not look at the state: who works has none, and who has it takes the parts in order"
    return None


def _module(name: str, *, reads: bool = False) -> str:
    """The file of the pattern ``name``; what reads the state may have one of its own."""
    own = f"{__package__}.patterns._{name}_reads"
    return own if reads and importlib.util.find_spec(own) else f"{__package__}.patterns.{name}"


def source(name: str) -> str:
    """The file of the pattern ``name``, as text."""
    return _text(_module(name))


def source_of(pattern: Pattern) -> str:
    """The file in which ``pattern`` is, as text."""
    return _text(pattern.module)


def reached(pattern: Pattern) -> list[ast.FunctionDef]:
    """What runs when ``pattern`` does: its entry, then those functions of the same file that it needs."""
    return _reached(_functions(pattern.module), pattern.entry)


def whole_total(job: Job) -> bool:
    """True if the state of ``job`` is one total, not a dict of them."""
    return job.state == "add" and not isinstance(job.start(), dict)


def _card(name: str, module: str, entry: str, *, in_parts: bool) -> Card:
    constants, nodes = _constants(module), _reached(_functions(module), entry)
    variant = entry.rpartition("_")[2].upper()  # STAGES or KEYS: what the file says of such an entry
    card = Card(
        name=name,
        shared=constants["SHARED"],
        keep_in_mind=constants["KEEP_IN_MIND"],
        lines=sum(map(_lines, nodes)),
        coordination_calls=sum(map(_coordination, nodes)),
        update_in_parts=in_parts,
        summary=(ast.get_docstring(ast.parse(_text(module))) or "").partition("\n")[0],
        ordered=constants["ORDERED"],
        staged=variant == "STAGES",
    )
    return replace(card, **constants.get(variant, {}))


def _reached(functions: dict[str, ast.FunctionDef], entry: str) -> list[ast.FunctionDef]:
    """The function ``entry``, and those of the same file that it names."""
    names = [entry]
    for name in names:
        used = {node.id for node in ast.walk(functions[name]) if isinstance(node, ast.Name)}
        names += [other for other in functions if other in used and other not in names]
    return [functions[name] for name in names]


def _lines(function: ast.FunctionDef) -> int:
    """Lines with code on them: no blank line, comment or docstring."""
    documented = {
        id(node.body[0]) for node in ast.walk(function) if isinstance(node, ast.FunctionDef) and ast.get_docstring(node)
    }
    lines = set()
    for node in ast.walk(function):
        if isinstance(node, ast.stmt) and id(node) not in documented:
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body else node.end_lineno or node.lineno
            lines |= set(range(node.lineno, max(node.lineno, last) + 1))
    return len(lines)


def _coordination(function: ast.FunctionDef) -> int:
    """Calls of, and references to, what coordinates workers; a ``with`` on a lock is one."""
    found = 0
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute):
            found += node.attr in METHODS and ast.unparse(node) != "job.read"
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found += node.id in FUNCTIONS
        elif isinstance(node, ast.withitem):
            found += isinstance(node.context_expr, ast.Name)  # a lock or a sender; a call is counted as a call
        elif isinstance(node, ast.For):
            found += _receives(node.iter)
        elif isinstance(node, ast.Call):
            found += any(map(_receives, node.args))
    return found


def _receives(node: ast.expr) -> bool:
    """True for a receiver, or the results of a pipeline, that are iterated over."""
    return isinstance(node, ast.Name) and node.id in {"rx", "changes", "results"}


def _functions(module: str) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.parse(_text(module)).body if isinstance(node, ast.FunctionDef)}


def _toolkit_names(module: str) -> list[str]:
    """The names of `fearless` that the file uses, each of which may be imported on its first use."""
    nodes = (node for node in ast.walk(ast.parse(_text(module))) if isinstance(node, ast.Attribute))
    return sorted({node.attr for node in nodes if isinstance(node.value, ast.Name) and node.value.id == "fl"})


@functools.cache
def _constants(module: str) -> dict[str, Any]:
    """What the file states about itself. Read, not imported: the toolkit may be missing."""
    nodes = (node for node in ast.parse(_text(module)).body if isinstance(node, ast.Assign))
    return {node.targets[0].id: ast.literal_eval(node.value) for node in nodes if isinstance(node.targets[0], ast.Name)}


@functools.cache
def _text(module: str) -> str:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise LabError(f"{module} has no file")
    return Path(spec.origin).read_text(encoding="utf-8")
