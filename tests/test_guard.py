"""Guards: what they forward, what they refuse, and their end. A guard is part of `Mutex` and not a type of its own.

Not here: the lock (`test_mutex.py`).
"""

import copy
import gc
import operator
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.threads import Holder
from tests.support.until import until, waiting


class TestForwarding:
    def test_items_length_iteration_and_membership_go_to_the_value(self) -> None:
        """As a type checker can follow."""
        mutex = fl.Mutex({"a": 1})
        with mutex as guard:
            guard["b"] = 2
            assert guard["a"] == 1
            del guard["a"]
            assert len(guard) == 1
            assert list(guard) == ["b"]
            assert "b" in guard
            assert "a" not in guard
            with pytest.raises(KeyError):
                guard["a"]
        assert mutex.copy() == {"b": 2}

    @pytest.mark.parametrize(
        ("operation", "value", "other"),
        [
            (operator.iadd, 7, 2),
            (operator.isub, 7, 2),
            (operator.imul, 7, 2),
            (operator.itruediv, 7, 2),
            (operator.ifloordiv, 7, 2),
            (operator.imod, 7, 2),
            (operator.ipow, 7, 2),
            (operator.ilshift, 7, 2),
            (operator.irshift, 7, 2),
            (operator.iand, 7, 2),
            (operator.ior, 7, 8),
            (operator.ixor, 7, 2),
            (operator.iadd, [1], [2]),
        ],
    )
    def test_in_place_operators_store_what_they_return(
        self, operation: Callable[[Any, Any], object], value: Any, other: Any
    ) -> None:
        """And the name in the block is still the guard."""
        expected = operation(value if isinstance(value, int) else list(value), other)
        mutex = fl.Mutex(value)
        with mutex as guard:
            assert operation(guard, other) is guard
        assert mutex.copy() == expected

    def test_matrix_multiplication_is_forwarded_too(self) -> None:
        """No built-in value has it."""

        class Matrix:
            def __imatmul__(self, other: str) -> str:
                return f"product with {other}"

        operation: Callable[[Any, Any], object] = operator.imatmul
        mutex: fl.Mutex[Any] = fl.Mutex(Matrix())
        with mutex as guard:
            assert operation(guard, "other") is guard
            assert guard.value == "product with other"

    def test_an_operator_that_fails_stores_nothing(self) -> None:
        """The value is as before."""
        mutex: fl.Mutex[Any] = fl.Mutex(1)
        with mutex as guard, pytest.raises(TypeError):
            guard += "text"  # noqa: PLW2901 - it fails
        assert mutex.copy() == 1

    @pytest.mark.parametrize(
        "misuse",
        [
            lambda guard: guard + 1,
            lambda guard: 1 + guard,
            lambda guard: guard - 1,
            lambda guard: guard * 2,
            lambda guard: 2 * guard,
            lambda guard: guard / 2,
            lambda guard: 2 / guard,
            lambda guard: guard // 2,
            lambda guard: guard % 2,
            lambda guard: guard**2,
            lambda guard: 2**guard,
            lambda guard: pow(guard, 2, 5),
            lambda guard: guard @ guard,
            lambda guard: guard << 1,
            lambda guard: 1 >> guard,
            lambda guard: guard & 1,
            lambda guard: 1 | guard,
            lambda guard: guard ^ 1,
            operator.neg,
            int,
            float,
            bool,
            lambda guard: not guard,
            lambda guard: guard == 1,
            lambda guard: guard != 1,
            lambda guard: guard < 1,
            lambda guard: guard >= 1,
            lambda guard: guard(),
        ],
    )
    def test_what_a_type_checker_cannot_follow_is_refused_with_a_hint(self, misuse: Callable[[Any], object]) -> None:
        """The message names what to write."""
        with fl.Mutex(1) as guard, pytest.raises(TypeError, match=r"use guard\.value"):
            misuse(guard)

    def test_other_attributes_are_refused_with_a_hint(self) -> None:
        """Reading and writing: a misspelt `value` must not be lost."""
        mutex = fl.Mutex([1])
        with mutex as guard:
            with pytest.raises(AttributeError, match=r"use guard\.value\.append"):
                guard.append(2)  # type: ignore[attr-defined]  # that is the point
            with pytest.raises(AttributeError):
                guard.valeu = []  # type: ignore[attr-defined]  # that is the point
            with pytest.raises(AttributeError):
                del guard.value
            assert guard.value == [1]

    def test_a_guard_can_be_a_key(self) -> None:
        """By identity, although it does not compare: debuggers and sets of objects need it."""
        with fl.Mutex(1) as guard:
            assert hash(guard) == hash(guard)

    def test_a_guard_cannot_be_made_by_hand(self) -> None:
        """Only a lock gives it."""
        with pytest.raises(TypeError):
            fl.Guard()

    def test_the_type_is_generic(self) -> None:
        """For annotations at run time."""
        assert "int" in repr(fl.Guard[int])


USES: list[Callable[[Any], object]] = [
    lambda guard: guard.value,
    lambda guard: setattr(guard, "value", [5]),
    lambda guard: guard[0],
    lambda guard: operator.setitem(guard, 0, 5),
    lambda guard: operator.delitem(guard, 0),
    len,
    list,
    lambda guard: 1 in guard,
    lambda guard: guard.__iadd__([5]),
]
EVERY_USE = pytest.mark.parametrize("use", USES)


class TestTheEnd:
    @EVERY_USE
    def test_a_released_guard_is_dead(self, use: Callable[[Any], object]) -> None:
        """However it was released, and also while the same thread holds the mutex again."""
        mutex = fl.Mutex([1])
        with mutex as left:
            pass
        released = mutex.lock()
        released.release()
        released.release()
        with mutex.lock() as inner:
            pass
        with mutex:
            for guard in (left, released, inner):
                with pytest.raises(fl.GuardReleased):
                    use(guard)
        assert mutex.copy() == [1]

    @EVERY_USE
    def test_a_leaked_guard_does_not_reach_into_another_threads_section(self, use: Callable[[Any], object]) -> None:
        """Nor can its release end it."""
        mutex = fl.Mutex([1])
        with mutex as leaked:
            pass
        holder = Holder(mutex.lock, lambda guard: guard.release())

        with pytest.raises(fl.GuardReleased):
            use(leaked)
        leaked.release()
        assert mutex.locked()
        leaked.__exit__(None, None, None)
        assert mutex.locked()
        holder.let_go()
        assert mutex.copy() == [1]

    @EVERY_USE
    def test_another_thread_cannot_use_a_guard(self, use: Callable[[Any], object], spawn: Spawn) -> None:
        """Only the thread that took the lock."""
        mutex = fl.Mutex([1])
        with mutex as guard:
            thread = spawn(use, guard)
            with pytest.raises(fl.GuardReleased, match="only the thread or task that took the lock"):
                thread.join()
            assert guard.value == [1]

    def test_another_thread_can_release_a_guard(self, spawn: Spawn) -> None:
        """As with threading.Lock; the next waiter gets the mutex."""
        mutex = fl.Mutex(1)
        guard = mutex.lock()
        waiter = spawn(mutex.copy)
        until(lambda: waiting(mutex) == 1)
        spawn(guard.release).join()
        assert waiter.join() == 1
        with pytest.raises(fl.GuardReleased):
            guard.value  # noqa: B018 - the read raises

    def test_releasing_inside_the_block_ends_the_section(self, spawn: Spawn) -> None:
        """Leaving the block then changes nothing, also if another thread holds the mutex by then."""
        mutex = fl.Mutex(1)
        with mutex as guard:
            guard.release()
            holder = Holder(mutex.lock, lambda held: held.release())
        assert mutex.locked()
        holder.let_go()
        assert spawn(mutex.copy).join() == 1

    def test_leaving_a_block_ends_only_its_own_section(self) -> None:
        """Released inside and taken again by the same thread: the new acquisition is not the block's."""
        mutex = fl.Mutex(1)
        with mutex as guard:
            guard.release()
            again = mutex.lock()
        assert mutex.locked()
        assert again.value == 1
        again.release()

    def test_dropping_a_held_guard_frees_the_mutex_and_warns(self) -> None:
        """A safety net; the warning says what to do instead."""
        mutex = fl.Mutex(1)
        guard = mutex.lock()
        with pytest.warns(ResourceWarning, match="a Guard was dropped without release"):  # noqa: PT031 - two ways to go
            del guard
            gc.collect()
        assert not mutex.locked()

    def test_dropping_a_dead_guard_says_nothing_and_frees_nothing(self) -> None:
        """Every warning is an error in this suite, so silence is seen."""
        mutex = fl.Mutex(1)
        with mutex as dead:
            pass
        holder = Holder(mutex.lock, lambda guard: guard.release())
        del dead
        gc.collect()
        assert mutex.locked()
        holder.let_go()

    def test_repr_tells_whether_it_is_held(self) -> None:
        """And never shows the value, which may change any moment."""
        with fl.Mutex("secret") as guard:
            assert repr(guard) == "<Guard held>"
        assert repr(guard) == "<Guard released>"

    def test_the_value_outlives_the_guard_that_gave_it_out(self) -> None:
        """The documented limit: what was given out is no longer guarded."""
        mutex = fl.Mutex([1])
        with mutex as guard:
            escaped = guard.value
        escaped.append(2)
        assert mutex.copy() == [1, 2]


def test_neither_lock_nor_guard_is_pickled() -> None:
    """A copy would guard nothing; the error says what to pickle instead."""
    mutex = fl.Mutex([1])
    with pytest.raises(TypeError, match=r"a Mutex cannot be pickled.*copy\(\)"):
        pickle.dumps(mutex)
    with mutex as guard:
        for copy_of in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match=r"a guard cannot be pickled or copied.*guard\.value"):
                copy_of(guard)
        assert guard.value == [1]
