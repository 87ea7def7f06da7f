"""Programs in which a collector runs all the time; a process of their own keeps its heap small, so it runs often.

Not here: pytest, which these programs do not need.
"""

import gc
import weakref
from collections.abc import Callable, Iterator
from threading import Event

import fearless as fl
from tests.support.items import Item
from tests.support.threads import start

ITEMS = 20_000
COLLECTIONS = 300


def collect_meanwhile(body: Callable[[], int]) -> None:
    """Run the body again and again, while another thread collects; it returns how many items it has checked."""
    gc.set_threshold(50)
    over, plenty = Event(), Event()

    def collect() -> None:
        rounds = 0
        # A breath between two collections, else the others get no further: each stops the world or has the GIL.
        while not over.wait(1e-4):
            gc.collect(rounds % 3)
            rounds += 1
            if rounds == COLLECTIONS:
                plenty.set()

    collector = start(collect)
    try:
        while not plenty.is_set():
            assert body() >= ITEMS
    finally:
        over.set()
    collector.join()


def _made(count: int, alive: "weakref.WeakSet[Item]") -> Iterator[Item]:
    for number in range(count):
        item = Item(number)
        alive.add(item)
        yield item


def channel(capacity: str) -> None:
    """Items pass through a channel to another thread."""
    alive: weakref.WeakSet[Item] = weakref.WeakSet()

    def produce(tx: fl.Sender[Item]) -> None:
        with tx:
            for item in _made(ITEMS, alive):
                tx.send(item)

    def consume(rx: fl.Receiver[Item]) -> int:
        with rx:
            for count, item in enumerate(rx):
                item.check()
                assert item.number == count
                assert item in alive
        return count + 1

    def body() -> int:
        tx, rx = fl.channel(None if capacity == "None" else int(capacity))
        producer, consumer = start(produce, tx), start(consume, rx)
        producer.join(100.0)
        return consumer.join(100.0)

    collect_meanwhile(body)


def mutex() -> None:
    """Two threads exchange the value of a mutex, by every method that does."""
    mutex: fl.Mutex[Item] = fl.Mutex(Item())
    alive: weakref.WeakSet[Item] = weakref.WeakSet()

    def exchange() -> int:
        for item in _made(ITEMS, alive):
            mutex.replace(item).check()
            with mutex as guard:
                guard.value.check()
                guard.value = Item()
            mutex.update(lambda old, new=item: old.check() or new).check()  # type: ignore[misc]
        return ITEMS

    collect_meanwhile(lambda: sum(thread.join(100.0) for thread in [start(exchange), start(exchange)]))


def atomic_ref() -> None:
    """Two threads replace the value of a reference, by every method that does, and a third reads it."""
    ref: fl.AtomicRef[Item] = fl.AtomicRef(Item())
    alive: weakref.WeakSet[Item] = weakref.WeakSet()

    def exchange() -> int:
        for item in _made(ITEMS // 4, alive):
            ref.swap(item).check()
            ref.store(Item())
            ref.update(lambda old, new=item: old.check() or new).check()  # type: ignore[misc]
            before = ref.load()
            ref.compare_exchange(before, Item())
            before.check()
        return ITEMS // 2

    def read() -> int:
        for _ in range(ITEMS):
            ref.load().check()
        return ITEMS

    collect_meanwhile(lambda: sum(thread.join(100.0) for thread in [start(exchange), start(exchange), start(read)]))


def rwlock() -> None:
    """Two threads exchange the value of a rwlock, and read it, by every method that does."""
    rw: fl.RwLock[Item] = fl.RwLock(Item())
    alive: weakref.WeakSet[Item] = weakref.WeakSet()

    def exchange() -> int:
        for item in _made(ITEMS // 2, alive):
            rw.replace(item).check()
            with rw.write() as guard:
                guard.value.check()
                guard.value = Item()
                with guard.downgrade() as reader:
                    reader.value.check()
            rw.read_with(Item.check)
            with rw.upgradable() as upgradable:
                upgradable.value.check()
                with upgradable.upgrade() as writer:
                    writer.value = Item()
            rw.update(lambda old, new=item: old.check() or new).check()  # type: ignore[misc]
        return ITEMS // 2

    collect_meanwhile(lambda: sum(thread.join(100.0) for thread in [start(exchange), start(exchange)]))


def pool() -> None:
    """Items go into tasks as arguments and come back as results."""
    alive: weakref.WeakSet[Item] = weakref.WeakSet()

    def back(item: Item) -> Item:
        item.check()
        return item

    def body() -> int:
        with fl.ThreadPool(2, backlog=64) as pool:
            for count, item in enumerate(pool.map(back, _made(ITEMS, alive))):
                item.check()
                assert item.number == count
        return count + 1

    collect_meanwhile(body)
