"""Programs that fork, by type: what the child may rely on, and what it is told.

Not here: pytest, which these programs do not need; POSIX is taken for granted.
"""

import fearless as fl
from tests.support.blocking import Gate
from tests.support.forks import in_child, raises
from tests.support.recipes import SITUATIONS
from tests.support.threads import start
from tests.support.until import blocked_receivers, blocked_senders, queued, until


def channel_items_are_copied() -> None:
    """Both processes have what was queued, and neither sees what the other does later."""
    tx, rx = fl.channel(8)
    tx.send("before")

    def child() -> None:
        assert rx.recv(0) == "before"
        tx.send("in the child")
        assert rx.recv(0) == "in the child"
        tx.close()
        raises(fl.Closed, rx.recv)
        rx.close()

    in_child(child)
    assert (rx.recv(0), queued(rx)) == ("before", 0)
    tx.send("after")
    assert rx.recv(0) == "after"


def channel_forgets_vanished_receivers() -> None:
    """No item of the child is kept for a thread that is not there."""
    tx, rx = fl.channel(2)
    blocked = [start(rx.recv) for _ in range(3)]
    until(lambda: blocked_receivers(rx) == 3)

    def child() -> None:
        assert blocked_receivers(rx) == 0
        for number in range(10):
            tx.send(number, 0)
            assert rx.recv(0) == number

    in_child(child)
    for number in range(3):
        tx.send(number)
    assert sorted(thread.join() for thread in blocked) == [0, 1, 2]


def channel_forgets_vanished_senders() -> None:
    """The channel has its whole capacity in the child once what was queued is out."""
    tx, rx = fl.channel(2)
    tx.send("a")
    tx.send("b")
    blocked = [start(tx.send, "late") for _ in range(2)]
    until(lambda: blocked_senders(rx) == 2)

    def child() -> None:
        assert blocked_senders(rx) == 0
        assert [rx.recv(0), rx.recv(0)] == ["a", "b"]
        while queued(rx):
            assert rx.recv(0) == "late"
        tx.send("c", 0)
        tx.send("d", 0)
        raises(fl.Full, lambda: tx.try_send("e"))
        assert [rx.recv(0), rx.recv(0)] == ["c", "d"]

    in_child(child)
    assert [rx.recv(5.0) for _ in range(4)] == ["a", "b", "late", "late"]
    for thread in blocked:
        thread.join()


def channel_works_between_threads_of_the_child() -> None:
    """Threads that the child starts wait and wake as in any process."""
    tx, rx = fl.channel(0)

    def child() -> None:
        consumer = start(lambda: list(rx))
        for number in range(100):
            tx.send(number)
        tx.close()
        assert consumer.join() == list(range(100))

    in_child(child)


def atomics() -> None:
    """Each process has values of its own."""
    number, flag, real, ref = fl.AtomicInt(1), fl.AtomicBool(), fl.AtomicFloat(0.5), fl.AtomicRef("parent")

    def child() -> None:
        number.add(1)
        flag.toggle()
        real.add(1)
        assert (number.load(), flag.load(), real.load(), ref.swap("child")) == (2, True, 1.5, "parent")

    in_child(child)
    assert (number.load(), flag.load(), real.load(), ref.load()) == (1, False, 0.5, "parent")


def atomic_forgets_vanished_waiters() -> None:
    """A thread that waited is gone in the child, where others wait and are told as ever."""
    number = fl.AtomicInt()
    blocked = start(number.wait_until, lambda value: value == 1)
    until(lambda: number.stats()["waiting"] == 1)

    def child() -> None:
        assert number.stats()["waiting"] == 0
        fresh = start(number.wait_until, lambda value: value == 2)
        until(lambda: number.stats()["waiting"] == 1)
        number.add(2)
        assert fresh.join() == 2

    in_child(child)
    assert number.stats()["waiting"] == 1
    number.add(1)
    assert blocked.join() == 1


def sharded_counter() -> None:
    """What was counted is there in the child, also by threads that are not; new threads count on."""
    counter = fl.ShardedCounter()
    gate = Gate()

    def count() -> None:
        counter.add(1)
        gate()

    counting = start(count)
    until(gate.entered.is_set)
    counter.add(10)

    def child() -> None:
        counter.add(100)
        for _ in range(3):
            start(counter.add, 1000).join()
        assert counter.sum() == 3111

    in_child(child)
    assert counter.sum() == 11
    gate.open.set()
    counting.join()


def task_done() -> None:
    """A result that was there is there in the child."""
    task = fl.spawn(pow, 2, 5)
    task.join()

    def child() -> None:
        assert task.join() == 32

    in_child(child)


def task_running_in_a_vanished_thread() -> None:
    """Nobody will end it, so waiting for it raises instead of lasting for ever."""
    gate = Gate()
    task = fl.spawn(gate)
    until(gate.entered.is_set)

    def child() -> None:
        raises(fl.DeadlockError, task.join)
        raises(fl.DeadlockError, lambda: task.result(1.0))
        assert fl.spawn(pow, 2, 5).join() == 32

    in_child(child)
    gate.open.set()
    assert task.join() == "through"


def scope_with_vanished_tasks() -> None:
    """Leaving the block in the child does not wait for tasks that are not there."""
    gate = Gate()

    def body() -> None:
        with fl.scope() as scope:
            scope.spawn(gate)
            until(gate.entered.is_set)

            def child() -> None:
                scope.cancel()
                scope.__exit__(None, None, None)
                with fl.scope() as inner:
                    assert inner.spawn(pow, 2, 5).join() == 32

            in_child(child)
            gate.open.set()

    body()


def scope_cancelled_in_the_child() -> None:
    """The child's scope is its own."""
    with fl.scope() as scope:

        def child() -> None:
            scope.cancel()
            raises(fl.Cancelled, fl.checkpoint)

        in_child(child)
        fl.checkpoint()


def thread_pool_restarts_empty() -> None:
    """The child's pool takes and runs new tasks, and none of the parent's."""
    gate = Gate()
    ran: list[str] = []
    pool = fl.ThreadPool(1)
    busy = pool.submit(gate)
    until(gate.entered.is_set)
    pool.submit(ran.append, "parent")

    def child() -> None:
        task = pool.submit(ran.append, "child")
        task.result(10.0)
        assert ran == ["child"]
        assert list(pool.map(abs, [-1, -2])) == [1, 2]
        pool.shutdown()

    in_child(child)
    gate.open.set()
    assert busy.result(10.0) == "through"
    pool.shutdown()
    assert ran == ["parent"]


def par() -> None:
    """Works in the child as in the parent, also after it has worked there."""

    def square() -> None:
        assert fl.par(range(1000), workers=2).map(lambda number: number * number).collect()[-1] == 999**2

    square()
    in_child(square)
    square()


def blocked_elsewhere(name: str) -> None:
    """While a thread is blocked, the main thread forks; the child makes and uses objects of its own."""
    situation = SITUATIONS[name]()
    blocked = start(situation.call)
    situation.await_blocked(blocked.ident)

    def child() -> None:
        if name != "Sleep":
            fresh = SITUATIONS[name]()
            fresh.check_nothing_happened()
            fresh.check_usable()
            fresh.close()

    in_child(child)
    if situation.can_be_released:
        situation.release()
        blocked.join()
        situation.close()
