"""The guide as it comes with the package: its pages by name, and the Rust twin of each pattern.

Holds how a topic is found. Lays nothing out and prints nothing; see `report.page`. The files in ``guide`` are links to
those of the repository, which the build puts into the wheel as files.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from fearless.lab import techniques
from fearless.lab._errors import LabError

FOLDER = Path(__file__).parent / "guide"
# In the order in which a reader meets them; a page that is not named here comes after them.
FIRST = (
    "choose",
    "trade_offs",
    "questions",
    "threads",
    "cancellation",
    "thread_pools",
    "channels",
    "mutexes",
    "rwlocks",
    "atomics",
    "coordination",
    "work_distribution",
    "patterns",
    "compare",
)
INDEX = "index"  # shown when no topic is named
ELSEWHERE = {"serial": "choose", "processes": "choose", "asyncio": "choose", "interpreters": "choose"}
NO_TWIN = {
    "processes": "Rust has no need of it: its threads run at once.",
    "asyncio": "In Rust this takes a runtime, such as the crate tokio; the Rust of this page has the standard library.",
}
TWINS = {"executor": "pool"}  # patterns that have the shape of another
NEAR = 3  # names to suggest at most


@dataclass(frozen=True, slots=True)
class Topic:
    """A page of the guide: its name on the command line, its heading, and its Markdown."""

    name: str
    title: str
    text: str


def topics() -> list[Topic]:
    """The pages, in the order in which they are best read; no reference pages."""
    names = [path.stem for path in sorted(FOLDER.glob("*.md")) if path.stem != INDEX]
    return [_topic(name) for name in sorted(names, key=lambda name: (_place(name), name))]


def references() -> list[str]:
    """The names of the reference pages, as in ``reference/mutex``."""
    return [f"reference/{path.stem}" for path in sorted((FOLDER / "reference").glob("*.md"))]


def find(wanted: str) -> Topic:
    """The page for a page's, technique's or pattern's name; spelling of case, blanks and dashes is free.

    Raises: `LabError` naming what is near, and what there is.
    """
    known = _known()
    page = known.get(_plain(wanted))
    if page is None:
        raise LabError(_unknown(wanted, known))
    return _topic(page)


def twin(pattern: str) -> str | None:
    """The Rust twin of ``pattern`` as text; ``None`` where there is none: Rust has no need of processes."""
    path = FOLDER / "rust" / f"{TWINS.get(pattern, pattern)}.rs"
    return path.read_text(encoding="utf-8") if path.is_file() else None


def of_pattern(pattern: str) -> str:
    """The name of the page about ``pattern``."""
    technique = techniques.of(pattern)
    return technique.page if technique is not None else ELSEWHERE.get(pattern, INDEX)


def _known() -> dict[str, str]:
    """Every plain name of a topic, and the page it leads to. A page's own name goes before all others."""
    pages = [topic.name for topic in topics()]
    named = {_plain(one.split("/")[1]): one for one in references()}
    named |= {_plain(one): one for one in references()}
    named |= {_plain(pattern): of_pattern(pattern) for pattern in techniques.TRADE_OFFS}
    named |= {_plain(one.name): one.page for one in techniques.TECHNIQUES}
    return named | {_plain(page): page for page in pages} | {INDEX: INDEX}


def _unknown(wanted: str, known: dict[str, str]) -> str:
    pages = [topic.name for topic in topics()]
    near = difflib.get_close_matches(_plain(wanted), list(known), NEAR * 2, cutoff=0.5)
    suggested = list(dict.fromkeys(known[name] for name in near))[:NEAR]
    hint = f"; did you mean {' or '.join(suggested)}?" if suggested else ""
    return f"the guide has no topic {wanted!r}{hint}\nthere are: {', '.join(pages)}, {', '.join(references())}"


def _topic(name: str) -> Topic:
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8")
    title = re.search(r"^# (.+)$", text, re.MULTILINE)
    return Topic(name, title[1] if title else name, text)


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold().removesuffix(".md")


def _place(name: str) -> int:
    return FIRST.index(name) if name in FIRST else len(FIRST)
