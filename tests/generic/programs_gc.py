"""Programs in which a collector runs all the time; a process of their own keeps its heap small, so it runs often.

Not here: pytest, which these programs do not need.
"""

import gc
import sys
import weakref
from collections.abc import Callable, Iterator
from threading import Event

import fearless as fl
from tests.support.items import Item
from tests.support.threads import start

ITEMS = 20_000


def collect_meanwhile(body: Callable[[], int]) -> None:
    """Run the body, which returns how many items it has checked, while another thread collects without a pause."""
    gc.set_threshold(50)
    # Under the GIL each hand-over of an item would else wait for the collector's 5 ms to be over.
    sys.setswitchinterval(1e-4)
    over = Event()

    def collect() -> int:
        rounds = 0
        while not over.is_set():
            gc.collect(rounds % 3)
            rounds += 1
        return rounds

    collector = start(collect)
    try:
        checked = body()
    finally:
        over.set()
    assert checked >= ITEMS
    assert collector.join() > 0


def _made(count: int, alive: "weakref.WeakSet[Item]") -> Iterator[Item]:
    for number in range(count):
        item = Item(number)
        alive.add(item)
        yield item


def channel(capacity: str) -> None:
    """Items pass through a channel to another thread."""
    tx, rx = fl.channel(None if capacity == "None" else int(capacity))
    alive: weakref.WeakSet[Item] = weakref.WeakSet()

    def produce() -> None:
        with tx:
            for item in _made(ITEMS, alive):
                tx.send(item)

    def consume() -> int:
        with rx:
            for count, item in enumerate(rx):
                item.check()
                assert item.number == count
                assert item in alive
        return count + 1

    def body() -> int:
        producer, consumer = start(produce), start(consume)
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
