"""`AtomicFloat`: 64 bits of floating point, no lost update.

Not here: waiting for a value (`test_wait_until.py`), sequences of calls against plain values (`test_atomics_model.py`).
"""

import math
import pickle
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn


class TestOneThread:
    def test_it_starts_at_zero_or_at_its_value(self) -> None:
        """Any number that is a float, or becomes one."""
        assert [fl.AtomicFloat(*args).load() for args in [(), (0.5,), (3,), (math.inf,)]] == [0.0, 0.5, 3.0, math.inf]

    def test_each_method_does_what_it_says(self) -> None:
        """And returns what it says."""
        number = fl.AtomicFloat(1)
        number.store(3)
        assert number.swap(4.5) == 3
        assert number.fetch_add(0.5) == 4.5
        assert number.fetch_sub(1) == 5
        number.add(-1)
        number.sub(0.5)
        assert float(number) == number.load() == 2.5
        assert number.compare_exchange(2.5, 8)
        assert not number.compare_exchange(2.5, 9)
        assert number.fetch_min(7) == 8
        assert number.fetch_max(7.5) == 7
        assert number.update(lambda value: value * 2) == number.load() == 15.0

    def test_in_place_operators_keep_the_object(self) -> None:
        """`a += 0.5` adds to the same atomic."""
        number = same = fl.AtomicFloat(1)
        number += 0.5
        number -= 2
        assert number is same
        assert same.load() == -0.5

    def test_a_sum_that_is_too_large_is_infinite(self) -> None:
        """As for any float of Python."""
        number = fl.AtomicFloat(1e308)
        number.add(1e308)
        assert number.load() == math.inf
        number.sub(math.inf)
        assert math.isnan(number.load())

    def test_a_loop_of_compare_exchange_ends_on_nan(self) -> None:
        """NaN is not equal to NaN, and is the same to `compare_exchange`."""
        number = fl.AtomicFloat(math.nan)
        assert not number.compare_exchange(1.0, 2.0)
        assert number.compare_exchange(number.load(), 1.0)
        assert number.load() == 1.0
        number.store(math.nan)
        assert number.update(lambda _: 5.0) == 5.0

    def test_the_zeros_are_equal(self) -> None:
        """To `compare_exchange` as to `==`; what was stored keeps its sign."""
        number = fl.AtomicFloat(-0.0)
        assert math.copysign(1, number.load()) == -1
        assert number.compare_exchange(0.0, 1.0)

    @pytest.mark.parametrize("number", [math.nan, 5.0])
    def test_nan_is_neither_least_nor_greatest(self, number: float) -> None:
        """It gives way to any number."""
        for fetch in ("fetch_min", "fetch_max"):
            atomic = fl.AtomicFloat(number)
            getattr(atomic, fetch)(math.nan if number == 5.0 else 5.0)
            assert atomic.load() == 5.0

    def test_it_compares_and_hashes_by_identity(self) -> None:
        """A comparison of values would be over before its answer is used; its truth is read once."""
        one, other = fl.AtomicFloat(5), fl.AtomicFloat(5)
        assert one == one  # noqa: PLR0124 - identity is the point
        assert one != other
        assert one != 5.0  # type: ignore[comparison-overlap]  # that is the point
        assert len({one, other}) == 2
        assert [bool(fl.AtomicFloat(value)) for value in (0.0, -0.0, 0.1, math.nan)] == [False, False, True, True]

    @pytest.mark.parametrize("wrong", ["1", None, 1j, [1.0]])
    def test_what_is_no_number_is_refused(self, wrong: Any) -> None:
        """The value stays."""
        number = fl.AtomicFloat(7)
        for call in (number.store, number.swap, number.add, number.sub, lambda value: number.update(lambda _: value)):
            with pytest.raises(TypeError):
                call(wrong)
        assert number.load() == 7

    def test_a_number_beyond_every_float_is_refused(self) -> None:
        """Not made infinite in silence."""
        number = fl.AtomicFloat(7)
        with pytest.raises(OverflowError):
            number.store(10**400)
        assert number.load() == 7

    def test_repr_shows_the_value(self) -> None:
        """As Python writes a float."""
        assert repr(fl.AtomicFloat(0.1)) == "<AtomicFloat 0.1>"
        assert repr(fl.AtomicFloat(math.inf)) == "<AtomicFloat inf>"

    def test_it_cannot_be_pickled(self) -> None:
        """The copy would be another number; the error says what to pass on."""
        with pytest.raises(TypeError, match=r"^an AtomicFloat cannot be pickled.*a.load\(\)"):
            pickle.dumps(fl.AtomicFloat())

    def test_update_calls_again_when_the_value_has_changed(self) -> None:
        """Here by the function itself, once; also from one zero to the other."""
        number = fl.AtomicFloat(0.0)
        seen: list[str] = []

        def function(value: float) -> float:
            seen.append(str(value))
            if len(seen) == 1:
                number.store(-0.0)
            return value

        number.update(function)
        assert seen == ["0.0", "-0.0"]


@pytest.mark.guarantee("atomic_float", "both builds")
@pytest.mark.usefixtures("quick_switches")
@pytest.mark.parametrize("way", ["add", "fetch_add", "sub", "+=", "update", "compare_exchange"])
def test_no_update_is_lost(way: str, spawn: Spawn) -> None:
    """Four threads on one number; halves add up exactly."""
    number = fl.AtomicFloat(0)
    count = 2000

    def once() -> None:
        if way == "+=":
            same = number
            same += 0.5
        elif way == "update":
            number.update(lambda value: value + 0.5)
        elif way == "compare_exchange":
            while not number.compare_exchange(value := number.load(), value + 0.5):
                pass
        else:
            getattr(number, way)(-0.5 if way == "sub" else 0.5)

    def work() -> None:
        for _ in range(count):
            once()

    for thread in [spawn(work) for _ in range(4)]:
        thread.join()
    assert number.load() == 4 * count / 2
