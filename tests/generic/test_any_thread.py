"""Any thread may call any method: random calls on shared handles, also on ends that others close or move meanwhile.

Not here: what a single call promises.
"""

import contextlib
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.until import blocked_receivers, blocked_senders

pytestmark = [pytest.mark.stress, pytest.mark.usefixtures("quick_switches")]


def at_random(uses: list[Callable[[], object]], seed: int, until: float) -> int:
    """Make random calls; what they are refused with is an error of ours, and they never hang."""
    chance, count = random.Random(seed), 0  # noqa: S311 - a repeatable choice, no secret
    while count == 0 or time.monotonic() < until:
        with contextlib.suppress(fl.FearlessError):
            chance.choice(uses)()
        count += 1
    return count


class Shared:
    """One sender and one receiver that all threads share, every end that was made of them, and the books."""

    def __init__(self, capacity: int | None) -> None:
        """Make the channel."""
        self.tx, self.rx = fl.channel(capacity)
        self.senders, self.receivers = [self.tx], [self.rx]
        self.sent, self.got = fl.AtomicInt(0), fl.AtomicInt(0)

    def send(self) -> None:
        """Note what was sent."""
        self.tx.send(1, 1e-5)
        self.sent.add(1)

    def receive(self) -> None:
        """Note what was got."""
        self.got.add(self.rx.recv(1e-5))

    def clone(self) -> None:
        """One more of each."""
        self.senders.append(self.tx.clone())
        self.receivers.append(self.rx.clone())

    def move_sender(self) -> None:
        """After the first time everybody is refused."""
        self.senders.append(self.tx.move())

    def move_receiver(self) -> None:
        """After the first time everybody is refused."""
        self.receivers.append(self.rx.move())

    def check(self) -> None:
        """Close all but one receiver, which has to find the rest."""
        assert (blocked_senders(self.rx), blocked_receivers(self.rx)) == (0, 0)
        for sender in self.senders:
            sender.close()
        receiver, *others = [end for end in self.receivers if not end.is_closed]
        for other in others:
            other.close()
        assert self.got.load() + sum(receiver) == self.sent.load()
        receiver.close()


@pytest.mark.guarantee("channel", "both builds")
@pytest.mark.parametrize("capacity", [None, 1, 0])
def test_channels(capacity: int | None, stress_seconds: float, spawn: Spawn) -> None:
    """Whatever happens to the ends, no item is lost and nobody is left waiting."""
    until = time.monotonic() + stress_seconds / 3
    rounds = 0
    while time.monotonic() < until or rounds < 3:
        rounds += 1
        shared = Shared(capacity)
        uses: list[Callable[[], object]] = [shared.send, shared.receive] * 8 + [shared.clone, shared.tx.__repr__]
        more: list[Callable[[], object]] = [shared.move_sender, shared.move_receiver]
        end = time.monotonic() + 0.05
        threads = [spawn(at_random, uses, seed, end) for seed in range(3)]
        threads.append(spawn(at_random, [*uses, *more], 3, end))

        assert all(thread.join() > 0 for thread in threads)
        shared.check()


@pytest.mark.guarantee("mutex", "both builds")
def test_mutexes(stress_seconds: float, spawn: Spawn) -> None:
    """Guards are released by whoever comes by; afterwards the mutex is free and the last value is there."""
    until = time.monotonic() + stress_seconds / 3
    mutex = fl.Mutex(0, poison=True)
    guards: list[fl.Guard[int]] = []

    def lock() -> None:
        guards.append(mutex.lock(1e-4))

    def release() -> None:
        with contextlib.suppress(IndexError):
            guards.pop().release()

    def use() -> None:
        with contextlib.suppress(IndexError):
            guards[-1].value += 1

    def spoil() -> None:
        with contextlib.suppress(ZeroDivisionError), mutex.lock(1e-4):
            raise ZeroDivisionError

    def try_to_lock() -> None:
        if (guard := mutex.try_lock()) is not None:
            guards.append(guard)

    uses: list[Callable[[], object]] = [
        lock,
        try_to_lock,
        release,
        release,
        use,
        spoil,
        mutex.clear_poison,
        mutex.stats,
        mutex.__repr__,
    ]
    threads = [spawn(at_random, uses, seed, until) for seed in range(4)]
    assert all(thread.join(stress_seconds + 30) > 0 for thread in threads)
    while guards:
        release()

    assert not mutex.locked()
    assert mutex.stats()["waiting"] == 0
    mutex.clear_poison()
    assert mutex.update(lambda value: value + 1) >= 1


@pytest.mark.guarantee("rwlock", "both builds")
@pytest.mark.parametrize("prefer", ["fair", "readers", "writers"])
def test_rwlocks(prefer: Any, stress_seconds: float, spawn: Spawn) -> None:
    """Guards are cloned, changed and released by whoever comes by; afterwards the lock is free and works."""
    until = time.monotonic() + stress_seconds / 3
    rw = fl.RwLock(0, prefer=prefer, poison=True)
    guards: list[Any] = []

    def keep(guard: Any) -> None:
        if guard is not None:
            guards.append(guard)

    def with_some(method: str, *arguments: float) -> None:
        with contextlib.suppress(IndexError, AttributeError):
            keep(getattr(guards[-1], method)(*arguments))

    def release() -> None:
        with contextlib.suppress(IndexError):
            guards.pop(0).release()

    def use() -> None:
        with contextlib.suppress(IndexError, AttributeError):
            guards[-1].value += 1

    def spoil() -> None:
        with contextlib.suppress(ZeroDivisionError), rw.write(1e-4):
            raise ZeroDivisionError

    uses: list[Callable[[], object]] = [
        lambda: keep(rw.read(1e-4)),
        lambda: keep(rw.write(1e-4)),
        lambda: keep(rw.upgradable(1e-4)),
        lambda: keep(rw.try_read()),
        lambda: keep(rw.try_write()),
        lambda: keep(rw.try_upgradable()),
        lambda: with_some("clone"),
        lambda: with_some("upgrade", 1e-4),
        lambda: with_some("try_upgrade"),
        lambda: with_some("downgrade"),
        *[release] * 6,
        use,
        spoil,
        rw.clear_poison,
        rw.stats,
        rw.__repr__,
    ]
    threads = [spawn(at_random, uses, seed, until) for seed in range(4)]
    assert all(thread.join(stress_seconds + 30) > 0 for thread in threads)
    while guards:
        release()

    assert not rw.locked()
    assert rw.stats()["waiting"] == 0
    rw.clear_poison()
    assert rw.update(lambda value: value + 1) >= 1


@pytest.mark.guarantee("task", "both builds")
def test_tasks(stress_seconds: float, spawn: Spawn) -> None:
    """Ended, cancelled, awaited and watched by many: there is one outcome, and every callback comes once."""
    until = time.monotonic() + stress_seconds / 3
    rounds = 0
    while time.monotonic() < until or rounds < 50:
        rounds += 1
        task: fl.Task[int] = fl.Task()
        called = fl.AtomicInt(0)

        def watch(task: "fl.Task[int]" = task, called: fl.AtomicInt = called) -> int:
            task.add_done_callback(lambda _task: called.add(1))
            with contextlib.suppress(Exception):
                task.result(30.0)
            repr(task)
            return int(task.cancelled())

        watchers = [spawn(watch) for _ in range(2)]
        canceller = spawn(task.cancel)
        with contextlib.suppress(Exception):  # it may be cancelled by now
            task.set_result(1)
        was_cancelled = canceller.join()

        assert {watcher.join() for watcher in watchers} == {int(was_cancelled)}
        assert called.load() == 2
