"""Condition variables: who is told, what the guard holds before, during and after a wait.

Not here: what all blocking calls have in common (`tests/generic/`).
"""

import pickle
import signal
import threading
from collections import Counter

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.forks import in_child
from tests.support.until import BOUND, until, waiting


class TestNotify:
    @pytest.mark.guarantee("condvar", "both builds")
    def test_every_item_is_taken_once(self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar, spawn: Spawn) -> None:
        """Four wait, two put: with one notification for each item all of them arrive."""
        got: list[int] = []

        def take() -> None:
            for _ in range(250):
                with mutex as guard:
                    condvar.wait_while(guard, lambda items: not items)
                    got.append(guard.value.pop())

        def put(first: int) -> None:
            for number in range(first, first + 500):
                with mutex as guard:
                    guard.value.append(number)
                condvar.notify_one()

        for thread in [*[spawn(take) for _ in range(4)], spawn(put, 0), spawn(put, 500)]:
            thread.join(BOUND)

        assert Counter(got) == Counter(range(1000))

    def test_one_notification_ends_the_longest_wait(
        self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar, spawn: Spawn
    ) -> None:
        """First come, first told."""

        def wait(number: int) -> None:
            with mutex as guard:
                condvar.wait(guard)
                guard.value.append(number)

        threads = []
        for number in range(3):
            threads.append(spawn(wait, number))
            until(lambda: waiting(condvar) == len(threads))
        for told in range(1, 4):
            condvar.notify_one()
            until(lambda told=told: len(mutex.copy()) == told)  # type: ignore[misc]  # a lambda with a default
        for thread in threads:
            thread.join(BOUND)

        assert mutex.copy() == [0, 1, 2]

    def test_notify_all_ends_every_wait(self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar, spawn: Spawn) -> None:
        """Each takes the lock in turn."""

        def wait() -> None:
            with mutex as guard:
                condvar.wait(guard)
                guard.value.append(1)

        threads = [spawn(wait) for _ in range(5)]
        until(lambda: waiting(condvar) == 5)

        condvar.notify_all()
        for thread in threads:
            thread.join(BOUND)

        assert mutex.copy() == [1] * 5
        assert condvar.stats() == {"notified": 5, "waiting": 0}

    def test_a_notification_that_nobody_waits_for_is_not_kept(
        self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar
    ) -> None:
        """A later wait needs one of its own."""
        condvar.notify_one()
        condvar.notify_all()

        with mutex as guard, pytest.raises(fl.Timeout, match="wait: no notification came"):
            condvar.wait(guard, 0)

        assert condvar.stats()["notified"] == 0


class TestTheGuard:
    def test_the_mutex_is_free_during_the_wait(
        self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar, spawn: Spawn
    ) -> None:
        """And the guard of the waiting thread is good again afterwards, for the same block."""

        def wait() -> int:
            with mutex as guard:
                condvar.wait(guard)
                guard.value.append(2)
                return len(guard)

        blocked = spawn(wait)
        until(lambda: waiting(condvar) == 1)
        with mutex as guard:
            guard.value.append(1)
            condvar.notify_one()

        assert blocked.join(BOUND) == 2
        assert not mutex.locked()

    @pytest.mark.guarantee("condvar", "timeout")
    def test_the_lock_is_held_again_after_a_timeout(self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar) -> None:
        """So that what handles the error can look at the value."""
        with mutex as guard:
            with pytest.raises(fl.Timeout):
                condvar.wait(guard, 0.01)
            assert mutex.locked()
            assert guard.value == []
        assert not mutex.locked()

    def test_a_guard_without_a_block_waits_too(
        self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar, spawn: Spawn
    ) -> None:
        """Another thread enters blocks meanwhile; each ends its own acquisition."""
        guard = mutex.lock()

        def notify() -> None:
            until(lambda: waiting(condvar) == 1)
            with mutex as other:
                other.value.append(1)
            condvar.notify_one()

        thread = spawn(notify)
        condvar.wait(guard, BOUND)
        thread.join(BOUND)

        assert (guard.value, mutex.locked()) == ([1], True)
        guard.release()
        assert not mutex.locked()

    def test_a_guard_that_holds_nothing_is_refused(
        self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar, spawn: Spawn
    ) -> None:
        """Released, or another thread's."""
        guard = mutex.lock()
        with pytest.raises(fl.GuardReleased, match="only the thread or task"):
            spawn(condvar.wait, guard).join(BOUND)
        guard.release()

        with pytest.raises(fl.GuardReleased, match="was released"):
            condvar.wait(guard)
        with pytest.raises(TypeError):
            condvar.wait(mutex)  # type: ignore[arg-type]

    def test_a_mutex_that_was_poisoned_during_the_wait_stays_free(self, condvar: fl.Condvar, spawn: Spawn) -> None:
        """The waiting thread is told, and holds nothing."""
        mutex = fl.Mutex(0, poison=True)

        def wait() -> None:
            with mutex as guard:
                condvar.wait(guard)

        blocked = spawn(wait)
        until(lambda: waiting(condvar) == 1)
        with pytest.raises(ZeroDivisionError), mutex as guard:
            guard.value = self._fail(condvar)

        with pytest.raises(fl.PoisonError, match="wait: the mutex was poisoned by ZeroDivisionError"):
            blocked.join(BOUND)
        assert not mutex.locked()

    @staticmethod
    def _fail(condvar: fl.Condvar) -> int:
        condvar.notify_one()
        raise ZeroDivisionError

    @pytest.mark.guarantee("condvar", "cancel")
    def test_a_cancelled_wait_holds_the_lock_again(self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar) -> None:
        """For its `finally`; then the block lets go."""
        seen = []

        def wait() -> None:
            with mutex as guard:
                try:
                    condvar.wait(guard)
                finally:
                    seen.append(guard.value == [])

        with fl.scope() as scope:
            scope.spawn(wait)
            until(lambda: waiting(condvar) == 1)
            scope.cancel()

        assert seen == [True]
        assert not mutex.locked()


class TestWaitWhile:
    def test_it_asks_first(self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar) -> None:
        """What is so already is not waited for."""
        with mutex as guard:
            condvar.wait_while(guard, bool, 0)
            with pytest.raises(fl.Timeout, match="wait_while: no notification came"):
                condvar.wait_while(guard, lambda items: not items, 0)

    def test_it_goes_on_waiting_as_long_as_the_predicate_is_true(
        self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar, spawn: Spawn
    ) -> None:
        """A notification alone does not end it."""

        def wait() -> int:
            with mutex as guard:
                condvar.wait_while(guard, lambda items: len(items) < 3)
                return len(guard.value)

        blocked = spawn(wait)
        for number in range(3):
            until(lambda: waiting(condvar) == 1)
            with mutex as guard:
                guard.value.append(number)
                condvar.notify_all()

        assert blocked.join(BOUND) == 3

    def test_what_the_predicate_raises_leaves_the_lock_held(
        self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar
    ) -> None:
        """It was called with the lock held, and so the error finds it."""
        with mutex as guard:
            with pytest.raises(ZeroDivisionError):
                condvar.wait_while(guard, lambda _: 1 // 0)
            assert guard.value == []


class TestLife:
    @pytest.mark.guarantee("condvar", "fork")
    @pytest.mark.fork
    def test_a_forked_child_forgets_who_waited(
        self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar, spawn: Spawn
    ) -> None:
        """Those threads are not there."""

        def wait() -> None:
            with mutex as guard:
                condvar.wait(guard)

        blocked = spawn(wait)
        until(lambda: waiting(condvar) == 1)

        def child() -> None:
            assert waiting(condvar) == 0
            condvar.notify_one()
            with mutex as guard, pytest.raises(fl.Timeout):
                condvar.wait(guard, 0)

        in_child(child)
        condvar.notify_one()
        blocked.join(BOUND)

    def test_a_signal_handler_may_notify(self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar, spawn: Spawn) -> None:
        """It runs in the middle of the main thread's own wait."""
        main = threading.get_ident()

        def notify() -> None:
            until(lambda: waiting(condvar) == 1)
            signal.pthread_kill(main, signal.SIGUSR1)

        before = signal.signal(signal.SIGUSR1, lambda *_: condvar.notify_one())
        try:
            helper = spawn(notify)
            with mutex as guard:
                condvar.wait(guard, BOUND)
            helper.join(BOUND)
        finally:
            signal.signal(signal.SIGUSR1, before)

    def test_it_shows_who_waits_and_is_not_pickled(self, condvar: fl.Condvar) -> None:
        """It cannot leave the process."""
        assert repr(condvar) == "<Condvar 0 waiting>"
        with pytest.raises(TypeError):
            pickle.dumps(condvar)
