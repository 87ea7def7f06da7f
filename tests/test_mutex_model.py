"""Any sequence of calls on two mutexes, in one thread and beside another, against plain values.

Not here: contention, which no sequence shows (`test_mutex.py`).
"""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import fearless as fl
from tests.support.threads import Holder, start
from tests.support.until import BOUND, until

WHICH = st.integers(0, 1)
NUMBERS = st.integers(-5, 5)


class Mutexes(RuleBasedStateMachine):
    """Each mutex is free, held by this thread, or held by another; its value and poison are known."""

    @initialize(values=st.tuples(NUMBERS, NUMBERS))
    def begin(self, values: tuple[int, int]) -> None:
        """Two mutexes, of which the second can be poisoned."""
        self.mutexes = [fl.Mutex(values[0]), fl.Mutex(values[1], poison=True)]
        self.values = list(values)
        self.guards: list[fl.Guard[int] | None] = [None, None]
        self.holders: list[Holder | None] = [None, None]
        self.dead: list[fl.Guard[int]] = []
        self.poisoned = [False, False]
        self.acquired = [0, 0]

    def teardown(self) -> None:
        """Let go of all."""
        for guard in getattr(self, "guards", []):
            if guard is not None:
                guard.release()
        for holder in getattr(self, "holders", []):
            if holder is not None:
                holder.let_go()

    def outcome(self, which: int) -> type[BaseException] | None:
        """What an attempt of this thread to take the lock ends with, without a wait."""
        if self.guards[which] is not None:
            return fl.DeadlockError
        if self.holders[which] is not None:
            return fl.Timeout
        self.acquired[which] += 1
        return fl.PoisonError if self.poisoned[which] else None

    @rule(which=WHICH)
    def lock(self, which: int) -> None:
        """Take the lock, or be told why not."""
        expected = self.outcome(which)
        if expected is None:
            self.guards[which] = self.mutexes[which].lock(0)
        else:
            with pytest.raises(expected):
                self.mutexes[which].lock(0)

    @rule(which=WHICH)
    def try_lock(self, which: int) -> None:
        """Take the lock if it is free."""
        is_held = self.guards[which] is not None or self.holders[which] is not None
        expected = None if is_held else self.outcome(which)
        if expected is fl.PoisonError:
            with pytest.raises(expected):
                self.mutexes[which].try_lock()
            return
        guard = self.mutexes[which].try_lock()
        assert (guard is None) == is_held
        if guard is not None:
            self.guards[which] = guard

    @rule(which=WHICH)
    def look_inside(self, which: int) -> None:
        """Take the lock of a poisoned mutex, too."""
        expected = self.outcome(which)
        if expected in (None, fl.PoisonError):
            self.guards[which] = self.mutexes[which].lock(0, poisoned=True)

    @precondition(lambda self: any(guard is not None for guard in self.guards))
    @rule(number=NUMBERS, data=st.data())
    def write_and_read(self, number: int, data: st.DataObject) -> None:
        """Use a guard."""
        which = data.draw(st.sampled_from([place for place, guard in enumerate(self.guards) if guard is not None]))
        guard: Any = self.guards[which]
        guard.value = number
        guard += 1
        self.values[which] = number + 1
        assert guard.value == number + 1

    @rule(which=WHICH)
    def release(self, which: int) -> None:
        """End the acquisition of this thread; its guard is dead for ever."""
        guard = self.guards[which]
        if guard is not None:
            guard.release()
            guard.release()
            self.dead.append(guard)
            self.guards[which] = None

    @rule(which=WHICH)
    def release_elsewhere(self, which: int) -> None:
        """Any thread may release a guard, and none but its own may use it."""
        guard = self.guards[which]
        if guard is not None:
            with pytest.raises(fl.GuardReleased):
                start(lambda: guard.value).join(BOUND)
            start(guard.release).join(BOUND)
            self.guards[which] = None

    @rule(which=WHICH)
    def be_held_by_another(self, which: int) -> None:
        """Another thread takes the lock."""
        if self.guards[which] is None and self.holders[which] is None:
            self.acquired[which] += 1
            mutex = self.mutexes[which]
            self.holders[which] = Holder(lambda: mutex.lock(poisoned=True), lambda guard: guard.release())

    @rule(which=WHICH)
    def be_let_go(self, which: int) -> None:
        """The other thread releases it."""
        holder = self.holders[which]
        if holder is not None:
            holder.let_go()
            self.holders[which] = None

    @rule(which=WHICH, number=NUMBERS)
    def wait_for_another(self, which: int, number: int) -> None:
        """A third thread waits for whoever holds it, and has it then."""
        if self.poisoned[which] or (self.guards[which] is None and self.holders[which] is None):
            return
        mutex = self.mutexes[which]
        waiting = start(mutex.replace, number)
        until(lambda: mutex.stats()["waiting"] == 1)
        self.release(which)
        self.be_let_go(which)
        assert waiting.join(BOUND) == self.values[which]
        self.values[which] = number
        self.acquired[which] += 1

    @rule(which=WHICH, number=NUMBERS)
    def whole_calls(self, which: int, number: int) -> None:
        """`update`, `with_lock`, `replace` and `copy`."""
        mutex = self.mutexes[which]
        if self.holders[which] is not None:
            return
        calls = [lambda: mutex.update(lambda value: value + number), lambda: mutex.with_lock(abs), mutex.copy]
        for call in calls:
            expected = self.outcome(which)
            if expected is None:
                call()
            else:
                with pytest.raises(expected):
                    call()
        if self.guards[which] is None and not self.poisoned[which]:
            self.values[which] += number
            assert mutex.replace(number) == self.values[which]
            self.values[which] = number
            self.acquired[which] += 1

    @rule(which=WHICH)
    def fail_in_a_block(self, which: int) -> None:
        """An error poisons what can be poisoned."""
        if self.guards[which] is not None or self.holders[which] is not None:
            return
        expected = self.outcome(which) or ZeroDivisionError
        with pytest.raises(expected), self.mutexes[which] as guard:
            guard.value = 1 // 0
        self.poisoned[which] = self.poisoned[which] or which == 1

    @rule(which=WHICH)
    def heal(self, which: int) -> None:
        """Declare the value sound."""
        self.mutexes[which].clear_poison()
        self.poisoned[which] = False

    @invariant()
    def all_is_as_known(self) -> None:
        """What the mutexes say of themselves; no guard comes back to life."""
        if not hasattr(self, "mutexes"):
            return
        for which, mutex in enumerate(self.mutexes):
            is_held = self.guards[which] is not None or self.holders[which] is not None
            assert mutex.locked() == is_held
            assert mutex.is_poisoned == self.poisoned[which]
            assert mutex.stats() == {"acquired": self.acquired[which], "waiting": 0}
            guard = self.guards[which]
            if guard is not None:
                assert guard.value == self.values[which]
        for guard in self.dead:
            with pytest.raises(fl.GuardReleased):
                _ = guard.value


TestMutexes = Mutexes.TestCase
TestMutexes.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
