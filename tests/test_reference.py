"""The reference pages name all that is public: callables, methods, parameters. Their links lead somewhere.

Whether what they say of it is true is seen where it can be run: `test_examples.py` runs the sessions of the pages.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import fearless
from fearless import errors
from fearless.parallel import Par
from tests.plugins.sources import ROOT

FOLDER = ROOT / "guide/docs/reference"
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in sorted(FOLDER.glob("*.md"))}
BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
MADE_HERE = (Par,)  # by a function that users call, with arguments of its own
ELSEWHERE = {"workload"}  # is of the lab, and has its place in compare.md


def public() -> dict[str, Any]:
    """What users can import and call, errors left out."""
    modules = (fearless, fearless.testing)
    found = {name: getattr(module, name) for module in modules for name in module.__all__ if name not in ELSEWHERE}
    found["Par"] = Par
    return {
        name: one
        for name, one in found.items()
        if not isinstance(one, ModuleType) and not (isinstance(one, type) and issubclass(one, BaseException))
    }


def code(page: str) -> str:
    """What a page sets as code within its sentences and tables."""
    return "\n".join(re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE)))


ERRORS = PAGES["errors"]
CODE = {name: code(page) for name, page in PAGES.items()}


def parameters(thing: Callable[..., Any]) -> Iterator[str]:
    """The parameters that a caller can name."""
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):  # what the interpreter itself brings may have none
        return
    yield from (one.name for one in signature.parameters.values() if one.kind in BY_NAME and one.name != "self")


def members(thing: Any) -> Iterator[str]:
    """What can be named in a call; of a class also its methods and attributes, and what can be named there."""
    if thing not in MADE_HERE:
        yield from parameters(thing)
    for name in [one for one in dir(thing) if isinstance(thing, type) and not one.startswith("_")]:
        yield name
        if callable(getattr(thing, name)):
            yield from parameters(getattr(thing, name))


def missing(thing: Any, text: str) -> list[str]:
    """What of `thing` a text does not name."""
    return [name for name in dict.fromkeys(members(thing)) if not re.search(rf"\b{name}\b", text)]


@pytest.mark.parametrize("name", public())
def test_a_reference_page_names_all_there_is(name: str) -> None:
    """On one page, so that nothing must be looked up elsewhere."""
    pages = [page for page, text in PAGES.items() if re.search(rf"\b{name}\b", text)]

    assert pages
    assert min((missing(public()[name], CODE[page]) for page in pages), key=len) == []


def test_each_error_has_its_row() -> None:
    """On the page of the errors."""
    helpers = [name for name in fearless.testing.__all__ if isinstance(getattr(fearless.testing, name), type)]
    also = [name for name in helpers if issubclass(getattr(fearless.testing, name), fearless.FearlessError)]

    assert also
    assert [name for name in [*errors.__all__, *also] if f"`{name}`" not in ERRORS] == []


def headings(page: str) -> set[str]:
    """The names by which the headings of a page can be linked to."""
    found = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().casefold().replace(" ", "-") for heading in found}


@pytest.mark.parametrize("name", PAGES)
def test_a_link_of_a_page_leads_to_a_file_and_a_heading(name: str) -> None:
    """From reference to reference, and to the guide; `test_readme.py` and `test_guide.py` see to those of the guide."""
    links = re.findall(r"\]\(([^)#:]*)(?:#([^)]+))?\)", PAGES[name])
    led = [(FOLDER / (file or f"{name}.md"), heading) for file, heading in links]

    assert [file for file, _ in led if not file.is_file()] == []
    assert [
        heading for file, heading in led if heading and heading not in headings(file.read_text(encoding="utf-8"))
    ] == []


def test_what_a_page_lacks_is_found() -> None:
    """A method, a parameter of a method, and one of a function; a block of code is no place to look it up."""
    assert missing(fearless.Latch, "`arrive(n)`, `count`, `stats()`") == ["wait", "timeout", "wait_async"]
    assert missing(fearless.sleep, code("```pycon\n>>> seconds\n```\n")) == ["seconds"]
