"""The verb ``guide``: what it finds, and what it shows."""

import dataclasses
import io
import re

import pytest

from fearless.lab import catalog, cli, pages, techniques
from fearless.lab._errors import LabError
from fearless.lab.report import page
from fearless.lab.report.printer import Printer
from fearless.lab.techniques import TECHNIQUES
from tests.plugins.sources import ROOT


def shown(*argv: str) -> tuple[int, str, str]:
    """Run the command; its code, and what went to each stream, neither of them a terminal."""
    out, err = io.StringIO(), io.StringIO()
    code = cli.run(["guide", *argv], Printer(out, err))
    return code, out.getvalue(), err.getvalue()


def test_without_a_topic_it_shows_the_techniques_and_the_topics() -> None:
    """All that the front table has, and each page."""
    code, out, err = shown()
    flat = re.sub(r"\s+", " ", out)

    assert (code, err) == (0, "")
    for one in TECHNIQUES:
        assert one.use_when in flat
        assert one.shares in flat
        assert one.keep_in_mind in flat
    assert [topic.name for topic in pages.topics() if f" {topic.name} " not in out] == []


def test_a_technique_that_there_is_not_yet_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no other."""
    rwlock = next(one for one in TECHNIQUES if one.name == "rwlock")
    missing = dataclasses.replace(rwlock, toolkit=(), later=("RwLock",))
    assert "(not yet)" not in shown()[1]

    monkeypatch.setattr(techniques, "TECHNIQUES", (*TECHNIQUES[:1], missing))

    assert re.findall(r"(\w+) \(not yet\)", shown()[1]) == ["rwlock"]


@pytest.mark.parametrize("width", [80, 100])
def test_no_line_of_the_front_table_is_too_long(width: int) -> None:
    """It fits the terminal."""
    assert [line.text for line in page.front(width) if len(line.text) > width] == []


@pytest.mark.parametrize("name", [*(topic.name for topic in pages.topics()), *pages.references()])
def test_every_page_is_shown_as_plain_text(name: str) -> None:
    """No colour, no comment of Markdown, no blanks at the end of a line, none too long; its heading comes first."""
    code, out, err = shown(name)

    assert (code, err) == (0, "")
    assert pages.find(name).title.split()[0] in out.lstrip().partition("\n")[0]
    assert "\x1b" not in out
    assert "<!--" not in out
    assert "](" not in out
    assert [line for line in out.splitlines() if line != line.rstrip() or len(line) > 100] == []


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("mutex", "mutexes"),
        ("MUTEXES", "mutexes"),
        ("thread pool", "thread_pools"),
        ("thread-pools", "thread_pools"),
        ("executor", "thread_pools"),
        ("par", "work_distribution"),
        ("serial", "choose"),
        ("rwlock", "rwlocks"),
        ("trade offs", "trade_offs"),
        ("index", "index"),
        ("AtomicInt", "reference/atomic_int"),
        ("reference/mutex", "reference/mutex"),
        ("mutexes.md", "mutexes"),
    ],
)
def test_a_topic_goes_by_many_names(asked: str, found: str) -> None:
    """Page, technique, pattern, or a type; case, blanks and dashes do not matter."""
    assert pages.find(asked).name == found


@pytest.mark.parametrize("pattern", techniques.TRADE_OFFS)
def test_every_pattern_leads_to_a_page(pattern: str) -> None:
    """Also one that cannot be run yet."""
    assert pages.find(pattern).text.startswith("# ")


def test_a_topic_that_there_is_not_names_what_is_near() -> None:
    """And all that there is."""
    code, out, err = shown("mutx")

    assert (code, out) == (2, "")
    assert "'mutx'" in err
    assert "did you mean mutexes" in err
    assert "questions" in err


def test_nothing_near_is_suggested_for_what_is_far() -> None:
    """Only the list remains."""
    with pytest.raises(LabError, match="no topic 'zzzz'\nthere are"):
        pages.find("zzzz")


def test_a_pattern_brings_its_trade_offs_and_both_programs() -> None:
    """Asked for as a pattern, a page goes on with the pattern."""
    _, out, _ = shown("mutex")

    assert "fl.Mutex(job.start())" in out
    assert "shared.lock()" in out
    assert techniques.TRADE_OFFS["mutex"].contention in out


def test_links_to_other_pages_become_commands() -> None:
    """Each once, on a line of its own, at the end; none leads to the page itself."""
    _, out, _ = shown("mutexes")
    _, _, more = out.partition("More:")
    named = re.findall(r"^ . fearless guide (\S+)$", more, re.MULTILINE)

    assert {"channels", "questions", "reference/mutex"} <= set(named)
    assert len(named) == len(set(named))
    assert "mutexes" not in named
    assert [name for name in named if pages.find(name).name != name] == []


def test_what_does_not_come_with_the_package_is_named_by_its_place_in_the_source() -> None:
    """Programs, charts and Rust, as seen from the root of the repository; every such place exists."""
    text = page.page(pages.find("channels"))
    named = re.findall(r"\(in the source: ([^)]+)\)", text)

    assert {"guide/charts/capacity.svg", "crates/fearless-patterns/examples/listen.rs"} <= set(named)
    assert [name for name in named if not (ROOT / name).is_file()] == []
    assert "![" not in text


@pytest.mark.parametrize("pattern", catalog.PATTERNS)
def test_a_pattern_has_a_twin_or_a_reason_for_none(pattern: str) -> None:
    """The text of the Rust comes with the package."""
    text = pages.twin(pattern)

    assert (text is None) == (pattern in pages.NO_TWIN)
    if text is not None:
        assert "pub fn count(texts: &[String]" in text


def test_a_stream_that_is_not_utf8_gets_a_page_all_the_same() -> None:
    """Bullets and rules become plain characters."""
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", newline="\n")
    Printer(out).page("# Title\n\n- one\n\n| a | b |\n| --- | --- |\n| c | d |\n")
    out.flush()

    assert b" * one\n" in raw.getvalue()
    assert b"---" in raw.getvalue()
    out.close()


def test_on_a_terminal_a_page_has_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """There it is set, as a page should be."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    out = io.StringIO()
    Printer(out).page("# Title\n\n`code`\n")

    assert "\x1b[" in out.getvalue()
