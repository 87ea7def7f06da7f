"""When two results are the same, and where they first differ."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter, defaultdict
from pathlib import PurePosixPath
from typing import Any

import pytest

from fearless.lab.result import canonical, difference


@dataclasses.dataclass
class Point:
    """A result of the user's own kind."""

    x: float
    y: int


class Opaque:
    """One that shows only its address."""

    def __init__(self, value: int) -> None:
        self.value = value


SAME: list[tuple[Any, Any]] = [
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ({"a": {1, 2}}, {"a": {2, 1}}),
    ({"a": 0.1 + 0.2}, {"a": 0.3}),
    ([1.0, [2.0, {"x": 1e300}]], [1.0, [2.0 + 1e-12, {"x": 1e300}]]),
    (Counter("aab"), {"a": 2, "b": 1}),
    (defaultdict(list, a=[1]), {"a": [1]}),
    (math.nan, math.nan),
    ({(1, "x"): 0.5}, {(1, "x"): 0.5}),
    (Point(0.1 + 0.2, 1), Point(0.3, 1)),
    (Opaque(5), Opaque(5)),
    (PurePosixPath("a/b"), PurePosixPath("a/b")),
    ({1: "a", "1": "b"}, {"1": "b", 1: "a"}),
    ([], ()),
]

OTHER: list[tuple[Any, Any, str]] = [
    ([1, 2], [2, 1], "the result[0] is 1, serial has 2"),
    ([1], [1, 2], "the result has 1 elements, serial has 2"),
    ({"a": 1}, {"a": 2}, "the result['a'] is 1, serial has 2"),
    ({"a": 1}, {"b": 1}, "lacks 1 of the serial keys, such as 'b', adds 1, such as 'a'"),
    ({1, 2}, {1}, "adds 1, such as 2"),
    ([0.3], [0.30001], "the result[0] is 0.3, serial has 0.30001"),
    ({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "y"}]}, "the result['a'][1]['b'] is 'x', serial has 'y'"),
    (1, 1.0, "the result is 1, serial has 1.0"),
    ("1", 1, "the result is '1', serial has 1"),
    (None, 0, "the result is None, serial has 0"),
    (Point(1.0, 1), Point(1.0, 2), "the result is Point(x=1.0, y=1)"),
    (Opaque(5), Opaque(6), "serial has"),
    (["ab", "c"], ["a", "bc"], "the result[0] is 'ab'"),
    (math.nan, 0.0, "the result is nan"),
]


@pytest.mark.parametrize(("one", "two"), SAME, ids=[str(index) for index in range(len(SAME))])
def test_these_are_the_same(one: object, two: object) -> None:
    """No order where there is none, and floats to 1e-9 relative."""
    assert canonical(one).equals(canonical(two))
    assert difference(one, two) is None


@pytest.mark.parametrize(("one", "two", "text"), OTHER, ids=[text for _, _, text in OTHER])
def test_these_differ_and_it_is_said_where(one: object, two: object, text: str) -> None:
    """By the path to the first difference."""
    assert not canonical(one).equals(canonical(two))
    assert text in str(difference(one, two))


def test_the_digest_says_nothing_of_floats() -> None:
    """They are compared by value, so that rounding does not change the digest."""
    assert canonical([0.1 + 0.2]).sha256 == canonical([0.3]).sha256
    assert canonical([0.3]).sha256 != canonical([3]).sha256


def test_a_result_without_end_is_refused() -> None:
    """Rather than walked for ever."""
    loop: list[object] = []
    loop.append(loop)

    with pytest.raises(TypeError, match="nests more than 100 deep"):
        canonical(loop)
