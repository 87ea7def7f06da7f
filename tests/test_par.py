"""`par`: stages, order, folding, sources, sharing out, failures, and what stops a run.

Its calls are also in `tests/generic`.
"""

import array
import collections
import contextlib
import functools
import itertools
import string
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fearless as fl
from fearless._folding import Folding
from tests.programs import pars as programs
from tests.support.process import succeed
from tests.support.until import BOUND, until

SCHEDULES = [
    {},
    {"chunk": 1},
    {"chunk": 7},
    {"schedule": "static"},
    {"schedule": "dynamic"},
    {"schedule": "static", "chunk": 3},
    {"workers": 1},
    {"workers": 5},
]


class Thing:
    """Something that a weak reference can watch."""


class Labels:
    """Indexed by label, as tables are: not a sequence."""

    def __init__(self, labels: list[str]) -> None:
        """Hold the labels."""
        self._labels = labels

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, label: str) -> str:
        return self._labels[self._labels.index(label)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._labels)


class Letters(collections.abc.Sequence[str]):
    """A sequence of our own that counts how it is read."""

    def __init__(self) -> None:
        """Start counting."""
        self.reads = fl.AtomicInt(0)

    def __len__(self) -> int:
        return 26

    def __getitem__(self, place: int) -> str:  # type: ignore[override]
        self.reads.add(1)
        return string.ascii_lowercase[place]


def odd(number: int) -> bool:
    """Whether it is odd."""
    return number % 2 == 1


class TestStages:
    @pytest.mark.parametrize("options", SCHEDULES)
    def test_they_are_applied_in_order_and_results_keep_the_items_order(self, options: dict[str, object]) -> None:
        """However the items are shared out."""
        run = fl.par(range(1000), **options).map(lambda n: n + 1).filter(odd).map(str)  # type: ignore[arg-type]

        assert run.collect() == [str(n + 1) for n in range(1000) if odd(n + 1)]

    def test_without_stages_the_items_come_out(self) -> None:
        """As they are."""
        assert fl.par("abc").collect() == ["a", "b", "c"]

    def test_a_chain_is_immutable_and_can_run_again(self) -> None:
        """Adding a stage makes another chain."""
        base = fl.par(range(5), workers=2)
        doubled = base.map(lambda n: n * 2)
        for _ in range(2):
            assert base.collect() == [0, 1, 2, 3, 4]
            assert doubled.collect() == [0, 2, 4, 6, 8]

    def test_nothing_runs_before_the_end_of_the_chain(self) -> None:
        """Stages are lazy."""
        calls: list[int] = []
        run = fl.par([1]).map(calls.append)
        assert calls == []
        run.collect()
        assert calls == [1]

    @pytest.mark.parametrize("workers", [1, 2, 3])
    def test_for_each_sees_every_item_once(self, workers: int) -> None:
        """In whatever order."""
        seen: list[int] = []
        fl.par(range(1000), workers=workers).for_each(seen.append)
        assert sorted(seen) == list(range(1000))

    @pytest.mark.parametrize("make", [list, lambda: iter([])], ids=["sequence", "iterator"])
    def test_no_items_no_calls(self, make: Callable[[], Iterable[int]]) -> None:
        """Neither of a stage nor of what folds."""
        assert fl.par(make()).map(lambda _: 1 // 0).collect() == []
        assert fl.par(make()).fold(lambda: "nothing", lambda a, _: a, lambda a, _: a) == "nothing"
        fl.par(make()).for_each(lambda _: 1 // 0)


class TestFold:
    @pytest.mark.parametrize("options", SCHEDULES)
    def test_parts_keep_the_order_of_the_items(self, options: dict[str, object]) -> None:
        """So an operation that does not commute gives the serial result."""
        text = "".join(chr(97 + n % 26) for n in range(500))

        assert fl.par(text, **options).fold(str, str.__add__, str.__add__) == text  # type: ignore[arg-type]

    def test_a_part_may_be_changed_in_place(self) -> None:
        """Each is made by `make`, and nobody else has it."""

        def op(counts: "collections.Counter[int]", number: int) -> "collections.Counter[int]":
            counts[number % 3] += 1
            return counts

        def combine(left: "collections.Counter[int]", right: "collections.Counter[int]") -> "collections.Counter[int]":
            left.update(right)
            return left

        counts = fl.par(range(999), workers=3).fold(collections.Counter, op, combine)
        assert counts == {0: 333, 1: 333, 2: 333}

    def test_one_worker_makes_one_part(self) -> None:
        """It goes on with the part that ends where its next chunk begins."""
        parts: list[list[int]] = []

        def make() -> list[int]:
            parts.append([])
            return parts[-1]

        def op(part: list[int], number: int) -> list[int]:
            part.append(number)
            return part

        assert fl.par(range(1000), workers=1).fold(make, op, list.__add__) is parts[0]
        assert parts == [list(range(1000))]

    @given(st.permutations(range(12)))
    @settings(deadline=None, max_examples=50)
    def test_parts_are_combined_in_order_whenever_they_come(self, order: list[int]) -> None:
        """Neighbours only, left before right."""
        folding: Folding[list[int]] = Folding(list, list.__add__)
        for number in order:
            first, part = folding.begin(number)
            folding.end(first, number + 1, [*part, number])
        assert folding.result() == list(range(12))

    def test_failures_of_its_functions_are_raised(self) -> None:
        """As they are."""
        fail = functools.partial(int, "x")
        for functions in ((fail, max, max), (int, lambda *_: fail(), max)):
            with pytest.raises(ValueError, match="invalid literal"):
                fl.par(range(10), workers=2).fold(*functions)
        both = threading.Barrier(2)

        def meet(*_: int) -> int:
            """Let two workers begin a part each, which then have to be combined."""
            both.wait(BOUND)
            return 0

        with pytest.raises(ValueError, match="invalid literal"):
            fl.par(range(2), workers=2, chunk=1).fold(int, meet, lambda *_: fail())


class TestSources:
    @pytest.mark.parametrize(
        "items",
        [
            [3, 1, 2],
            (3, 1, 2),
            range(3),
            range(10, 0, -3),
            range(2**70, 2**70 + 3),
            "text",
            b"bytes",
            bytearray(b"bytes"),
            memoryview(b"bytes"),
            array.array("d", [1.5, 2.5]),
            collections.deque([1, 2, 3]),
            {1: "a", 2: "b"},
            {1, 2, 3},
            frozenset("abc"),
            Labels(["x", "y"]),
            Letters(),
        ],
        ids=lambda items: type(items).__name__,
    )
    def test_the_items_are_those_of_iteration(self, items: Iterable[object]) -> None:
        """Whether they are indexed or pulled."""
        assert fl.par(items, workers=2).collect() == list(items)

    def test_iterators_are_pulled_by_one_worker_at_a_time(self) -> None:
        """A generator is never entered twice."""

        def numbers() -> Iterator[int]:
            yield from range(5000)

        for items in (numbers(), map(abs, range(5000)), itertools.count()):
            bounded = itertools.islice(items, 5000)
            assert fl.par(bounded, workers=3).map(abs).collect() == list(range(5000))

    def test_a_sequence_is_read_in_place(self) -> None:
        """Each item once, and no more of them than are needed."""
        letters = Letters()
        assert "".join(fl.par(letters, workers=2).collect()) == string.ascii_lowercase
        assert letters.reads.load() == 26

    def test_arrays_are_indexed(self) -> None:
        """What has the array interface of numpy need not register as a sequence."""

        class Array:
            __array_interface__: dict[str, object] = {}  # noqa: RUF012 - as numpy has it

            def __len__(self) -> int:
                return 3

            def __getitem__(self, place: int) -> int:
                return place * 10

            def __iter__(self) -> Iterator[int]:
                return iter((0, 10, 20))

        assert fl.par(Array(), workers=2).collect() == [0, 10, 20]

    @pytest.mark.parametrize("workers", [1, 2])
    def test_a_source_that_fails_half_way_is_raised(self, workers: int) -> None:
        """Whatever was done before."""

        def numbers() -> Iterator[int]:
            yield from range(100)
            raise OSError("dry")

        with pytest.raises(OSError, match="dry"):
            fl.par(numbers(), workers=workers).map(abs).collect()

    @pytest.mark.parametrize("fails", [False, True])
    @pytest.mark.parametrize("end", ["collect", "__iter__"])
    def test_a_source_is_not_asked_again_after_its_end(self, end: str, fails: bool) -> None:  # noqa: FBT001 - a parameter
        """Nor after it has failed: a terminal would wait for more, and a loop asks once."""
        asked: list[int] = []

        class Numbers:
            def __iter__(self) -> Iterator[int]:
                return self

            def __next__(self) -> int:
                asked.append(len(asked))
                if len(asked) < 4:
                    return len(asked)
                raise OSError("dry") if fails else StopIteration

        with pytest.raises(OSError, match="dry") if fails else contextlib.nullcontext():
            assert list(getattr(fl.par(Numbers(), workers=4, chunk=1), end)()) == [1, 2, 3]
        assert len(asked) == 4

    def test_a_range_longer_than_any_list_is_pulled(self) -> None:
        """As a loop would take it."""
        assert fl.par(range(10**30), workers=2).any(lambda number: number == 3000)

    @pytest.mark.parametrize("schedule", ["guided", "static"])
    def test_a_chunk_may_be_longer_than_any_list(self, schedule: Any) -> None:
        """Then there is one."""
        for items in ([1, 2, 3], iter([1, 2, 3])):
            assert fl.par(items, workers=2, chunk=10**30, schedule=schedule).collect() == [1, 2, 3]
        assert [*fl.par([1, 2, 3], workers=2, chunk=10**30)] == [1, 2, 3]

    def test_a_list_that_shrinks_meanwhile_is_an_error(self) -> None:
        """Not a short result."""
        items = list(range(1000))

        def clear(number: int) -> int:
            items.clear()
            return number

        with pytest.raises(IndexError):
            fl.par(items, workers=2).map(clear).collect()


class TestSharingOut:
    def test_the_calling_thread_works_too(self) -> None:
        """With one worker it is the only one, with two it has help."""
        assert set(fl.par(range(100), workers=1).map(lambda _: threading.get_ident()).collect()) == {
            threading.get_ident()
        }

        meeting = threading.Barrier(2, timeout=BOUND)
        idents = fl.par([0, 1], workers=2).map(lambda _: meeting.wait() >= 0 and threading.get_ident()).collect()
        assert len(set(idents)) == 2
        assert threading.get_ident() in idents

    def test_there_are_no_more_workers_than_chunks(self) -> None:
        """One item needs nobody else."""
        before = threading.active_count()
        counts = fl.par([0], workers=8).map(lambda _: threading.active_count()).collect()
        assert counts == [before]

    @pytest.mark.parametrize(("schedule", "rest"), [("guided", 75), ("dynamic", 99), ("static", 99)])
    def test_uneven_work_is_evened_out(self, schedule: str, rest: int) -> None:
        """While one worker is held up by an item, the other does all that is not in the same chunk."""
        done = fl.AtomicInt(0)

        def work(number: int) -> int:
            if number == 0:
                until(lambda: done.load() == rest, "the other has done the rest")
            done.add(1)
            return number

        options = {"chunk": 1, "schedule": schedule}
        assert fl.par(range(100), workers=2, **options).map(work).collect() == list(range(100))  # type: ignore[arg-type]

    def test_without_threads_to_be_had_the_caller_does_it_all(self) -> None:
        """Fewer workers are no failure."""
        succeed(programs.no_threads_to_be_had)


class TestArguments:
    @pytest.mark.parametrize(
        ("options", "error", "text"),
        [
            ({"workers": 0}, ValueError, "workers must be >= 1, got 0"),
            ({"workers": "two"}, TypeError, "workers must be a whole number >= 1, got 'two'"),
            ({"chunk": 0}, ValueError, "chunk must be >= 1, got 0"),
            ({"chunk": -4}, ValueError, "chunk must be >= 1, got -4"),
            ({"chunk": "big"}, TypeError, "chunk must be a whole number >= 1, got 'big'"),
            ({"schedule": "fair"}, ValueError, "schedule must be 'guided', 'dynamic' or 'static', got 'fair'"),
        ],
    )
    def test_a_wrong_one_is_refused_with_rule_and_value(
        self, options: dict[str, object], error: type[Exception], text: str
    ) -> None:
        """Before anything runs."""
        with pytest.raises(error, match=f"^{text}$"):
            fl.par([1], **options)  # type: ignore[arg-type]  # that is the point

    @pytest.mark.parametrize(
        "build",
        [
            lambda: fl.par([1]).map(3),  # type: ignore[arg-type]
            lambda: fl.par([1]).filter(3),  # type: ignore[arg-type]
            lambda: fl.par([1]).for_each(3),  # type: ignore[arg-type]
            lambda: fl.par([1]).fold(3, max, max),  # type: ignore[arg-type]
            lambda: fl.par([1]).fold(int, 3, max),  # type: ignore[arg-type]
            lambda: fl.par([1]).fold(int, max, 3),  # type: ignore[arg-type]
        ],
    )
    def test_what_cannot_be_called_is_refused_where_it_is_given(self, build: Callable[[], object]) -> None:
        """By name."""
        with pytest.raises(TypeError, match=r"^(fn|predicate|make|op|combine) must be callable, got 3$"):
            build()

    def test_what_is_not_iterable_is_refused_at_once(self) -> None:
        """Not when the run begins."""
        with pytest.raises(TypeError, match="not iterable"):
            fl.par(3)  # type: ignore[arg-type]
