"""Channels for coroutines: what each call promises in asyncio and in trio, with threads beside them.

Not here: cancellation (`test_channel_async_cancel.py`), loops that end and wake-ups (`test_channel_async_loops.py`),
select from a thread (`test_select.py`).
"""

import asyncio
import gc
import itertools
import weakref
from collections.abc import Awaitable
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.items import Marker
from tests.support.loops import Run, gather, run_asyncio, run_trio, turn, until_async
from tests.support.until import BOUND, blocked_receivers, blocked_senders, queued

pytestmark = pytest.mark.guarantee("channel", "async")


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
