"""Programs: every pattern around every job is a file that runs by itself, and its result is the serial one."""

from __future__ import annotations

import ast
import importlib.util
import io
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fearless.lab import catalog, emit, emit_subject
from fearless.lab._errors import LabError
from fearless.lab.record import Verdict
from fearless.lab.resolve import Target
from tests.lab.emitting import BECAUSE, KINDS, OWN, fits, prepare, subject, written

BOUND = 60.0  # seconds that a program may take


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a user's workloads and a small corpus, and the current one while these tests run."""
    path = tmp_path_factory.mktemp("programs")
    prepare(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        patch.syspath_prepend(str(path))
        yield path
    sys.modules.pop("users_job", None)


def loaded(path: Path) -> ModuleType:
    """The program as a module, as processes that it starts will import it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def result(module: ModuleType, items: Sequence[Any]) -> Any:
    """What the program makes of the items with two workers, or with none to choose."""
    return module.run(items, 2) if hasattr(module, "WORKERS") else module.run(items)


@pytest.mark.parametrize("kind", KINDS)
def test_every_pattern_gives_the_serial_result(kind: str, folder: Path) -> None:
    """In this process, but for what starts processes of its own."""
    patterns = [one for one in catalog.PATTERNS if fits(one, subject(kind, folder))]
    modules = {one: loaded(written(kind, one, folder)) for one in patterns}
    items = list(modules["serial"].job.items()) if hasattr(modules["serial"], "job") else sorted(map(str, OWN_ITEMS))
    expected = result(modules["serial"], items)

    assert expected
    assert len(patterns) >= 5
    for pattern, module in modules.items():
        assert result(module, items) == expected, pattern


OWN_ITEMS = [f"{number}.txt" for number in range(5)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pattern", ["serial", "par", "channel", "mutex"])
def test_main_prints_a_result(kind: str, pattern: str, folder: Path) -> None:
    """One line: how many items, and what came out."""
    if not fits(pattern, subject(kind, folder)):
        with pytest.raises(LabError, match=f"no program with {pattern} for this job: "):
            emit.program(pattern, subject(kind, folder))
        return
    module, said = loaded(written(kind, pattern, folder)), io.StringIO()
    with redirect_stdout(said):
        module.main()

    assert " items: " in said.getvalue()
    assert len(said.getvalue().splitlines()) == 1


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("word-index", "par"),
        ("example-merge", "processes"),
        ("Typed", "channel"),
        ("pipeline", "channel"),
        ("Staged", "processes"),
    ],
)
def test_a_program_runs_by_itself(kind: str, pattern: str, folder: Path) -> None:
    """From the command line, where its processes have to find what they run."""
    path = written(kind, pattern, folder)
    done = subprocess.run(
        [sys.executable, path.name], cwd=folder, capture_output=True, text=True, timeout=BOUND, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert " items: " in done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_a_program_knows_nothing_of_the_lab(kind: str, folder: Path) -> None:
    """It imports the toolkit, the standard library and the user's module, each name once and used."""
    for pattern in (one for one in catalog.PATTERNS if fits(one, subject(kind, folder))):
        tree = ast.parse(written(kind, pattern, folder).read_text(encoding="utf-8"))
        nodes = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        modules = [node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in nodes]
        bound = [name.asname or name.name for node in nodes for name in node.names if name.name != "annotations"]
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}

        assert {str(one).partition(".")[0] for one in modules} <= {*sys.stdlib_module_names, "fearless", "users_job"}
        assert not [one for one in modules if str(one).startswith("fearless.")]
        assert sorted(bound) == sorted(set(bound) & used)


@pytest.mark.parametrize("kind", ["word-index", "example-none", "Typed"])
def test_the_docstring_says_why(kind: str, folder: Path) -> None:
    """The summary, the pattern, the reasons whatever is in them, and how to measure it."""
    text = ast.get_docstring(ast.parse(emit.program("par", subject(kind, folder), because=BECAUSE))) or ""
    flat = " ".join(text.split())

    assert "The pattern is par. Chunks of items go to whoever is free;" in flat
    assert f"- R5: {BECAUSE[0].text}" in flat
    assert "fearless compare " in flat


def test_lines_are_narrow_and_hold_no_spaces_at_the_end(folder: Path) -> None:
    """88 columns of code; prose that was longer in its source stays as it was."""
    for kind in KINDS:
        text = emit.program("serial", subject(kind, folder), because=BECAUSE)
        assert [line for line in text.splitlines() if line != line.rstrip()] == []
        assert text.endswith("main()\n")


def test_the_size_of_a_channel_is_the_advised_one(folder: Path) -> None:
    """In place of the pattern's own."""
    text = emit.program("channel", subject("example-none", folder), workers=3, capacity=512)
    staged = emit.program("channel", subject("pipeline", folder), workers=3, capacity=512)

    assert "fl.channel(512)" in text
    assert "WORKERS = 3" in text
    assert "fl.pipeline(items, *steps, capacity=512)" in staged


def test_stages_keep_the_types_of_the_first_and_the_last(folder: Path) -> None:
    """Where they stand in a list, by name; where they do not, they are Any."""
    known = emit.program("par", subject("Staged", folder))
    apart = emit.program("par", subject("StagedApart", folder))

    assert "Item = str\nPart = Totals\n" in known
    assert "from users_job import Staged, Totals\n" in known
    assert "Item = Any\nPart = Any\n" in apart


def test_a_pipeline_is_written_for_channel_alone(folder: Path) -> None:
    """Under any other pattern the stages are one function."""
    pipeline = emit.program("channel", subject("Staged", folder))
    whole = emit.program("par", subject("Staged", folder))

    assert "fl.stage(one, workers=workers) for one in stages]" in pipeline
    assert "def work(" not in pipeline
    assert "Each stage has workers of its own" in pipeline
    assert "def work(item: Item) -> Part:" in whole
    assert "fl.pipeline" not in whole


def test_an_emitted_example_is_a_workload(folder: Path) -> None:
    """So that ``fearless compare FILE`` measures it as it is."""
    path = written("example-merge", "par", folder)
    again = emit_subject.of_target(Target(str(path)), folder / "again.py")

    assert again.state == "merge"
    assert again.types.known


def test_a_program_has_to_stand_beside_what_it_imports(folder: Path, tmp_path: Path) -> None:
    """The error says where."""
    with pytest.raises(LabError, match=r"the program imports users_job\.py, so it has to stand beside it, in "):
        emit_subject.of_target(OWN["Typed"], tmp_path / "program.py")
    with pytest.raises(LabError, match="that is the file with the workload itself"):
        emit_subject.of_target(OWN["Typed"], folder / "users_job.py")


def test_nothing_is_overwritten_unless_forced(tmp_path: Path) -> None:
    """Nor written into a folder that is not there, or over a folder."""
    path = tmp_path / "x.py"
    emit.write(path, "one\n")
    with pytest.raises(LabError, match="the file exists; --force overwrites it"):
        emit.write(path, "two\n")
    with pytest.raises(LabError, match="there is no folder"):
        emit.write(tmp_path / "none" / "x.py", "two\n")
    with pytest.raises(LabError, match="that is a folder"):
        emit.write(tmp_path, "two\n", force=True)

    assert path.read_text(encoding="utf-8") == "one\n"
    emit.write(path, "two\n", force=True)
    assert path.read_text(encoding="utf-8") == "two\n"


def test_a_verdict_becomes_a_program_and_an_open_question_none(folder: Path) -> None:
    """With the workers and the reasons of the verdict."""
    of = subject("word-index", folder)
    text = emit.of_verdict(Verdict("recommend", "mutex", 4, because=BECAUSE), of)

    assert text is not None
    assert "The pattern is mutex." in text
    assert "WORKERS = 4" in text
    assert emit.of_verdict(Verdict("cannot tell"), of) is None
