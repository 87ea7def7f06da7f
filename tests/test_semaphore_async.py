"""`Semaphore` for tasks and in `select`: what is taken, by whom, and what a cancelled task leaves.

Not here: threads (`test_semaphore.py`).
"""

import asyncio
import gc
import weakref
from typing import Any

import pytest
import trio

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.loops import Main, Run, gather, run_asyncio, run_trio, turn, until_async
from tests.support.until import BOUND, until

pytestmark = pytest.mark.guarantee("semaphore", "async")
SELECT = pytest.mark.guarantee("semaphore", "select")


async def until_waiting(run: Run, semaphore: fl.Semaphore, count: int) -> None:
    """Give way until so many are enqueued."""
    while semaphore.stats()["waiting"] != count:
        await turn(run)


class Inside:
    """Counts who is inside, and the most there ever were."""

    def __init__(self) -> None:
        self.now = fl.AtomicInt(0)
        self.most = 0

    def enter(self, permits: int) -> None:
        self.most = max(self.most, self.now.fetch_add(permits) + permits)

    def task(self, run: Run, semaphore: fl.Semaphore, permits: int, times: int) -> Main:
        """A task that gives way in the middle of its section."""

        async def section() -> None:
            for _ in range(times):
                async with semaphore.acquire_async(permits):
                    self.enter(permits)
                    await turn(run)
                    self.now.add(-permits)

        return section


class TestTasks:
    def test_no_more_are_inside_than_there_are_permits(self, run: Run) -> None:
        """Tasks that ask for one, two and three of three."""
        semaphore, inside = fl.Semaphore(3), Inside()
        tasks = [inside.task(run, semaphore, permits, 20) for permits in (1, 2, 3, 1, 2)]

        run(lambda: gather(run, *tasks))

        assert inside.most == 3
        assert semaphore.stats() == {"free": 3, "waiting": 0}

    @pytest.mark.guarantee("semaphore", "both builds")
    def test_two_loops_and_two_threads_share_the_permits(self, spawn: Spawn) -> None:
        """One semaphore for tasks of both libraries and for threads."""
        semaphore, inside = fl.Semaphore(3), Inside()

        def in_thread(permits: int) -> None:
            for _ in range(200):
                with semaphore.permits(permits):
                    inside.enter(permits)
                    inside.now.add(-permits)

        def in_loop(run: Run) -> None:
            run(lambda: gather(run, *[inside.task(run, semaphore, permits, 40) for permits in (1, 2, 3)]))

        loops = [spawn(in_loop, run) for run in (run_asyncio, run_trio)]
        for thread in [*loops, spawn(in_thread, 1), spawn(in_thread, 2)]:
            thread.join(BOUND)

        assert inside.most <= 3
        assert semaphore.stats() == {"free": 3, "waiting": 0}

    def test_awaited_permits_are_kept_until_they_are_given_back(self, run: Run) -> None:
        """For when no block fits."""
        semaphore = fl.Semaphore(3)

        async def main() -> None:
            assert await semaphore.acquire_async(2) is None  # type: ignore[func-returns-value]
            assert semaphore.stats()["free"] == 1
            semaphore.release(2)

        run(main)

        assert semaphore.stats()["free"] == 3

    def test_a_block_gives_back_also_after_an_error(self, run: Run) -> None:
        """As many as it took."""
        semaphore = fl.Semaphore(3)

        async def main() -> None:
            with pytest.raises(ZeroDivisionError):
                async with semaphore.acquire_async(3):
                    raise ZeroDivisionError

        run(main)

        assert semaphore.stats()["free"] == 3

    def test_the_end_of_a_block_that_gave_back_too_much(self, run: Run) -> None:
        """The block says so."""
        semaphore = fl.Semaphore(1)

        async def main() -> None:
            with pytest.raises(ValueError, match=r"^async with: 0 of 1 permits are taken, got 1 back$"):
                async with semaphore.acquire_async():
                    semaphore.release()

        run(main)

    def test_a_thread_behind_a_task_that_does_not_run_is_served(self, spawn: Spawn) -> None:
        """The task was told first, but its loop is busy; nothing is kept for it."""
        semaphore = fl.Semaphore(1)

        async def main() -> None:
            await semaphore.acquire_async()
            task = asyncio.create_task(Inside().task(run_asyncio, semaphore, 1, 1)())
            await until_waiting(run_asyncio, semaphore, 1)
            thread = spawn(semaphore.acquire)
            until(lambda: semaphore.stats()["waiting"] == 2)
            semaphore.release()
            thread.join(BOUND)  # the loop stands still
            semaphore.release()
            await task

        run_asyncio(main)

        assert semaphore.stats() == {"free": 1, "waiting": 0}

    @pytest.mark.parametrize("place", ["in the queue", "coming by"])
    def test_a_thread_that_selects_does_not_wait_for_a_task_that_does_not_run(self, place: str, spawn: Spawn) -> None:
        """Whether it stands in the queue or comes by."""
        semaphore = fl.Semaphore(1)

        async def main() -> None:
            await semaphore.acquire_async()
            task = asyncio.create_task(Inside().task(run_asyncio, semaphore, 1, 1)())
            await until_waiting(run_asyncio, semaphore, 1)
            if place == "in the queue":
                thread = spawn(fl.select, fl.never(), semaphore)
                until(lambda: semaphore.stats()["waiting"] == 2)
                semaphore.release()
            else:
                semaphore.release()
                thread = spawn(fl.select, fl.never(), semaphore)
            assert thread.join(BOUND).index == 1  # the loop stands still
            semaphore.release()
            await task

        run_asyncio(main)

        assert semaphore.stats() == {"free": 1, "waiting": 0}

    def test_a_task_that_comes_by_leaves_what_is_promised(self) -> None:
        """Else a task that takes and gives back without a pause would never let another in."""
        semaphore = fl.Semaphore(1)
        order: list[str] = []

        async def other() -> None:
            async with semaphore.acquire_async():
                order.append("other")

        async def main() -> None:
            await semaphore.acquire_async()
            task = asyncio.create_task(other())
            await until_waiting(run_asyncio, semaphore, 1)
            semaphore.release()
            await semaphore.acquire_async()
            order.append("again")
            semaphore.release()
            await task

        run_asyncio(main)

        assert order == ["other", "again"]

    def test_a_large_request_is_not_starved_by_tasks(self, run: Run) -> None:
        """It is served although others take one permit again and again."""
        semaphore, over = fl.Semaphore(2), fl.Event()

        async def busy() -> None:
            while not over.is_set():
                async with semaphore.acquire_async():
                    await turn(run)

        async def large() -> None:
            for _ in range(20):
                async with semaphore.acquire_async(2):
                    await turn(run)
            over.set()

        run(lambda: gather(run, busy, busy, busy, large))

        assert semaphore.stats() == {"free": 2, "waiting": 0}


class TestCancel:
    @pytest.mark.guarantee("semaphore", "cancel")
    def test_a_cancelled_task_leaves_the_queue(self) -> None:
        """What it held up goes on."""
        semaphore = fl.Semaphore(2)

        async def main() -> None:
            async with semaphore.acquire_async():
                large = asyncio.create_task(Inside().task(run_asyncio, semaphore, 2, 1)())
                await until_waiting(run_asyncio, semaphore, 1)
                small = asyncio.create_task(Inside().task(run_asyncio, semaphore, 1, 1)())
                await until_waiting(run_asyncio, semaphore, 2)
                large.cancel()
                await small

        run_asyncio(main)

        assert semaphore.stats() == {"free": 2, "waiting": 0}

    def test_a_task_that_is_cancelled_in_the_turn_of_its_wake_up_passes_it_on(self) -> None:
        """It was told that a permit is free, and never tries."""
        semaphore = fl.Semaphore(1)

        async def main() -> None:
            await semaphore.acquire_async()
            first = asyncio.create_task(Inside().task(run_asyncio, semaphore, 1, 1)())
            await until_waiting(run_asyncio, semaphore, 1)
            second = asyncio.create_task(Inside().task(run_asyncio, semaphore, 1, 1)())
            await until_waiting(run_asyncio, semaphore, 2)
            semaphore.release()
            first.cancel()
            await second
            assert first.cancelled()

        run_asyncio(main)

        assert semaphore.stats() == {"free": 1, "waiting": 0}

    def test_a_trio_scope_ends_the_wait(self) -> None:
        """And nothing was taken."""
        semaphore = fl.Semaphore(1)

        async def main() -> None:
            async with semaphore.acquire_async(), trio.open_nursery() as nursery:
                nursery.start_soon(Inside().task(run_trio, semaphore, 1, 1))
                await until_waiting(run_trio, semaphore, 1)
                nursery.cancel_scope.cancel()
            assert semaphore.stats() == {"free": 1, "waiting": 0}

        run_trio(main)

    def test_a_loop_that_ended_passes_the_notice_on(self, spawn: Spawn) -> None:
        """Its task was told, and never runs again; the thread behind the large request is served."""
        semaphore = fl.Semaphore(2)
        semaphore.acquire(2)
        loop = asyncio.new_event_loop()
        task = loop.create_task(Inside().task(run_asyncio, semaphore, 2, 1)())
        loop.run_until_complete(asyncio.wait([task], timeout=0))
        assert semaphore.stats()["waiting"] == 1
        small = spawn(semaphore.acquire)
        until(lambda: semaphore.stats()["waiting"] == 2)

        semaphore.release(2)  # the loop does not run

        small.join(BOUND)
        task.cancel()
        loop.run_until_complete(asyncio.wait([task]))
        loop.close()
        assert semaphore.stats() == {"free": 1, "waiting": 0}


@SELECT
class TestSelect:
    def test_a_semaphore_is_ready_by_taking_a_permit(self) -> None:
        """One, and `permits` as many as it says."""
        semaphore = fl.Semaphore(3)

        chosen = fl.select(semaphore)
        assert (chosen.index, chosen.channel, chosen.value, chosen.closed) == (0, semaphore, None, False)
        block = semaphore.permits(2)
        assert fl.try_select(block).channel is block

        assert semaphore.stats() == {"free": 0, "waiting": 0}
        with pytest.raises(fl.Empty):
            fl.try_select(semaphore)

    def test_a_select_that_does_something_else_leaves_the_permits(self, spawn: Spawn) -> None:
        """It waited for both."""
        semaphore = fl.Semaphore(1)
        semaphore.acquire()
        tx, rx = fl.channel(1)
        blocked = spawn(fl.select, semaphore, rx)
        until(lambda: semaphore.stats()["waiting"] == 1)

        tx.send("item")

        assert blocked.join().index == 1
        assert semaphore.stats() == {"free": 0, "waiting": 0}
        tx.close()
        rx.close()

    def test_a_waiting_select_takes_what_is_given_back(self, spawn: Spawn) -> None:
        """And is then the holder."""
        semaphore = fl.Semaphore(2)
        semaphore.acquire(2)
        blocked = spawn(fl.select, fl.never(), semaphore.permits(2))
        until(lambda: semaphore.stats()["waiting"] == 1)

        semaphore.release(2)

        assert blocked.join().index == 1
        assert semaphore.stats() == {"free": 0, "waiting": 0}

    def test_a_semaphore_can_be_given_once(self) -> None:
        """In whatever portion: which should be chosen is unclear."""
        semaphore = fl.Semaphore(2)
        with pytest.raises(ValueError, match="the same as arguments 0 and 1"):
            fl.select(semaphore, semaphore.permits(2))

    def test_tasks_select_permits(self, run: Run) -> None:
        """Each permit goes to one of them."""
        semaphore = fl.Semaphore(1)
        got: list[int] = []

        async def select() -> None:
            for _ in range(10):
                got.append((await fl.select_async(fl.never(), semaphore)).index)
                await turn(run)
                semaphore.release()

        run(lambda: gather(run, *[select] * 4))

        assert got == [1] * 40
        assert semaphore.stats() == {"free": 1, "waiting": 0}


@pytest.mark.guarantee("semaphore", "GC")
def test_a_waiting_task_lives_as_long_as_its_semaphore() -> None:
    """Only the semaphore refers to it; once nobody refers to the semaphore both are collected."""

    async def main() -> Any:
        semaphore = fl.Semaphore(1)
        semaphore.acquire()
        task = asyncio.create_task(Inside().task(run_asyncio, semaphore, 1, 1)())
        await until_waiting(run_asyncio, semaphore, 1)
        seen = weakref.ref(task)
        del task
        gc.collect()
        assert seen() is not None
        semaphore.release()
        await until_async(run_asyncio, lambda: semaphore.stats() == {"free": 1, "waiting": 0})
        return seen

    seen = run_asyncio(main)
    until(lambda: gc.collect() is not None and seen() is None)


@pytest.mark.guarantee("semaphore", "GC")
def test_a_task_that_waits_for_a_semaphore_nobody_has_is_collected() -> None:
    """The cycle of both is visible to the collector."""

    async def main() -> Any:
        semaphore = fl.Semaphore(1)
        semaphore.acquire()
        task = asyncio.create_task(Inside().task(run_asyncio, semaphore, 1, 1)())
        await until_waiting(run_asyncio, semaphore, 1)
        seen = weakref.ref(semaphore)
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # it complains of a task that was destroyed
        del task, semaphore
        await until_async(run_asyncio, lambda: gc.collect() is not None and seen() is None)

    run_asyncio(main)
