"""Programs in a storm of signals: one about every millisecond, for a number of seconds.

Not here: pytest, which these programs do not need; POSIX is taken for granted.
"""

import contextlib
import gc
import logging
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import fearless as fl
from fearless import _native, compat
from tests.support.threads import start

PERIOD = 0.001  # seconds


class Struck(Exception):
    """What the handler raises."""


@contextlib.contextmanager
def storm(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Send SIGALRM to this process again and again. The handler has to be calm when the block is left."""
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, PERIOD, PERIOD)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        # Not SIG_IGN: the last signal may still be on its way, and CPython would complain that nobody handles it.
        signal.signal(signal.SIGALRM, lambda *_: None)


class Raising:
    """A handler that raises, while it is armed, and counts."""

    def __init__(self) -> None:
        self.armed = False
        self.raised = 0

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        """Raise `Struck`, once for each time it is armed: never in the handling of the one before."""
        if self.armed:
            self.armed = False
            self.raised += 1
            raise Struck

    def strike(self, body: Callable[[], object], seconds: float) -> None:
        """Run the body again and again with the handler armed, until it was struck often enough."""
        until = time.monotonic() + seconds
        while time.monotonic() < until or self.raised < 20:
            with contextlib.suppress(Struck):
                self.armed = True
                body()
                self.armed = False


def mutex_with(seconds: float) -> None:
    """`with mutex as guard` struck anywhere: afterwards the mutex is free and works."""
    warnings.simplefilter("ignore", ResourceWarning)  # a guard whose `with` never began is dropped
    mutex = fl.Mutex(0)
    handler = Raising()

    def body() -> None:
        with mutex as guard:
            guard.value += 1
        with mutex:
            pass

    with storm(handler):
        handler.strike(body, seconds)
    gc.collect()
    assert not mutex.locked(), mutex
    assert mutex.stats()["waiting"] == 0
    assert start(mutex.lock, 0).join().release() is None  # type: ignore[func-returns-value]


def reprs(seconds: float) -> None:
    """What a handler raises while a text is made is raised, and not printed: standard error has to stay silent."""
    number, cell, (tx, rx) = fl.AtomicFloat(1.5), fl.OnceCell[int](), fl.channel(1)
    cell.set(1)
    sending, handler = tx.sending(1), Raising()

    def body() -> None:
        for _ in range(100):
            assert repr(number) == "<AtomicFloat 1.5>"
            assert repr(cell) == "<OnceCell set to 1>"
            assert repr(sending).startswith("<Sending 1 to ")

    with storm(handler):
        handler.strike(body, seconds)
    tx.close()
    rx.close()


def compat_block(seconds: float, kind: str) -> None:
    """A block of a lock, or of a condition that is waited for, struck anywhere: the lock is free afterwards.

    Of `threading` there is only the lock of the condition: nobody else's section is ended in its place.
    """
    lock: Any = {"Lock": compat.Lock, "threading": threading.Lock}.get(kind, compat.RLock)()
    condition = compat.Condition(lock)
    waits = kind in ("wait", "threading")
    block = condition if waits else lock
    handler = Raising()
    over = fl.AtomicInt(0)

    def compete() -> None:
        while not over.load():
            with condition:
                condition.notify()

    def body() -> None:
        with block:
            if waits:
                condition.wait(1e-4)

    rival = start(compete)
    with storm(handler):
        handler.strike(body, seconds)
    over.add(1)
    rival.join()
    assert not lock.locked(), lock
    assert condition._waiting() == 0
    assert kind == "threading" or lock.stats()["waiting"] == 0


def mutex_contended(seconds: float) -> None:
    """The same with another thread that takes the lock: nobody is left waiting, no count is lost."""
    warnings.simplefilter("ignore", ResourceWarning)
    mutex = fl.Mutex(0)
    handler = Raising()
    over = fl.AtomicInt(0)

    def compete() -> int:
        count = 0
        while not over.load():
            with mutex as guard:
                guard.value += 1
                count += 1
        return count

    done = [0]

    def body() -> None:
        with mutex as guard:
            before = guard.value
            guard.value = before + 1
        done[0] += 1

    competitor = start(compete)
    with storm(handler):
        handler.strike(body, seconds)
    over.store(1)
    counted = competitor.join()
    gc.collect()
    assert not mutex.locked(), mutex
    # A strike may come between the write and the count, so once for each at most.
    assert done[0] + counted <= mutex.copy() <= done[0] + counted + handler.raised


def rwlock_guards(seconds: float) -> None:
    """Every way to hold a rwlock struck anywhere, while another thread takes it too: afterwards it is free."""
    warnings.simplefilter("ignore", ResourceWarning)  # a guard whose `with` never began is dropped
    rw = fl.RwLock(0)
    handler = Raising()
    over = fl.AtomicInt(0)

    def compete() -> None:
        while not over.load():
            with rw.write() as guard:
                guard.value += 1
            with rw.read() as reader:
                assert reader.value == reader.value

    def body() -> None:
        with rw.read() as reader, reader.clone() as second:
            assert second.value == reader.value
        with rw.upgradable() as guard, guard.upgrade() as writer:
            writer.value += 1
        with rw.write() as writer, writer.downgrade() as reader:
            assert reader.value == reader.value
        rw.update(abs)

    competitor = start(compete)
    with storm(handler):
        handler.strike(body, seconds)
    over.store(1)
    competitor.join()
    gc.collect()
    assert not rw.locked(), rw
    assert rw.stats()["waiting"] == 0
    assert start(rw.write, 0).join().release() is None  # type: ignore[func-returns-value]


def sends(seconds: float, capacity: str) -> None:
    """Sends struck anywhere: another thread receives each item once, in order, or the send had not happened."""
    tx, rx = fl.channel(int(capacity))
    handler = Raising()
    consumer = start(lambda: list(rx))
    sent: list[int] = []
    number = [0]

    def body() -> None:
        number[0] += 1
        tx.send(number[0])
        sent.append(number[0])

    with storm(handler):
        handler.strike(body, seconds)
    tx.close()
    got = consumer.join()
    rx.close()
    # A send that was done can be struck before it is noted: got may hold more than sent, by one for each strike.
    assert got == sorted(set(got)), "an item came twice, or out of order"
    assert set(sent) <= set(got) <= set(range(1, number[0] + 1)), "a noted item is missing"
    assert len(got) - len(sent) <= handler.raised


def receives_elsewhere(seconds: float, capacity: str) -> None:
    """The storm strikes the main thread, which only waits; what other threads exchange is not disturbed."""
    tx, rx = fl.channel(int(capacity))
    handler = Raising()
    consumer = start(lambda: list(rx))
    over = fl.AtomicInt(0)

    def produce() -> int:
        count = 0
        while not over.load():
            tx.send(count)
            count += 1
        return count

    producer = start(produce)
    never_tx, never_rx = fl.channel(1)
    with storm(handler):
        handler.strike(never_rx.recv, seconds)
    over.store(1)
    count = producer.join()
    tx.close()
    assert consumer.join() == list(range(count))
    assert "0 blocked receivers" in repr(never_rx)
    for end in (rx, never_tx, never_rx):
        end.close()


def receives(seconds: float) -> None:
    """Receives struck anywhere: an item is lost only where any statement loses its value, once a strike."""
    tx, rx = fl.channel(4)
    handler = Raising()
    over = fl.AtomicInt(0)

    def produce() -> int:
        count = 0
        with tx:
            while not over.load():
                tx.send(count)
                count += 1
        return count

    producer = start(produce)
    got: list[int] = []

    def body() -> None:
        got.append(rx.recv())

    with storm(handler):
        handler.strike(body, seconds)
    over.store(1)
    got.extend(rx)
    count = producer.join()
    rx.close()
    assert got == sorted(set(got)), "an item came twice, or out of order"
    assert count - len(got) <= handler.raised


def calm(seconds: float) -> None:
    """A handler that does not raise disturbs nothing."""
    tx, rx = fl.channel(0)
    back_tx, back_rx = fl.channel(0)
    mutex = fl.Mutex(0)
    struck = [0]

    def handler(_number: int, _frame: FrameType | None) -> None:
        struck[0] += 1

    def echo() -> None:
        with back_tx:
            for item in rx:
                with mutex as guard:
                    guard.value += 1
                back_tx.send(item)

    echoing = start(echo)
    count = 0
    until = time.monotonic() + seconds
    with storm(handler):
        while time.monotonic() < until or struck[0] < 20:
            tx.send(count)
            with mutex as guard:
                guard.value += 1
            assert back_rx.recv() == count
            count += 1
            with contextlib.suppress(fl.Timeout):
                back_rx.recv(0.002)
            assert fl.spawn(abs, -count).join() == count
    tx.close()
    echoing.join()
    assert mutex.copy() == 2 * count
    rx.close()
    back_rx.close()


def scopes(seconds: float) -> None:
    """Blocks of scopes struck anywhere: afterwards the thread is in none, and each has waited for its tasks."""
    logging.getLogger("concurrent.futures").disabled = True  # a callback that was struck is told of there
    handler, running = Raising(), fl.AtomicInt(0)

    def work() -> None:
        running.add(1)
        running.sub(1)

    def body() -> None:
        with fl.scope(3600), fl.scope() as inner:
            for _ in range(3):
                inner.submit(pool, work)
            inner.cancel()

    with fl.ThreadPool(1) as pool:
        pool.submit(int).result()  # to start a thread is nothing that `threading` does whole or not at all
        end = time.monotonic() + seconds
        with storm(handler):
            while time.monotonic() < end or handler.raised < 20:
                with contextlib.suppress(Struck, ExceptionGroup):
                    handler.armed = True
                    body()
                    handler.armed = False
                assert _native.Scope.current_keys() == []
                assert running.load() == 0
