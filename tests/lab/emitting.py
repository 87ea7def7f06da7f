"""Programs of every kind, as files: what the tests of `emit` run, and what CI formats, lints and types.

``python -m tests.lab.emitting FOLDER`` writes all of them into FOLDER. Holds no test.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from fearless.lab import catalog, emit, emit_subject
from fearless.lab.emit_subject import TEMPLATES, Subject
from fearless.lab.job import State
from fearless.lab.record import Because
from fearless.lab.resolve import Target

BECAUSE = (Because("R5", 'a reason with a \\ and """ in it, which is long enough to be wrapped at least once', {}),)
USER = '''
from collections.abc import Callable, Sequence
from functools import partial
from os.path import getsize
from typing import Any

from fearless import workload

Totals = dict[str, int]


def length(path: str) -> int:
    """The length of a file."""
    with open(path, encoding="utf-8") as file:
        return len(file.read())


def untyped(path):
    return length(path)


partly = partial(str.upper)
run = length


@workload
class Typed:
    """Lengths of words."""

    words = "one three eleven"

    def items(self) -> list[str]:
        return self.words.split()

    def work(self, item: str) -> Totals:
        return {item: len(item)}

    def start(self) -> Totals:
        return {}

    def update(self, state: Totals, part: Totals) -> None:
        state.update(part)

    def merge(self, state: Totals, other: Totals) -> Totals:
        return {**state, **other}


@workload
class Untyped:
    def items(self):
        return "one three eleven".split()

    def work(self, item):
        return {item: len(item)}

    def start(self):
        return {}

    def update(self, state, part):
        state.update(part)

    def merge(self, state, other):
        return {**state, **other}


def entry(word: str) -> Totals:
    return {word: len(word)}


@workload
class Staged:
    words = "one three eleven"

    def items(self) -> list[str]:
        return self.words.split()

    def stages(self) -> Sequence[Callable[[Any], Any]]:
        return [self.upper, entry]

    def upper(self, word: str) -> str:
        return word.upper()

    def start(self) -> Totals:
        return {}

    def update(self, state: Totals, part: Totals) -> None:
        state.update(part)

    def merge(self, state: Totals, other: Totals) -> Totals:
        return {**state, **other}


@workload
class Reading(Typed):
    def work(self, seen: tuple[str, bool]) -> Totals | None:
        word, known = seen
        return None if known else entry(word)

    def read(self, state: Totals, item: str) -> tuple[str, bool]:
        return item, item in state

    def items(self) -> list[str]:
        return self.words.split() * 3

    def start(self) -> Totals:
        return {}

    def update(self, state: Totals, part: Totals) -> None:
        state.update(part)

    def merge(self, state: Totals, other: Totals) -> Totals:
        return {**state, **other}


@workload
class ReadingUntyped:
    def items(self):
        return "one three one".split()

    def read(self, state, item):
        return None if item in state else item

    def work(self, seen):
        return seen and (seen, len(seen))

    def start(self):
        return {}

    def update(self, state, part):
        word, length = part
        state[word] = length


@workload
class Keyed:
    def items(self) -> list[str]:
        return ["ab", "bc", "ca", "ab"]

    def work(self, item: str) -> Totals:
        return {item[0]: -1, item[1]: 1}

    def keys(self, item: str) -> list[str]:
        return list(item)

    def start(self) -> Totals:
        return {"a": 0, "b": 0, "c": 0}

    def update(self, state: Totals, part: Totals) -> None:
        for key, amount in part.items():
            state[key] += amount


@workload
class Awaited(Typed):
    """Lengths of words, as a server would tell them."""

    def items(self) -> list[str]:
        return self.words.split()

    def work(self, item: str) -> Totals:
        return {item: len(item)}

    async def work_async(self, item: str) -> Totals:
        return self.work(item)

    def start(self) -> Totals:
        return {}

    def update(self, state: Totals, part: Totals) -> Totals:
        return {**state, **part}

    def merge(self, state: Totals, other: Totals) -> Totals:
        return {**state, **other}


@workload
class AwaitedUntyped(Untyped):
    async def work_async(self, item):
        return self.work(item)


@workload
class StagedTotal:
    def items(self):
        return "one three eleven".split()

    def stages(self):
        return [str.upper, len]

    def start(self):
        return 0


@workload
class StagedApart:
    """Types that nobody can read off a list."""

    def items(self) -> list[str]:
        return ["one", "three"]

    def stages(self) -> Sequence[Callable[[Any], Any]]:
        found = [str.upper, len]
        return tuple(found)
'''
OWN = {
    "length": Target("users_job.py:length", {}, "*.txt"),
    "getsize": Target("users_job.py:getsize", {}, "*.txt"),  # another module's
    "partly": Target("users_job.py:partly", {}, "*.txt"),  # an object
    "run": Target("users_job.py:run", {}, "*.txt"),  # a name that the program has a use for
    "untyped": Target("users_job.py:untyped", {}, "*.txt"),
    "Typed": Target("users_job.py:Typed", {"words": "a bc def"}),
    "Untyped": Target("users_job.py:Untyped"),
    "Awaited": Target("users_job.py:Awaited", {"words": "a bc def"}),
    "AwaitedUntyped": Target("users_job.py:AwaitedUntyped"),
    "Staged": Target("users_job.py:Staged", {"words": "a bc def"}),
    "Reading": Target("users_job.py:Reading", {"words": "a bc def"}),
    "ReadingUntyped": Target("users_job.py:ReadingUntyped"),
    "Keyed": Target("users_job.py:Keyed"),
    "StagedTotal": Target("users_job.py:StagedTotal"),
    "StagedApart": Target("users_job.py:StagedApart"),
}
EXAMPLES: dict[str, dict[str, Any]] = {  # beside those of each state
    "example-waits": {"state": "none", "waits": True},
    "example-awaits": {"state": "merge", "waits": True, "awaits": True},
    "example-reads-awaits": {"state": "update", "reads": True, "awaits": True},
    "example-reads": {"state": "update", "reads": True},
    "example-reads-waits": {"state": "update", "reads": True, "waits": True},
}
STATES: tuple[State, ...] = tuple(TEMPLATES)
KINDS = [*catalog.BUILT_INS, *(f"example-{state}" for state in STATES), *EXAMPLES, *OWN]


def prepare(folder: Path) -> None:
    """A user's workloads and a small corpus."""
    (folder / "users_job.py").write_text(USER, encoding="utf-8")
    (folder / "corpus").mkdir()
    for number in range(5):
        other = f"module_{(number + 1) % 5}"
        text = f"# a comment\nimport {other}\nvalue_{number} = {other}.parse(HTTPServer, {number})\n"
        text += f"def function_{number}(value):\n    return value, {number}, value\n"
        (folder / f"{number}.txt").write_text("x" * number, encoding="utf-8")
        (folder / "corpus" / f"module_{number}.py").write_text(text, encoding="utf-8")


def subject(kind: str, folder: Path) -> Subject:
    """What a program of this kind works on."""
    file = folder / "program.py"
    if kind in OWN:
        return emit_subject.of_target(OWN[kind], file)
    if kind in catalog.BUILT_INS:
        return emit_subject.of_target(Target(kind, {"folder": str(folder / "corpus")}), file)
    return emit_subject.example(**EXAMPLES.get(kind, {"state": kind.partition("-")[2]}))


def fits(pattern: str, of: Subject) -> bool:
    """True if the pattern can run the job."""
    asks = {"whole": of.whole, "staged": of.staged, "reads": of.reads, "keyed": of.keyed, "awaits": of.awaits}
    return not isinstance(catalog.fit(pattern, of.state, **asks), str)


def written(kind: str, pattern: str, folder: Path) -> Path:
    """The program in a file of its own."""
    path = folder / f"{kind.replace('-', '_')}_{pattern}_program.py"
    text = emit.program(pattern, subject(kind, folder), because=BECAUSE).replace("size = 2000", "size = 40")
    path.write_text(text.replace("size = 200\n", "size = 9\n"), encoding="utf-8")
    return path


def main() -> None:
    """Write every program there is, for the tools that read them."""
    folder = Path(sys.argv[1]).resolve()
    prepare(folder)
    os.chdir(folder)
    for kind in KINDS:
        for pattern in catalog.PATTERNS:
            if fits(pattern, subject(kind, folder)):
                written(kind, pattern, folder)


if __name__ == "__main__":
    main()
