"""`fearless.testing`: waiting until somebody is blocked, and steps in order.

Not here: threads left behind (`test_testing_threads.py`).
"""

import threading
from collections.abc import Callable
from typing import Any

import pytest

import fearless as fl
from fearless import compat
from fearless.testing import SequenceError, Sequencer, wait_until_blocked
from tests.plugins.threads import Spawn
from tests.programs import testing as programs
from tests.support import process
from tests.support.threads import Holder
from tests.support.until import BOUND, until

# ---- wait_until_blocked -------------------------------------------------------------------------


Blocking = tuple[
    Any, Callable[[], object], Callable[[], object]
]  # an object, a call that blocks on it, what lets it go on


def all_of(*calls: Callable[[], object]) -> Callable[[], object]:
    """Call one after the other."""
    return lambda: [call() for call in calls]


def _receiver() -> Blocking:
    tx, rx = fl.channel(None)
    return rx, all_of(rx.recv, tx.close, rx.close), lambda: tx.send(1)


def _sender() -> Blocking:
    tx, rx = fl.channel(0)
    return tx, all_of(lambda: tx.send(1), tx.close), all_of(rx.recv, rx.close)


def _lock(lock: Any, enter: Callable[[], Any], leave: Callable[[Any], object]) -> Blocking:
    holder = Holder(enter, leave)
    return lock, lambda: leave(enter()), holder.let_go


def _mutex() -> Blocking:
    mutex = fl.Mutex(0)
    return _lock(mutex, mutex.lock, lambda guard: guard.release())


def _rwlock() -> Blocking:
    lock = fl.RwLock(0)
    return _lock(lock, lock.write, lambda guard: guard.release())


def _compat() -> Blocking:
    lock = compat.Lock()
    return _lock(lock, lock.acquire, lambda _: lock.release())


def _once() -> Blocking:
    once, entered, go = fl.Once(), threading.Event(), threading.Event()
    maker = fl.spawn(once.call, all_of(entered.set, lambda: go.wait(BOUND)))
    assert entered.wait(BOUND)
    return once, lambda: once.call(int), all_of(go.set, lambda: maker.join(BOUND))


def _barrier() -> Blocking:
    barrier = fl.Barrier(2)
    return barrier, barrier.wait, barrier.wait


def _semaphore() -> Blocking:
    semaphore = fl.Semaphore(1)
    semaphore.acquire()
    return semaphore, semaphore.acquire, semaphore.release


def _event() -> Blocking:
    event = fl.Event()
    return event, event.wait, event.set


@pytest.mark.parametrize("make", [_receiver, _sender, _mutex, _rwlock, _compat, _once, _barrier, _semaphore, _event])
def test_it_returns_when_the_thread_is_blocked(spawn: Spawn, make: Callable[[], Blocking]) -> None:
    """By the object and by the thread; before that it times out, and afterwards the call is not blocked any more."""
    thing, call, let_go = make()
    with pytest.raises(fl.Timeout, match=r"was not blocked within 0 s; it is <.*, with nobody waiting"):
        wait_until_blocked(thing, 0)
    waiter = spawn(call)

    wait_until_blocked(thing, BOUND)
    wait_until_blocked(waiter.thread, BOUND)
    wait_until_blocked(waiter.ident, BOUND)
    let_go()
    waiter.join()

    with pytest.raises(fl.Timeout, match="has ended"):
        wait_until_blocked(waiter.thread, BOUND)


def test_it_sees_the_submitter_that_a_full_pool_blocks(spawn: Spawn) -> None:
    """And an idle worker does not stand for the task that it has ended."""
    go = fl.Event()
    with fl.ThreadPool(1, backlog=1) as pool:
        first = pool.submit(go.wait)
        wait_until_blocked(first, BOUND)
        second = pool.submit(go.wait)
        with pytest.raises(fl.Timeout, match="has not begun"):
            wait_until_blocked(second, 0)
        submitter = spawn(pool.submit, go.wait)
        wait_until_blocked(pool, BOUND)
        go.set()
        submitter.join().join(BOUND)
        with pytest.raises(fl.Timeout, match="has ended: <Task"):
            wait_until_blocked(first, BOUND)


def test_a_task_that_a_worker_has_submitted_is_not_taken_for_one_that_has_ended() -> None:
    """Nobody runs it yet, and it may come to be blocked."""
    with fl.ThreadPool(1) as pool:

        def look() -> str:
            queued = pool.submit(abs, -1)
            with pytest.raises(fl.Timeout) as late:
                wait_until_blocked(queued, 0.0)
            return str(late.value)

        assert pool.submit(look).result(BOUND).endswith("within 0.0 s; it has not begun")


def test_a_wait_that_was_won_does_not_count(spawn: Spawn) -> None:
    """A thread that goes on to its second wait is not mistaken for one in the first: only one side runs at a time."""
    tx, rx = fl.channel(None)
    seen = fl.AtomicInt(0)

    def receive() -> None:
        for _ in rx:
            seen.add(1)

    receiver = spawn(receive)
    for number in range(200):
        wait_until_blocked(receiver.thread, BOUND)
        assert seen.load() == number
        tx.send(number)
    tx.close()
    receiver.join()
    rx.close()


def test_it_names_what_the_thread_does_instead(spawn: Spawn) -> None:
    """A thread that waits elsewhere than in a call of ours is in a function of a file."""
    go, entered = threading.Event(), threading.Event()

    def elsewhere() -> None:
        entered.set()
        go.wait(BOUND)

    other = spawn(elsewhere)
    assert entered.wait(BOUND)
    with pytest.raises(fl.Timeout, match=r"was not blocked within 0\.001 s; it was in \w+ \(\w+\.py:\d+\)"):
        wait_until_blocked(other.thread, 0.001)
    go.set()
    with pytest.raises(fl.Timeout, match="it has not started"):
        wait_until_blocked(threading.Thread(target=elsewhere), 0)


def test_it_refuses_what_cannot_be_blocked() -> None:
    """The calling thread, things without waiters, and a timeout that is none."""
    with pytest.raises(ValueError, match="for itself"):
        wait_until_blocked(threading.current_thread())
    with pytest.raises(TypeError, match="target must be a thread, a task, an ident or an object"):
        wait_until_blocked("thread")
    with pytest.raises(ValueError, match="timeout must be"):
        wait_until_blocked(fl.Event(), -1)
    with pytest.raises(ValueError, match="ident must be > 0"):
        wait_until_blocked(-1)


def test_what_an_object_holds_is_not_taken_for_its_waiters() -> None:
    """Though the representation shows it."""
    cell: fl.OnceCell[str] = fl.OnceCell()
    cell.set("<Event clear, 3 waiting>")
    with pytest.raises(fl.Timeout, match="with nobody waiting"):
        wait_until_blocked(cell, 0)


@pytest.mark.fork
def test_a_forked_child_sees_its_own_threads_only() -> None:
    """Threads of the parent are gone; a thread of the child that blocks is seen."""
    assert process.succeed(programs.blocked_in_a_child) == "seen\n"


# ---- Sequencer ----------------------------------------------------------------------------------


def test_steps_run_in_the_order_of_their_numbers(spawn: Spawn) -> None:
    """Whatever order their threads come in."""
    seen: list[int] = []

    def step(number: int) -> None:
        with seq(number):
            seen.append(number)

    with Sequencer(BOUND) as seq:
        steps = []
        for number in reversed(range(5)):
            steps.append(spawn(step, number))
            if number:
                wait_until_blocked(steps[-1].thread, BOUND)
        for thread in steps:
            thread.join()

    assert seen == [0, 1, 2, 3, 4]


def test_a_step_that_fails_ends_the_sequence(spawn: Spawn) -> None:
    """Those that wait for it raise, and name what happened."""

    def step(number: int) -> None:
        with seq(number):
            raise KeyError("lost")

    seq = Sequencer(BOUND)
    waiter = spawn(step, 1)
    wait_until_blocked(waiter.thread, BOUND)

    with pytest.raises(KeyError):
        step(0)

    with pytest.raises(SequenceError, match=r"step 1 cannot run: step 0 failed: KeyError\('lost'\)"):
        waiter.join()
    with pytest.raises(SequenceError, match="step 2 cannot run"):
        step(2)


def test_a_number_that_is_taken_twice_or_left_out_is_an_error() -> None:
    """Each has a name. A step that waits for a number that never comes does not wait for ever."""
    taken, gap = Sequencer(BOUND), Sequencer(BOUND)
    with taken(0):
        pass
    with pytest.raises(SequenceError, match="step 0 was taken twice"):
        taken(0)
    twice = taken(1)
    with twice:
        pass
    with pytest.raises(SequenceError, match="step 1 was entered twice"), twice:
        pass
    gap(1)
    gap(3)
    with pytest.raises(SequenceError, match="step 0 was never taken, so steps 1, 3 did not run"):
        gap.__exit__(None)
    with pytest.raises(fl.Timeout, match=r"step 2 did not begin within 0\.001 s: step 0 was never taken"):
        Sequencer(0.001)(2).__enter__()
    with pytest.raises(ValueError, match="number must be >= 0, got -1"):
        Sequencer()(-1)


def test_a_step_cannot_be_entered_while_it_runs(spawn: Spawn) -> None:
    """Neither by its own thread, nor by another that has waited for the same turn."""
    nested, shared = Sequencer(BOUND), Sequencer(BOUND)
    step = nested(0)
    with pytest.raises(SequenceError, match="step 0 was entered twice"), step, step:
        pass

    leave = threading.Event()
    behind = shared(1)

    def enter() -> bool:
        with behind:
            return leave.wait(BOUND)

    with shared(0):
        waiters = [spawn(enter) for _ in range(2)]
        for waiter in waiters:
            wait_until_blocked(waiter.thread, BOUND)
    until(lambda: any(not waiter.thread.is_alive() for waiter in waiters), "one of them refused")
    leave.set()

    outcomes = []
    for waiter in waiters:
        try:
            outcomes.append(str(waiter.join()))
        except SequenceError as error:
            outcomes.append(str(error))
    assert sorted(outcomes) == ["True", "step 1 was entered twice"]


def test_a_cancelled_step_lets_the_others_go(spawn: Spawn) -> None:
    """A scope that is cancelled takes its step out; who waits behind it raises."""
    seq = Sequencer(BOUND)

    def step(number: int) -> None:
        with seq(number):
            pass

    with fl.scope() as scope:
        first = scope.spawn(step, 1)
        behind = spawn(step, 2)
        wait_until_blocked(first, BOUND)
        wait_until_blocked(behind.thread, BOUND)
        scope.cancel()

    with pytest.raises(SequenceError, match="step 2 cannot run: step 1 failed"):
        behind.join()
