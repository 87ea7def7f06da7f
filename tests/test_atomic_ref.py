"""`AtomicRef`: one reference, replaced as a whole.

Not here: waiting for a value (`test_wait_until.py`), the collector and finalizers (`tests/generic/`), sequences of
calls against plain values (`test_atomics_model.py`).
"""

import gc
import itertools
import pickle
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.items import Marker, Noisy


class TestOneThread:
    def test_each_method_does_what_it_says(self) -> None:
        """With the very objects that were given."""
        one, two, three = [1], [1], [1]
        ref = fl.AtomicRef(one)
        assert ref.load() is one
        ref.store(two)
        assert ref.swap(three) is two
        assert ref.compare_exchange(three, one)
        assert ref.load() is one

    def test_compare_exchange_goes_by_identity(self) -> None:
        """An equal object is another one."""
        value, equal = [1], [1]
        ref = fl.AtomicRef(value)
        assert value == equal
        assert not ref.compare_exchange(equal, [2])
        assert ref.load() is value
        assert ref.compare_exchange(ref.load(), equal)
        assert ref.load() is equal

    def test_update_stores_and_returns_what_the_function_returns(self) -> None:
        """The way to change a value that nobody may change in place."""
        ref: fl.AtomicRef[dict[str, int]] = fl.AtomicRef({})
        before = ref.load()
        after = ref.update(lambda seen: {**seen, "key": 1})
        assert ref.load() is after
        assert (before, after) == ({}, {"key": 1})

    def test_update_calls_again_when_the_value_was_replaced(self) -> None:
        """Here by the function itself, once, and by an equal value."""
        ref = fl.AtomicRef([0])
        seen: list[list[int]] = []

        def function(value: list[int]) -> list[int]:
            seen.append(value)
            if len(seen) == 1:
                ref.store([0])
            return [*value, 1]

        assert ref.update(function) == [0, 1]
        assert len(seen) == 2
        assert seen[0] is not seen[1]

    def test_an_error_in_update_leaves_the_value(self) -> None:
        """And passes."""
        ref = fl.AtomicRef("value")
        with pytest.raises(ZeroDivisionError):
            ref.update(lambda _: 1 // 0)  # type: ignore[arg-type, return-value]  # it returns nothing
        assert ref.load() == "value"

    def test_a_function_may_use_the_reference_it_updates(self) -> None:
        """No lock is held while it runs."""
        ref: fl.AtomicRef[Any] = fl.AtomicRef(None)
        assert ref.update(lambda seen: (seen, ref.load(), repr(ref))) == (None, None, "<AtomicRef of NoneType>")

    def test_it_compares_and_hashes_by_identity(self) -> None:
        """Whatever it refers to."""
        value = object()
        one, other = fl.AtomicRef(value), fl.AtomicRef(value)
        assert one == one  # noqa: PLR0124 - identity is the point
        assert one != other
        assert one != value
        assert len({one, other}) == 2

    def test_it_has_no_truth_value(self) -> None:
        """Of the reference, or of what it leads to? The error says what to write."""
        with pytest.raises(TypeError, match=r"AtomicRef has no truth value; say `ref.load\(\)`"):
            bool(fl.AtomicRef(None))

    def test_repr_names_the_class_of_the_value(self) -> None:
        """Not the value, which may lead back."""
        ref: fl.AtomicRef[object] = fl.AtomicRef({})
        assert repr(ref) == "<AtomicRef of dict>"
        ref.store(ref)
        assert repr(ref) == "<AtomicRef of AtomicRef>"
        ref.store(None)

    def test_it_cannot_be_pickled(self) -> None:
        """The copy would be another reference; the error says what to pass on."""
        with pytest.raises(TypeError, match=r"^an AtomicRef cannot be pickled.*ref.load\(\)"):
            pickle.dumps(fl.AtomicRef(None))

    def test_it_is_generic(self) -> None:
        """`AtomicRef[dict[str, int]]` is an annotation, also at run time."""
        assert "dict[str, int]" in repr(fl.AtomicRef[dict[str, int]])

    def test_what_is_displaced_is_let_go(self) -> None:
        """By each method that replaces it, and by a refused exchange."""
        replacing: list[Callable[[fl.AtomicRef[Marker | None]], object]] = [
            lambda ref: ref.store(None),
            lambda ref: ref.swap(None) is None,
            lambda ref: ref.compare_exchange(ref.load(), None),
            lambda ref: ref.update(lambda _: None),
        ]
        for replace in replacing:
            marker = Marker()
            gone = weakref.ref(marker)
            ref: fl.AtomicRef[Marker | None] = fl.AtomicRef(marker)
            assert not ref.compare_exchange(None, Marker())
            del marker
            assert gone() is not None
            replace(ref)
            gc.collect()
            assert gone() is None

    def test_a_finalizer_that_stores_has_the_last_word(self) -> None:
        """What is displaced is dropped after the store, so its `__del__` sees the new value and may replace it."""
        ref: fl.AtomicRef[object] = fl.AtomicRef(None)
        seen: list[object] = []

        def last_word() -> None:
            seen.append(ref.swap("of the finalizer"))

        ref.store(Noisy(last_word))
        ref.store("new")
        assert seen == ["new"]
        assert ref.load() == "of the finalizer"


@pytest.mark.guarantee("atomic_ref", "both builds")
@pytest.mark.usefixtures("quick_switches")
class TestManyThreads:
    @pytest.mark.parametrize("way", ["update", "compare_exchange"])
    def test_no_update_is_lost(self, way: str, spawn: Spawn) -> None:
        """Four threads make new tuples from old ones."""
        ref: fl.AtomicRef[tuple[int, ...]] = fl.AtomicRef((0,))
        count = 1000

        def once() -> None:
            if way == "update":
                ref.update(lambda seen: (seen[0] + 1,))
            else:
                while not ref.compare_exchange(seen := ref.load(), (seen[0] + 1,)):
                    pass

        def work() -> None:
            for _ in range(count):
                once()

        for thread in [spawn(work) for _ in range(4)]:
            thread.join()
        assert ref.load() == (4 * count,)

    def test_swap_loses_and_doubles_nothing(self, spawn: Spawn) -> None:
        """Objects only change places."""
        ref: fl.AtomicRef[object] = fl.AtomicRef(None)

        def work() -> list[object]:
            return [ref.swap(object()) for _ in range(2000)]

        threads = [spawn(work) for _ in range(4)]
        got = [*itertools.chain(*(thread.join() for thread in threads)), ref.load()]
        assert len(got) == len({id(each) for each in got}) == 8001
        assert None in got

    def test_who_reads_gets_a_whole_value(self, spawn: Spawn) -> None:
        """While others replace and drop it."""
        ref = fl.AtomicRef((0, 0))
        over = fl.AtomicBool()

        def read() -> int:
            count = 0
            while not over:
                first, second = ref.load()
                assert first == second
                count += 1
            return count

        readers = [spawn(read) for _ in range(2)]

        def write(start: int) -> None:
            for number in range(start, start + 3000):
                ref.store((number, number))

        for writer in [spawn(write, 1000), spawn(write, 9000)]:
            writer.join()
        over.store(True)
        assert [reader.join() >= 0 for reader in readers] == [True, True]
