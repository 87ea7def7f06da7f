"""`RwLock`: exclusion, its methods, deadlocks, poison.

Not here: its guards (`test_rwlock_guards.py`), who comes first (`test_rwlock_turns.py`), coroutines
(`test_rwlock_async.py`), blocking calls, forks and memory in general (`tests/generic`).
"""

import gc
import pickle
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.items import Marker
from tests.support.threads import Holder, Spawned
from tests.support.until import BOUND, until, waiting

BUILDS = pytest.mark.guarantee("rwlock", "both builds")


def nothing(_value: object) -> None:
    """Do nothing with the value."""


def hold(rw: "fl.RwLock[Any]", how: str) -> Holder:
    """Return when another thread holds the lock: `how` is read, write or upgradable."""
    return Holder(getattr(rw, how), lambda guard: guard.release())


def fail_in_block(rw: "fl.RwLock[Any]", error: Exception) -> None:
    """Leave a writer's block by an error."""
    with pytest.raises(type(error)), rw.write():
        raise error


READING: dict[str, Callable[["fl.RwLock[Any]"], object]] = {
    "read": lambda rw: rw.read(),
    "read_with": lambda rw: rw.read_with(nothing),
    "copy": lambda rw: rw.copy(),
    "upgradable": lambda rw: rw.upgradable(),
}
WRITING: dict[str, Callable[["fl.RwLock[Any]"], object]] = {
    "write": lambda rw: rw.write(),
    "write_with": lambda rw: rw.write_with(nothing),
    "update": lambda rw: rw.update(nothing),
    "replace": lambda rw: rw.replace(None),
}
TAKING = READING | WRITING
TRYING: dict[str, Callable[["fl.RwLock[Any]"], Any]] = {
    "try_read": lambda rw: rw.try_read(),
    "try_upgradable": lambda rw: rw.try_upgradable(),
    "try_write": lambda rw: rw.try_write(),
}


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


class TestMisuse:
    @pytest.mark.parametrize("held", ["read", "upgradable", "write"])
    @pytest.mark.parametrize("call", TAKING)
    def test_taking_what_one_holds_is_a_deadlock(self, held: str, call: str) -> None:
        """At once, also where it could go well, and the acquisition goes on."""
        rw = fl.RwLock(5)
        with getattr(rw, held)() as guard:
            before = rw.stats()
            with pytest.raises(fl.DeadlockError, match=rf"^{call}: this thread .* already"):
                TAKING[call](rw)
            assert (guard.value, rw.stats()) == (5, before)

        assert not rw.locked()

    @pytest.mark.parametrize("timeout", [None, 0, BOUND])
    def test_a_second_read_is_a_deadlock_whether_or_not_a_writer_waits(
        self, timeout: float | None, spawn: Spawn
    ) -> None:
        """So that a program does not hang only on the day when a writer comes between."""
        rw = fl.RwLock(5)
        with rw.read() as guard:
            with pytest.raises(fl.DeadlockError, match=r"guard\.clone\(\)"):
                rw.read(timeout)
            writer = spawn(rw.replace, 6)
            until(lambda: waiting(rw) == 1)
            with pytest.raises(fl.DeadlockError, match=r"guard\.clone\(\)"):
                rw.read(timeout)
            with guard.clone() as second:
                assert second.value == 5
        writer.join()

    @pytest.mark.guarantee("rwlock", "timeout")
    @pytest.mark.parametrize("timeout", [0, 0.001, BOUND])
    def test_a_deadlock_is_no_timeout(self, timeout: float) -> None:
        """The same error whatever the patience."""
        rw = fl.RwLock(5)
        with rw.read(), pytest.raises(fl.DeadlockError):
            rw.write(timeout)

    def test_many_readers_are_still_told_apart(self) -> None:
        """More than are looked through one by one; any thread may release."""
        rw = fl.RwLock(5)
        guards: list[fl.ReadGuard[int]] = []

        def enter() -> None:
            guards.append(rw.read())
            guards.extend(guards[0].clone() for _ in range(99))

        holder = Holder(enter, lambda _: None)
        with rw.read(), pytest.raises(fl.DeadlockError):
            rw.read()
        for guard in guards:
            assert rw.locked()
            guard.release()
        assert (rw.locked(), rw.stats()["reads"]) == (False, 101)
        holder.let_go()

    def test_a_wrong_preference_is_refused(self) -> None:
        """With the rule and the value."""
        with pytest.raises(ValueError, match="prefer must be 'fair', 'readers' or 'writers', got 'both'"):
            fl.RwLock(5, prefer="both")  # type: ignore[arg-type]  # that is the point

    def test_it_cannot_be_pickled(self) -> None:
        """A copy would guard nothing."""
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(fl.RwLock(5))

    def test_it_cannot_be_selected(self) -> None:
        """A select waits for what comes; a lock is held. The error says what it takes."""
        with pytest.raises(TypeError, match="select takes a receiver"):
            fl.select(fl.RwLock(5))  # type: ignore[call-overload]  # that is the point


class TestPoison:
    def poisoned(self) -> "fl.RwLock[list[int]]":
        """Return a lock that a writer left by an error, and then another, which changes nothing about the first."""
        rw = fl.RwLock([2], poison=True)
        fail_in_block(rw, KeyError("first"))
        with pytest.raises(IndexError), rw.write(poisoned=True):
            raise IndexError("second")
        return rw

    @pytest.mark.parametrize("call", TAKING)
    def test_every_attempt_names_the_first_error_and_the_thread(self, call: str) -> None:
        """And leaves the lock free."""
        rw = self.poisoned()
        here = threading.current_thread().name

        with pytest.raises(fl.PoisonError, match=rf"^{call}: .*KeyError\('first'\) in '{here}'.*clear_poison\(\)"):
            TAKING[call](rw)
        for name, attempt in TRYING.items():
            with pytest.raises(fl.PoisonError, match=rf"^{name}: .*first"):
                attempt(rw)

        assert (rw.locked(), rw.is_poisoned) == (False, True)
        assert repr(rw) == "<RwLock poisoned, unlocked, 0 waiting>"

    def test_one_may_look_inside(self) -> None:
        """As a reader or a writer, which heals nothing."""
        rw = self.poisoned()
        with rw.read(poisoned=True) as reader:
            assert reader.value == [2]
        with rw.upgradable(poisoned=True) as upgradable, upgradable.upgrade() as writer:
            writer[0] = 1
        with rw.write(0, poisoned=True) as guard:
            assert guard.value == [1]

        assert rw.is_poisoned

    def test_clear_poison_heals(self) -> None:
        """The next error poisons again, with its own name."""
        rw = self.poisoned()
        rw.clear_poison()
        assert (rw.is_poisoned, rw.copy()) == (False, [2])
        fail_in_block(rw, ValueError("third"))
        with pytest.raises(fl.PoisonError, match="third"):
            rw.copy()

    @pytest.mark.parametrize(
        "call", ["update", "write_with", "upgrade", "downgraded", "read", "read_with", "upgradable"]
    )
    def test_only_a_writer_poisons(self, call: str) -> None:
        """A reader that fails has left nothing half done."""

        def fail(_value: int) -> int:
            raise ZeroDivisionError

        def fail_with(rw: "fl.RwLock[int]") -> None:
            match call:
                case "upgrade":
                    with rw.upgradable() as upgradable, upgradable.upgrade() as guard:
                        fail(guard.value)
                case "downgraded":
                    with rw.write() as writer, writer.downgrade() as guard:
                        fail(guard.value)
                case "read" | "upgradable":
                    with getattr(rw, call)() as guard:
                        fail(guard.value)
                case _:
                    getattr(rw, call)(fail)

        rw = fl.RwLock(1, poison=True)
        with pytest.raises(ZeroDivisionError):
            fail_with(rw)
        assert (rw.is_poisoned, rw.locked()) == (call in ("update", "write_with", "upgrade"), False)

    def test_whoever_waits_is_told(self, spawn: Spawn) -> None:
        """The lock is poisoned before it is free."""
        rw = fl.RwLock(1, poison=True)
        with rw.write() as guard:
            blocked = spawn(rw.read)
            until(lambda: waiting(rw) == 1)
            guard.__exit__(KeyError, KeyError("first"), None)

        with pytest.raises(fl.PoisonError, match="first"):
            blocked.join()
        assert not rw.locked()
