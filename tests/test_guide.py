"""What README and guide say from data is up to date, comes with the package, and the Rust beside it does the same."""

import functools
import re
import shlex
import subprocess
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

import fearless.lab
from fearless.lab import catalog, cli, pages, pages_charts, resolve
from fearless.lab.report import page_tables
from tests.plugins.sources import ROOT
from tests.support.rust import cargo

PAGES = [ROOT / "README.md", *sorted((ROOT / "guide/docs").glob("*.md"))]
JOB = """
import re
from pathlib import Path
from fearless import workload

@workload
class Lengths:
    \"\"\"Words by their length, as the Rust twins count them.\"\"\"
    def items(self):
        return [Path(name).read_text(encoding="utf-8") for name in {names!r}]
    def work(self, text):
        found = dict.fromkeys(range(1, 17), 0)
        for word in re.findall("[A-Za-z]+", text):
            found[min(len(word), 16)] += 1
        return found
    async def work_async(self, text):
        return self.work(text)
    def start(self):
        return dict.fromkeys(range(1, 17), 0)

@workload
class Looking(Lengths):
    \"\"\"The same for patterns whose items look at the state.\"\"\"
    def read(self, state, text):
        return text
"""


def tables() -> ModuleType:
    """The script that makes the tables and the links."""
    loader = SourceFileLoader("tables", str(ROOT / "scripts/tables"))
    spec = spec_from_loader("tables", loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_tables_of_a_page_say_what_the_data_say(path: Path) -> None:
    """And its programs are those of the repository. If this fails, run ``python scripts/tables`` and look at it."""
    text = path.read_text(encoding="utf-8")

    assert tables().wanted(path, text) == text


def test_a_table_that_says_something_else_is_found() -> None:
    """The check can fail, and every table is on some page."""
    stale = "<!-- table: safety -->\nold\n<!-- end of table -->"
    program = "<!-- program: guide/examples/deadline.py -->\n```python\nold\n```\n<!-- end of program -->"
    charts = {f"{page_tables.CHART}{name}" for name in pages_charts.CHARTS}
    used = {name for path in PAGES for _, name, _ in page_tables.MARK.findall(path.read_text(encoding="utf-8"))}

    assert page_tables.fill(stale) != stale
    assert "def quick()" in tables().wanted(ROOT / "README.md", program)
    assert used == {"techniques", *page_tables.FIGURES, *charts, *page_tables.TABLES}


def test_the_package_has_every_page_twin_and_figure() -> None:
    """Each as a link in the sources, which the build makes a file; none leads elsewhere."""
    script = tables()
    links = script.links()
    present = {path for path in script.PACKAGED.rglob("*") if not path.is_dir()}

    assert present == set(links)
    assert [path for path, file in links.items() if path.resolve() != file] == []


def test_the_installed_pages_are_those_of_the_repository() -> None:
    """Byte for byte."""
    installed = Path(fearless.lab.__file__).parent / "guide"
    script = tables()

    assert installed == pages.FOLDER
    assert [
        file
        for path, file in script.links().items()
        if (installed / path.relative_to(script.PACKAGED)).read_bytes() != file.read_bytes()
    ] == []


def commands() -> list[str]:
    """Every `fearless` command in a block of shell of the guide and the README, and in backticks."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    quoted = re.findall(r"`(fearless [^`]+)`", text)
    return sorted({line for line in [*lines, *quoted] if line.startswith("fearless ") and "PATTERN" not in line})


@pytest.mark.parametrize("command", commands())
def test_a_command_that_a_page_shows_is_one(command: str) -> None:
    """The parser takes it; an option that is shown without a value may be named alone."""
    parts = shlex.split(command)[1:]
    parser = cli._parser()
    known = parser.format_help() + subprocess_help(parts[0])

    assert f"{parts[0]} " in parser.format_help()
    assert [part for part in parts if part.startswith("--") and part not in known] == []
    if parts[0] == "guide" and len(parts) > 1:
        assert pages.find(" ".join(parts[1:])).text


@functools.cache  # the pages show each of a few verbs many times
def subprocess_help(verb: str) -> str:
    """What a verb says of itself."""
    command = [sys.executable, "-m", "fearless", verb, "--help"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout


def anchors(path: Path) -> set[str]:
    """The names by which the headings of a page can be linked to."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().casefold().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_link_into_a_page_leads_to_a_heading(path: Path) -> None:
    """What stands behind the `#` of a link is a heading of the page that it names."""
    links = re.findall(r"\]\(([^)#:]*)#([^)]+)\)", path.read_text(encoding="utf-8"))

    assert [(page, name) for page, name in links if name not in anchors(path.parent / page if page else path)] == []


def test_a_heading_that_there_is_not_is_found() -> None:
    """The check above can fail."""
    assert "mutex" in anchors(ROOT / "guide/docs/patterns.md")
    assert "mutexes" not in anchors(ROOT / "guide/docs/patterns.md")


def fnv(totals: dict[int, int]) -> str:
    """FNV-1a over the totals, eight bytes each, as the Rust has it."""
    found = 0xCBF29CE484222325
    for byte in b"".join(totals[length].to_bytes(8, "little") for length in sorted(totals)):
        found = (found ^ byte) * 0x100000001B3 % 2**64
    return f"{found:016x}"


def test_python_and_rust_agree(tmp_path: Path) -> None:
    """Every pattern of the lab and every twin come to the same digest over the same files."""
    names = [str(path) for path in sorted((ROOT / "guide/docs").glob("*.md"))]
    (tmp_path / "job.py").write_text(JOB.format(names=names), encoding="utf-8")
    jobs = [resolve.resolve(resolve.Target(f"{tmp_path / 'job.py'}:{name}")) for name in ("Lengths", "Looking")]
    python = {}
    for name in [one for one in catalog.PATTERNS if one != "processes"]:
        job, fits = next((job, one) for job in jobs if isinstance(one := catalog.fit_job(name, job), catalog.Pattern))
        python[name] = fnv(fits.load()(job, job.items(), 2))

    rust = dict(line.split()[:2] for line in cargo("run", "--example", "words", "--", "2", *names).splitlines())

    assert list(rust) == [name for name in catalog.PATTERNS if pages.twin(name) and name not in pages.TWINS]
    assert len({*python.values(), *rust.values()}) == 1


def test_the_twins_pass_their_own_tests() -> None:
    """`cargo test` succeeds, and runs more than nothing."""
    passed = re.findall(r"^test result: ok\. (\d+) passed", cargo("test"), re.MULTILINE)

    assert sum(map(int, passed)) > 0
