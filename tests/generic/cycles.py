"""Dead cycles through each handle alone and through each container.

Not here: the collections (`test_gc.py`).
"""

import fearless as fl
from fearless import compat
from tests.support.items import Marker


class Cycles:
    """Each function ties a marker into a cycle that nothing else refers to."""

    @staticmethod
    def sender(marker: Marker) -> None:
        tx, rx = fl.channel(None)
        tx.send([tx, marker])
        rx.close()
        marker.holds.append(tx)

    @staticmethod
    def receiver(marker: Marker) -> None:
        tx, rx = fl.channel(4)
        tx.send([rx, marker])
        tx.close()

    @staticmethod
    def iterator(marker: Marker) -> None:
        tx, rx = fl.channel(4)
        tx.send((iter(rx), marker))
        tx.close()

    @staticmethod
    def clone_and_move(marker: Marker) -> None:
        tx, rx = fl.channel(4)
        tx.send([tx.clone(), rx.clone(), marker])
        tx, rx = tx.move(), rx.move()
        tx.send([tx, rx])

    @staticmethod
    def mutex(marker: Marker) -> None:
        mutex = fl.Mutex(marker)
        marker.holds.append(mutex)

    @staticmethod
    def guard(marker: Marker) -> None:
        mutex: fl.Mutex[Marker] = fl.Mutex(marker)
        marker.holds.append(mutex.lock())

    @staticmethod
    def released_guard(marker: Marker) -> None:
        mutex: fl.Mutex[Marker] = fl.Mutex(marker)
        with mutex as guard:
            marker.holds.append(guard)

    @staticmethod
    def condition(marker: Marker) -> None:
        condition = compat.Condition()
        marker.holds.append(condition)
        condition.marker = marker  # type: ignore[attr-defined]  # any attribute will do

    @staticmethod
    def barrier(marker: Marker) -> None:
        marker.holds.append(compat.Barrier(1, lambda: marker))

    @staticmethod
    def atomic_ref(marker: Marker) -> None:
        marker.holds.append(fl.AtomicRef(marker))

    @staticmethod
    def atomic_refs_in_a_ring(marker: Marker) -> None:
        one: fl.AtomicRef[object] = fl.AtomicRef(marker)
        other: fl.AtomicRef[object] = fl.AtomicRef(one)
        marker.holds.append(other)
        one.store((marker, other))

    @staticmethod
    def rwlock(marker: Marker) -> None:
        rw = fl.RwLock(marker)
        marker.holds.append(rw)

    @staticmethod
    def rwlock_guards(marker: Marker) -> None:
        rw: fl.RwLock[Marker] = fl.RwLock(marker)
        reader = rw.read()
        marker.holds.extend([reader, reader.clone()])

    @staticmethod
    def upgraded_guard(marker: Marker) -> None:
        rw: fl.RwLock[Marker] = fl.RwLock(marker)
        guard = rw.upgradable()
        marker.holds.extend([guard, guard.upgrade()])

    @staticmethod
    def awaited_guard(marker: Marker) -> None:
        rw: fl.RwLock[Marker] = fl.RwLock(marker)
        marker.holds.append(rw.read_async())

    @staticmethod
    def task_result(marker: Marker) -> None:
        task: fl.Task[Marker] = fl.Task()
        marker.holds.append(task)
        task.set_result(marker)

    @staticmethod
    def task_callback(marker: Marker) -> None:
        task: fl.Task[Marker] = fl.Task()
        marker.holds.append(task)
        task.add_done_callback(marker.holds.append)

    @staticmethod
    def task_exception(marker: Marker) -> None:
        task: fl.Task[Marker] = fl.Task()
        task.set_exception(ValueError(marker))
        marker.holds.append(task)

    @staticmethod
    def spawned_task(marker: Marker) -> None:
        task = fl.spawn(marker.holds.append, marker)
        marker.holds.append(task)
        task.join()

    @staticmethod
    def pool(marker: Marker) -> None:
        pool = fl.ThreadPool(1)
        marker.holds.append(pool)
        pool.submit(lambda: marker).result()

    @staticmethod
    def scope(marker: Marker) -> None:
        with fl.scope() as scope:
            marker.holds.append(scope.spawn(lambda: marker))
        marker.holds.append(scope)
