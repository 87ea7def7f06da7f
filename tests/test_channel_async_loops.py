"""Loops with coroutines that wait for a channel: what is left when a loop ends, and how often a loop is woken.

Not here: the same with tasks and threads behind one another (`test_channel_loop_life.py`).
"""

import asyncio
import contextlib
import gc
import selectors
import threading
from collections.abc import Callable
from typing import Any

import pytest
import trio

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.loops import Run, gather, receive, run_asyncio, run_trio, send, until_async
from tests.support.threads import Spawned
from tests.support.until import BOUND, blocked_receivers, blocked_senders, queued, until

pytestmark = pytest.mark.guarantee("channel", "async")


class TestLoopsThatEnd:
    @pytest.mark.parametrize("close", [True, False], ids=["closed", "stopped"])
    def test_a_loop_with_waiters_loses_nothing(self, close: bool, spawn: Spawn) -> None:  # noqa: FBT001 - a parameter
        """An item that comes then goes to the next waiter, a thread."""
        tx, rx = fl.channel(None)
        loop = asyncio.new_event_loop()
        task = loop.create_task(receive(rx))
        loop.run_until_complete(asyncio.sleep(0))
        assert blocked_receivers(rx) == 1
        if close:
            loop.close()
        taker = spawn(rx.recv, BOUND)
        until(lambda: blocked_receivers(rx) == 2)

        tx.send("item")

        assert taker.join() == "item"
        assert queued(rx) == 0
        if not close:  # it begins anew when the loop goes on
            tx.send("later")
            assert loop.run_until_complete(asyncio.wait_for(task, BOUND)) == "later"
            loop.close()
        else:
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # it is what the test is about
        del task
        tx.close()
        rx.close()

    def test_a_loop_that_stops_between_wake_up_and_turn(self, spawn: Spawn) -> None:
        """The wake-up is on its way when the loop ends; the notice or the item is not lost to the next."""
        tx, rx = fl.channel(None)
        loop = asyncio.new_event_loop()
        task = loop.create_task(receive(rx))
        loop.run_until_complete(asyncio.sleep(0))

        async def send_last() -> None:  # the loop stops when it ends
            tx.send("item")

        loop.run_until_complete(send_last())
        task.cancel()
        loop.run_until_complete(asyncio.wait([task]))
        loop.close()

        got = spawn(rx.recv, BOUND).join() if task.cancelled() else task.result()
        assert got == "item"
        tx.close()
        rx.close()


class TestRunsOfTrioThatEnd:
    """A run cancels what waits in it when it ends. A thread waits behind its tasks, and gets what comes."""

    @pytest.mark.parametrize("how", ["cancelled", "failed", "main_returned"])
    def test_with_waiters_the_next_is_served(self, how: str, spawn: Spawn) -> None:
        """Nothing was on its way when it ended."""
        tx, rx = fl.channel(None)
        threads: list[Spawned[Any]] = []

        async def main() -> None:
            async with trio.open_nursery() as nursery:
                for _ in range(2):
                    _start(how, nursery, receive, rx)
                await until_async(run_trio, lambda: blocked_receivers(rx) == 2)
                threads.append(spawn(rx.recv, BOUND))
                await until_async(run_trio, lambda: blocked_receivers(rx) == 3)
                if how == "failed":
                    raise LookupError("the block fails")
                nursery.cancel_scope.cancel()

        with pytest.raises(ExceptionGroup) if how == "failed" else contextlib.nullcontext():
            run_trio(main)
        assert blocked_receivers(rx) == 1
        tx.send("item")
        assert threads[0].join() == "item"
        tx.close()
        rx.close()

    @pytest.mark.parametrize("how", ["cancelled", "failed", "main_returned"])
    def test_in_the_turn_of_the_notice_the_item_is_somewhere_once(self, how: str, spawn: Spawn) -> None:
        """The task was told and has not run: it has the item, or the thread behind it gets it."""
        tx, rx = fl.channel(None)
        threads: list[Spawned[Any]] = []
        got: list[Any] = []

        async def take(rx: "fl.Receiver[Any]") -> None:
            got.append(await rx.recv_async())

        async def main() -> None:
            async with trio.open_nursery() as nursery:
                _start(how, nursery, take, rx)
                await until_async(run_trio, lambda: blocked_receivers(rx) == 1)
                threads.append(spawn(rx.recv, BOUND))
                await until_async(run_trio, lambda: blocked_receivers(rx) == 2)
                tx.try_send("first")
                if how == "failed":
                    raise LookupError("the block fails")
                nursery.cancel_scope.cancel()

        with pytest.raises(ExceptionGroup) if how == "failed" else contextlib.nullcontext():
            run_trio(main)
        if got:
            tx.send("second")
        assert [*got, threads[0].join()] == ["first", "second"][: len(got) + 1]
        assert (queued(rx), blocked_receivers(rx)) == (0, 0)
        tx.close()
        rx.close()

    def test_with_senders_that_wait_nothing_was_sent(self, spawn: Spawn) -> None:
        """And the room goes to the thread behind them."""
        tx, rx = fl.channel(1)
        tx.send("old")
        threads: list[Spawned[Any]] = []

        async def main() -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(send, tx, "of the run")
                await until_async(run_trio, lambda: blocked_senders(rx) == 1)
                threads.append(spawn(tx.send, "of the thread", BOUND))
                await until_async(run_trio, lambda: blocked_senders(rx) == 2)
                assert rx.try_recv() == "old"
                nursery.cancel_scope.cancel()

        run_trio(main)
        received = [rx.recv(BOUND)]
        threads[0].join()
        assert received + rx.drain() in (["of the thread"], ["of the run", "of the thread"])
        assert blocked_senders(rx) == 0
        tx.close()
        rx.close()


def _start(how: str, nursery: trio.Nursery, function: Callable[..., Any], rx: "fl.Receiver[Any]") -> None:
    """Start a task: one of the nursery, or one that is still there when the main task has returned."""
    if how == "main_returned":
        trio.lowlevel.spawn_system_task(function, rx)
    else:
        nursery.start_soon(function, rx)


class _Counting(selectors.DefaultSelector):
    """A selector that counts the rounds of its loop."""

    rounds = 0

    def select(self, timeout: float | None = None) -> Any:
        self.rounds += 1
        return super().select(timeout)


class TestWakeUps:
    def test_two_hundred_receivers_that_wait_cause_none(self) -> None:
        """For a second the loop does not turn once."""
        selector = _Counting()
        loop = asyncio.SelectorEventLoop(selector)
        tx, rx = fl.channel(None)
        rounds: list[int] = []
        begun, never = threading.Event(), threading.Event()

        def watch() -> None:
            assert begun.wait(BOUND)
            until(lambda: loop.is_running() and _is_still(selector))
            before = selector.rounds
            never.wait(1.0)
            rounds.append(selector.rounds - before)
            for number in range(200):
                tx.send(number)

        async def main() -> list[int]:
            tasks = [asyncio.ensure_future(receive(rx)) for _ in range(200)]
            await until_async(run_asyncio, lambda: blocked_receivers(rx) == 200)
            begun.set()
            got: list[int] = await asyncio.gather(*tasks)
            return got

        watcher = threading.Thread(target=watch)
        watcher.start()
        got = loop.run_until_complete(main())
        watcher.join(BOUND)
        loop.close()
        tx.close()
        rx.close()

        assert (rounds, sorted(got)) == ([0], list(range(200)))

    def test_they_come_in_batches(self) -> None:
        """Many items sent in one turn of the loop wake their receivers with one call of the loop."""

        async def main() -> None:
            tx, rx = fl.channel(None)
            tasks = [asyncio.ensure_future(receive(rx)) for _ in range(100)]
            await until_async(run_asyncio, lambda: blocked_receivers(rx) == 100)
            loop, posted = asyncio.get_running_loop(), []
            real = loop.call_soon_threadsafe

            def noted(*args: Any, **kwargs: Any) -> Any:
                posted.append(args)
                return real(*args, **kwargs)

            loop.call_soon_threadsafe = noted  # type: ignore[method-assign,assignment]
            sender = threading.Thread(target=tx.send_many, args=(range(100),))
            sender.start()
            sender.join(BOUND)  # the loop cannot run meanwhile
            assert sorted(await asyncio.gather(*tasks)) == list(range(100))
            assert len(posted) == 1
            tx.close()
            rx.close()

        run_asyncio(main)

    def test_the_last_sender_that_is_dropped_wakes_a_coroutine(self, run: Run) -> None:
        """Without a close: the drop warns, and the receiver finds the channel closed."""
        tx, rx = fl.channel(1)
        ends = [tx]
        del tx

        async def receive() -> None:
            with pytest.raises(fl.Closed):
                await rx.recv_async()

        async def drop() -> None:
            await until_async(run, lambda: blocked_receivers(rx) == 1)
            with pytest.warns(ResourceWarning, match="Sender was dropped"):  # noqa: PT031 - the drop is what warns
                ends.clear()
                gc.collect()

        run(lambda: gather(run, receive, drop))
        rx.close()


def _is_still(selector: _Counting) -> bool:
    before = selector.rounds
    threading.Event().wait(0.05)
    return selector.rounds == before
