"""Repetition within functions: hardly any work for most of them, and a thousand times as much for a few. No state.

Each pair of equal words in a function is looked at, so that the time grows with the square of its length. Who takes a
long one late keeps the others waiting: what counts is how the work is shared out.
"""

from __future__ import annotations

import re

from fearless import workload
from fearless.lab import corpus

# At the top, or one level below.
FUNCTION = re.compile(r"^(?=def |    def )", re.MULTILINE)
WORD = re.compile(r"\w+")


@workload
class Uneven:
    """Find the longest run of words that each function repeats; the time grows with the square of its length."""

    folder = corpus.STANDARD_LIBRARY

    def items(self) -> list[str]:
        """Each function, with what follows it up to the next."""
        texts = [corpus.read_text(path) for path in corpus.files(self.folder)]
        return [function for text in texts for function in FUNCTION.split(text)[1:]]

    def work(self, item: str) -> str:
        """The first of the longest runs that begins at two places; it may overlap itself."""
        words = WORD.findall(item)
        places: dict[str, list[int]] = {}  # of each word so far
        # Earlier place to the length of the run that ends there and one word ago.
        before: dict[int, int] = {}
        longest = end = 0
        for place, word in enumerate(words):
            now: dict[int, int] = {}
            earlier = places.setdefault(word, [])
            for other in earlier:
                length = now[other] = before.get(other - 1, 0) + 1
                if length > longest:
                    longest, end = length, place + 1
            earlier.append(place)
            before = now
        return " ".join(words[end - longest : end])
