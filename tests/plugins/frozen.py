"""Keeps the garbage collector from going through what was there before the first test, again and again.

A collection looks at every object: with some thousand tests collected that is a tenth of a second, and tests ask for
hundreds of collections. What a test makes itself is looked at as ever.
"""

import gc

import hypothesis  # noqa: F401 - looks for who refers to its sources of chance, which it finds only before the freeze


def pytest_collection_finish() -> None:
    """Put aside what importing and collecting has made."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Take it back."""
    gc.unfreeze()
