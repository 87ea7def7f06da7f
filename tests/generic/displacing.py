"""Everything that drops a value, with a value whose `__del__` comes back to what drops it.

Not here: the test that goes through it all (`test_gc.py`).
"""

import gc

import pytest

import fearless as fl
from tests.support.blocking import Gate
from tests.support.items import Noisy


class Displacing:
    """A channel, locks and a reference whose contents act on all of them when they are dropped."""

    def __init__(self) -> None:
        self.tx, self.rx = fl.channel(8)
        self.mutex: fl.Mutex[object] = fl.Mutex(None)
        self.rw: fl.RwLock[object] = fl.RwLock(None)
        self.task: fl.Task[object] = fl.Task()
        self.ref: fl.AtomicRef[object] = fl.AtomicRef(None)
        self.dropped = 0

    def noisy(self) -> Noisy:
        return Noisy(self.use_everything)

    def use_everything(self) -> None:
        """What an item may do in its `__del__`: use the objects that are dropping it, and collect."""
        try:
            self.tx.try_send("from __del__")
            self.rx.try_recv()
        except (fl.Closed, fl.Full, fl.Empty):
            pass
        if (guard := self.mutex.try_lock()) is not None:
            guard.release()
        self.ref.compare_exchange(self.ref.load(), self.ref.load())
        self.ref.store(self.ref.load())
        if (writer := self.rw.try_write()) is not None:
            writer.downgrade().release()
        for thing in (self.tx, self.rx, self.mutex, self.rw, self.task, self.ref):
            repr(thing)
        self.mutex.stats()
        self.task.done()
        gc.collect()
        self.dropped += 1

    def close(self) -> None:
        self.tx.close()
        self.rx.close()


class Displace:
    """Each function has a noisy value dropped, by an operation on what the value uses."""

    @staticmethod
    def replace(these: Displacing) -> None:
        these.mutex.replace(these.noisy())
        these.mutex.replace(None)

    @staticmethod
    def set_value(these: Displacing) -> None:
        with these.mutex as guard:
            guard.value = these.noisy()
            guard.value = None

    @staticmethod
    def in_place_operator(these: Displacing) -> None:
        with these.mutex as guard:
            guard.value = [these.noisy()]
            guard *= 0  # noqa: PLW2901 - in place, which the guard stores

    @staticmethod
    def update(these: Displacing) -> None:
        these.mutex.replace(these.noisy())
        these.mutex.update(lambda _old: None)

    @staticmethod
    def delete_item(these: Displacing) -> None:
        with these.mutex as guard:
            guard.value = {"key": these.noisy()}
            del guard["key"]  # type: ignore[misc, call-overload]  # a dict for the moment

    @staticmethod
    def drop_mutex(these: Displacing) -> None:
        fl.Mutex(these.noisy())

    @staticmethod
    def store_to_ref(these: Displacing) -> None:
        these.ref.store(these.noisy())
        these.ref.store(None)

    @staticmethod
    def swap_ref(these: Displacing) -> None:
        these.ref.store(these.noisy())
        these.ref.swap(None)

    @staticmethod
    def exchange_ref(these: Displacing) -> None:
        these.ref.store(these.noisy())
        assert these.ref.compare_exchange(these.ref.load(), None)

    @staticmethod
    def update_ref(these: Displacing) -> None:
        these.ref.store(these.noisy())
        these.ref.update(lambda _old: None)

    @staticmethod
    def drop_ref(these: Displacing) -> None:
        fl.AtomicRef(these.noisy())

    @staticmethod
    def replace_in_rwlock(these: Displacing) -> None:
        these.rw.replace(these.noisy())
        these.rw.replace(None)

    @staticmethod
    def set_value_of_rwlock(these: Displacing) -> None:
        with these.rw.write() as guard:
            guard.value = these.noisy()
            guard.value = None

    @staticmethod
    def update_rwlock(these: Displacing) -> None:
        these.rw.replace(these.noisy())
        these.rw.update(lambda _old: None)

    @staticmethod
    def drop_rwlock(these: Displacing) -> None:
        fl.RwLock(these.noisy())

    @staticmethod
    def receive_and_drop(these: Displacing) -> None:
        these.tx.send(these.noisy())
        these.rx.recv()

    @staticmethod
    def close_with_items_queued(these: Displacing) -> None:
        these.tx.send(these.noisy())
        these.tx.send(these.noisy())
        these.rx.close()

    @staticmethod
    def drop_with_items_queued(these: Displacing) -> None:
        these.tx.send(these.noisy())
        these.rx = fl.channel(0)[1]  # the old one is gone with this

    @staticmethod
    def drop_in_a_cycle(these: Displacing) -> None:
        tx, rx = fl.channel(None)
        tx.send([tx, rx, these.noisy()])
        del tx, rx
        gc.collect()

    @staticmethod
    def send_to_a_closed_channel(these: Displacing) -> None:
        these.rx.close()
        with pytest.raises(fl.Closed):
            these.tx.send(these.noisy())
        gc.collect()

    @staticmethod
    def send_that_times_out(these: Displacing) -> None:
        tx, rx = fl.channel(0)
        with tx, rx, pytest.raises(fl.Timeout):
            tx.send(these.noisy(), 0.01)

    @staticmethod
    def send_that_is_cancelled(these: Displacing) -> None:
        tx, rx = fl.channel(0)
        with tx, rx, fl.scope() as scope:
            scope.cancel()
            tx.send(these.noisy())

    @staticmethod
    def drop_result(these: Displacing) -> None:
        task: fl.Task[object] = fl.Task()
        task.set_result(these.noisy())
        del task

    @staticmethod
    def drop_arguments(these: Displacing) -> None:
        fl.spawn(id, these.noisy()).join()

    @staticmethod
    def drop_cancelled_submission(these: Displacing) -> None:
        gate = Gate()
        with fl.ThreadPool(1) as pool:
            pool.submit(gate)
            pool.submit(id, these.noisy()).cancel()
            gate.open.set()
