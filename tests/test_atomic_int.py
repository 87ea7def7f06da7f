"""`AtomicInt`: 64 bits, no lost update, no wrap.

Not here: waiting for a value (`test_wait_until.py`), forks (`tests/generic/`), sequences of calls against plain values
(`test_atomics_model.py`).
"""

import itertools
import operator
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, strategies

import fearless as fl
from tests.plugins.threads import Spawn

BUILDS = pytest.mark.guarantee("atomic_int", "both builds")
LEAST, MOST = -(2**63), 2**63 - 1
WORDS = strategies.integers(LEAST, MOST)


class TestOneThread:
    def test_it_starts_at_zero_or_at_its_value(self) -> None:
        """Any whole number of 64 bits."""
        assert [fl.AtomicInt(*args).load() for args in [(), (5,), (LEAST,), (MOST,), (True,)]] == [0, 5, LEAST, MOST, 1]

    def test_each_method_does_what_it_says(self) -> None:
        """And returns what it says."""
        number = fl.AtomicInt(1)
        number.store(3)
        assert number.swap(4) == 3
        assert number.fetch_add(2) == 4
        number.add(-1)
        assert int(number) == number.load() == 5
        assert number.compare_exchange(5, 8)
        assert not number.compare_exchange(5, 9)
        assert number.load() == 8
        assert number.update(lambda value: value * 2) == 16
        assert number.fetch_sub(6) == 16
        number.sub(-2)
        assert number.fetch_and(~4) == 12
        assert number.fetch_or(3) == 8
        assert number.fetch_xor(-1) == 11
        assert number.fetch_min(-20) == -12
        assert number.fetch_max(0) == -20
        assert number.load() == 0

    def test_in_place_operators_keep_the_object(self) -> None:
        """`a += 1` adds to the same atomic."""
        number = same = fl.AtomicInt(1)
        number += 5
        number -= 2
        assert number is same
        assert same.load() == 4

    def test_it_compares_and_hashes_by_identity(self) -> None:
        """A comparison of values would be over before its answer is used."""
        one, other = fl.AtomicInt(5), fl.AtomicInt(5)
        assert one == one  # noqa: PLR0124 - identity is the point
        assert one != other
        assert one != 5  # type: ignore[comparison-overlap]  # that is the point
        assert len({one, other}) == 2
        before = hash(one)
        one.add(1)
        assert hash(one) == before

    @pytest.mark.parametrize("operation", [operator.lt, operator.add, operator.mul, operator.index, operator.neg])
    def test_other_operators_are_refused(self, operation: Any) -> None:
        """They would read once and look atomic."""
        arguments = [fl.AtomicInt(5)] * (1 if operation in (operator.index, operator.neg) else 2)
        with pytest.raises(TypeError):
            operation(*arguments)

    def test_its_truth_is_that_of_the_value(self) -> None:
        """Read once, as by `int(a)`."""
        assert [bool(fl.AtomicInt(value)) for value in (0, 1, -1)] == [False, True, True]

    def test_it_cannot_be_pickled(self) -> None:
        """The copy would be another number; the error says what to pass on."""
        with pytest.raises(TypeError, match=r"^an AtomicInt cannot be pickled.*a.load\(\)"):
            pickle.dumps(fl.AtomicInt())

    def test_repr_shows_the_value(self) -> None:
        """At that moment."""
        assert repr(fl.AtomicInt(-5)) == "<AtomicInt -5>"

    @given(value=WORDS, amount=WORDS)
    def test_a_sum_is_exact_or_refused_with_the_value_untouched(self, value: int, amount: int) -> None:
        """It never wraps; the error names both numbers."""
        number = fl.AtomicInt(value)
        if LEAST <= value + amount <= MOST:
            assert number.fetch_add(amount) == value
            assert number.load() == value + amount
        else:
            for add in (number.add, number.fetch_add, number.__iadd__):
                with pytest.raises(OverflowError, match=rf"64 bits: {value} \+ {amount} does not fit"):
                    add(amount)
            assert number.load() == value

    def test_subtracting_the_least_number_is_exact(self) -> None:
        """Its negation does not fit 64 bits, the difference may."""
        number = fl.AtomicInt(-1)
        number -= LEAST
        assert number.load() == MOST

    def test_a_difference_that_does_not_fit_is_refused(self) -> None:
        """With the value untouched; the error names both numbers."""
        number = fl.AtomicInt(LEAST)
        for sub in (number.sub, number.fetch_sub, number.__isub__):
            with pytest.raises(OverflowError, match=rf"64 bits: {LEAST} - 1 does not fit"):
                sub(1)
        assert number.load() == LEAST

    @pytest.mark.parametrize("wrong", [MOST + 1, LEAST - 1, 10**100])
    def test_a_number_that_does_not_fit_is_refused_everywhere(self, wrong: int) -> None:
        """With the rule and the value."""
        number = fl.AtomicInt(7)
        calls: list[Callable[[], object]] = [
            lambda: fl.AtomicInt(wrong),
            lambda: number.store(wrong),
            lambda: number.swap(wrong),
            lambda: number.add(wrong),
            lambda: number.fetch_add(wrong),
            lambda: number.sub(wrong),
            lambda: number.fetch_sub(wrong),
            lambda: number.fetch_and(wrong),
            lambda: number.fetch_or(wrong),
            lambda: number.fetch_xor(wrong),
            lambda: number.fetch_min(wrong),
            lambda: number.fetch_max(wrong),
            lambda: number.compare_exchange(7, wrong),
            lambda: number.compare_exchange(wrong, 7),
            lambda: number.update(lambda _value: wrong),
        ]
        for call in calls:
            with pytest.raises(OverflowError, match=rf"64 bits: -2\*\*63 <= value < 2\*\*63, got {wrong}$"):
                call()
        assert number.load() == 7

    @pytest.mark.parametrize("wrong", [1.0, "1", None])
    def test_what_is_no_whole_number_is_refused(self, wrong: Any) -> None:
        """A float would lose digits in silence."""
        number = fl.AtomicInt(7)
        for call in (
            number.store,
            number.swap,
            number.add,
            number.fetch_add,
            lambda value: number.update(lambda _: value),
        ):
            with pytest.raises(TypeError):
                call(wrong)
        assert number.load() == 7

    def test_an_error_in_update_leaves_the_value(self) -> None:
        """And passes."""
        number = fl.AtomicInt(7)
        with pytest.raises(ZeroDivisionError):
            number.update(lambda value: value // 0)
        assert number.load() == 7

    def test_update_calls_again_when_the_value_has_changed(self) -> None:
        """Here by the function itself, once."""
        number = fl.AtomicInt(0)
        seen: list[int] = []

        def function(value: int) -> int:
            seen.append(value)
            if len(seen) == 1:
                number.store(10)
            return value + 1

        assert number.update(function) == 11
        assert seen == [0, 10]


@BUILDS
@pytest.mark.usefixtures("quick_switches")
class TestManyThreads:
    @pytest.mark.parametrize("way", ["add", "fetch_add", "+=", "update", "compare_exchange"])
    def test_no_update_is_lost(self, way: str, spawn: Spawn) -> None:
        """Four threads on one number."""
        number = fl.AtomicInt(0)
        count = 2000

        def once() -> None:
            if way == "+=":
                same = number
                same += 1
            elif way == "update":
                number.update(lambda value: value + 1)
            elif way == "compare_exchange":
                while not number.compare_exchange(value := number.load(), value + 1):
                    pass
            else:
                getattr(number, way)(1)

        def work() -> None:
            for _ in range(count):
                once()

        for thread in [spawn(work) for _ in range(4)]:
            thread.join()
        assert number.load() == 4 * count

    def test_fetch_add_gives_every_number_once(self, spawn: Spawn) -> None:
        """What tickets are made of."""
        number = fl.AtomicInt(0)
        threads = [spawn(lambda: [number.fetch_add(1) for _ in range(2000)]) for _ in range(4)]
        parts = [thread.join() for thread in threads]

        assert sorted(itertools.chain(*parts)) == list(range(8000))
        assert all(part == sorted(part) for part in parts)

    def test_swap_loses_and_doubles_nothing(self, spawn: Spawn) -> None:
        """Values only change places."""
        number = fl.AtomicInt(-1)

        def work(start: int) -> list[int]:
            return [number.swap(value) for value in range(start, start + 2000)]

        threads = [spawn(work, start) for start in range(0, 8000, 2000)]
        got = [*itertools.chain(*(thread.join() for thread in threads)), number.load()]
        assert sorted(got) == list(range(-1, 8000))

    def test_nobody_sees_a_sum_that_did_not_fit(self, spawn: Spawn) -> None:
        """The value stays what it was throughout."""
        number = fl.AtomicInt(MOST - 1)

        def overflow() -> None:
            for _ in range(2000):
                with pytest.raises(OverflowError):
                    number.add(5)

        def watch() -> set[int]:
            return {number.load() for _ in range(4000)}

        threads = [spawn(overflow), spawn(overflow)]
        assert spawn(watch).join() == {MOST - 1}
        for thread in threads:
            thread.join()
