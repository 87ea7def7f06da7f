"""`fearless.compat`: the names of `threading`, its arguments and results, and its two locks.

Not here: conditions and what is built on them (`test_compat_condition.py`), CPython's own cases (`conformance`),
blocking calls and forks in general (`generic`).
"""

import gc
import math
import pickle
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from fearless import compat
from tests.plugins.threads import Spawn
from tests.support.threads import Holder
from tests.support.until import BOUND, until

BUILDS = pytest.mark.guarantee("compat", "both builds")
TIMEOUT = pytest.mark.guarantee("compat", "timeout")
LOCKS = pytest.mark.parametrize("kind", ["Lock", "RLock"])
WAIT = 0.02  # seconds that a call waits here; only a lower bound is ever asserted


def waiting(lock: Any) -> int:
    """How many threads wait for a lock."""
    count: int = lock.stats()["waiting"]
    return count


def held(lock: Any) -> Holder:
    """Return when another thread holds the lock."""
    return Holder(lock.acquire, lambda _: lock.release())


def outcome(call: Callable[[], object]) -> object:
    """Return what a call returns, or the type of what it raises."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - the type is what is compared
        return type(error)


def test_every_name_of_threading_is_there() -> None:
    """So that `import fearless.compat as threading` will do; what is not ours is the very object."""
    ours = {"Barrier", "BoundedSemaphore", "Condition", "Event", "Lock", "RLock", "Semaphore"}

    assert sorted(compat.__all__) == sorted(threading.__all__)
    for name in set(threading.__all__) - ours:
        assert getattr(compat, name) is getattr(threading, name)
    for name in ours:
        assert getattr(compat, name) is not getattr(threading, name)


ARGUMENTS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "none": ((), {}),
    "try": ((False,), {}),
    "try, by keyword": ((), {"blocking": False}),
    "try, by number": ((0,), {}),
    "try, no timeout": ((False, -1), {}),
    "try and a timeout": ((False, 1), {}),
    "try and no time": ((False, 0), {}),
    "no time": ((True, 0), {}),
    "some time": ((True, 0.001), {}),
    "some time, by keyword": ((), {"timeout": 0.001}),
    "less than no time": ((True, -2), {}),
    "a little less": ((), {"timeout": -0.5}),
    "NaN": ((), {"timeout": math.nan}),
    "too long": ((), {"timeout": 1e100}),
    "infinitely long": ((), {"timeout": math.inf}),
    "longer than the most": ((), {"timeout": threading.TIMEOUT_MAX + 1}),
    "timeout None": ((), {"timeout": None}),
    "text": ((), {"timeout": "1"}),
    "too many": ((True, 1, 1), {}),
    "unknown": ((), {"patience": 1}),
}


@TIMEOUT
@LOCKS
@pytest.mark.parametrize("arguments", ARGUMENTS.values(), ids=ARGUMENTS)
def test_acquire_takes_and_gives_what_threading_does(
    kind: str, arguments: tuple[tuple[Any, ...], dict[str, Any]]
) -> None:
    """On a free lock, and on one that another thread holds, where that does not wait for ever."""
    args, kwargs = arguments
    theirs, ours = getattr(threading, kind)(), getattr(compat, kind)()

    assert outcome(lambda: ours.acquire(*args, **kwargs)) == outcome(lambda: theirs.acquire(*args, **kwargs))
    if not args and not kwargs:
        return
    theirs, ours = getattr(threading, kind)(), getattr(compat, kind)()
    holders = [held(theirs), held(ours)]
    assert outcome(lambda: ours.acquire(*args, **kwargs)) == outcome(lambda: theirs.acquire(*args, **kwargs))
    for holder in holders:
        holder.let_go()


@TIMEOUT
@LOCKS
def test_a_timeout_returns_false_and_leaves_nothing_behind(kind: str) -> None:
    """Not early; the lock is as it was."""
    lock = getattr(compat, kind)()
    holder = held(lock)
    begun = time.monotonic()

    assert lock.acquire(timeout=WAIT) is False

    assert time.monotonic() - begun >= WAIT
    assert lock.stats() == {"acquired": 1, "waiting": 0}
    holder.let_go()
    assert lock.acquire(timeout=WAIT) is True


@LOCKS
def test_a_waiter_is_woken_before_its_timeout(kind: str, spawn: Spawn) -> None:
    """And has the lock."""
    lock = getattr(compat, kind)()
    holder = held(lock)
    blocked = spawn(lock.acquire, timeout=threading.TIMEOUT_MAX)
    until(lambda: waiting(lock) == 1)

    holder.let_go()

    assert blocked.join() is True
    assert lock.acquire(blocking=False) is False


class TestMisuse:
    def test_a_free_lock_is_not_released(self) -> None:
        """As threading's."""
        with pytest.raises(RuntimeError, match=r"^cannot release a lock that is not acquired$"):
            compat.Lock().release()

    def test_only_the_holder_releases_an_rlock(self) -> None:
        """And it stays held."""
        lock = compat.RLock()
        holder = held(lock)
        with pytest.raises(RuntimeError, match="not acquired"):
            lock.release()
        with pytest.raises(RuntimeError, match="not acquired"):
            lock._release_save()

        assert lock.locked()
        holder.let_go()

    @LOCKS
    def test_a_block_that_was_released_inside_says_so(self, kind: str) -> None:
        """At its end."""
        lock = getattr(compat, kind)()
        with pytest.raises(RuntimeError, match="not acquired"), lock:
            lock.release()

    @pytest.mark.parametrize("kind", ["Lock", "RLock", "Condition", "Semaphore", "Event"])
    def test_nothing_is_pickled(self, kind: str) -> None:
        """The error says why."""
        with pytest.raises(TypeError, match=r"^cannot pickle a .*: it belongs to one process$"):
            pickle.dumps(getattr(compat, kind)())


class TestState:
    def test_repr_of_a_lock(self) -> None:
        """The words of threading."""
        lock = compat.Lock()
        assert repr(lock) == f"<unlocked fearless.compat.Lock object at {id(lock):#x}>"
        with lock:
            assert repr(lock) == f"<locked fearless.compat.Lock object at {id(lock):#x}>"

    def test_repr_of_an_rlock_tells_owner_and_count(self) -> None:
        """Nobody's is owner 0."""
        lock = compat.RLock()
        place, me = f"at {id(lock):#x}", threading.get_ident()
        assert repr(lock) == f"<unlocked fearless.compat.RLock object owner=0 count=0 {place}>"
        with lock, lock:
            assert repr(lock) == f"<locked fearless.compat.RLock object owner={me} count=2 {place}>"

    def test_a_lock_takes_a_weak_reference(self) -> None:
        """Also while it is held."""
        lock = compat.Lock()
        lock.acquire()
        gone = weakref.ref(lock)
        del lock
        until(lambda: gc.collect() >= 0 and gone() is None)

    def test_stats_count(self, spawn: Spawn) -> None:
        """Acquisitions, and who waits now; the second of an `RLock` is none."""
        lock = compat.RLock()
        with lock, lock:
            blocked = spawn(lock.acquire)
            until(lambda: waiting(lock) == 1)
            assert lock.stats() == {"acquired": 1, "waiting": 1}
        blocked.join()

        assert lock.stats() == {"acquired": 2, "waiting": 0}


def test_an_rlock_is_let_go_of_and_taken_back_as_deep() -> None:
    """What a condition needs."""
    lock = compat.RLock()
    with lock, lock, lock:
        saved = lock._release_save()
        assert not lock.locked()
        held(lock).let_go()
        lock._acquire_restore(saved)
        assert lock._recursion_count() == 3

    assert not lock.locked()


@BUILDS
@pytest.mark.usefixtures("quick_switches")
@pytest.mark.parametrize("call", ["Lock", "RLock", "timeout", "try", "Condition", "Semaphore"])
def test_one_thread_at_a_time(call: str, spawn: Spawn) -> None:
    """Four threads change what takes several steps to change; no step of another comes in between."""
    lock: Any = getattr(compat, call, compat.Lock)()
    value, times, inside, begin = [0, 0], 1500, list[int](), threading.Barrier(4)

    def take() -> None:
        if call == "timeout":
            while not lock.acquire(timeout=1e-5):
                pass
        elif call == "try":
            while not lock.acquire(blocking=False):
                pass
        else:
            assert lock.acquire()

    def work() -> None:
        begin.wait(BOUND)
        for _ in range(times):
            take()
            inside.append(1)
            assert len(inside) == 1
            value[0] += 1
            value[1] = value[0]
            inside.pop()
            lock.release()

    for thread in [spawn(work) for _ in range(4)]:
        thread.join()

    assert value == [4 * times, 4 * times]


@BUILDS
@LOCKS
def test_a_barging_thread_cannot_keep_a_waiter_out(kind: str, spawn: Spawn) -> None:
    """The lock is handed over after 64 acquisitions that passed the waiter by, at the latest."""
    lock = getattr(compat, kind)()

    def take() -> int:
        with lock:
            acquired: int = lock.stats()["acquired"]
            return acquired

    for _ in range(20):
        with lock:
            here = lock.stats()["acquired"]
            waiter = spawn(take)
            until(lambda: waiting(lock) == 1)
        while not waiter.ended.is_set():
            with lock:
                pass
        assert waiter.join() - here <= 65


@BUILDS
@pytest.mark.stress
@pytest.mark.usefixtures("quick_switches")
@LOCKS
def test_random_calls_of_many_threads(kind: str, stress_seconds: float, spawn: Spawn) -> None:
    """Deadlines strike at every moment; nobody is left waiting, and nobody has the lock with another."""
    lock = getattr(compat, kind)()
    end = time.monotonic() + stress_seconds / 2
    counts, inside = [0] * 4, list[int]()

    def work(me: int) -> None:
        patience = [-1, 0, 1e-6, 1e-5, 1e-4]
        while time.monotonic() < end or not counts[me]:
            if lock.acquire(timeout=patience[counts[me] % len(patience)]):
                inside.append(me)
                assert inside == [me]
                inside.pop()
                lock.release()
            counts[me] += 1

    for thread in [spawn(work, me) for me in range(4)]:
        thread.join(stress_seconds + BOUND)

    assert all(counts)
    assert (lock.locked(), waiting(lock)) == (False, 0)
