"""The guide in the terminal: its front table, and a page with what only makes sense on a screen.

Lays out; prints nothing.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from fearless.lab import pages, techniques
from fearless.lab.pages import Topic
from fearless.lab.pages_costs import BUILDS
from fearless.lab.report import page_tables
from fearless.lab.report.text import WIDEST, Line, wrapped
from fearless.lab.techniques import Technique

DOCS = "guide/docs"  # where the pages are in the repository
INDENT = "    "
COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
LINK = re.compile(r"!?\[([^\]]+)\]\(([^)]+)\)")
PAGE = re.compile(r"((?:reference/)?\w+)\.md(?:#[\w-]*)?")


def front(width: int = WIDEST) -> list[Line]:
    """The seven techniques, and the topics of the guide; no line wider than ``width``."""
    width = min(width, WIDEST)
    shown = [Line("The seven techniques", "bold")]
    for one in techniques.TECHNIQUES:
        shown += _technique(one, width)
    shown += wrapped(page_tables.measured(), width, style="dim")
    return [*shown, Line(""), *_topics(width)]


def page(topic: Topic, asked: str = "") -> str:
    """``topic`` as Markdown for a screen: links to pages become topics, which are listed at the end.

    If ``asked`` is a pattern, its trade-offs, its Python and its Rust follow.
    """
    text, see = COMMENT.sub("", topic.text), []
    folder = posixpath.dirname(f"{DOCS}/{topic.name}")

    def shown(link: re.Match[str]) -> str:
        found = PAGE.fullmatch(link[2].removeprefix("../"))
        if found is not None and found[1] != pages.INDEX:
            see.append(found[1])
        return link[1] if found is not None or link[2].startswith("#") else _elsewhere(link[1], link[2], folder)

    parts = [LINK.sub(shown, text).rstrip()]
    pattern = asked.strip().casefold()
    if pattern in techniques.TRADE_OFFS and techniques.TRADE_OFFS[pattern].available:
        parts.append(LINK.sub(r"\1", page_tables.section(pattern)).replace("## ", "## The pattern: ", 1))
    others = [name for name in dict.fromkeys(see) if name != topic.name]
    if others:
        parts.append("More:\n\n" + "\n".join(f"- `fearless guide {name}`" for name in others))
    return "\n\n".join(parts)


def _technique(one: Technique, width: int) -> Iterator[Line]:
    yield Line(one.name if one.available else f"{one.name} (not yet)", "pick" if one.available else "dim")
    for label, text in (("use it when", one.use_when), ("shares", one.shares), ("keep in mind", one.keep_in_mind)):
        yield from _field(label, text, width)
    if not one.available:
        yield from _field("costs", page_tables.costs(one, next(iter(BUILDS))), width)
        return
    for build in BUILDS:
        yield from _field("costs", f"{page_tables.costs(one, build)} ({build})", width)


def _field(label: str, text: str, width: int) -> Iterator[Line]:
    first = f"{INDENT}{label:<14}"
    yield from wrapped(text, width, first=first, rest=" " * len(first))


def _topics(width: int) -> Iterator[Line]:
    yield Line("Topics (fearless guide TOPIC; the name of a pattern or technique will do, too)", "bold")
    found = pages.topics()
    longest = max(len(topic.name) for topic in found)
    for topic in found:
        yield from wrapped(topic.title, width, first=f"{INDENT}{topic.name:<{longest}}  ", rest=" " * (longest + 6))
    yield from wrapped(", ".join(pages.references()), width, first=INDENT, rest=INDENT, style="dim")


def _elsewhere(words: str, target: str, folder: str) -> str:
    """A link from a page in ``folder`` to what does not come with the package: its words, and where it is."""
    if target.startswith("https://"):
        return f"{words} ({target})"
    return f"{words} (in the source: {posixpath.normpath(f'{folder}/{target}')})"
