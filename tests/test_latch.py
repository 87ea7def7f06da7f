"""`Latch`: who goes on at the last arrival, and what an arrival is refused for; tasks and `select`.

Not here: what all blocking calls have in common (`tests/generic/`).
"""

import asyncio
import gc
import pickle
import threading
import time
import weakref

import pytest
import trio

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.loops import Run, gather, run_asyncio, run_trio, turn, until_async
from tests.support.until import BOUND, until

ASYNC = pytest.mark.guarantee("latch", "async")


def waits(latch: fl.Latch, count: int = 1) -> bool:
    """Whether so many wait."""
    return latch.stats()["waiting"] == count


class TestArrivals:
    @pytest.mark.guarantee("latch", "both builds")
    def test_every_waiter_goes_on_when_the_latch_opens(self, spawn: Spawn) -> None:
        """The last arrival releases all waiters, not just the first; the others none."""
        latch = fl.Latch(2)
        waiters = [spawn(latch.wait, BOUND) for _ in range(4)]
        until(lambda: waits(latch, 4))

        assert latch.arrive() == 1
        assert latch.stats() == {"count": 1, "waiting": 4}
        assert latch.arrive() == 0

        assert [waiter.join() for waiter in waiters] == [None] * 4

    def test_it_stays_open(self) -> None:
        """Who comes later need not wait."""
        latch = fl.Latch(1)
        latch.arrive()
        for _ in range(2):
            latch.wait(0)

        assert (latch.count, repr(latch)) == (0, "<Latch open, 0 waiting>")

    def test_several_arrive_at_once(self) -> None:
        """One call for all that are done."""
        latch = fl.Latch(5)

        assert (latch.arrive(3), latch.count, latch.arrive(2)) == (2, 2, 0)
        latch.wait(0)

    def test_with_nobody_to_come_it_is_open(self) -> None:
        """From the start."""
        fl.Latch(0).wait(0)

    @pytest.mark.guarantee("latch", "both builds")
    @pytest.mark.usefixtures("quick_switches")
    def test_arrivals_of_many_threads_add_up(self, spawn: Spawn) -> None:
        """Exactly one of them is told that it was the last, and what all did before is seen behind the latch."""
        for _ in range(50):
            latch, begin, done = fl.Latch(4 * 20), threading.Barrier(4), list[int]()

            def work(latch: fl.Latch = latch, begin: threading.Barrier = begin, done: list[int] = done) -> int:
                begin.wait(BOUND)
                last = 0
                for _ in range(20):
                    done.append(1)
                    last += latch.arrive() == 0
                return last

            threads = [spawn(work) for _ in range(4)]
            latch.wait(BOUND)
            assert len(done) == 80
            assert sum(thread.join() for thread in threads) == 1

    def test_more_arrivals_than_are_to_come_are_refused(self) -> None:
        """As a whole, with the count."""
        latch = fl.Latch(2)
        with pytest.raises(ValueError, match=r"^arrive: 2 arrivals are still to come, got 3$"):
            latch.arrive(3)
        assert latch.count == 2
        latch.arrive(2)
        with pytest.raises(ValueError, match=r"^arrive: 0 arrivals are still to come, got 1$"):
            latch.arrive()

    @pytest.mark.parametrize("wrong", [0, -1, True, 1.0, None, 2**64])
    def test_a_wrong_number_is_refused(self, wrong: int) -> None:
        """With the rule and the value."""
        latch = fl.Latch(2)
        with pytest.raises((TypeError, ValueError), match="n must be") as caught:
            latch.arrive(wrong)
        assert repr(wrong) in str(caught.value)
        assert latch.count == 2

    @pytest.mark.parametrize("wrong", [-1, True, 1.5, None, 2**63])
    def test_a_wrong_size_is_refused(self, wrong: int) -> None:
        """Likewise."""
        with pytest.raises((TypeError, ValueError), match="n must be"):
            fl.Latch(wrong)

    def test_repr_tells_state_and_waiters(self, spawn: Spawn) -> None:
        """For whoever looks at a program that stands still."""
        latch = fl.Latch(3)
        blocked = spawn(latch.wait)
        until(lambda: waits(latch))
        assert repr(latch) == "<Latch 3 to come, 1 waiting>"
        latch.arrive(3)
        blocked.join()

    def test_it_cannot_be_pickled(self) -> None:
        """But referred to weakly."""
        latch = fl.Latch(1)
        with pytest.raises(TypeError, match="a Latch cannot be pickled"):
            pickle.dumps(latch)
        assert weakref.ref(latch)() is latch


@ASYNC
class TestTasks:
    def test_tasks_wait_for_threads(self, run: Run, spawn: Spawn) -> None:
        """The arrivals come from outside the loop."""
        latch = fl.Latch(3)

        async def wait() -> None:
            await latch.wait_async()

        def arrive() -> None:
            until(lambda: waits(latch, 3))
            latch.arrive()

        arriving = [spawn(arrive) for _ in range(3)]
        run(lambda: gather(run, wait, wait, wait))

        for thread in arriving:
            thread.join()
        assert latch.stats() == {"count": 0, "waiting": 0}

    def test_threads_wait_for_tasks(self, run: Run, spawn: Spawn) -> None:
        """And the other way round."""
        latch = fl.Latch(3)
        blocked = spawn(latch.wait)
        until(lambda: waits(latch))

        async def arrive() -> None:
            await turn(run)
            latch.arrive()

        run(lambda: gather(run, arrive, arrive, arrive))

        blocked.join()

    @pytest.mark.guarantee("latch", "cancel")
    def test_a_cancelled_task_leaves_nothing_behind(self) -> None:
        """In asyncio and trio."""
        latch = fl.Latch(1)

        async def in_asyncio() -> None:
            task = asyncio.ensure_future(latch.wait_async())
            await until_async(run_asyncio, lambda: waits(latch))
            task.cancel()
            await asyncio.wait([task])

        async def in_trio() -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(latch.wait_async)
                while not waits(latch):
                    await turn(run_trio)
                nursery.cancel_scope.cancel()

        run_asyncio(in_asyncio)
        run_trio(in_trio)

        assert latch.stats() == {"count": 1, "waiting": 0}

    @pytest.mark.guarantee("latch", "GC")
    def test_a_task_that_waits_for_a_latch_nobody_has_is_collected(self) -> None:
        """As long as somebody has the latch, it lives."""

        async def main() -> None:
            kept = [fl.Latch(1)]
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


@pytest.mark.guarantee("latch", "select")
class TestSelect:
    def test_it_is_ready_once_it_is_open(self, spawn: Spawn) -> None:
        """For whoever waits for it or for something else."""
        latch = fl.Latch(1)
        with pytest.raises(fl.Empty):
            fl.try_select(latch)
        blocked = spawn(fl.select, fl.never(), latch)
        until(lambda: waits(latch))

        latch.arrive()

        chosen = blocked.join()
        assert (chosen.index, chosen.channel, chosen.value, chosen.closed) == (1, latch, None, False)
        assert fl.try_select(latch).index == 0

    @ASYNC
    def test_a_task_selects_it(self, run: Run) -> None:
        """Beside other things."""
        latch = fl.Latch(1)

        async def select() -> None:
            assert (await fl.select_async(fl.never(), latch)).index == 1

        async def arrive() -> None:
            while not waits(latch):
                await turn(run)
            latch.arrive()

        run(lambda: gather(run, select, arrive))


@pytest.mark.stress
@pytest.mark.guarantee("latch", "both builds")
@pytest.mark.usefixtures("quick_switches")
def test_nobody_is_left_behind_a_latch_that_opens(stress_seconds: float, spawn: Spawn) -> None:
    """Threads arrive and wait in all orders, by a plain wait and by a select."""
    end, rounds = time.monotonic() + stress_seconds, 0
    while rounds < 20 or time.monotonic() < end:
        rounds += 1
        latch = fl.Latch(3)

        def arrive_and_wait(latch: fl.Latch = latch) -> None:
            latch.arrive()
            latch.wait(BOUND)

        def arrive_and_select(latch: fl.Latch = latch) -> None:
            latch.arrive()
            fl.select(fl.never(), latch, timeout=BOUND)

        threads = [spawn(arrive_and_wait), spawn(arrive_and_select), spawn(latch.wait, BOUND), spawn(arrive_and_wait)]
        for thread in threads:
            thread.join()
        assert latch.stats() == {"count": 0, "waiting": 0}
