"""`RwLock`: exclusion and its methods.

Not here: deadlocks, refusals and poison (`test_rwlock_misuse.py`), guards (`test_rwlock_guards.py`), who comes first
(`test_rwlock_turns.py`), coroutines (`test_rwlock_async.py`), blocking calls, forks and memory (`tests/generic`).
"""

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.items import Marker
from tests.support.rwlock_calls import TRYING, hold
from tests.support.threads import Spawned
from tests.support.until import BOUND, until, waiting

BUILDS = pytest.mark.guarantee("rwlock", "both builds")


@BUILDS
@pytest.mark.usefixtures("quick_switches")
@pytest.mark.parametrize("prefer", ["fair", "readers", "writers"])
def test_a_writer_is_alone(prefer: Any, spawn: Spawn) -> None:
    """Writers change in several steps what readers must see whole; some come by an upgrade, some stay to read."""
    rw: fl.RwLock[list[int]] = fl.RwLock([0, 0], prefer=prefer)
    times, writing, begin = 400, list[int](), threading.Barrier(5)

    def change(value: list[int]) -> None:
        writing.append(1)
        assert len(writing) == 1
        value[0] += 1
        value[1] = value[0]
        writing.pop()

    def check(value: list[int]) -> None:
        assert not writing
        assert value[0] == value[1]

    def write() -> None:
        with rw.write() as guard:
            change(guard.value)

    def write_and_read() -> None:
        with rw.write() as guard:
            change(guard.value)
            after = guard.value[0]
            with guard.downgrade() as reading:
                assert reading[0] == after

    def upgrade() -> None:
        with rw.upgradable() as guard:
            check(guard.value)
            before = guard[0]
            with guard.upgrade() as writer:
                assert writer[0] == before
                change(writer.value)

    def read() -> None:
        with rw.read() as guard:
            check(guard.value)
            with guard.clone() as other:
                check(other.value)
        rw.read_with(check)

    def work(once: Callable[[], None]) -> None:
        begin.wait(BOUND)
        for _ in range(times):
            once()

    for thread in [spawn(work, once) for once in (write, write_and_read, upgrade, read, read)]:
        thread.join()

    assert rw.copy() == [3 * times, 3 * times]
    assert not rw.locked()
    assert (rw.stats()["writes"], rw.stats()["waiting"]) == (3 * times, 0)


@BUILDS
def test_readers_read_at_the_same_time(spawn: Spawn) -> None:
    """Each waits in its block until all are in theirs."""
    rw = fl.RwLock("value")
    together = threading.Barrier(4)

    def read() -> str:
        with rw.read() as guard:
            together.wait(BOUND)
            return guard.value

    assert [thread.join() for thread in [spawn(read) for _ in range(4)]] == ["value"] * 4


class TestMethods:
    @pytest.mark.parametrize(
        ("held", "others"),
        [
            ("read", {"try_read", "try_upgradable"}),
            ("upgradable", {"try_read"}),
            ("write", set[str]()),
        ],
    )
    def test_who_may_enter_beside_whom(self, held: str, others: set[str]) -> None:
        """Any number of readers, one of them upgradable, or one writer."""
        rw = fl.RwLock(1)
        holder = hold(rw, held)
        for name, attempt in TRYING.items():
            guard = attempt(rw)
            assert (guard is not None) == (name in others), name
            if guard is not None:
                guard.release()
        holder.let_go()
        for attempt in TRYING.values():
            attempt(rw).release()

    @pytest.mark.parametrize("held", ["read", "upgradable", "write"])
    def test_try_gives_none_also_to_the_holder(self, held: str) -> None:
        """It never waits, and never gives a second acquisition."""
        rw = fl.RwLock(1)
        with getattr(rw, held)():
            assert [attempt(rw) for attempt in TRYING.values()] == [None, None, None]
        assert not rw.locked()

    def test_read_with_and_write_with_return_and_store_nothing(self) -> None:
        """The lock is held while the function runs, and free when it has failed."""
        rw = fl.RwLock([3])

        assert rw.read_with(lambda value: (len(value), repr(rw))) == (1, "<RwLock read by 1, 0 waiting>")
        assert rw.write_with(lambda value: (len(value), rw.locked())) == (1, True)
        for call in (rw.read_with, rw.write_with):
            with pytest.raises(IndexError):
                call(lambda value: value[7])
        assert (rw.copy(), rw.locked()) == ([3], False)

    def test_update_stores_and_returns(self) -> None:
        """A failure of the function stores nothing, and frees the lock."""
        rw = fl.RwLock(3)

        assert rw.update(lambda value: value * 10) == 30
        with pytest.raises(ZeroDivisionError):
            rw.update(lambda value: value // 0)
        assert (rw.copy(), rw.locked()) == (30, False)

    def test_replace_returns_the_value_before(self) -> None:
        """The very object."""
        first, second = Marker(), Marker()
        rw = fl.RwLock(first)

        assert rw.replace(second) is first
        assert rw.read_with(lambda value: value) is second

    def test_a_copy_is_shallow_and_made_as_a_reader(self) -> None:
        """By `copy.copy`."""
        inner, state = [1], list[str]()

        class Value:
            def __init__(self, inner: list[int]) -> None:
                self.inner = inner

            def __copy__(self) -> "Value":
                state.append(repr(rw))
                return Value(self.inner)

        value = Value(inner)
        rw = fl.RwLock(value)
        copied = rw.copy()

        assert copied is not value
        assert copied.inner is inner
        assert state == ["<RwLock read by 1, 0 waiting>"]

    def test_stats_count_acquisitions_readers_and_waiters(self, spawn: Spawn) -> None:
        """`readers` and `waiting` are of this moment; an upgradable reader reads."""
        rw = fl.RwLock(0)
        reader, upgradable = hold(rw, "read"), hold(rw, "upgradable")
        blocked = [spawn(rw.update, lambda value: value + 1) for _ in range(3)]
        until(lambda: waiting(rw) == 3)
        assert rw.stats() == {"reads": 2, "writes": 0, "readers": 2, "waiting": 3}
        reader.let_go()
        upgradable.let_go()
        for thread in blocked:
            thread.join()

        assert rw.stats() == {"reads": 2, "writes": 3, "readers": 0, "waiting": 0}

    def test_repr_names_the_writer_counts_readers_and_who_waits(self, spawn: Spawn) -> None:
        """For whoever looks at a program that stands still."""
        rw = fl.RwLock(0)
        assert repr(rw) == "<RwLock unlocked, 0 waiting>"
        with rw.read():
            assert repr(rw) == "<RwLock read by 1, 0 waiting>"
        taken, go = threading.Event(), threading.Event()

        def work() -> None:
            with rw.write():
                taken.set()
                assert go.wait(BOUND)

        worker = Spawned(work, name="worker-3")
        assert taken.wait(BOUND)
        blocked = [spawn(rw.copy) for _ in range(2)]
        until(lambda: waiting(rw) == 2)

        assert repr(rw) == "<RwLock written by 'worker-3', 2 waiting>"
        go.set()
        worker.join()
        for thread in blocked:
            thread.join()

    def test_the_type_is_generic(self) -> None:
        """For annotations that are evaluated."""
        assert fl.RwLock[int].__origin__ is fl.RwLock  # type: ignore[attr-defined]

    def test_it_can_be_referred_to_weakly(self) -> None:
        """And is gone with its last reference."""
        rw = fl.RwLock(0)
        seen = weakref.ref(rw)
        assert seen() is rw
        del rw
        until(lambda: gc.collect() >= 0 and seen() is None)
