"""Completion as editors do it, from a cache: most items only read it, and one that finds nothing there fills it.

Each use of a module in the corpus, as ``re.compile``, is a request: what could be meant by its first letters, in the
module of that name? The cache has the names of each module that was asked for, one a line. To look through them is the
read, which takes a while; to collect them from the source is the work, when they are missing.
"""

from __future__ import annotations

import re
from pathlib import Path

from fearless import workload
from fearless.lab import corpus

NAME = re.compile(r"[^\W\d]\w*")
IMPORT = re.compile(r"^ *import (\w+)$", re.MULTILINE)
USE = re.compile(r"\b(\w+)\.(\w+)")
LETTERS = 3

# The path of a module, a name in it, and what was typed of that.
Use = tuple[str, str, re.Pattern[str]]
# The same with all names that may be meant; None: nobody knows the names yet.
Seen = tuple[str, str, list[str] | None]
# Path to names, one a line; and each name that was asked for in vain, as path:name.
Cache = dict[str, str]


@workload
class ReadMostlyCache:
    """Complete each use of a module, as an editor does, from cached names of the modules."""

    folder = corpus.STANDARD_LIBRARY

    def items(self) -> list[Use]:
        """The uses of modules that are in the corpus themselves, in the order of the files."""
        files = corpus.files(self.folder)
        paths = {Path(path).stem: path for path in files}
        typed: dict[str, re.Pattern[str]] = {}
        found = []
        for path in files:
            text = corpus.read_text(path)
            imported = set(IMPORT.findall(text)) & paths.keys()
            for module, name in USE.findall(text) if imported else ():
                if module in imported:
                    letters = name[:LETTERS]
                    if letters not in typed:
                        typed[letters] = _like(letters)
                    found.append((paths[module], name, typed[letters]))
        return found

    def start(self) -> Cache:
        """Nothing is known."""
        return {}

    def read(self, state: Cache, item: Use) -> Seen:
        """The names that have the letters, in their order; just the name if that was asked for before in vain."""
        path, name, typed = item
        if path not in state:
            return path, name, None
        if f"{path}:{name}" in state:
            return path, name, [name]
        return path, name, typed.findall(state[path])

    def work(self, seen: Seen) -> Cache | None:
        """The names of the module, if they are missing; and the name that was asked for, if it is not among them."""
        path, name, found = seen
        part: Cache = {}
        if found is None:
            found = sorted(set(NAME.findall(corpus.read_text(path))))
            part[path] = "\n".join(found)
        if name not in found:
            part[f"{path}:{name}"] = ""
        return part or None

    def update(self, state: Cache, part: Cache) -> None:
        """Put it into the cache. Two that missed the same put the same there."""
        state.update(part)


def _like(letters: str) -> re.Pattern[str]:
    """Finds names that have the letters in this order."""
    return re.compile(r"^\w*?" + r"\w*?".join(letters) + r"\w*$", re.MULTILINE)
