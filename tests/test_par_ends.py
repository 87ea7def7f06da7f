"""The ends of a `par` chain beside `collect`, `for_each` and `fold`: each gives what the built-in of its name gives.

`tests/test_par.py` has the other three, `tests/test_par_stop.py` what ends a run early.
"""

import functools
import itertools
import operator
import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.until import BOUND

OPTIONS: list[dict[str, Any]] = [
    {"workers": 2},
    {"workers": 3, "chunk": 1},
    {"workers": 2, "schedule": "dynamic"},
    {"workers": 2, "schedule": "static"},
]
SOURCES: list[Callable[[list[int]], Iterable[int]]] = [list, iter]


class Key:
    """Equal to all of its group; tells which of them one is."""

    def __init__(self, number: int) -> None:
        """The number `number`, in one of three groups."""
        self.number = number
        self.group = number % 3


def alone(item: int) -> tuple[object, ...]:
    """Return a tuple of one."""
    return (item,)


@given(st.lists(st.integers(), max_size=30), st.sampled_from(OPTIONS), st.sampled_from(SOURCES))
@settings(deadline=None, max_examples=40)
def test_ends_give_what_the_built_ins_give(
    numbers: list[int], options: dict[str, Any], source: Callable[[list[int]], Iterable[int]]
) -> None:
    """However the items are cut, also where a stage leaves chunks empty."""

    def run() -> "fl.parallel.Par[int]":
        return fl.par(source(numbers), **options).filter(lambda n: n % 3)

    kept = [n for n in numbers if n % 3]
    assert run().sum() == sum(kept)
    assert run().count() == len(kept)
    assert run().min(default=None) == min(kept, default=None)
    assert run().max(default=None, key=abs) == max(kept, default=None, key=abs)
    assert run().any(lambda n: n > 5) is any(n > 5 for n in kept)
    assert run().all(lambda n: n > 5) is all(n > 5 for n in kept)
    assert run().map(alone).reduce(operator.add, ("first",)) == ("first", *kept)
    assert run().flat_map(lambda n: [n] * (n % 4)).collect() == [n for n in kept for _ in range(n % 4)]


@pytest.mark.parametrize("options", OPTIONS)
def test_of_equal_ones_the_first_is_least_and_greatest(options: dict[str, Any]) -> None:
    """As of `min` and `max`."""
    keys = [Key(number) for number in range(1, 200)]
    group = operator.attrgetter("group")
    least, greatest = fl.par(keys, **options).min(key=group), fl.par(keys, **options).max(key=group)
    assert (least.number, greatest.number) == (3, 2)


def test_without_items_and_default_there_is_no_extreme() -> None:
    """A default may be anything, also `None`."""
    for name in ("min", "max"):
        with pytest.raises(ValueError, match=f"^{name} needs at least one item, got none; pass `default`$"):
            getattr(fl.par([0]).filter(bool), name)()
        assert getattr(fl.par(()), name)(default=None) is None


def test_a_sum_never_adds_a_zero_behind() -> None:
    """The built-in begins with one; a chunk of which nothing is left has no part in it."""

    class Length:
        def __init__(self, length: int) -> None:
            self.length = length

        def __add__(self, other: "Length") -> "Length":
            return Length(self.length + other.length)

        def __radd__(self, zero: int) -> "Length":
            assert zero == 0
            return self

    lengths = fl.par([Length(number) for number in range(20)], workers=2, schedule="dynamic")
    total: Any = lengths.filter(lambda length: length.length < 5).sum()
    assert total.length == 10


@pytest.mark.parametrize("end", ["reduce", "sum", "min", "all"])
@pytest.mark.parametrize("workers", [1, 2])
def test_stop_iteration_does_not_end_a_chunk_unseen(end: str, workers: int) -> None:
    """Also where an end takes the first item by itself; `tests/test_par_stop.py` has `collect`."""
    arguments: dict[str, tuple[Any, ...]] = {
        "reduce": (operator.add, 0),
        "all": (lambda _: True,),
    }

    def stop(number: int) -> int:
        if number == 0:
            raise StopIteration
        return 0

    run = fl.par(range(10), workers=workers, schedule="static").map(stop)
    with pytest.raises(RuntimeError, match="a stage raised StopIteration"):
        getattr(run, end)(*arguments.get(end, ()))


def test_failures_of_its_functions_are_raised() -> None:
    """Whether they come from a chunk or from what puts chunks together."""
    mixed: list[Any] = [0, "x"]
    for end in (fl.par(mixed, workers=1, schedule="dynamic").sum, fl.par(mixed, workers=2).max):
        with pytest.raises(TypeError, match=r"not supported|unsupported operand"):
            end()
    with pytest.raises(ZeroDivisionError) as caught:
        fl.par(range(-5, 5), workers=2).any(lambda n: 1 // n > 7)
    assert caught.value.__notes__ == ["fearless.par: in item 5 of the run: 0"]


@pytest.mark.parametrize(("end", "answer"), [("any", True), ("all", False)])
def test_a_search_stops_all_workers(end: str, answer: bool, spawn: Spawn) -> None:  # noqa: FBT001 - a parameter
    """Of an endless source, also one that waits in its item."""
    tx, rx = fl.channel(None)
    waiting = threading.Event()

    def seek(number: int) -> bool:
        if number == 0:
            waiting.set()
            rx.recv()
        assert waiting.wait(BOUND)
        return (number == 1000) is answer

    searching = spawn(getattr(fl.par(itertools.count(), workers=2, chunk=1), end), seek)
    assert searching.join() is answer
    tx.close()
    rx.close()


@pytest.mark.parametrize("name", ["reduce", "min", "max", "any", "all", "flat_map"])
def test_what_cannot_be_called_is_refused_by_name(name: str) -> None:
    """Before anything runs."""
    end: Any = functools.partial(getattr(fl.par([1]), name), **({"key": 3} if name in {"min", "max"} else {}))
    arguments = {"min": (), "max": (), "reduce": (3, 0)}.get(name, (3,))
    with pytest.raises(TypeError, match=r"^(op|key|predicate|fn) must be callable, got 3$"):
        end(*arguments)
