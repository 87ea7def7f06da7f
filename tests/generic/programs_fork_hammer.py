"""A program that forks again and again while threads use every type."""

import threading

import fearless as fl
from fearless import compat
from tests.support.forks import in_child
from tests.support.threads import start
from tests.support.until import queued


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
