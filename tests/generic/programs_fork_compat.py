"""Programs that fork with locks of `fearless.compat`: in the child they are as `threading`'s are.

Not here: pytest, which these programs do not need; POSIX is taken for granted.
"""

from fearless import compat
from tests.support.forks import in_child
from tests.support.threads import Holder, Spawned, start
from tests.support.until import until


def held(lock: compat.Lock | compat.RLock | compat.Condition) -> Holder:
    """Return when another thread holds the lock."""
    return Holder(lock.acquire, lambda _: lock.release())


def locks_stay_locked() -> None:
    """Whoever held it; a `Lock` can be released in the child, as it can be by any thread."""
    mine, theirs, again = compat.Lock(), compat.Lock(), compat.RLock()
    mine.acquire()
    holders = [held(theirs), held(again)]

    def child() -> None:
        for lock in (mine, theirs, again):
            assert lock.locked()
            assert not lock.acquire(timeout=0.01)
            assert lock.stats()["waiting"] == 0
        mine.release()
        theirs.release()
        with mine, theirs:
            assert start(mine.acquire, timeout=0.01).join() is False
        assert not again._is_owned()

    in_child(child)
    assert all(lock.locked() for lock in (mine, theirs, again))
    for holder in holders:
        holder.let_go()
    assert not theirs.locked()


def locks_can_be_reset() -> None:
    """What the standard library does to its own after a fork."""
    lock, again, condition = compat.Lock(), compat.RLock(), compat.Condition()
    holders = [held(lock), held(again), held(condition)]
    blocked = [start(one.acquire) for one in (lock, again)]
    until(lambda: lock.stats()["waiting"] == again.stats()["waiting"] == 1)

    def child() -> None:
        for one in (lock, again, condition):
            one._at_fork_reinit()
            assert one.acquire(timeout=0)
            assert start(one.acquire, timeout=0).join() is False
            one.release()

    in_child(child)
    for holder in holders:
        holder.let_go()
    assert all(thread.join() for thread in blocked)


def rlock_of_the_forking_thread() -> None:
    """Its thread lives on in the child, and holds it as often."""
    lock = compat.RLock()
    lock.acquire()
    lock.acquire()

    def child() -> None:
        assert lock._recursion_count() == 2
        lock.release()
        lock.release()
        assert start(lock.acquire, timeout=0).join() is True

    in_child(child)
    assert lock._recursion_count() == 2


def waiters_are_forgotten() -> None:
    """Of a condition, and of what is built on one; in the parent they go on waiting."""
    event, semaphore, barrier = compat.Event(), compat.Semaphore(0), compat.Barrier(2)
    blocked: list[Spawned[int]] = [start(event.wait), start(semaphore.acquire), start(barrier.wait)]
    conditions = [event._cond, semaphore._cond, barrier._cond]
    until(lambda: all(condition._waiting() == 1 for condition in conditions))

    def child() -> None:
        assert [condition._waiting() for condition in conditions] == [0, 0, 0]
        waiter = start(event.wait)
        event.set()
        semaphore.release()
        assert semaphore.acquire(timeout=0)
        assert waiter.join() is True
        barrier.reset()
        other = start(barrier.wait)
        assert {barrier.wait(), other.join()} == {0, 1}

    in_child(child)
    assert not event.is_set()
    event.set()
    semaphore.release()
    barrier.wait()
    for thread in blocked:
        thread.join()
