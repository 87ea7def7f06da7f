"""`AtomicBool`: a flag that is changed in single steps.

Not here: waiting for a value (`test_wait_until.py`), sequences of calls against plain values (`test_atomics_model.py`).
"""

import pickle
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn

BOTH = [False, True]


class TestOneThread:
    def test_it_starts_unset_or_at_its_value(self) -> None:
        """As a flag does."""
        assert [fl.AtomicBool(*args).load() for args in [(), (True,), (False,)]] == [False, True, False]

    @pytest.mark.parametrize("value", BOTH)
    @pytest.mark.parametrize("other", BOTH)
    def test_each_method_does_what_it_says(self, *, value: bool, other: bool) -> None:
        """And returns the value before, where it says so."""
        for name, after in [("fetch_and", value & other), ("fetch_or", value | other), ("fetch_xor", value ^ other)]:
            flag = fl.AtomicBool(value)
            assert getattr(flag, name)(other) is value, name
            assert flag.load() is after, name
        flag = fl.AtomicBool(value)
        assert flag.swap(other) is value
        assert flag.compare_exchange(value, True) is (other is value)
        flag.store(other)
        assert flag.toggle() is (not other) is flag.load()
        assert flag.update(lambda seen: not seen) is other is flag.load()

    def test_it_can_be_asked_like_any_flag(self) -> None:
        """`if flag:` reads it once."""
        flag = fl.AtomicBool()
        assert not flag
        flag.store(True)
        assert flag

    def test_it_compares_and_hashes_by_identity(self) -> None:
        """A comparison of values would be over before its answer is used."""
        one, other = fl.AtomicBool(True), fl.AtomicBool(True)
        assert one == one  # noqa: PLR0124 - identity is the point
        assert one != other
        assert one != True  # type: ignore[comparison-overlap]  # noqa: E712 - that is the point
        assert len({one, other}) == 2

    @pytest.mark.parametrize("wrong", [1, 0, None, "True", [1]])
    def test_what_is_no_bool_is_refused(self, wrong: Any) -> None:
        """The value stays, and nothing is taken for true."""
        flag = fl.AtomicBool()
        for call in (flag.store, flag.swap, flag.fetch_or, fl.AtomicBool, lambda value: flag.update(lambda _: value)):
            with pytest.raises(TypeError):
                call(wrong)
        assert not flag.load()

    def test_repr_shows_the_value(self) -> None:
        """At that moment."""
        assert [repr(fl.AtomicBool(value)) for value in BOTH] == ["<AtomicBool False>", "<AtomicBool True>"]

    def test_it_cannot_be_pickled(self) -> None:
        """The copy would be another flag; the error says what to pass on."""
        with pytest.raises(TypeError, match=r"^an AtomicBool cannot be pickled.*flag.load\(\)"):
            pickle.dumps(fl.AtomicBool())

    def test_update_calls_again_when_the_value_has_changed(self) -> None:
        """Here by the function itself, once."""
        flag = fl.AtomicBool()
        seen: list[bool] = []

        def function(value: bool) -> bool:  # noqa: FBT001 - as it is called
            seen.append(value)
            if len(seen) == 1:
                flag.store(True)
            return value

        assert flag.update(function) is True
        assert seen == [False, True]


@pytest.mark.guarantee("atomic_bool", "both builds")
@pytest.mark.usefixtures("quick_switches")
class TestManyThreads:
    def test_no_flip_is_lost(self, spawn: Spawn) -> None:
        """Four threads flip it an odd number of times in all."""
        flag = fl.AtomicBool()

        def work(times: int) -> None:
            for _ in range(times):
                flag.toggle()

        for thread in [spawn(work, times) for times in (3000, 3000, 3000, 3001)]:
            thread.join()
        assert flag.load()

    @pytest.mark.parametrize("way", ["swap", "compare_exchange", "fetch_or"])
    def test_one_thread_is_the_first(self, way: str, spawn: Spawn) -> None:
        """Of several that set it, exactly one finds it unset: who runs what is to run once."""
        for _ in range(200):
            flag = fl.AtomicBool()
            first = {
                "swap": lambda flag=flag: not flag.swap(True),
                "compare_exchange": lambda flag=flag: flag.compare_exchange(False, True),
                "fetch_or": lambda flag=flag: not flag.fetch_or(True),
            }[way]
            assert sorted(thread.join() for thread in [spawn(first) for _ in range(4)]) == [False, False, False, True]
