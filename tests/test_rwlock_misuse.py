"""`RwLock` in the wrong hands: what would wait for itself, what is refused, and poison.

Not here: exclusion and methods (`test_rwlock.py`), guards (`test_rwlock_guards.py`).
"""

import pickle
import threading

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.rwlock_calls import TAKING, TRYING, fail_in_block
from tests.support.threads import Holder
from tests.support.until import BOUND, until, waiting

BUILDS = pytest.mark.guarantee("rwlock", "both builds")


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
