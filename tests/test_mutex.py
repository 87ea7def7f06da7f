"""`Mutex`: exclusion, its methods, deadlocks, poison, fairness.

Not here: its guard (`test_mutex_guard.py`), blocking calls, forks and memory in general (`tests/generic`).
"""

import contextlib
import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.items import Marker
from tests.support.threads import Holder, Spawned, start
from tests.support.until import BOUND, until, waiting

BUILDS = pytest.mark.guarantee("mutex", "both builds")


def nothing(_value: object) -> None:
    """Do nothing with the value."""


def fail_in_block(mutex: "fl.Mutex[Any]", error: Exception) -> None:
    """Leave a block of the mutex by an error."""
    with pytest.raises(type(error)), mutex:
        raise error


def hold(mutex: "fl.Mutex[Any]") -> Holder:
    """Return when another thread holds the mutex."""
    return Holder(mutex.lock, lambda guard: guard.release())


TAKING: dict[str, Callable[["fl.Mutex[Any]"], object]] = {
    "lock": lambda mutex: mutex.lock(),
    "with": lambda mutex: mutex.__enter__(),
    "update": lambda mutex: mutex.update(nothing),
    "with_lock": lambda mutex: mutex.with_lock(nothing),
    "replace": lambda mutex: mutex.replace(None),
    "copy": lambda mutex: mutex.copy(),
}


@BUILDS
@pytest.mark.usefixtures("quick_switches")
@pytest.mark.parametrize("call", ["with", "lock", "try_lock", "update", "with_lock"])
def test_one_thread_at_a_time(call: str, spawn: Spawn) -> None:
    """Four threads change what takes several steps to change; no step of another comes in between."""
    mutex: fl.Mutex[list[int]] = fl.Mutex([0, 0])
    times, inside, begin = 1500, list[int](), threading.Barrier(4)

    def change(value: list[int]) -> list[int]:
        inside.append(1)
        assert len(inside) == 1
        value[0] += 1
        value[1] = value[0]
        inside.pop()
        return value

    def once() -> None:
        if call in ("update", "with_lock"):
            getattr(mutex, call)(change)
        elif call == "with":
            with mutex as guard:
                change(guard.value)
        else:
            taken = mutex.lock(BOUND) if call == "lock" else None
            while taken is None:
                taken = mutex.try_lock()
            change(taken.value)
            taken.release()

    def work() -> None:
        begin.wait(BOUND)
        for _ in range(times):
            once()

    for thread in [spawn(work) for _ in range(4)]:
        thread.join()

    assert mutex.copy() == [4 * times, 4 * times]
    assert mutex.stats() == {"acquired": 4 * times + 1, "waiting": 0}


class TestMethods:
    def test_lock_gives_a_guard_of_a_held_mutex(self) -> None:
        """And `release` frees it; again is harmless."""
        mutex = fl.Mutex("value")
        guard = mutex.lock()

        assert (guard.value, mutex.locked()) == ("value", True)
        guard.release()
        guard.release()
        assert not mutex.locked()

    def test_a_guard_is_a_block_too(self) -> None:
        """For `with m.lock(timeout):`."""
        mutex = fl.Mutex(1)
        with mutex.lock(BOUND) as guard:
            guard.value = 2
            assert mutex.locked()

        assert (mutex.locked(), mutex.copy()) == (False, 2)

    def test_try_lock_gives_none_while_anybody_holds_it(self) -> None:
        """Also the caller; and a guard when it is free."""
        mutex = fl.Mutex(1)
        holder = hold(mutex)
        assert mutex.try_lock() is None
        holder.let_go()

        guard = mutex.try_lock()

        assert guard is not None
        assert mutex.try_lock() is None
        guard.release()

    def test_a_block_need_not_name_its_guard(self) -> None:
        """`with m:` holds the lock to its end."""
        mutex = fl.Mutex(1)
        with mutex:
            gc.collect()
            assert mutex.locked()
            assert start(mutex.try_lock).join() is None

        assert not mutex.locked()

    def test_a_block_frees_the_lock_also_after_an_error(self) -> None:
        """Without poison the value is as the error left it."""
        mutex = fl.Mutex([1])
        with pytest.raises(ZeroDivisionError), mutex as guard:
            guard[0] = 1 // (guard[0] - 1)

        assert (mutex.locked(), mutex.is_poisoned, mutex.copy()) == (False, False, [1])

    def test_a_block_whose_guard_was_released_leaves_the_next_holder_alone(self) -> None:
        """The end of the block is not the end of another acquisition."""
        mutex = fl.Mutex(1)
        with mutex as guard:
            guard.release()
            holder = hold(mutex)

        assert mutex.locked()
        holder.let_go()

    def test_update_stores_and_returns(self) -> None:
        """A failure of the function stores nothing, and frees the lock."""
        mutex = fl.Mutex(3)

        assert mutex.update(lambda value: value * 10) == 30
        with pytest.raises(ZeroDivisionError):
            mutex.update(lambda value: value // 0)
        assert (mutex.copy(), mutex.locked()) == (30, False)

    def test_with_lock_returns_and_stores_nothing(self) -> None:
        """The lock is held while the function runs, and free when it has failed."""
        mutex = fl.Mutex([3])

        assert mutex.with_lock(lambda value: (len(value), mutex.locked())) == (1, True)
        with pytest.raises(IndexError):
            mutex.with_lock(lambda value: value[7])
        assert (mutex.copy(), mutex.locked()) == ([3], False)

    def test_replace_returns_the_value_before(self) -> None:
        """The very object."""
        first, second = Marker(), Marker()
        mutex = fl.Mutex(first)

        assert mutex.replace(second) is first
        assert mutex.with_lock(lambda value: value) is second

    def test_a_copy_is_shallow_and_made_under_the_lock(self) -> None:
        """By `copy.copy`."""
        inner, held = [1], list[bool]()

        class Value:
            def __init__(self, inner: list[int]) -> None:
                self.inner = inner

            def __copy__(self) -> "Value":
                held.append(mutex.locked())
                return Value(self.inner)

        value = Value(inner)
        mutex = fl.Mutex(value)
        copied = mutex.copy()

        assert copied is not value
        assert copied.inner is inner
        assert held == [True]

    def test_stats_count_acquisitions_and_waiters(self, spawn: Spawn) -> None:
        """`waiting` is of this moment."""
        mutex = fl.Mutex(0)
        holder = hold(mutex)
        blocked = [spawn(mutex.update, lambda value: value + 1) for _ in range(3)]
        until(lambda: waiting(mutex) == 3)
        assert mutex.stats() == {"acquired": 1, "waiting": 3}
        holder.let_go()
        for thread in blocked:
            thread.join()

        assert mutex.stats() == {"acquired": 4, "waiting": 0}

    def test_repr_names_the_holder_and_counts_who_waits(self, spawn: Spawn) -> None:
        """For whoever looks at a program that stands still."""
        mutex = fl.Mutex(0)
        assert repr(mutex) == "<Mutex unlocked, 0 waiting>"
        taken, go = threading.Event(), threading.Event()

        def work() -> None:
            with mutex:
                taken.set()
                assert go.wait(BOUND)

        worker = Spawned(work, name="worker-3")
        assert taken.wait(BOUND)
        blocked = [spawn(mutex.copy) for _ in range(2)]
        until(lambda: waiting(mutex) == 2)

        assert repr(mutex) == "<Mutex locked by 'worker-3', 2 waiting>"
        go.set()
        worker.join()
        for thread in blocked:
            thread.join()

    def test_the_type_is_generic(self) -> None:
        """For annotations that are evaluated."""
        assert fl.Mutex[int].__origin__ is fl.Mutex  # type: ignore[attr-defined]


class TestMisuse:
    @pytest.mark.parametrize("call", TAKING)
    def test_locking_what_one_holds_is_a_deadlock(self, call: str) -> None:
        """At once, and the acquisition goes on."""
        mutex = fl.Mutex(5)
        with mutex as guard:
            with pytest.raises(fl.DeadlockError, match=f"^{call}: this thread holds the mutex already"):
                TAKING[call](mutex)
            assert guard.value == 5
            assert mutex.stats() == {"acquired": 1, "waiting": 0}

        assert not mutex.locked()

    @pytest.mark.guarantee("mutex", "timeout")
    @pytest.mark.parametrize("timeout", [0, 0.001, BOUND])
    def test_a_deadlock_is_no_timeout(self, timeout: float) -> None:
        """The same error whatever the patience."""
        mutex = fl.Mutex(5)
        with mutex, pytest.raises(fl.DeadlockError):
            mutex.lock(timeout)

    def test_a_function_that_locks_its_own_mutex_is_a_deadlock(self) -> None:
        """Which passes through `update`, and the lock is free."""
        mutex = fl.Mutex(5)
        with pytest.raises(fl.DeadlockError):
            mutex.update(lambda _: mutex.copy())
        assert mutex.copy() == 5


class TestPoison:
    def poisoned(self) -> "fl.Mutex[list[int]]":
        """Return a mutex whose block was left by an error, and then one that another error tried to poison again."""
        mutex = fl.Mutex([2], poison=True)
        fail_in_block(mutex, KeyError("first"))
        with pytest.raises(IndexError), mutex.lock(poisoned=True):
            raise IndexError("second")
        return mutex

    @pytest.mark.parametrize("call", TAKING)
    def test_every_attempt_names_the_first_error_and_the_thread(self, call: str) -> None:
        """And leaves the lock free."""
        mutex = self.poisoned()
        here = threading.current_thread().name

        with pytest.raises(fl.PoisonError, match=rf"^{call}: .*KeyError\('first'\) in '{here}'.*clear_poison\(\)"):
            TAKING[call](mutex)
        with pytest.raises(fl.PoisonError, match=r"^try_lock: .*first"):
            mutex.try_lock()

        assert (mutex.locked(), mutex.is_poisoned) == (False, True)
        assert repr(mutex) == "<Mutex poisoned, unlocked, 0 waiting>"

    def test_one_may_look_inside(self) -> None:
        """Which heals nothing."""
        mutex = self.poisoned()
        with mutex.lock(poisoned=True) as guard:
            assert guard.value == [2]
        with mutex.lock(0, poisoned=True) as guard:
            guard[0] = 1

        assert mutex.is_poisoned

    def test_clear_poison_heals(self) -> None:
        """The next error poisons again, with its own name."""
        mutex = self.poisoned()
        mutex.clear_poison()
        assert (mutex.is_poisoned, mutex.copy()) == (False, [2])
        fail_in_block(mutex, ValueError("third"))
        with pytest.raises(fl.PoisonError, match="third"):
            mutex.copy()

    @pytest.mark.parametrize("call", ["update", "with_lock", "guard"])
    def test_a_function_or_a_guard_that_fails_poisons_too(self, call: str) -> None:
        """Like a block."""

        def fail(_value: int) -> int:
            raise ZeroDivisionError

        mutex = fl.Mutex(1, poison=True)
        if call == "guard":
            with pytest.raises(ZeroDivisionError), mutex.lock() as guard:
                fail(guard.value)
        else:
            with pytest.raises(ZeroDivisionError):
                getattr(mutex, call)(fail)
        assert (mutex.is_poisoned, mutex.locked()) == (True, False)

    def test_whoever_waits_is_told(self, spawn: Spawn) -> None:
        """The lock is poisoned before it is free."""
        mutex = fl.Mutex(1, poison=True)
        with mutex.lock() as guard:
            blocked = spawn(mutex.lock)
            until(lambda: waiting(mutex) == 1)
            guard.__exit__(KeyError, KeyError("first"), None)

        with pytest.raises(fl.PoisonError, match="first"):
            blocked.join()
        assert not mutex.locked()

    def test_neither_error_nor_guard_is_kept(self) -> None:
        """The first error is text: what its traceback held is let go of."""
        mutex = fl.Mutex(1, poison=True)

        def fail() -> "weakref.ref[Marker]":
            held = Marker()
            with contextlib.suppress(KeyError), mutex as guard:
                held.holds.append(guard)
                raise KeyError(held)
            return weakref.ref(held)

        watch = fail()
        gc.collect()
        assert watch() is None
        with pytest.raises(fl.PoisonError) as caught:
            mutex.lock()
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        assert [type(argument) for argument in caught.value.args] == [str]

    def test_without_poison_nothing_is_poisoned(self) -> None:
        """An error of a block is its own business."""
        mutex = fl.Mutex(1)
        with pytest.raises(KeyError), mutex:
            raise KeyError
        assert (mutex.is_poisoned, mutex.copy()) == (False, 1)


@BUILDS
class TestFairness:
    def test_a_barging_thread_cannot_keep_a_waiter_out(self, spawn: Spawn) -> None:
        """The lock is handed over after 64 acquisitions that passed the waiter by, at the latest."""
        mutex = fl.Mutex(0)

        def take() -> int:
            with mutex:
                return mutex.stats()["acquired"]

        for _ in range(40):
            with mutex:
                here = mutex.stats()["acquired"]
                waiter = spawn(take)
                until(lambda: waiting(mutex) == 1)
            while not waiter.ended.is_set():
                with mutex:
                    pass
            assert waiter.join() - here <= 65

    def test_waiters_get_in_in_the_order_they_came(self, spawn: Spawn) -> None:
        """With nobody who barges."""
        mutex = fl.Mutex(list[int]())

        def take(number: int) -> None:
            with mutex as guard:
                guard.value.append(number)

        with mutex:
            blocked = []
            for number in range(5):
                blocked.append(spawn(take, number))
                until(lambda number=number: waiting(mutex) == number + 1)  # type: ignore[misc]
        for thread in blocked:
            thread.join()

        assert mutex.copy() == [0, 1, 2, 3, 4]
