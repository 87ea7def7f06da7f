"""The tables of README and guide that are made from data: techniques, decisions, rules, trade-offs, figures, code.

Each function gives Markdown. ``scripts/tables`` writes it between the marks of the pages, and a test fails when a page
says something else.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import FunctionType, ModuleType

from fearless.lab import catalog, pages, pages_charts, pages_costs, rules, techniques, wording
from fearless.lab.pages_charts import CHARTS
from fearless.lab.pages_costs import BUILDS, Compared
from fearless.lab.record import Card
from fearless.lab.report.page_decisions import decisions
from fearless.lab.techniques import TRADE_OFFS, Technique

MARK = re.compile(r"(<!-- table: (?P<name>[\w-]+) -->\n).*?(<!-- end of table -->)", re.DOTALL)
RULE = re.compile(r"r(\d+)")
SOURCE = re.compile(r"\bSources?: (.+)$", re.DOTALL)
COMPARED = "From the same comparison as the speed-ups on this page"
CHART = "chart-"  # begins the name of a table that stands below a drawing
NOT_SHOWN = ("collect", "count", "collect_stages", "fold_reads")  # of a pattern file: the same for another job

# Figures that an answer rests on: what, benchmark, contender.
FIGURES: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "figures-channels": (
        ("an item through a channel of 128 slots", "spsc/128", "channel(128)"),
        ("an item through a channel of one slot", "spsc/1", "channel(1)"),
        ("a mutex entered and left, alone", "lock-pass/1 thread", "with Mutex as guard"),
        ("the same by two threads that do nothing else", "lock-pass/2 threads/0", "with Mutex as guard"),
    ),
    "figures-pools": (
        ("a thread started and joined", "spawn/scope of 1", "scope().spawn"),
        ("a call through a pool, in bursts of 100", "submit/bursts of 100", "ThreadPool(2)"),
        ("an item through `par`", "par/beside map", "par(...).map(...).collect()"),
    ),
    "figures-rwlock": (
        ("held for 100 ns, mutex", "lock-pass/2 threads/100 ns", "with Mutex as guard"),
        ("held for 100 ns, no lock at all", "lock-pass/2 threads/100 ns", "no lock"),
        ("held for 10 us, mutex", "lock-pass/2 threads/10 us", "with Mutex as guard"),
        ("held for 10 us, no lock at all", "lock-pass/2 threads/10 us", "no lock"),
    ),
    "figures-atomics": (
        ("`AtomicInt.add(1)`, alone", "count/1 thread", "AtomicInt.add(1)"),
        ("`AtomicInt.add(1)`, two threads on one", "count/2 threads", "AtomicInt.add(1)"),
        ("`threading.Lock` around a number, alone", "count/1 thread", "with threading.Lock: cell.value += 1"),
        ("the same, two threads on one", "count/2 threads", "with threading.Lock: cell.value += 1"),
    ),
}


def fill(text: str, *, base: str = "") -> str:
    """``text`` with each marked table made anew. ``base``: the way from the page to the guide's pages.

    Raises: `KeyError` naming a table that there is not.
    """
    return MARK.sub(lambda found: f"{found[1]}{table(found['name'], base=base)}\n{found[3]}", text)


def table(name: str, *, base: str = "") -> str:
    """The table called ``name``. Raises: `KeyError`."""
    if name == "techniques":
        return front(base)
    if name in FIGURES:
        return figures(FIGURES[name])
    if name.startswith(CHART):
        return charted(name.removeprefix(CHART))
    return TABLES[name]()


def front(base: str = "") -> str:
    """The seven techniques: use when, shares, keep in mind, costs."""
    heading = ("technique", "use it when", "shares", "keep in mind", *(f"costs {build}" for build in BUILDS), "here")
    rows = [
        (
            f"[{one.name}]({base}{one.page}.md)",
            one.use_when,
            one.shares,
            one.keep_in_mind,
            *(costs(one, build) for build in BUILDS),
            _toolkit(one),
        )
        for one in techniques.TECHNIQUES
    ]
    return f"{_table(heading, rows)}\n\n{measured()}"


def measured() -> str:
    """Where the costs of the techniques were measured."""
    return f"Costs: {pages_costs.machine()}."


def costs(technique: Technique, build: str) -> str:
    """What ``technique`` costs under ``build``, in a few words."""
    return "; ".join(pages_costs.said(cost, build=build) for cost in technique.costs)


def figures(rows: Iterable[tuple[str, str, str]]) -> str:
    """Measured figures, for both builds."""
    shown = [(what, *(pages_costs.figure(shape, name, build) for build in BUILDS)) for what, shape, name in rows]
    return f"{_table(('', *BUILDS), shown)}\n\n{_sentence(pages_costs.machine())}"


def charted(name: str) -> str:
    """A chart: the drawing, its caption, and the same in figures."""
    drawing = f"![{CHARTS[name].title}](../charts/{name}.svg)"
    tables = [_table(*pages_charts.table(name, build)) for build in BUILDS]
    return "\n\n".join((drawing, _sentence(pages_charts.caption(name)), *tables))


def decided() -> str:
    """Situations, and what the rules say to each."""
    return _table(("the situation", "use", "because", "rule"), decisions())


def ruled() -> str:
    """Every rule, from its docstring: what it says, and where it comes from."""
    return _table(("rule", "what it says", "source"), [(name.upper(), *_said(rule)) for name, rule in _rules()])


def safety() -> str:
    """What each pattern shares, and what can still go wrong."""
    return _axis("shares", lambda card: card.shared, lambda name: TRADE_OFFS[name].safety)


def complexity() -> str:
    """How much there is to write, counted in the pattern files."""
    return _axis(
        "lines, coordinating calls",
        lambda card: f"{card.lines}, {card.coordination_calls}",
        lambda name: TRADE_OFFS[name].complexity,
    )


def contention() -> str:
    """Who waits for whom."""
    compared = _compared()
    heading = ("pattern", *(f"waited, {label}" for label in compared), "who waits for whom")
    rows = [
        (name, *(_waited(runs.get(name)) for runs in compared.values()), TRADE_OFFS[name].contention)
        for name in catalog.PATTERNS
    ]
    return f"{_table(heading, rows)}\n\n{COMPARED}: the share of the workers' time; - where nothing counts it."


def throughput() -> str:
    """What each pattern reached in the stored comparison, and what limits it."""
    compared = _compared()
    rows = [
        (name, *(_speed(runs.get(name), name) for runs in compared.values()), TRADE_OFFS[name].throughput)
        for name in catalog.PATTERNS
    ]
    heading = ("pattern", *(f"speed-up, {label}" for label in compared), "what limits it")
    return f"{_table(heading, rows)}\n\n{_sentence(pages_costs.comparison_machine())}"


def spent() -> str:
    """CPU time and memory of each pattern in the stored comparison."""
    compared = _compared()
    heading = ("pattern", *(f"{what}, {label}" for label in compared for what in ("CPU", "memory")))
    names = [name for name in catalog.PATTERNS if all(name in runs for runs in compared.values())]
    rows = [(name, *(cell for runs in compared.values() for cell in _spent(runs[name]))) for name in names]
    return f"{_table(heading, rows)}\n\n{COMPARED}."


def code() -> str:
    """Each pattern in Python and in Rust."""
    return "\n\n".join(section(name) for name in catalog.PATTERNS)


def rust_job() -> str:
    """The small job that the Rust twins share."""
    return f"```rust\n{(pages.twin('words') or '').strip()}\n```"


def section(pattern: str) -> str:
    """One pattern: its trade-offs, its Python and its Rust."""
    card, traded = catalog.usual_card(pattern), TRADE_OFFS[pattern]
    parts = [
        f"## {pattern}",
        card.summary,
        "\n".join(f"- **{axis}**: {getattr(traded, axis)}" for axis in techniques.AXES),
        f"```python\n{_python(pattern)}\n```",
    ]
    text = pages.twin(pattern)
    if pattern in pages.TWINS:
        parts.append(f"In Rust it has the shape of [{pages.TWINS[pattern]}](#{pages.TWINS[pattern]}).")
    elif text is not None:
        parts.append(f"```rust\n{text.strip()}\n```")
    else:
        parts.append(pages.NO_TWIN[pattern])
    return "\n\n".join(parts)


def _axis(heading: str, fact: Callable[[Card], str], words: Callable[[str], str]) -> str:
    rows = [(name, fact(catalog.usual_card(name)), words(name)) for name in catalog.PATTERNS]
    return _table(("pattern", heading, "in words"), rows)


def _python(pattern: str) -> str:
    """The functions of the pattern's file that show it, without what is the same in all files."""
    source = catalog.source(pattern)
    nodes = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    shown = [node for node in nodes if node.name not in NOT_SHOWN or len(nodes) == 1]
    text = "\n\n\n".join(ast.get_source_segment(source, node) or "" for node in shown)
    return re.sub(r"  # noqa.*", "", text)


def _rules() -> Iterator[tuple[str, FunctionType]]:
    """The functions that are rules, by number."""
    found: dict[str, FunctionType] = {}
    for module in _modules(rules):
        for name, value in vars(module).items():
            if RULE.fullmatch(name) and isinstance(value, FunctionType):
                found.setdefault(name, value)
    return iter(sorted(found.items(), key=lambda pair: int(pair[0][1:])))


def _modules(root: ModuleType) -> Iterator[ModuleType]:
    yield root
    for info in pkgutil.iter_modules(getattr(root, "__path__", [])):
        yield importlib.import_module(f"{root.__name__}.{info.name}")


def _said(rule: FunctionType) -> tuple[str, str]:
    """What the docstring of a rule says, and its source."""
    text = re.sub(r"\s+", " ", inspect.getdoc(rule) or "").replace("``", "`")
    source = SOURCE.search(text)
    words = text[: source.start()] if source else text
    return words.strip(), source[1].strip().removesuffix(".") if source else ""


def _compared() -> dict[str, dict[str, Compared]]:
    """The stored comparison, by interpreter and pattern."""
    return {label: {one.pattern: one for one in found} for label, found in pages_costs.comparison().items()}


def _speed(one: Compared | None, pattern: str) -> str:
    if pattern == "serial":
        return "1x"
    return "does not fit" if one is None else wording.ratio_with_interval(one.speedup)


def _waited(one: Compared | None) -> str:
    return "-" if one is None or one.waiting_share is None else wording.percent(one.waiting_share)


def _spent(one: Compared) -> tuple[str, str]:
    cpu = "-" if one.cpu_seconds is None else wording.seconds(one.cpu_seconds)
    return cpu, "-" if one.peak_bytes is None else wording.size(one.peak_bytes)


def _toolkit(technique: Technique) -> str:
    names = ", ".join(f"`{name}`" for name in technique.toolkit)
    later = ", ".join(f"`{name}`" for name in technique.later)
    return "; ".join(part for part in (names, f"not yet: {later}" if later else "") if part)


def _sentence(text: str) -> str:
    return f"{text[0].upper() if text[0].isalpha() else text[0]}{text[1:]}."


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', '/') for cell in row)} |".replace("|  |", "| |") for row in lines
    )


TABLES: Mapping[str, Callable[[], str]] = {
    "decisions": decided,
    "rules": ruled,
    "safety": safety,
    "contention": contention,
    "complexity": complexity,
    "throughput": throughput,
    "spent": spent,
    "patterns": code,
    "rust-job": rust_job,
}
