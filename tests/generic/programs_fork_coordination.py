"""Programs that fork beside semaphores, events, latches and barriers: what the child may rely on.

Not here: pytest, which these programs do not need; POSIX is taken for granted.
"""

import contextlib

import fearless as fl
from tests.support.forks import in_child, raises
from tests.support.threads import Holder, start
from tests.support.until import until


def semaphore_forgets_vanished_waiters() -> None:
    """Permits of the child go to who is there; a large request of a vanished thread holds nobody up."""
    semaphore = fl.Semaphore(2)
    semaphore.acquire()
    large = start(semaphore.acquire, 2)
    until(lambda: semaphore.stats()["waiting"] == 1)
    small = start(semaphore.acquire)
    until(lambda: semaphore.stats()["waiting"] == 2)

    def child() -> None:
        assert semaphore.stats() == {"free": 1, "waiting": 0}
        semaphore.acquire(timeout=0)
        semaphore.release(2)
        waiter = start(lambda: semaphore.permits(2).__enter__())
        waiter.join()
        raises(ValueError, lambda: semaphore.release(3))
        semaphore.release(2)

    in_child(child)
    assert semaphore.stats() == {"free": 1, "waiting": 2}
    semaphore.release()
    large.join()
    semaphore.release(2)
    small.join()


def semaphore_keeps_what_vanished_threads_hold() -> None:
    """Their permits stay taken, until somebody gives them back for them."""
    semaphore = fl.Semaphore(2)
    holder = Holder(semaphore.acquire, lambda _: semaphore.release())

    def child() -> None:
        assert semaphore.stats() == {"free": 1, "waiting": 0}
        raises(fl.Timeout, lambda: semaphore.acquire(2, 0))
        semaphore.release()
        semaphore.acquire(2, 0)

    in_child(child)
    holder.let_go()
    assert semaphore.stats() == {"free": 2, "waiting": 0}


def event_is_copied() -> None:
    """Set or clear as it was, and nobody waits."""
    event = fl.Event()
    blocked = start(event.wait)
    until(lambda: event.stats()["waiting"] == 1)

    def child() -> None:
        assert event.stats() == {"set": 0, "waiting": 0}
        waiter = start(event.wait)
        until(lambda: event.stats()["waiting"] == 1)
        event.set()
        waiter.join()

    in_child(child)
    assert not event.is_set()
    event.set()
    blocked.join()
    in_child(lambda: event.wait(0))


def latch_is_copied() -> None:
    """With its count, and nobody waits; each process counts for itself."""
    latch = fl.Latch(2)
    latch.arrive()
    blocked = start(latch.wait)
    until(lambda: latch.stats()["waiting"] == 1)

    def child() -> None:
        assert latch.stats() == {"count": 1, "waiting": 0}
        waiter = start(latch.wait)
        until(lambda: latch.stats()["waiting"] == 1)
        assert latch.arrive() == 0
        waiter.join()

    in_child(child)
    assert latch.arrive() == 0
    blocked.join()


def barrier_begins_anew() -> None:
    """Who had arrived is not there; the parties of the child meet among themselves."""
    barrier = fl.Barrier(3)
    blocked = [start(barrier.wait), start(barrier.wait)]
    until(lambda: barrier.n_waiting == 2)

    def child() -> None:
        assert (barrier.n_waiting, barrier.broken) == (0, False)
        parties = [start(barrier.wait), start(barrier.wait)]
        until(lambda: barrier.n_waiting == 2)
        assert barrier.wait() == 2
        assert sorted(party.join() for party in parties) == [0, 1]

    in_child(child)
    assert barrier.wait() == 2
    assert sorted(party.join() for party in blocked) == [0, 1]


def barrier_whose_action_forks() -> None:
    """The meeting is the parent's: in the child its parties are gone."""
    ended: list[str] = []

    def action() -> None:
        def child() -> None:
            assert barrier.n_waiting == 0
            with contextlib.suppress(fl.Timeout):
                barrier.wait(0)
            ended.append("child")

        in_child(child)

    barrier = fl.Barrier(2, action)
    party = start(barrier.wait)
    until(lambda: barrier.n_waiting == 1)
    assert barrier.wait() == 1
    assert party.join() == 0
    assert ended == []
