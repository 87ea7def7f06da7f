"""The atomics against plain values, driven by hypothesis: every sequence of calls.

Not here: threads.
"""

import math
from typing import Generic, TypeVar

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import fearless as fl

T = TypeVar("T")
LEAST, MOST = -(2**63), 2**63 - 1
WORDS = strategies.one_of(strategies.integers(LEAST, MOST), strategies.sampled_from([0, 1, -1, LEAST, MOST]))
FLOATS = strategies.one_of(strategies.floats(), strategies.sampled_from([0.0, -0.0, math.nan, math.inf, 0.5]))


def fits(value: int) -> bool:
    """Whether 64 bits hold it."""
    return LEAST <= value <= MOST


class Once(Generic[T]):
    """A function that notes what it is given, and returns one value."""

    def __init__(self, result: T) -> None:
        """Return `result`."""
        self.seen: list[T] = []
        self.result = result

    def __call__(self, value: T) -> T:
        """Note it."""
        self.seen.append(value)
        return self.result


class IntModel(RuleBasedStateMachine):
    """The model is an `int`, and a rule that what does not fit changes nothing."""

    @initialize(value=WORDS)
    def start(self, value: int) -> None:
        """Make both."""
        self.atomic = fl.AtomicInt(value)
        self.value = value

    @rule(new=WORDS, swap=strategies.booleans())
    def replace(self, *, new: int, swap: bool) -> None:
        """Set it."""
        if swap:
            assert self.atomic.swap(new) == self.value
        else:
            self.atomic.store(new)
        self.value = new

    @rule(amount=WORDS, name=strategies.sampled_from(["add", "sub", "fetch_add", "fetch_sub", "__iadd__", "__isub__"]))
    def change(self, amount: int, name: str) -> None:
        """Add or subtract, in each of the ways."""
        result = self.value - amount if "sub" in name else self.value + amount
        call = getattr(self.atomic, name)
        if not fits(result):
            with pytest.raises(OverflowError, match="the value is unchanged"):
                call(amount)
            return
        got = call(amount)
        expected = self.value if name.startswith("fetch") else self.atomic if name.startswith("__") else None
        assert got == expected
        self.value = result

    @rule(other=WORDS, name=strategies.sampled_from(["and", "or", "xor", "min", "max"]))
    def fetch(self, other: int, name: str) -> None:
        """The changes that always fit."""
        assert getattr(self.atomic, f"fetch_{name}")(other) == self.value
        value = self.value
        self.value = {
            "and": value & other,
            "or": value | other,
            "xor": value ^ other,
            "min": min(value, other),
            "max": max(value, other),
        }[name]

    @rule(current=WORDS, right=strategies.booleans(), new=WORDS)
    def compare_exchange(self, *, current: int, right: bool, new: int) -> None:
        """With the value that is there, and with another."""
        current = self.value if right else current
        assert self.atomic.compare_exchange(current, new) is (current == self.value)
        self.value = new if current == self.value else self.value

    @rule(new=WORDS)
    def update(self, new: int) -> None:
        """By a function, once."""
        function = Once(new)
        assert self.atomic.update(function) == new
        assert function.seen == [self.value]
        self.value = new

    @invariant()
    def same(self) -> None:
        """Each way to read says the same."""
        if not hasattr(self, "value"):
            return
        assert self.atomic.load() == int(self.atomic) == self.value
        assert bool(self.atomic) is bool(self.value)
        assert self.atomic.wait_until(lambda _: True, 0) == self.value


def same_float(one: float, other: float) -> bool:
    """Whether they are the same in every bit that shows: NaN is NaN, and a zero has a sign."""
    return (one == other and math.copysign(1, one) == math.copysign(1, other)) or (
        math.isnan(one) and math.isnan(other)
    )


class FloatModel(RuleBasedStateMachine):
    """The model is a `float`."""

    @initialize(value=FLOATS)
    def start(self, value: float) -> None:
        """Make both."""
        self.atomic = fl.AtomicFloat(value)
        self.value = value

    @rule(new=FLOATS, swap=strategies.booleans())
    def replace(self, *, new: float, swap: bool) -> None:
        """Set it."""
        if swap:
            assert same_float(self.atomic.swap(new), self.value)
        else:
            self.atomic.store(new)
        self.value = new

    @rule(amount=FLOATS, name=strategies.sampled_from(["add", "sub", "fetch_add", "fetch_sub", "__iadd__", "__isub__"]))
    def change(self, amount: float, name: str) -> None:
        """Add or subtract, in each of the ways."""
        got = getattr(self.atomic, name)(amount)
        if name.startswith("fetch"):
            assert same_float(got, self.value)
        self.value = self.value - amount if "sub" in name else self.value + amount

    @rule(current=FLOATS, right=strategies.booleans(), new=FLOATS)
    def compare_exchange(self, *, current: float, right: bool, new: float) -> None:
        """With the value that is there, and with another; NaN is NaN, and the zeros are equal."""
        current = self.value if right else current
        is_current = current == self.value or (math.isnan(current) and math.isnan(self.value))
        assert self.atomic.compare_exchange(current, new) is is_current
        self.value = new if is_current else self.value

    @rule(new=FLOATS)
    def update(self, new: float) -> None:
        """By a function, once."""
        function = Once(new)
        assert same_float(self.atomic.update(function), new)
        assert len(function.seen) == 1
        assert same_float(function.seen[0], self.value)
        self.value = new

    @invariant()
    def same(self) -> None:
        """Each way to read says the same."""
        if not hasattr(self, "value"):
            return
        assert same_float(self.atomic.load(), self.value)
        assert same_float(float(self.atomic), self.value)
        assert bool(self.atomic) is bool(self.value)


class RefModel(RuleBasedStateMachine):
    """The model is a variable. Lists that are equal, and are not the same."""

    @initialize()
    def start(self) -> None:
        """Make both."""
        self.values: list[list[int]] = [[0] for _ in range(4)]
        self.value = self.values[0]
        self.atomic = fl.AtomicRef(self.value)

    @rule(number=strategies.integers(0, 3), swap=strategies.booleans())
    def replace(self, *, number: int, swap: bool) -> None:
        """Set it."""
        if swap:
            assert self.atomic.swap(self.values[number]) is self.value
        else:
            self.atomic.store(self.values[number])
        self.value = self.values[number]

    @rule(number=strategies.integers(0, 3), new=strategies.integers(0, 3))
    def compare_exchange(self, number: int, new: int) -> None:
        """With each of the equal objects."""
        is_current = self.values[number] is self.value
        assert self.atomic.compare_exchange(self.values[number], self.values[new]) is is_current
        self.value = self.values[new] if is_current else self.value

    @rule(new=strategies.integers(0, 3))
    def update(self, new: int) -> None:
        """By a function, once."""
        function = Once(self.values[new])
        assert self.atomic.update(function) is self.values[new]
        assert [id(value) for value in function.seen] == [id(self.value)]
        self.value = self.values[new]

    @invariant()
    def same(self) -> None:
        """It leads to the very object."""
        if hasattr(self, "value"):
            assert self.atomic.load() is self.value


for model in (IntModel, FloatModel, RefModel):
    model.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestInt = IntModel.TestCase
TestFloat = FloatModel.TestCase
TestRef = RefModel.TestCase
