"""Programs that fork while a mutex is free, or held by a thread that stays or vanishes."""

from collections.abc import Callable

import fearless as fl
from tests.support.forks import in_child, raises
from tests.support.threads import Holder, start
from tests.support.until import until, waiting


def mutex_free() -> None:
    """A free mutex is free in the child, with its value, and independent."""
    mutex = fl.Mutex([1])

    def child() -> None:
        with mutex as guard:
            guard.value.append(2)
        assert mutex.copy() == [1, 2]

    in_child(child)
    assert mutex.copy() == [1]


def mutex_held_by_the_forking_thread() -> None:
    """It stays held, by the same guard, in both processes."""
    mutex = fl.Mutex(1)
    guard = mutex.lock()

    def child() -> None:
        assert guard.value == 1
        guard.value = 2
        raises(fl.DeadlockError, mutex.lock)
        assert not mutex.is_poisoned
        other = start(lambda: raises(fl.Timeout, lambda: mutex.lock(0.01)))
        other.join()
        waiter = start(mutex.update, lambda value: value + 1)
        until(lambda: waiting(mutex) == 1)
        guard.release()
        assert waiter.join() == 3

    in_child(child)
    assert guard.value == 1
    guard.release()
    assert not mutex.locked()


def mutex_held_by_a_vanished_thread() -> None:
    """Its value is in doubt, so every way in raises PoisonError until clear_poison()."""
    mutex = fl.Mutex(1)
    holder = Holder(mutex.lock, lambda guard: guard.release())
    waiter = start(mutex.replace, 5)
    until(lambda: waiting(mutex) == 1)

    def child() -> None:
        ways: list[Callable[[], object]] = [
            mutex.lock,
            lambda: mutex.lock(0),
            lambda: mutex.lock(1.0),
            mutex.try_lock,
            mutex.__enter__,
            mutex.copy,
            lambda: mutex.replace(2),
            lambda: mutex.update(lambda value: value + 1),
            lambda: mutex.with_lock(repr),
        ]
        for way in ways:
            assert "fork" in raises(fl.PoisonError, way)
        assert (mutex.is_poisoned, waiting(mutex)) == (True, 0)
        mutex.clear_poison()
        assert (mutex.is_poisoned, waiting(mutex)) == (False, 0)
        assert mutex.update(lambda value: value + 1) == 2

    in_child(child)
    assert not mutex.is_poisoned
    holder.let_go()
    assert waiter.join() == 1


def mutex_held_by_a_vanished_thread_looked_into() -> None:
    """`lock(poisoned=True)` takes it over."""
    mutex = fl.Mutex(1)
    holder = Holder(mutex.lock, lambda guard: guard.release())

    def child() -> None:
        guard = mutex.lock(poisoned=True)
        assert guard.value == 1
        guard.release()
        mutex.clear_poison()
        with mutex as guard:
            guard.value = 2

    in_child(child)
    holder.let_go()


def mutex_healed_in_a_grandchild() -> None:
    """A second fork changes nothing about a thread that vanished in the first."""
    mutex = fl.Mutex(1)
    holder = Holder(mutex.lock, lambda guard: guard.release())

    def child() -> None:
        def grandchild() -> None:
            raises(fl.PoisonError, mutex.lock)
            mutex.clear_poison()
            mutex.lock().release()

        in_child(grandchild)
        raises(fl.PoisonError, mutex.lock)

    in_child(child)
    holder.let_go()
