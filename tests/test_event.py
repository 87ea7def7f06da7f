"""`Event`: who goes on when it is set, also if it is cleared at once; tasks and `select`.

Not here: what all blocking calls have in common (`tests/generic/`).
"""

import asyncio
import contextlib
import gc
import pickle
import random
import time
import weakref
from typing import Any

import pytest
import trio

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.loops import Run, gather, run_asyncio, run_trio, turn, until_async
from tests.support.until import BOUND, until

ASYNC = pytest.mark.guarantee("event", "async")
SELECT = pytest.mark.guarantee("event", "select")


def waits(event: fl.Event, count: int = 1) -> bool:
    """Whether so many wait."""
    return event.stats()["waiting"] == count


class TestSet:
    @pytest.mark.guarantee("event", "both builds")
    def test_setting_lets_all_go_on(self, spawn: Spawn) -> None:
        """One `set` releases all waiters, not just the first, and those who come later."""
        event = fl.Event()
        blocked = [spawn(event.wait) for _ in range(4)]
        until(lambda: waits(event, 4))
        assert not event.is_set()

        event.set()

        assert [thread.join() for thread in blocked] == [None] * 4
        assert event.is_set()
        event.wait(0)

    def test_clearing_makes_the_next_wait(self, spawn: Spawn) -> None:
        """Until it is set again."""
        event = fl.Event()
        event.set()
        event.clear()
        with pytest.raises(fl.Timeout, match=r"^wait: the event was not set within the timeout"):
            event.wait(0)
        blocked = spawn(event.wait)
        until(lambda: waits(event))
        event.set()
        blocked.join()

        assert event.stats() == {"set": 2, "waiting": 0}

    @pytest.mark.guarantee("event", "both builds")
    @pytest.mark.usefixtures("quick_switches")
    def test_who_waits_when_it_is_set_goes_on_though_it_is_cleared(self, spawn: Spawn) -> None:
        """However short the moment."""
        event = fl.Event()
        for _ in range(200):
            blocked = [spawn(event.wait) for _ in range(3)]
            until(lambda: waits(event, 3))
            event.set()
            event.clear()
            for thread in blocked:
                thread.join()

        assert event.stats() == {"set": 200, "waiting": 0}

    def test_again_is_harmless(self) -> None:
        """It counts what changed."""
        event = fl.Event()
        event.clear()
        event.set()
        event.set()

        assert event.stats() == {"set": 1, "waiting": 0}

    def test_repr_tells_state_and_waiters(self, spawn: Spawn) -> None:
        """For whoever looks at a program that stands still."""
        event = fl.Event()
        blocked = spawn(event.wait)
        until(lambda: waits(event))
        assert repr(event) == "<Event clear, 1 waiting>"
        event.set()
        blocked.join()
        assert repr(event) == "<Event set, 0 waiting>"

    def test_it_cannot_be_pickled(self) -> None:
        """But referred to weakly."""
        event = fl.Event()
        with pytest.raises(TypeError, match="an Event cannot be pickled"):
            pickle.dumps(event)
        assert weakref.ref(event)() is event


@ASYNC
class TestTasks:
    def test_setting_lets_all_tasks_go_on(self, run: Run) -> None:
        """In either library, and a thread may set it."""
        event = fl.Event()
        went: list[int] = []

        async def wait() -> None:
            await event.wait_async()
            went.append(1)

        async def setter() -> None:
            while not waits(event, 3):
                await turn(run)
            event.set()

        run(lambda: gather(run, wait, wait, wait, setter))

        assert went == [1] * 3
        assert event.stats() == {"set": 1, "waiting": 0}

    def test_threads_and_two_loops_wait_for_one_event(self, spawn: Spawn) -> None:
        """One object for all of them."""
        event = fl.Event()

        async def main() -> None:
            await event.wait_async()

        blocked = [spawn(run_asyncio, main), spawn(run_trio, main), spawn(event.wait)]
        until(lambda: waits(event, 3))

        event.set()

        for thread in blocked:
            thread.join(BOUND)

    def test_a_task_that_waits_when_it_is_set_goes_on_though_it_is_cleared(self, run: Run) -> None:
        """Its turn comes after both."""
        event = fl.Event()

        async def pulse() -> None:
            while not waits(event):
                await turn(run)
            event.set()
            event.clear()

        async def wait() -> None:
            await event.wait_async()
            assert not event.is_set()

        run(lambda: gather(run, wait, pulse))

    @pytest.mark.guarantee("event", "cancel")
    def test_a_cancelled_task_leaves_nothing_behind(self) -> None:
        """In asyncio and trio."""
        event = fl.Event()

        async def in_asyncio() -> None:
            task = asyncio.ensure_future(event.wait_async())
            await until_async(run_asyncio, lambda: waits(event))
            task.cancel()
            await asyncio.wait([task])

        async def in_trio() -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(event.wait_async)
                while not waits(event):
                    await turn(run_trio)
                nursery.cancel_scope.cancel()

        run_asyncio(in_asyncio)
        run_trio(in_trio)

        assert event.stats() == {"set": 0, "waiting": 0}

    @pytest.mark.guarantee("event", "GC")
    def test_a_task_that_waits_for_an_event_nobody_has_is_collected(self) -> None:
        """As long as somebody has the event, it lives."""

        async def main() -> None:
            kept = [fl.Event()]
            task = asyncio.ensure_future(kept[0].wait_async())
            await until_async(run_asyncio, lambda: waits(kept[0]))
            seen = weakref.ref(task)
            asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # a task that was destroyed
            del task
            gc.collect()
            assert seen() is not None
            kept.clear()
            await until_async(run_asyncio, lambda: gc.collect() is not None and seen() is None)

        run_asyncio(main)


@SELECT
class TestSelect:
    def test_it_is_ready_while_it_is_set(self) -> None:
        """And stays set: nothing is consumed."""
        event = fl.Event()
        with pytest.raises(fl.Empty):
            fl.try_select(event)
        event.set()

        for _ in range(2):
            chosen = fl.select(fl.never(), event)
            assert (chosen.index, chosen.channel, chosen.value, chosen.closed) == (1, event, None, False)
        event.clear()
        with pytest.raises(fl.Timeout):
            fl.select(event, timeout=0)

    def test_a_waiting_select_goes_on_though_it_is_cleared(self, spawn: Spawn) -> None:
        """As a plain wait does."""
        event = fl.Event()
        for _ in range(100):
            blocked = spawn(fl.select, fl.never(), event)
            until(lambda: waits(event))
            event.set()
            event.clear()
            assert blocked.join().index == 1

    def test_it_ends_a_loop_over_a_channel(self, spawn: Spawn) -> None:
        """What an event is for beside a channel: to stop whoever receives."""
        event = fl.Event()
        tx, rx = fl.channel(None)

        def consume() -> list[int]:
            got = list[int]()
            while (chosen := fl.select(rx, event)).index == 0:
                got.append(chosen.value)
            return got

        consumer = spawn(consume)
        for number in range(5):
            tx.send(number)
        until(lambda: "0 queued" in repr(rx))
        event.set()

        assert consumer.join() == [0, 1, 2, 3, 4]
        tx.close()
        rx.close()

    @ASYNC
    def test_a_task_selects_it(self, run: Run) -> None:
        """Beside other things."""
        event = fl.Event()

        async def select() -> Any:
            assert (await fl.select_async(fl.never(), event)).index == 1

        async def setter() -> None:
            while not waits(event):
                await turn(run)
            event.set()

        run(lambda: gather(run, select, setter))


@pytest.mark.stress
@pytest.mark.guarantee("event", "both builds")
@pytest.mark.usefixtures("quick_switches")
def test_no_wake_up_is_lost(stress_seconds: float, spawn: Spawn) -> None:
    """Two threads pass a turn to and fro by two events, while a third comes and goes."""
    end = time.monotonic() + stress_seconds
    ping, pong, over = fl.Event(), fl.Event(), fl.Event()

    def there() -> int:
        rounds = 0
        while rounds == 0 or time.monotonic() < end:
            ping.set()
            pong.wait(BOUND)
            pong.clear()
            rounds += 1
        over.set()
        ping.set()
        return rounds

    def back() -> int:
        rounds = 0
        while True:
            ping.wait(BOUND)
            ping.clear()
            if over.is_set():
                return rounds
            rounds += 1
            pong.set()

    def disturb() -> None:
        chance = random.Random(1)  # noqa: S311 - a repeatable choice, no secret
        while not over.is_set():
            with contextlib.suppress(fl.Timeout):
                chance.choice([ping, pong]).wait(1e-5)

    threads = [spawn(there), spawn(back)]
    disturbing = spawn(disturb)

    rounds = [thread.join(stress_seconds + BOUND) for thread in threads]
    disturbing.join()
    assert abs(rounds[0] - rounds[1]) <= 1
