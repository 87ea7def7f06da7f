"""Channels for coroutines: asyncio and trio, several loops, threads beside them, cancellation, loops that end.

Not here: select from a thread (`test_select.py`).
"""

import asyncio
import gc
import itertools
import selectors
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
import trio

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.items import Marker
from tests.support.until import BOUND, blocked_receivers, blocked_senders, queued, until

Main = Callable[[], Coroutine[Any, Any, Any]]
Run = Callable[[Main], Any]
ASYNC = pytest.mark.guarantee("channel", "async")
pytestmark = ASYNC


def run_asyncio(main: Main) -> Any:
    """Run a coroutine in a loop of asyncio, `BOUND` seconds at most."""

    async def bounded() -> Any:
        return await asyncio.wait_for(main(), BOUND)

    return asyncio.run(bounded())


def run_trio(main: Main) -> Any:
    """Run a coroutine in trio, `BOUND` seconds at most."""

    async def bounded() -> Any:
        with trio.fail_after(BOUND):
            return await main()

    return trio.run(bounded)


@pytest.fixture(params=[run_asyncio, run_trio], ids=["asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a program in one of the two libraries."""
    runner: Run = request.param
    return runner


async def gather(run: Run, *functions: Main) -> None:
    """Run coroutines side by side in the library that runs."""
    if run is run_asyncio:
        await asyncio.gather(*(function() for function in functions))
        return
    async with trio.open_nursery() as nursery:
        for function in functions:
            nursery.start_soon(function)


async def turn(run: Run) -> None:
    """Let the other tasks run once."""
    if run is run_asyncio:
        await asyncio.sleep(0)
    else:
        await trio.lowlevel.checkpoint()


async def until_async(run: Run, happened: Callable[[], object]) -> None:
    """Give way to others until it happened."""
    limit = time.monotonic() + BOUND
    while not happened():
        assert time.monotonic() < limit, "not seen in time"
        await turn(run)


@pytest.mark.parametrize("capacity", [None, 64, 1, 0])
def test_items_go_from_coroutine_to_coroutine_in_order(run: Run, capacity: int | None) -> None:
    """The iteration ends with the channel."""
    tx, rx = fl.channel(capacity)
    got: list[int] = []

    async def produce() -> None:
        with tx:
            for number in range(300):
                await tx.send_async(number)

    async def consume() -> None:
        with rx:
            got.extend([number async for number in rx])

    run(lambda: gather(run, produce, consume))

    assert got == list(range(300))


@pytest.mark.guarantee("channel", "both builds")
@pytest.mark.parametrize("capacity", [None, 4, 0])
def test_two_loops_and_two_threads_share_a_channel(capacity: int | None, spawn: Spawn) -> None:
    """Both libraries and threads on both ends: each item comes once."""
    tx, rx = fl.channel(capacity)
    count = 200

    def send_in_thread(who: int, tx: "fl.Sender[tuple[int, int]]") -> None:
        with tx:
            for number in range(count):
                tx.send((who, number))

    def send_in_loop(run: Run, who: int, tx: "fl.Sender[tuple[int, int]]") -> None:
        async def main() -> None:
            with tx:
                for number in range(count):
                    await tx.send_async((who, number))

        run(main)

    def receive_in_loop(run: Run) -> list[Any]:
        async def main() -> list[Any]:
            return [item async for item in rx]

        got: list[Any] = run(main)
        return got

    takers = [spawn(receive_in_loop, run_asyncio), spawn(receive_in_loop, run_trio), spawn(lambda: list(rx))]
    givers = [
        spawn(send_in_loop, run_asyncio, 0, tx.clone()),
        spawn(send_in_loop, run_trio, 1, tx.clone()),
        spawn(send_in_thread, 2, tx.clone()),
    ]
    tx.close()
    for giver in givers:
        giver.join()
    parts = [taker.join() for taker in takers]
    rx.close()

    assert sorted(itertools.chain(*parts)) == [(who, number) for who in range(3) for number in range(count)]
    for part, who in itertools.product(parts, range(3)):
        assert [number for giver, number in part if giver == who] == sorted(n for giver, n in part if giver == who)


class TestCancel:
    @pytest.mark.guarantee("channel", "cancel")
    @pytest.mark.parametrize("capacity", [None, 1])
    def test_asyncio_in_the_turn_of_the_wake_up(self, capacity: int | None) -> None:
        """The task is woken and cancelled before it runs: the item goes to the next, or stays."""

        async def main() -> None:
            tx, rx = fl.channel(capacity)
            first, second = (asyncio.ensure_future(_receive(rx)) for _ in range(2))
            await until_async(run_asyncio, lambda: blocked_receivers(rx) == 2)
            tx.send("item")
            first.cancel()
            assert await second == "item"
            with pytest.raises(asyncio.CancelledError):
                await first

            third = asyncio.ensure_future(_receive(rx))
            await until_async(run_asyncio, lambda: blocked_receivers(rx) == 1)
            tx.send("kept")
            third.cancel()
            await asyncio.wait([third])
            assert (third.cancelled(), rx.try_recv()) == (True, "kept")
            tx.close()
            rx.close()

        run_asyncio(main)

    @pytest.mark.guarantee("channel", "cancel")
    @pytest.mark.parametrize("capacity", [None, 1])
    def test_trio_in_the_turn_of_the_wake_up(self, capacity: int | None) -> None:
        """Either the cancelled task got the item, or the channel has it still: it is somewhere, once."""

        async def main() -> None:
            tx, rx = fl.channel(capacity)
            got: list[str] = []
            scope = trio.CancelScope()

            async def receive() -> None:
                with scope:
                    got.append(await rx.recv_async())

            async with trio.open_nursery() as nursery:
                nursery.start_soon(receive)
                await until_async(run_trio, lambda: blocked_receivers(rx) == 1)
                tx.try_send("item")
                scope.cancel()
            got += rx.drain()
            assert (got, blocked_receivers(rx)) == (["item"], 0)
            tx.close()
            rx.close()

        run_trio(main)

    @pytest.mark.guarantee("channel", "cancel")
    def test_a_cancelled_send_has_sent_nothing(self, run: Run) -> None:
        """And the next sender is served."""

        async def main() -> None:
            tx, rx = fl.channel(1)
            tx.send("first")
            done = []

            async def wait() -> None:
                await tx.send_async("next")
                done.append("next")

            if run is run_asyncio:
                lost = asyncio.ensure_future(_send(tx, "cancelled"))
                kept = asyncio.ensure_future(wait())
                await until_async(run, lambda: blocked_senders(rx) == 2)
                assert rx.recv(BOUND) == "first"
                lost.cancel()
                await kept
                await asyncio.wait([lost])
                assert lost.cancelled()
            else:
                scope = trio.CancelScope()

                async def lose() -> None:
                    with scope:
                        await tx.send_async("cancelled")

                async with trio.open_nursery() as nursery:
                    nursery.start_soon(lose)
                    await until_async(run, lambda: blocked_senders(rx) == 1)
                    nursery.start_soon(wait)
                    await until_async(run, lambda: blocked_senders(rx) == 2)
                    scope.cancel()
                    await until_async(run, lambda: blocked_senders(rx) == 1)
                    assert rx.recv(BOUND) == "first"
            assert (done, rx.drain()) == (["next"], ["next"])
            tx.close()
            rx.close()

        run(main)

    def test_a_timeout_of_the_library_loses_nothing(self, run: Run) -> None:
        """The wait is left, and the next receive gets what comes."""

        async def main() -> None:
            tx, rx = fl.channel(1)
            if run is run_asyncio:
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(_receive(rx), 0.01)
            else:
                with trio.move_on_after(0.01) as scope:
                    await rx.recv_async()
                assert scope.cancelled_caught
            assert blocked_receivers(rx) == 0
            tx.send("item")
            assert await rx.recv_async() == "item"
            tx.close()
            rx.close()

        run(main)


async def _receive(rx: "fl.Receiver[Any]") -> Any:
    return await rx.recv_async()


async def _send(tx: "fl.Sender[Any]", item: object) -> None:
    await tx.send_async(item)


class TestLoopsThatEnd:
    @pytest.mark.parametrize("close", [True, False], ids=["closed", "stopped"])
    def test_a_loop_with_waiters_loses_nothing(self, close: bool, spawn: Spawn) -> None:  # noqa: FBT001 - a parameter
        """An item that comes then goes to the next waiter, a thread."""
        tx, rx = fl.channel(None)
        loop = asyncio.new_event_loop()
        task = loop.create_task(_receive(rx))
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
        task = loop.create_task(_receive(rx))
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
            tasks = [asyncio.ensure_future(_receive(rx)) for _ in range(200)]
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
            tasks = [asyncio.ensure_future(_receive(rx)) for _ in range(100)]
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


def test_close_wakes_every_waiting_coroutine(run: Run) -> None:
    """Receivers find the end of the channel; a sender gets its item back."""

    async def main() -> None:
        tx, rx = fl.channel(1)
        full_tx, full_rx = fl.channel(1)
        full_tx.send("first")
        ended = []

        async def receive() -> None:
            with pytest.raises(fl.Closed):
                await rx.recv_async()
            ended.append("receiver")

        async def send() -> None:
            with pytest.raises(fl.Closed) as caught:
                await full_tx.send_async("refused")
            ended.append(caught.value.item)

        async def close() -> None:
            await until_async(run, lambda: (blocked_receivers(rx), blocked_senders(full_rx)) == (2, 1))
            tx.close()
            full_rx.close()

        await gather(run, receive, receive, send, close)
        assert sorted(ended) == ["receiver", "receiver", "refused"]
        rx.close()
        full_tx.close()

    run(main)


def test_an_operation_that_is_not_awaited_does_nothing(run: Run) -> None:
    """It may be dropped or closed without a word."""

    async def main() -> None:
        tx, rx = fl.channel(2)
        tx.send("item")
        made = [rx.recv_async(), tx.send_async("never")]
        assert len(made) == 2
        fl.select_async(rx).close()
        assert (queued(rx), blocked_receivers(rx), blocked_senders(rx)) == (1, 0, 0)
        tx.close()
        rx.close()

    run(main)


def test_an_operation_can_be_awaited_once(run: Run) -> None:
    """The second time is refused and takes nothing."""

    async def main() -> None:
        tx, rx = fl.channel(2)
        tx.send_many(["first", "second"])
        operation: Awaitable[str] = rx.recv_async()
        assert await operation == "first"
        with pytest.raises(RuntimeError, match="awaited once"):
            await operation
        assert rx.drain() == ["second"]
        tx.close()
        rx.close()

    run(main)


def test_without_a_loop_a_wait_is_refused() -> None:
    """It says what to do, and has done nothing."""
    tx, rx = fl.channel(1)
    with tx, rx, pytest.raises(RuntimeError, match="asyncio or trio"):
        rx.recv_async().send(None)
    assert blocked_receivers(rx) == 0


def test_select_async_takes_what_comes_first(run: Run) -> None:
    """From a receiver, to a sender, and from a timer."""

    async def main() -> None:
        tx, rx = fl.channel(1)
        full_tx, full_rx = fl.channel(1)
        full_tx.send("first")
        chosen: list[Any] = []

        async def choose() -> None:
            chosen.extend(await fl.select_async(rx, full_tx.sending("second")))

        async def act() -> None:
            await until_async(run, lambda: blocked_senders(full_rx) == 1)
            assert full_rx.recv(BOUND) == "first"

        await gather(run, choose, act)
        assert (chosen[0], chosen[2:], full_rx.drain()) == (1, [None, False], ["second"])

        timer = fl.after(0.01)
        selected = await fl.select_async(rx, timer)
        assert (selected.index, selected.channel is timer, blocked_receivers(rx)) == (1, True, 0)
        for end in (tx, rx, full_tx, full_rx):
            end.close()

    run(main)


def test_a_task_that_never_waits_lets_others_run(run: Run) -> None:
    """A receiver whose channel is never empty gives way, at the latest every 64 calls or so."""

    async def main() -> None:
        tx, rx = fl.channel(None)
        tx.send_many(range(1000))
        seen: list[int] = []

        async def take() -> None:
            for _ in range(1000):
                await rx.recv_async()

        async def look() -> None:
            while len(rx):
                seen.append(len(rx))
                await turn(run)

        await gather(run, take, look)
        assert len(seen) >= 10
        tx.close()
        rx.close()

    run(main)


@pytest.mark.guarantee("channel", "GC")
def test_an_operation_in_a_dead_cycle_is_collected() -> None:
    """It lies in the channel that it would receive from."""
    tx, rx = fl.channel(None)
    marker = Marker()
    gone = weakref.ref(marker)
    tx.send((rx.recv_async(), tx.send_async(marker), marker))
    with pytest.warns(ResourceWarning, match="was dropped"):  # noqa: PT031 - the drop is what warns
        del tx, rx, marker
        gc.collect()

    assert gone() is None


@pytest.mark.guarantee("channel", "GC")
def test_a_waiting_task_that_nobody_can_wake_is_collected() -> None:
    """The task waits for a channel of which nothing but the task is left."""
    loop = asyncio.new_event_loop()
    marker = Marker()
    gone = weakref.ref(marker)

    async def wait(kept: Marker) -> None:
        tx, rx = fl.channel(None)
        kept.holds += [tx, rx]
        await rx.recv_async()

    task = loop.create_task(wait(marker))
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # it is what the test is about
    loop.run_until_complete(asyncio.sleep(0))
    with pytest.warns(ResourceWarning, match="was dropped"):  # noqa: PT031 - the drop is what warns
        del task, marker
        gc.collect()
    loop.close()

    assert gone() is None
