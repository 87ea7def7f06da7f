"""The word index: which files use a word. Map and merge, on Python sources.

Each name counts as itself and as the words in it: ``HTTPServer`` and ``http_server`` are both found under ``http``.

The files of a word are the bits of an int. A set would say the same, but tens of thousands of sets are tens of
thousands of objects for the garbage collector to visit, and on a free-threaded build it stops every thread to do so.
"""

from __future__ import annotations

import re
from keyword import kwlist

from fearless import workload
from fearless.lab import corpus

NAME = re.compile(r"[^\W\d]\w+")
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")  # HTTP and Server in HTTPServer

Part = tuple[int, set[str]]
Index = dict[str, int]


@workload
class WordIndex:
    """Index the words of Python sources: word, files that use it."""

    folder = corpus.STANDARD_LIBRARY

    def items(self) -> list[tuple[int, str]]:
        """Number and text of each file."""
        return list(enumerate(map(corpus.read_text, corpus.files(self.folder))))

    def work(self, item: tuple[int, str]) -> Part:
        """The words of one file.

        The shared patterns are called twice a file, not once a name, and the set of keywords is made anew: on a
        free-threaded build threads contend for the reference count of what they share, and this loop runs for every
        word.
        """
        number, text = item
        names = NAME.findall(text)
        compound = [name for name in names if "_" in name or not name.islower()]
        stop, words = set(kwlist), set()
        for found in (names, WORD.findall(" ".join(compound))):
            for name in found:
                if name not in stop:
                    words.add(_stem(name.lower()))
        return number, words

    def start(self) -> Index:
        """An empty index."""
        return {}

    def update(self, state: Index, part: Part) -> None:
        """Enter one file. No ``state.get``: on a dict of another thread it is slow in free-threaded 3.13."""
        number, words = part
        file = 1 << number
        for word in words:
            if word in state:
                state[word] |= file
            else:
                state[word] = file

    def merge(self, state: Index, other: Index) -> Index:
        """Join two indexes. The smaller one is entered into the larger."""
        if len(state) < len(other):
            state, other = other, state
        for word, files in other.items():
            if word in state:
                state[word] |= files
            else:
                state[word] = files
        return state


def _stem(word: str) -> str:
    """``word`` without the endings that do not matter in a search: "parsers", "parsed" and "parsing" are one word."""
    if len(word) > 4:  # noqa: PLR2004  # shorter words are left alone
        for ending in ("ings", "ing", "ers", "ies", "er", "ed", "es", "s", "e"):
            if word.endswith(ending):
                return word[: -len(ending)]
    return word
