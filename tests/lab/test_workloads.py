"""The built-in workloads: what they compute, on which files, and which pattern must run which."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import pytest

from fearless.lab import catalog, corpus
from fearless.lab._errors import WorkloadError
from fearless.lab.catalog import Pattern
from fearless.lab.job import Job
from fearless.lab.record import Card
from fearless.lab.resolve import Target, resolve

SOURCES = {
    "a.py": "import os\n\n# a comment\nclass HTTPServer:\n    port = 80 + 1\n",
    "b.py": "def serve_http(server):\n    return server.parsing, server.parsed\n",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small corpus, which is not the chosen one."""
    monkeypatch.setattr(corpus, "_current", None)
    for name, text in SOURCES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def job(name: str, folder: Path) -> Job:
    """A built-in on the corpus in ``folder``."""
    return resolve(Target(name, {"folder": str(folder)}))


def result(of: Job, pattern: str = "serial") -> Any:
    """What a pattern makes of it."""
    found = catalog.fit_job(pattern, of)
    assert isinstance(found, Pattern)
    return found.load()(of, of.items(), 2)


def fitted(of: Job, pattern: str) -> Card:
    """The card of the pattern as it runs it."""
    found = catalog.fit_job(pattern, of)
    assert isinstance(found, Pattern)
    return found.card


def test_the_word_index_says_which_files_use_a_word(folder: Path) -> None:
    """A name counts as itself and as the words in it, by their stems; the bits are the files."""
    index = result(job("word-index", folder))

    both, first, second = 0b11, 0b01, 0b10
    assert index["http"] == both
    assert index["serv"] == both
    assert index["httpserv"] == first
    assert index["pars"] == second
    assert "def" not in index


def test_checksums_come_in_the_order_of_the_files(folder: Path) -> None:
    """One for each, and the same for the same content."""
    (folder / "c.py").write_text(SOURCES["a.py"], encoding="utf-8")

    one, two, three = result(job("checksum", folder))

    assert one == three != two
    assert len(one) == 64


def test_the_pipeline_digests_what_was_read_and_compressed(folder: Path) -> None:
    """In the order of the files; compressing loses nothing, so only what differs has another digest."""
    of = job("pipeline", folder)
    load, compress, digest = of.stages
    first, second = result(of)

    assert of.items() == [str(folder / name) for name in SOURCES]
    assert zlib.decompress(compress(load(of.items()[0]))) == SOURCES["a.py"].encode()
    assert first == digest(zlib.compress(SOURCES["a.py"].encode()))
    assert len(first) == 64
    assert first != second


def test_the_pipeline_is_one_under_channel(folder: Path) -> None:
    """With the stages that the workload names; under any other pattern a worker does them all."""
    of = job("pipeline", folder)

    assert of.stage_names == ("load", "compress", "digest")
    assert [name for name in catalog.PATTERNS if catalog.must_run(name, "pipeline") and fitted(of, name).staged] == [
        "channel"
    ]


def test_line_metrics_add_up(folder: Path) -> None:
    """Lines by kind, and tokens by kind."""
    source = "".join(SOURCES.values())

    assert result(job("line-metrics", folder)) == {
        "characters": len(source),
        "letters": sum(one.isalpha() for one in source),
        "digits": 3,
        "lines": 7,
        "blank": 1,
        "comment": 1,
        "code": 5,
        "long": 0,
        "deep": 0,
        "names": 9,
        "private": 0,
        "constants": 0,
        "branches": 0,
        "keywords": 4,
        "numbers": 2,
        "operators": 9,
    }


def test_line_metrics_know_the_kinds_of_lines_and_tokens(folder: Path) -> None:
    """Long and deeply indented lines, private and constant names, keywords that branch."""
    source = f"if _a and LIMIT:\n{' ' * 12}x = {'1' * 80}\n"
    (folder / "a.py").write_text(source, encoding="utf-8")
    (folder / "b.py").unlink()

    found = result(job("line-metrics", folder))

    assert {key: found[key] for key in ("long", "deep", "private", "constants", "branches", "keywords")} == {
        "long": 1,
        "deep": 1,
        "private": 1,
        "constants": 1,
        "branches": 2,
        "keywords": 2,
    }


IMPORTS = {
    "lib.py": "def parse(text):\n    return text\n\nparsed = 1\n",
    "user.py": "import lib\n\nlib.parse(lib.parsed)\nlib.parse(lib.missing)\nother.parse\n",
}


@pytest.fixture
def imports(folder: Path) -> Path:
    """A small corpus in which one module uses another."""
    for name in SOURCES:
        (folder / name).unlink()
    for name, text in IMPORTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_the_cache_has_the_names_of_each_module_that_was_asked_for(imports: Path) -> None:
    """And what it was asked for in vain; modules that are not imported are none."""
    of, path = job("read-mostly-cache", imports), str(imports / "lib.py")

    assert [name for _, name, _ in of.items()] == ["parse", "parsed", "parse", "missing"]
    assert result(of) == {path: "def\nparse\nparsed\nreturn\ntext", f"{path}:missing": ""}


def test_a_read_of_the_cache_finds_what_has_the_letters_in_their_order(imports: Path) -> None:
    """Nothing is known before the first; afterwards all that may be meant, and the work has nothing to do."""
    of = job("read-mostly-cache", imports)
    state: dict[str, str] = {}
    item = of.items()[0]
    path, name, missing = of.read(state, item)
    assert (name, missing) == ("parse", None)

    of.update(state, of.work((path, name, missing)))

    assert of.read(state, item) == (path, "parse", ["parse", "parsed"])
    assert of.work(of.read(state, item)) is None


def test_the_ledger_moves_tokens_to_the_modules_that_are_imported(imports: Path) -> None:
    """A block of lines pays once for each module; the sum stays, and the check sees it when it does not."""
    of, (lib, user) = job("ledger", imports), (str(imports / name) for name in IMPORTS)
    (item,) = of.items()
    state = result(of)
    paid = of.work(item)[2]

    assert item == (user, lib, IMPORTS["user.py"])
    assert of.keys(item) == (user, lib)
    assert paid > 10
    assert state == {lib: 50_000 + paid, user: 50_000 - paid}
    assert of.check(state) is None
    assert "add up to 100001, not to 100000" in str(of.check({**state, lib: state[lib] + 1}))
    assert "a balance is -1" in str(of.check({lib: 100_001, user: -1}))


def test_nobody_in_the_ledger_pays_more_than_there_is(imports: Path) -> None:
    """Which makes balances depend on the order, and the check the judge."""
    of, lib, user = job("ledger", imports), str(imports / "lib.py"), str(imports / "user.py")
    state = {lib: 0, user: 5}

    of.update(state, (user, lib, 6))
    assert state == {lib: 0, user: 5}
    of.update(state, (user, lib, 5))
    assert state == {lib: 5, user: 0}


def test_uneven_work_finds_what_a_function_repeats(folder: Path) -> None:
    """The longest run of words; a run may overlap itself, and what occurs once is none."""
    (folder / "a.py").write_text(
        "first = 1\ndef f(a, b):\n    g(a, b, a)\n        def h(): a, b, c = f(a, b)\n", "utf-8"
    )
    (folder / "b.py").write_text("class C:\n    def m(x):\n        x, x, x, x\n\n    def n(): pass\n", "utf-8")
    of = job("uneven", folder)

    assert [item.split("(")[0].strip() for item in of.items()] == ["def f", "def m", "def n"]
    assert result(of) == ["f a b", "x x x x", ""]


MUST = [
    (pattern, name) for name in catalog.BUILT_INS for pattern in catalog.PATTERNS if catalog.must_run(pattern, name)
]


@pytest.mark.parametrize(("pattern", "name"), MUST)
def test_what_must_run_runs_and_is_right(pattern: str, name: str, imports: Path) -> None:
    """The table holds: each of these pairs gives the serial result, or one that the workload's own check accepts."""
    of = job(name, imports)
    found = result(of, pattern)

    assert of.check(found) is None
    assert "check" in of.methods or found == result(of)


@pytest.mark.parametrize(("pattern", "name"), sorted(catalog.UNFIT))
def test_what_need_not_run_is_refused_with_a_reason(pattern: str, name: str, folder: Path) -> None:
    """An exception in the table is one that the pattern itself gives."""
    of = job(name, folder)

    assert isinstance(catalog.fit_job(pattern, of), str)


def test_the_table_is_large() -> None:
    """Thirteen patterns, eight built-ins, and 44 pairs that do not fit."""
    assert len(MUST) == 60


def test_the_corpus_is_the_standard_library_up_to_its_limit() -> None:
    """Real input, sorted, without what is installed beside it and without its tests."""
    chosen = corpus.choose()

    assert chosen.paths == tuple(sorted(chosen.paths))
    assert 1_000_000 < chosen.corpus.bytes <= corpus.LIMIT_BYTES
    assert chosen.corpus.files == len(chosen.paths)
    assert not [path for path in chosen.paths if {"site-packages", "test", "tests"} & set(Path(path).parts[-3:])]


def test_the_digest_changes_with_the_content(folder: Path) -> None:
    """It is what makes two records comparable."""
    before = corpus.choose(str(folder)).corpus
    (folder / "a.py").write_text("import sys\n", encoding="utf-8")

    assert corpus.choose(str(folder)).corpus.sha256 != before.sha256


def test_a_file_that_does_not_decode_is_left_out(folder: Path) -> None:
    """It could not be read by every workload."""
    (folder / "broken.py").write_bytes(b"# coding: ascii\n\xff\n")

    assert corpus.choose(str(folder)).corpus.files == len(SOURCES)


def test_a_folder_without_python_is_a_mistake(tmp_path: Path) -> None:
    """It is named."""
    with pytest.raises(WorkloadError, match="no Python file found in"):
        corpus.choose(str(tmp_path))
