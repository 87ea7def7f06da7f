"""Programs that fork, by type: what the child may rely on, and what it is told.

Not here: pytest, which these programs do not need; POSIX is taken for granted.
"""

import threading
from collections.abc import Callable

import fearless as fl
from fearless import compat
from tests.support.blocking import Gate
from tests.support.forks import in_child
from tests.support.recipes import SITUATIONS
from tests.support.threads import Holder, start
from tests.support.until import blocked_receivers, blocked_senders, queued, until, waiting


def raises(kind: type[BaseException], call: Callable[[], object]) -> str:
    """Assert that a call raises, and return the text."""
    try:
        call()
    except kind as error:
        return str(error)
    raise AssertionError(f"{kind.__name__} was not raised")


# ---- channel -----------------------------------------------------------------------------------


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


# ---- mutex -------------------------------------------------------------------------------------


def mutex_free() -> None:
    """A free mutex is free in the child, with its value, and independent."""
    mutex = fl.Mutex([1])

    def child() -> None:
        with mutex as guard:
            guard.value.append(2)
        assert mutex.copy() == [1, 2]

    in_child(child)
    assert mutex.copy() == [1]


def mutex_held_by_the_forking_thread() -> None:
    """It stays held, by the same guard, in both processes."""
    mutex = fl.Mutex(1)
    guard = mutex.lock()

    def child() -> None:
        assert guard.value == 1
        guard.value = 2
        raises(fl.DeadlockError, mutex.lock)
        assert not mutex.is_poisoned
        other = start(lambda: raises(fl.Timeout, lambda: mutex.lock(0.01)))
        other.join()
        waiter = start(mutex.update, lambda value: value + 1)
        until(lambda: waiting(mutex) == 1)
        guard.release()
        assert waiter.join() == 3

    in_child(child)
    assert guard.value == 1
    guard.release()
    assert not mutex.locked()


def mutex_held_by_a_vanished_thread() -> None:
    """Its value is in doubt, so every way in raises PoisonError until clear_poison()."""
    mutex = fl.Mutex(1)
    holder = Holder(mutex.lock, lambda guard: guard.release())
    waiter = start(mutex.replace, 5)
    until(lambda: waiting(mutex) == 1)

    def child() -> None:
        ways: list[Callable[[], object]] = [
            mutex.lock,
            lambda: mutex.lock(0),
            lambda: mutex.lock(1.0),
            mutex.try_lock,
            mutex.__enter__,
            mutex.copy,
            lambda: mutex.replace(2),
            lambda: mutex.update(lambda value: value + 1),
            lambda: mutex.with_lock(repr),
        ]
        for way in ways:
            assert "fork" in raises(fl.PoisonError, way)
        assert (mutex.is_poisoned, waiting(mutex)) == (True, 0)
        mutex.clear_poison()
        assert (mutex.is_poisoned, waiting(mutex)) == (False, 0)
        assert mutex.update(lambda value: value + 1) == 2

    in_child(child)
    assert not mutex.is_poisoned
    holder.let_go()
    assert waiter.join() == 1


def mutex_held_by_a_vanished_thread_looked_into() -> None:
    """`lock(poisoned=True)` takes it over."""
    mutex = fl.Mutex(1)
    holder = Holder(mutex.lock, lambda guard: guard.release())

    def child() -> None:
        guard = mutex.lock(poisoned=True)
        assert guard.value == 1
        guard.release()
        mutex.clear_poison()
        with mutex as guard:
            guard.value = 2

    in_child(child)
    holder.let_go()


def mutex_healed_in_a_grandchild() -> None:
    """A second fork changes nothing about a thread that vanished in the first."""
    mutex = fl.Mutex(1)
    holder = Holder(mutex.lock, lambda guard: guard.release())

    def child() -> None:
        def grandchild() -> None:
            raises(fl.PoisonError, mutex.lock)
            mutex.clear_poison()
            mutex.lock().release()

        in_child(grandchild)
        raises(fl.PoisonError, mutex.lock)

    in_child(child)
    holder.let_go()


# ---- the others --------------------------------------------------------------------------------


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


class Everything:
    """One object of each type, and a use of them all that never blocks for good."""

    def __init__(self) -> None:
        self.tx, self.rx = fl.channel(2)
        self.mutex, self.rw = fl.Mutex(0), fl.RwLock(0)
        self.condition = compat.Condition()
        self.number = fl.AtomicInt(0)
        self.ref: fl.AtomicRef[int] = fl.AtomicRef(0)
        self.counter = fl.ShardedCounter()
        self.pool = fl.ThreadPool(2)
        self.over = threading.Event()

    def use(self, count: int) -> None:
        """One item at a time, with room for those of all threads."""
        self.tx.try_send(count)
        self.rx.recv(10.0)
        self.mutex.update(lambda value: value + 1)
        with self.mutex as guard:
            guard.value += 1
        self.rw.read_with(abs)
        with self.rw.upgradable() as upgradable, upgradable.upgrade() as writer:
            writer.value += 1
        self.number.add(1)
        self.number.wait_until(bool, 10.0)
        self.ref.update(lambda value: value + 1)
        self.counter.add(1)
        repr(self.tx)
        self.mutex.stats()
        with self.condition:
            self.condition.wait(1e-6)
            self.condition.notify()
        if count % 8 == 0:
            assert self.pool.submit(abs, -count).result(10.0) == count
            with fl.scope() as scope:
                scope.spawn(abs, count)

    def work(self) -> None:
        """Use them until it is over."""
        count = 0
        while not self.over.is_set():
            self.use(count)
            count += 1

    def use_in_child(self) -> None:
        """Put away what other threads were doing, and use them."""
        if self.mutex.is_poisoned:
            self.mutex.clear_poison()
        self.condition._at_fork_reinit()
        if self.rw.is_poisoned:
            self.rw.clear_poison()
        while queued(self.rx):
            self.rx.recv(0)
        for count in range(17):
            self.use(count)


def hammer(rounds: str) -> None:
    """Fork again and again while threads use everything: no inner lock may be left locked in a child."""
    everything = Everything()
    workers = [start(everything.work) for _ in range(2)]
    try:
        for _ in range(int(rounds)):
            in_child(everything.use_in_child)
    finally:
        everything.over.set()
    for worker in workers:
        worker.join()
    everything.pool.shutdown()
