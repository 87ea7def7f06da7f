"""Guards of a rwlock: what they forward, what they refuse, what they become, and their end.

Not here: the lock (`test_rwlock.py`), and what all guards refuse (`test_guard.py`).
"""

import gc
import operator
from collections.abc import Callable
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.threads import Holder, start
from tests.support.until import BOUND, until, waiting

KINDS = pytest.mark.parametrize("kind", ["read", "upgradable", "write"])
READERS = pytest.mark.parametrize("kind", ["read", "upgradable"])
HINTS = {"read": r"take write\(\)", "upgradable": r"upgrade\(\) it, or take write\(\)"}
IN_PLACE = ["add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow", "lshift", "rshift", "and", "or", "xor"]


def take(rw: "fl.RwLock[Any]", kind: str) -> Any:
    """Return a guard of that kind."""
    return getattr(rw, kind)()


class TestForwarding:
    @KINDS
    def test_what_reads_goes_to_the_value(self, kind: str) -> None:
        """Items, length, iteration and membership."""
        with take(fl.RwLock({"a": 1}), kind) as guard:
            assert guard["a"] == 1
            assert len(guard) == 1
            assert list(guard) == ["a"]
            assert "a" in guard
            assert "b" not in guard
            assert guard.value == {"a": 1}

    def test_a_writer_changes_the_value(self) -> None:
        """By assignment, by items and in place."""
        rw = fl.RwLock({"a": 1})
        with rw.write() as guard:
            guard["b"] = 2
            del guard["a"]
            guard |= {"c": 3}
        assert rw.copy() == {"b": 2, "c": 3}
        with rw.write() as guard:
            guard.value = {}
        assert rw.copy() == {}

    @READERS
    def test_a_reader_refuses_to_assign(self, kind: str) -> None:
        """The error says what to do instead; the value is as before."""
        rw = fl.RwLock([1])
        with take(rw, kind) as guard:
            with pytest.raises(AttributeError, match=f"refuses assignment; {HINTS[kind]}"):
                guard.value = [2]
            with pytest.raises(TypeError, match=f"refuses item assignment; {HINTS[kind]}"):
                guard[0] = 2
            with pytest.raises(TypeError, match=f"refuses item deletion; {HINTS[kind]}"):
                del guard[0]
            with pytest.raises(AttributeError):
                del guard.value
            assert guard.value == [1]

    @READERS
    @pytest.mark.parametrize("name", IN_PLACE)
    def test_a_reader_refuses_every_operator_in_place(self, kind: str, name: str) -> None:
        """Before the operator is called."""
        operation = getattr(operator, f"i{name}")
        with take(fl.RwLock(7), kind) as guard:
            with pytest.raises(TypeError, match=f"refuses in-place operator; {HINTS[kind]}"):
                operation(guard, 2)
            assert guard.value == 7

    @KINDS
    def test_what_no_guard_forwards_is_refused_with_a_hint(self, kind: str) -> None:
        """As with the guard of a mutex."""
        with take(fl.RwLock([1]), kind) as guard:
            misuses: list[Callable[[], object]] = [
                lambda: guard + 2,
                lambda: guard == [1],
                lambda: bool(guard),
                guard,
            ]
            for misuse in misuses:
                with pytest.raises(TypeError, match=r"use guard\.value"):
                    misuse()
            with pytest.raises(AttributeError, match=r"use guard\.value\.append"):
                guard.append(2)

    @pytest.mark.parametrize("cls", [fl.ReadGuard, fl.UpgradableGuard, fl.WriteGuard])
    def test_only_a_lock_makes_guards(self, cls: Any) -> None:
        """And they are generic, for annotations."""
        with pytest.raises(TypeError):
            cls()
        assert cls[int].__origin__ is cls

    @KINDS
    def test_repr_tells_whether_it_is_held(self, kind: str) -> None:
        """And never shows the value, which may change any moment."""
        with take(fl.RwLock("secret"), kind) as guard:
            held = repr(guard)
        name = type(guard).__name__
        assert (held, repr(guard)) == (f"<{name} held>", f"<{name} released>")


class TestChanges:
    def test_a_clone_lasts_by_itself(self) -> None:
        """The lock is free when both have been released."""
        rw = fl.RwLock(1)
        first = rw.read()
        second = first.clone()
        first.release()
        with pytest.raises(fl.GuardReleased):
            first.clone()
        assert (second.value, rw.stats()["readers"]) == (1, 1)
        second.release()
        assert not rw.locked()

    def test_a_clone_does_not_wait_for_a_writer_that_waits(self, spawn: Spawn) -> None:
        """Who reads already would wait for himself."""
        rw = fl.RwLock(1)
        with rw.read() as guard:
            writer = spawn(rw.replace, 2)
            until(lambda: waiting(rw) == 1)
            with guard.clone() as second:
                guard.release()
                assert (second.value, waiting(rw)) == (1, 1)
        assert writer.join() == 1

    def test_an_upgraded_guard_writes_and_the_one_before_is_dead(self) -> None:
        """Nobody came between; the end of the outer block is not the end of the inner."""
        rw = fl.RwLock([1])
        with rw.upgradable() as guard:
            writer = guard.upgrade()
            with pytest.raises(fl.GuardReleased):
                guard.value  # noqa: B018 - the read raises
        assert rw.locked()
        writer[0] = 2
        writer.release()
        assert (rw.copy(), rw.stats()) == ([2], {"reads": 2, "writes": 1, "readers": 0, "waiting": 0})

    def test_an_upgrade_waits_for_the_readers_and_keeps_new_ones_out(self, spawn: Spawn) -> None:
        """A reader that comes meanwhile sees what the upgraded guard wrote."""
        rw = fl.RwLock(1)
        reader = Holder(rw.read, lambda guard: guard.release())

        def upgrade() -> None:
            with rw.upgradable() as guard, guard.upgrade() as writer:
                writer.value = 2

        upgrading = spawn(upgrade)
        until(lambda: waiting(rw) == 1)
        assert start(rw.try_read).join() is None
        late = spawn(rw.copy)
        until(lambda: waiting(rw) == 2)
        reader.let_go()

        upgrading.join()
        assert late.join() == 2

    @pytest.mark.guarantee("rwlock", "timeout")
    def test_an_upgrade_that_fails_changes_nothing(self, spawn: Spawn) -> None:
        """The guard can still be used, and readers it kept out come in."""
        rw = fl.RwLock(1)
        reader = Holder(rw.read, lambda guard: guard.release())
        with rw.upgradable() as guard:
            assert guard.try_upgrade() is None
            with pytest.raises(fl.Timeout):
                guard.upgrade(0)
            with pytest.raises(fl.Timeout):
                guard.upgrade(0.01)
            assert (guard.value, spawn(rw.copy).join()) == (1, 1)
            reader.let_go()
            writer = guard.try_upgrade()
            assert writer is not None
            writer.value = 2
            writer.release()
        assert rw.copy() == 2

    def test_upgrading_twice_is_a_deadlock(self) -> None:
        """While the first upgrade lasts; afterwards the guard is just dead."""
        guard = fl.RwLock(1).upgradable()
        writer = guard.upgrade()
        with pytest.raises(fl.DeadlockError, match="upgrade: this thread upgraded the guard already"):
            guard.upgrade()
        writer.release()
        with pytest.raises(fl.GuardReleased):
            guard.upgrade()
        with pytest.raises(fl.GuardReleased):
            guard.try_upgrade()

    def test_releasing_a_guard_ends_its_upgrade(self, spawn: Spawn) -> None:
        """Any thread may release, also while the owner waits."""
        rw = fl.RwLock(1)
        reader = Holder(rw.read, lambda guard: guard.release())
        guards: list[fl.UpgradableGuard[int]] = []

        def upgrade() -> None:
            guards.append(rw.upgradable())
            guards[0].upgrade()

        upgrading = spawn(upgrade)
        until(lambda: waiting(rw) == 1)
        guards[0].release()

        with pytest.raises(fl.GuardReleased):
            upgrading.join()
        assert (start(rw.copy).join(), rw.stats()["readers"]) == (1, 1)
        reader.let_go()

    @pytest.mark.parametrize("kind", ["upgradable", "write"])
    def test_a_downgraded_guard_reads_and_the_one_before_is_dead(self, kind: str) -> None:
        """And does what a reader does."""
        rw = fl.RwLock([1])
        with take(rw, kind) as guard:
            reader = guard.downgrade()
            with pytest.raises(fl.GuardReleased):
                guard.downgrade()
        assert isinstance(reader, fl.ReadGuard)
        assert (reader[0], start(rw.copy).join(), rw.stats()["readers"]) == (1, [1], 1)
        with reader.clone():
            reader.release()
        assert not rw.locked()

    def test_a_downgrade_lets_waiting_readers_in_and_no_writer(self, spawn: Spawn) -> None:
        """What was written is what they read, though another writer came before them."""
        rw = fl.RwLock(1)
        with rw.write() as guard:
            writer = spawn(rw.replace, 3)
            until(lambda: waiting(rw) == 1)
            readers = [spawn(rw.copy) for _ in range(2)]
            until(lambda: waiting(rw) == 3)
            guard.value = 2
            with guard.downgrade():
                assert [reader.join() for reader in readers] == [2, 2]
                assert waiting(rw) == 1
        assert writer.join() == 2

    def test_downgrading_what_can_be_upgraded_lets_another_be_it(self, spawn: Spawn) -> None:
        """There is one at a time."""
        rw = fl.RwLock(1)
        with rw.upgradable() as guard:
            other = spawn(lambda: rw.upgradable(BOUND).release())
            until(lambda: waiting(rw) == 1)
            with guard.downgrade():
                other.join()


USES: list[Callable[[Any], object]] = [
    lambda guard: guard.value,
    lambda guard: guard[0],
    len,
    list,
    lambda guard: 1 in guard,
    lambda guard: (getattr(guard, "clone", None) or guard.downgrade)(),
]


class TestTheEnd:
    @KINDS
    @pytest.mark.parametrize("use", USES)
    def test_a_released_guard_is_dead(self, kind: str, use: Callable[[Any], object]) -> None:
        """However it was released, and also while the same thread holds the lock again."""
        rw = fl.RwLock([1])
        with take(rw, kind) as left:
            pass
        released = take(rw, kind)
        released.release()
        released.release()
        with take(rw, kind):
            for guard in (left, released):
                with pytest.raises(fl.GuardReleased):
                    use(guard)
        assert rw.copy() == [1]

    @KINDS
    @pytest.mark.parametrize("use", USES)
    def test_another_thread_cannot_use_a_guard(self, kind: str, use: Callable[[Any], object], spawn: Spawn) -> None:
        """Only the thread that took the lock, which goes on."""
        rw = fl.RwLock([1])
        with take(rw, kind) as guard:
            thread = spawn(use, guard)
            with pytest.raises(fl.GuardReleased, match="only the thread or task that took the lock"):
                thread.join()
            assert (guard.value, rw.locked()) == ([1], True)

    @KINDS
    def test_another_thread_can_release_a_guard(self, kind: str, spawn: Spawn) -> None:
        """The next waiter gets the lock."""
        rw = fl.RwLock(1)
        guard = take(rw, kind)
        waiter = spawn(rw.replace, 2)
        until(lambda: waiting(rw) == 1)
        spawn(guard.release).join()
        assert waiter.join() == 1
        with pytest.raises(fl.GuardReleased):
            guard.value  # noqa: B018 - the read raises

    @KINDS
    def test_a_kept_guard_ends_nobody_elses_acquisition(self, kind: str) -> None:
        """Not by its release, and not by the end of a block."""
        rw = fl.RwLock([1])
        with take(rw, kind) as leaked:
            pass
        holder = Holder(lambda: take(rw, kind), lambda guard: guard.release())
        leaked.release()
        leaked.__exit__(None, None, None)
        assert rw.locked()
        holder.let_go()
        assert not rw.locked()

    @KINDS
    def test_dropping_a_held_guard_frees_the_lock_and_warns(self, kind: str) -> None:
        """A safety net; the warning says what to do instead."""
        rw = fl.RwLock(1)
        guard = take(rw, kind)
        name = type(guard).__name__
        with pytest.warns(ResourceWarning, match=f"{name} was dropped without release"):  # noqa: PT031 - two ways to go
            del guard
            gc.collect()
        assert not rw.locked()

    @KINDS
    def test_a_block_need_not_name_its_guard(self, kind: str) -> None:
        """The block keeps it."""
        rw = fl.RwLock(1)
        with take(rw, kind):
            gc.collect()
            assert rw.locked()
        assert not rw.locked()

    def test_a_block_frees_the_lock_also_after_an_error(self) -> None:
        """Without poison the value is as the error left it."""
        rw = fl.RwLock([1])
        with pytest.raises(ZeroDivisionError), rw.write() as guard:
            guard[0] = 1 // (guard[0] - 1)
        assert (rw.locked(), rw.is_poisoned, rw.copy()) == (False, False, [1])
