"""The methods that have a shortcut: it does the usual case, and leaves any other to the method that it stands before.

Not here: what the methods do; each type has its own tests, most of which go this way.
"""

import sys
from collections.abc import Callable
from typing import Any

import pytest

import fearless as fl

ATOMICS: dict[str, Callable[[], Any]] = {
    "AtomicBool": fl.AtomicBool,
    "AtomicFloat": fl.AtomicFloat,
    "AtomicInt": fl.AtomicInt,
    "AtomicRef": lambda: fl.AtomicRef(0),
    "ShardedCounter": fl.ShardedCounter,
}
NAMES = ("load", "store", "add", "fetch_add")
METHODS = [(kind, name) for kind in ATOMICS for name in NAMES if hasattr(getattr(fl, kind), name)]


class Whole:
    """A whole number that is no `int`."""

    def __init__(self, value: int) -> None:
        """Stand for `value`."""
        self.value = value

    def __index__(self) -> int:
        """The number."""
        return self.value


class Subclass(int):
    """An `int`, and not exactly one."""


@pytest.mark.parametrize(("kind", "name"), METHODS)
class TestEach:
    def test_it_is_for_objects_of_its_class_alone(self, kind: str, name: str) -> None:
        """The C function takes for granted what the interpreter has looked at."""
        method = getattr(getattr(fl, kind), name)
        for wrong in (object(), None, 5, fl.Mutex(0)):
            with pytest.raises(TypeError, match=r"(doesn't apply to|requires) a"):
                method(wrong, 1)

    def test_it_takes_the_number_of_arguments_that_it_says(self, kind: str, name: str) -> None:
        """None too few, none too many, none by name."""
        method = getattr(ATOMICS[kind](), name)
        wrong: list[tuple[Any, ...]] = [(1,)] if name == "load" else [(), (1, 2)]
        for arguments in wrong:
            with pytest.raises(TypeError, match="argument"):
                method(*arguments)
        with pytest.raises(TypeError, match="keyword"):
            method(value=1)

    def test_it_keeps_the_documentation(self, kind: str, name: str) -> None:
        """With a signature that `inspect` can read."""
        method = getattr(getattr(fl, kind), name)
        assert len(method.__doc__) > 10
        assert method.__text_signature__.startswith("($self")


def test_whole_numbers_of_other_classes_go_the_long_way() -> None:
    """To the same result."""
    number = fl.AtomicInt()
    for three in (3, Subclass(3), Whole(3)):
        number.store(three)
        assert number.load() == 3
        number.add(three)
        assert number.fetch_add(three) == 6
        assert number.load() == 9
    number.store(True)
    assert number.load() == 1
    real = fl.AtomicFloat()
    for half in (0.5, 1, Subclass(1)):
        real.store(half)
        assert real.load() == half


def test_references_are_counted_right() -> None:
    """What goes in and comes out is counted once, however often."""
    value = object()
    ref: fl.AtomicRef[object] = fl.AtomicRef(None)
    before = sys.getrefcount(value)
    for _ in range(1000):
        ref.store(value)
        ref.load()
    assert sys.getrefcount(value) == before + 1
    ref.store(None)
    assert sys.getrefcount(value) == before
