"""`Mutex`, `lock_all`, `RwLock` and `Condvar` under random calls of many threads and tasks.

What each caller did is counted by itself and must be found in the values. Not here: signals (`generic/test_storm.py`),
and the locks of `fearless.compat` (`test_compat.py`).
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.until import BOUND

pytestmark = [pytest.mark.stress, pytest.mark.usefixtures("quick_switches")]
TIMEOUTS = [0, 1e-5, 1e-3, None]


def add(guard: fl.Guard[list[int]]) -> int:
    """Add in steps that another thread would tear, were it inside."""
    value = guard.value
    before = value[0]
    for _ in range(20):
        value.append(before)
    value[0] = max(value) + 1
    assert value[1:] == [before] * 20
    del value[1:]
    return 1


class Mutexes:
    """Three mutexes, each with a count that nobody else may touch meanwhile."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds
        self.all: list[fl.Mutex[list[int]]] = [fl.Mutex([0]) for _ in range(3)]

    def thread(self, seed: int) -> int:
        """Take them in each way there is; return how often that went well."""
        chance, count = random.Random(seed), 0  # noqa: S311 - a repeatable choice, no secret
        ways: list[Callable[[random.Random], int]] = [self.block, self.lock, self.try_lock, self.several]
        while count == 0 or time.monotonic() < self.end:
            with contextlib.suppress(fl.Timeout):
                count += chance.choice(ways)(chance)
        return count

    def block(self, chance: random.Random) -> int:
        with chance.choice(self.all) as guard:
            return add(guard)

    def lock(self, chance: random.Random) -> int:
        with chance.choice(self.all).lock(chance.choice(TIMEOUTS)) as guard:
            return add(guard)

    def try_lock(self, chance: random.Random) -> int:
        guard = chance.choice(self.all).try_lock()
        if guard is None:
            return 0
        with guard:
            return add(guard)

    def several(self, chance: random.Random) -> int:
        chosen = chance.sample(self.all, chance.randint(1, 3))
        with fl.lock_all(*chosen, timeout=chance.choice(TIMEOUTS)) as guards:
            return sum(map(add, guards))

    async def task(self, seed: int) -> int:
        """The same as a coroutine, which is cancelled now and then."""
        chance, count = random.Random(seed), 0  # noqa: S311 - a repeatable choice, no secret
        while count == 0 or time.monotonic() < self.end:
            taking = asyncio.ensure_future(self.take(chance))
            if chance.random() < 0.3:
                await asyncio.sleep(0)
                taking.cancel()
            (result,) = await asyncio.gather(taking, return_exceptions=True)
            if not isinstance(result, asyncio.CancelledError):
                assert isinstance(result, int), result
                count += result
        return count

    async def take(self, chance: random.Random) -> int:
        chosen = chance.sample(self.all, chance.randint(1, 3))
        if len(chosen) == 1:
            async with chosen[0].lock_async() as guard:
                return add(guard)
        async with fl.lock_all(*chosen) as guards:
            return sum(map(add, guards))

    def loop(self, seed: int) -> int:
        """Two tasks in a loop of this thread."""

        async def main() -> int:
            return sum(await asyncio.gather(self.task(seed), self.task(seed + 1)))

        return asyncio.run(main())


@pytest.mark.guarantee("mutex", "both builds")
@pytest.mark.guarantee("mutex", "async")
def test_mutexes_let_one_in_at_a_time(stress_seconds: float, spawn: Spawn) -> None:
    """Alone and several at once, by threads and tasks that give up and are cancelled."""
    mutexes = Mutexes(stress_seconds / 3)
    workers = [spawn(mutexes.thread, seed) for seed in range(3)] + [spawn(mutexes.loop, 10)]

    done = sum(worker.join(stress_seconds + BOUND) for worker in workers)

    assert sum(mutex.copy()[0] for mutex in mutexes.all) == done
    assert all(mutex.stats()["waiting"] == 0 and not mutex.locked() for mutex in mutexes.all)


@pytest.mark.guarantee("rwlock", "both builds")
def test_readers_see_whole_values(stress_seconds: float, spawn: Spawn) -> None:
    """Two numbers that only a writer makes differ, and none of the writes is lost."""
    rw, end = fl.RwLock([0, 0]), time.monotonic() + stress_seconds / 3

    def write(pair: list[int]) -> int:
        pair[0] += 1
        for _ in range(20):
            pair[1] = max(pair)
        return 1

    def work(seed: int) -> int:
        chance, count = random.Random(seed), 0  # noqa: S311 - a repeatable choice, no secret
        while count == 0 or time.monotonic() < end:
            with contextlib.suppress(fl.Timeout):
                match chance.randrange(4):
                    case 0:
                        with rw.write(chance.choice(TIMEOUTS)) as writing:
                            count += write(writing.value)
                    case 1:
                        with rw.upgradable(chance.choice(TIMEOUTS)) as reading, reading.upgrade() as writing:
                            count += write(writing.value)
                    case _:
                        with rw.read(chance.choice(TIMEOUTS)) as guard:
                            assert guard.value[0] == guard.value[1]
        return count

    workers = [spawn(work, seed) for seed in range(4)]

    done = sum(worker.join(stress_seconds + BOUND) for worker in workers)
    assert rw.copy() == [done, done]


@pytest.mark.guarantee("condvar", "both builds")
def test_no_notification_is_lost(stress_seconds: float, spawn: Spawn) -> None:
    """Producers and consumers of a small buffer wait for each other; what goes in comes out, and nobody is left."""
    buffer: fl.Mutex[list[int]] = fl.Mutex([])
    changed, end = fl.Condvar(), time.monotonic() + stress_seconds / 3
    room, last = 2, -1

    def produce(seed: int) -> int:
        chance, count = random.Random(seed), 0  # noqa: S311 - a repeatable choice, no secret
        while count == 0 or time.monotonic() < end:
            with buffer as guard, contextlib.suppress(fl.Timeout):
                changed.wait_while(guard, lambda items: len(items) == room, chance.choice(TIMEOUTS))
                guard.value.append(1)
                count += 1
                changed.notify_all()
        return count

    def consume(seed: int) -> int:
        chance, count = random.Random(seed), 0  # noqa: S311 - a repeatable choice, no secret
        while True:
            with buffer as guard, contextlib.suppress(fl.Timeout):
                changed.wait_while(guard, lambda items: not items, chance.choice(TIMEOUTS))
                if guard.value[0] == last:
                    return count
                count += guard.value.pop(0)
                changed.notify_all()

    producers = [spawn(produce, seed) for seed in range(2)]
    consumers = [spawn(consume, seed) for seed in range(2, 4)]
    sent = sum(producer.join(stress_seconds + BOUND) for producer in producers)
    with buffer as guard:
        guard.value.append(last)
        changed.notify_all()

    assert sum(consumer.join(BOUND) for consumer in consumers) == sent
