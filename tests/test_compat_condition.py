"""`fearless.compat`: conditions, semaphores, events and barriers, and programs of others that use them.

Not here: the locks (`test_compat.py`), CPython's own cases (`conformance`), blocking calls in general (`generic`).
"""

import concurrent.futures
import math
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import fearless as fl
from fearless import compat
from tests.plugins.threads import Spawn
from tests.programs import compat as programs
from tests.support.process import succeed
from tests.support.threads import Holder
from tests.support.until import BOUND, until

BUILDS = pytest.mark.guarantee("compat", "both builds")
CTRL_C = pytest.mark.guarantee("compat", "Ctrl-C")
TIMEOUT = pytest.mark.guarantee("compat", "timeout")
WAIT = 0.02  # seconds that a call waits here; only a lower bound is ever asserted


def outcome(call: Callable[[], object]) -> object:
    """Return what a call returns, or the type of what it raises."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - the type is what is compared
        return type(error)


def wait_in(module: Any, timeout: float | None) -> object:
    """Wait for a condition."""
    condition = module.Condition()
    with condition:
        return condition.wait(timeout)


def wait_for_in(module: Any, timeout: float | None) -> object:
    """Wait for what is not so."""
    condition = module.Condition()
    with condition:
        return condition.wait_for(lambda: 0, timeout)


CALLS: dict[str, Callable[[Any, Any], object]] = {
    "Condition.wait": wait_in,
    "Condition.wait_for": wait_for_in,
    "Semaphore.acquire": lambda module, timeout: module.Semaphore(0).acquire(timeout=timeout),
    "Event.wait": lambda module, timeout: module.Event().wait(timeout),
    "Barrier.wait": lambda module, timeout: module.Barrier(2).wait(timeout),
}


@TIMEOUT
@pytest.mark.parametrize("timeout", [0, 0.001, -1, -0.5, 1e100, threading.TIMEOUT_MAX + 1, "1"])
@pytest.mark.parametrize("call", CALLS)
def test_a_timeout_ends_as_threading_ends_it(call: str, timeout: object) -> None:
    """What nobody could wait for is refused, and what is over at once is tried once."""
    assert outcome(lambda: CALLS[call](compat, timeout)) == outcome(lambda: CALLS[call](threading, timeout))


@TIMEOUT
@pytest.mark.parametrize("call", CALLS)
def test_nan_is_refused(call: str) -> None:
    """Where threading tries once, or goes on trying for ever."""
    with pytest.raises(ValueError, match="got nan"):
        CALLS[call](compat, math.nan)


@TIMEOUT
@pytest.mark.parametrize("call", CALLS)
def test_a_timeout_is_not_early(call: str) -> None:
    """The result is false, or a broken barrier."""
    begun = time.monotonic()
    ended = outcome(lambda: CALLS[call](compat, WAIT))

    assert time.monotonic() - begun >= WAIT
    assert ended is compat.BrokenBarrierError or not ended


class OwnLock:
    """A lock of somebody else's, with the least that a lock has."""

    def __init__(self) -> None:
        self.inside = threading.Lock()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002 - as in threading
        """Take it."""
        return self.inside.acquire(blocking, timeout)

    def release(self) -> None:
        """Free it."""
        self.inside.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_exception: object) -> None:
        self.release()


class TestCondition:
    @BUILDS
    @pytest.mark.parametrize(
        "make", [compat.Lock, compat.RLock, threading.Lock, threading.RLock, OwnLock, lambda: None]
    )
    def test_it_works_over_any_lock(self, make: Callable[[], Any], spawn: Spawn) -> None:
        """Each of two waits for the other's turn; the lock is held in between."""
        condition, turn, rounds = compat.Condition(make()), [0], 200

        def play(me: int) -> None:
            for _ in range(rounds):
                with condition:
                    assert condition.wait_for(lambda: turn[0] % 2 == me, BOUND)
                    turn[0] += 1
                    condition.notify()

        for thread in [spawn(play, me) for me in range(2)]:
            thread.join()

        assert turn == [2 * rounds]

    def test_ours_is_a_lock_for_theirs(self, spawn: Spawn) -> None:
        """`threading.Condition` over a `compat.RLock`, which it lets go of at once."""
        lock = compat.RLock()
        theirs, waits = threading.Condition(lock), threading.Event()  # type: ignore[arg-type]  # it takes any lock

        def work() -> int:
            with lock, theirs:
                waits.set()
                assert theirs.wait(BOUND)
                return lock._recursion_count()

        waiter = spawn(work)
        assert waits.wait(BOUND)
        with theirs:
            theirs.notify()
        assert waiter.join() == 2

    def test_notices_go_to_those_who_came_first(self, spawn: Spawn) -> None:
        """As many as are notified."""
        condition, woken, waiters = compat.Condition(), list[int](), []

        def work(me: int) -> None:
            with condition:
                assert condition.wait(BOUND)
                woken.append(me)

        for me in range(4):
            waiters.append(spawn(work, me))
            until(lambda me=me: condition._waiting() == me + 1)  # type: ignore[misc]
        with condition:
            condition.notify(2)
            assert condition._waiting() == 2
        for waiter in waiters[:2]:
            waiter.join()
        assert sorted(woken) == [0, 1]
        with condition:
            condition.notify_all()
        for waiter in waiters[2:]:
            waiter.join()

    def test_the_lock_is_held_again_however_deep(self, spawn: Spawn) -> None:
        """And was free meanwhile."""
        lock = compat.RLock()
        condition = compat.Condition(lock)

        def notify() -> None:
            until(lambda: condition._waiting() == 1)
            with condition:
                condition.notify()

        other = spawn(notify)
        with condition, condition, condition:
            assert condition.wait(BOUND)
            assert lock._recursion_count() == 3
        other.join()

    def test_without_the_lock_it_is_refused(self) -> None:
        """Also when another thread has it, if the lock knows its holder."""
        condition = compat.Condition()
        holder = Holder(condition.acquire, lambda _: condition.release())
        for call in (condition.wait, condition.notify, condition.notify_all):
            with pytest.raises(RuntimeError, match="with a lock that is not acquired"):
                call()
        holder.let_go()

    def test_a_subclass_has_a_signature_of_its_own(self) -> None:
        """As with threading's."""

        class Named(compat.Condition):
            def __init__(self, name: str) -> None:
                super().__init__(compat.Lock())
                self.name = name

        named = Named("bell")
        with named:
            assert not named.wait(0)
        assert named.name == "bell"

    def test_repr_shows_the_lock_and_who_waits(self) -> None:
        """As threading's does."""
        condition = compat.Condition()
        assert repr(condition) == f"<Condition({condition._lock!r}, 0)>"

    def test_names_of_old_warn(self) -> None:
        """They do what the new ones do."""
        condition, event = compat.Condition(), compat.Event()
        event.set()
        with condition, pytest.deprecated_call():
            condition.notifyAll()
        with pytest.deprecated_call():
            assert event.isSet()

    @CTRL_C
    @pytest.mark.parametrize("kind", ["Lock", "RLock"])
    def test_a_struck_wait_takes_the_lock_back_before_it_raises(self, kind: str) -> None:
        """Else the block would end by freeing a lock that another holds."""
        succeed(programs.lock_is_taken_back_first, kind)

    @CTRL_C
    def test_a_notice_that_was_not_used_goes_to_the_next(self) -> None:
        """A signal handler raised in the thread that was notified."""
        succeed(programs.notice_is_passed_on)

    @pytest.mark.guarantee("compat", "cancel")
    def test_a_cancelled_wait_has_its_lock_again(self, spawn: Spawn) -> None:
        """Though another held it at the time of the cancellation."""
        lock = compat.RLock()
        condition, scopes, owned = compat.Condition(lock), list[fl.Scope](), list[bool]()

        def work() -> None:
            with fl.scope() as scope:
                scopes.append(scope)
                with condition:
                    try:
                        condition.wait()
                    finally:
                        owned.append(condition._is_owned())

        waiter = spawn(work)
        until(lambda: condition._waiting() == 1)
        with lock:
            scopes[0].cancel()
            until(lambda: lock.stats()["waiting"] == 1)
            assert owned == []
        waiter.join()

        assert owned == [True]
        assert not lock.locked()


class TestSemaphore:
    @BUILDS
    @pytest.mark.usefixtures("quick_switches")
    def test_no_more_than_there_are_permits(self, spawn: Spawn) -> None:
        """Six threads, two permits; all of them are back at the end."""
        semaphore, inside, begin = compat.BoundedSemaphore(2), list[int](), threading.Barrier(6)

        def work() -> None:
            begin.wait(BOUND)
            for _ in range(500):
                with semaphore:
                    inside.append(1)
                    assert len(inside) <= 2
                    inside.pop()

        for thread in [spawn(work) for _ in range(6)]:
            thread.join()
        assert [semaphore.acquire(blocking=False) for _ in range(3)] == [True, True, False]

    def test_permits_that_are_given_at_once_reach_as_many(self, spawn: Spawn) -> None:
        """`release(n)`."""
        semaphore = compat.Semaphore(0)
        waiters = [spawn(semaphore.acquire, timeout=BOUND) for _ in range(3)]
        until(lambda: semaphore._cond._waiting() == 3)

        semaphore.release(3)

        assert all(waiter.join() for waiter in waiters)

    def test_misuse_is_refused_with_rule_and_value(self) -> None:
        """And changes nothing."""
        with pytest.raises(ValueError, match="a value >= 0, got -1"):
            compat.Semaphore(-1)
        with pytest.raises(ValueError, match="n must be >= 1, got 0"):
            compat.Semaphore().release(0)
        with pytest.raises(ValueError, match="timeout for a non-blocking acquire"):
            compat.Semaphore().acquire(False, 1.0)
        bounded = compat.BoundedSemaphore(2)
        bounded.acquire()
        with pytest.raises(ValueError, match="1 of 2 permits are back, got 2 more"):
            bounded.release(2)
        bounded.release()
        assert repr(bounded) == f"<fearless.compat.BoundedSemaphore at {id(bounded):#x}: value=2/2>"


class TestBarrier:
    @BUILDS
    def test_rounds_do_not_mix(self, spawn: Spawn) -> None:
        """Nobody is a round ahead, and each round has all numbers."""
        barrier, rounds, at = compat.Barrier(3), 300, [0, 0, 0]
        numbers: list[set[int]] = [set() for _ in range(rounds)]

        def work(me: int) -> None:
            for number in range(rounds):
                at[me] = number
                numbers[number].add(barrier.wait(BOUND))
                assert min(at) >= number

        for thread in [spawn(work, me) for me in range(3)]:
            thread.join()
        assert numbers == [{0, 1, 2}] * rounds

    def test_an_action_that_fails_breaks_it(self, spawn: Spawn) -> None:
        """Who waits hears of that, and whoever comes until the reset."""

        def fail() -> None:
            raise ZeroDivisionError

        barrier = compat.Barrier(2, fail)
        first = spawn(barrier.wait)
        until(lambda: barrier.n_waiting == 1)
        with pytest.raises(ZeroDivisionError):
            barrier.wait()
        for call in (first.join, barrier.wait):
            with pytest.raises(compat.BrokenBarrierError):
                call()
        assert barrier.broken
        assert repr(barrier).endswith(": broken>")
        barrier.reset()
        assert (barrier.broken, barrier.n_waiting, barrier.parties) == (False, 0, 2)

    @CTRL_C
    def test_a_struck_thread_leaves_its_place_to_another(self) -> None:
        """The barrier is not broken by it."""
        succeed(programs.barrier_waits_for_one_more)

    def test_parties_must_be_one_at_least(self) -> None:
        """With the value."""
        with pytest.raises(ValueError, match="parties must be >= 1, got 0"):
            compat.Barrier(0)


class TestDropIn:
    def test_the_standard_queue_runs_on_it(self, spawn: Spawn, monkeypatch: pytest.MonkeyPatch) -> None:
        """Its module imports `threading`."""
        monkeypatch.setattr(queue, "threading", compat)
        items: queue.Queue[int] = queue.Queue(2)
        used: list[Any] = [items.mutex, items.not_full]
        assert [type(one) for one in used] == [compat.Lock, compat.Condition]

        def consume() -> list[int]:
            got = []
            for _ in range(500):
                got.append(items.get(timeout=BOUND))
                items.task_done()
            return got

        consumer = spawn(consume)
        for number in range(500):
            items.put(number, timeout=BOUND)
        items.join()
        assert consumer.join() == list(range(500))
        with pytest.raises(queue.Empty):
            items.get(timeout=0.001)

    def test_futures_run_on_it(self, spawn: Spawn, monkeypatch: pytest.MonkeyPatch) -> None:
        """Their condition, and the event that `wait` waits for."""
        monkeypatch.setattr(concurrent.futures._base, "threading", compat)
        futures: list[concurrent.futures.Future[int]] = [concurrent.futures.Future() for _ in range(3)]
        waiter = spawn(concurrent.futures.wait, futures, BOUND)
        for number, future in enumerate(futures):
            future.set_result(number)

        assert {future.result() for future in waiter.join().done} == {0, 1, 2}

    def test_typing_knows_the_types(self) -> None:
        """What mypy reads in the stubs of threading, it reads in ours."""
        lock: compat.Lock = compat.Lock()
        taken: bool = lock.acquire(timeout=1)
        event: compat.Event = compat.Event()
        place: int = compat.Barrier(1).wait()
        value: str = compat_value(compat.Condition())
        thread: threading.Thread = compat.current_thread()
        assert (taken, event.is_set(), place, value) == (True, False, 0, "so")
        assert thread is threading.current_thread()


def compat_value(condition: compat.Condition) -> str:
    """Return what the predicate does, with its type."""
    with condition:
        return condition.wait_for(lambda: "so")
