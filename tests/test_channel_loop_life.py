"""Channels and event loops that end, stop, cancel and forget: nothing is lost, and the next waiter is served.

Not here: what a single call promises; see `test_channel_async.py`.
"""

import asyncio
import gc
import selectors
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import fearless as fl
from tests.support.until import blocked_receivers, blocked_senders

pytestmark = pytest.mark.guarantee("channel", "async")

BOUND = 10.0


@contextmanager
def ends(capacity: int | None = None) -> Iterator[tuple[fl.Sender[Any], fl.Receiver[Any]]]:
    """A channel that is closed at the end."""
    tx, rx = fl.channel(capacity)
    with tx, rx:
        yield tx, rx


@contextmanager
def new_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs only when it is told to."""
    loop = asyncio.new_event_loop()
    try:
        yield loop
    finally:
        loop.close()


def turns(loop: asyncio.AbstractEventLoop, count: int = 3) -> None:
    """Let the loop go around a few times."""
    for _ in range(count):
        loop.run_until_complete(asyncio.sleep(0))


async def cancelled(task: asyncio.Task[Any]) -> None:
    """Await the end of a cancelled task."""
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, BOUND)


async def until(is_so: Callable[[], bool]) -> None:
    """Let the loop go around until it is so: a task may give others a turn before it waits."""
    async with asyncio.timeout(BOUND):
        while not is_so():  # noqa: ASYNC110 - nobody tells when a call blocks
            await asyncio.sleep(0)


def receive(rx: fl.Receiver[Any]) -> Callable[[], Any]:
    """A coroutine function for a task."""

    async def receives() -> Any:
        return await rx.recv_async()

    return receives


def test_a_cancel_in_the_turn_of_the_wake_up_takes_nothing() -> None:
    """The item that the receiver was told of goes to the next."""

    async def main() -> object:
        with ends() as (tx, rx):
            first, second = (asyncio.create_task(receive(rx)()) for _ in range(2))
            await until(lambda: blocked_receivers(rx) == 2)
            tx.send("item")  # tells the first
            first.cancel()
            await cancelled(first)
            return await asyncio.wait_for(second, BOUND)

    assert asyncio.run(main()) == "item"


def test_a_cancelled_send_has_sent_nothing_and_the_next_has_its_room() -> None:
    """Room is offered to the first sender, which is cancelled before it runs."""

    async def main() -> list[object]:
        with ends(1) as (tx, rx):
            tx.send(0)

            async def sends(item: int) -> None:
                await tx.send_async(item)

            first, second = asyncio.create_task(sends(1)), asyncio.create_task(sends(2))
            await until(lambda: blocked_senders(rx) == 2)
            taken = [rx.try_recv()]  # tells the first
            first.cancel()
            await cancelled(first)
            await asyncio.wait_for(second, BOUND)
            return [*taken, rx.try_recv(), rx.is_empty]

    assert asyncio.run(main()) == [0, 2, True]


@pytest.mark.parametrize("how", ["stopped", "closed"])
def test_a_loop_that_does_not_run_passes_its_notice_on(how: str) -> None:
    """Its receiver was first in the queue; the thread behind it gets the item."""
    with ends() as (tx, rx), new_loop() as loop:
        waiting = loop.create_task(receive(rx)())
        loop.run_until_complete(until(lambda: blocked_receivers(rx) == 1))
        got: list[object] = []
        thread = threading.Thread(target=lambda: got.append(rx.recv(BOUND)))
        thread.start()
        while blocked_receivers(rx) < 2:
            thread.join(0.001)
        if how == "closed":
            loop.close()

        tx.send("item")

        thread.join(BOUND)
        assert got == ["item"]
        if how == "stopped":
            tx.send("another")
            assert loop.run_until_complete(asyncio.wait_for(waiting, BOUND)) == "another"
        else:
            waiting._log_destroy_pending = False  # type: ignore[attr-defined]


def test_all_waiters_of_a_stopped_loop_pass_the_notice_on() -> None:
    """Two of its receivers are ahead of a thread: the second, told in its turn, passes it on as the first did."""
    with ends() as (tx, rx), new_loop() as loop:
        waiting = [loop.create_task(receive(rx)()) for _ in range(2)]
        loop.run_until_complete(until(lambda: blocked_receivers(rx) == 2))
        got: list[object] = []
        thread = threading.Thread(target=lambda: got.append(rx.recv(BOUND)))
        thread.start()
        while blocked_receivers(rx) < 3:
            thread.join(0.001)

        tx.send(1)

        thread.join(BOUND)
        assert got == [1]
        tx.send_many([2, 3])
        assert sorted(loop.run_until_complete(asyncio.gather(*waiting))) == [2, 3]


def test_a_loop_that_ends_with_waiters_leaves_the_item_to_others() -> None:
    """`asyncio.run` cancels what is left."""
    with ends() as (tx, rx):

        async def main() -> None:
            task = asyncio.create_task(receive(rx)())
            await until(lambda: blocked_receivers(rx) == 1)
            tx.send("item")
            del task

        asyncio.run(main())

        assert rx.try_recv() == "item"


PER_SENDER = 300


async def sends_all(tx: fl.Sender[int]) -> None:
    """Send, and close."""
    with tx:
        for number in range(PER_SENDER):
            await tx.send_async(number)


async def receives_all(rx: fl.Receiver[int]) -> list[int]:
    """Receive to the end."""
    with rx:
        return [number async for number in rx]


def in_a_loop(tx: fl.Sender[int], rx: fl.Receiver[int]) -> list[int]:
    """Send and receive in one loop; what was received."""

    async def main() -> list[int]:
        _, got = await asyncio.wait_for(asyncio.gather(sends_all(tx), receives_all(rx)), BOUND)
        return got

    return asyncio.run(main())


def test_two_loops_and_two_threads_share_one_channel() -> None:
    """Every item arrives once, whoever sends and whoever receives."""
    tx, rx = fl.channel(4)

    with fl.scope(timeout=2 * BOUND) as scope:
        loops = [scope.spawn(in_a_loop, tx.clone().move(), rx.clone().move()) for _ in range(2)]
        scope.spawn(lambda tx: tx.send_many(range(PER_SENDER)), tx.move())
        thread = scope.spawn(list[int], rx.move())

    got = [*thread.join(), *loops[0].join(), *loops[1].join()]
    assert sorted(got) == sorted(list(range(PER_SENDER)) * 3)


class CountingSelector(selectors.DefaultSelector):
    """Counts how often the loop looks."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def select(self, timeout: float | None = None) -> Any:
        """Look, and count."""
        self.looks += 1
        return super().select(timeout)


def test_waiting_receivers_cause_no_turn_of_the_loop() -> None:
    """200 receivers wait for a second; the loop looks when it goes to sleep and when the second is over."""
    selector = CountingSelector()
    loop = asyncio.SelectorEventLoop(selector)
    try:
        with ends() as (tx, rx):
            tasks = [loop.create_task(receive(rx)()) for _ in range(200)]
            loop.run_until_complete(until(lambda: blocked_receivers(rx) == 200))
            before = selector.looks

            loop.run_until_complete(asyncio.sleep(1))

            assert selector.looks - before <= 10
            tx.send_many(range(200))
            assert sorted(loop.run_until_complete(asyncio.gather(*tasks))) == list(range(200))
    finally:
        loop.close()


def test_wake_ups_of_one_loop_are_batched() -> None:
    """A hundred receivers that are woken by one thread take the loop a few turns, not a hundred."""
    selector = CountingSelector()
    loop = asyncio.SelectorEventLoop(selector)
    try:
        with ends() as (tx, rx):
            tasks = [loop.create_task(receive(rx)()) for _ in range(100)]
            loop.run_until_complete(until(lambda: blocked_receivers(rx) == 100))
            thread = threading.Thread(target=tx.send_many, args=(range(100),))
            thread.start()
            thread.join()
            before = selector.looks

            got = loop.run_until_complete(asyncio.gather(*tasks))

            assert sorted(got) == list(range(100))
            assert selector.looks - before <= 20
    finally:
        loop.close()


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_waiting_task_on_a_channel_that_nobody_has_is_collected() -> None:
    """Channel, operation, future and task refer to each other and to nothing else."""
    with new_loop() as loop:

        class Witness:
            """Dies with the task."""

        def begin() -> weakref.ref[Witness]:
            tx, rx = fl.channel(0)
            witness = Witness()

            async def waits(keeps: object) -> None:
                await rx.recv_async()
                del keeps

            task = loop.create_task(waits(witness))
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            turns(loop)
            rx_keeps = tx  # the sender is dropped with this frame, together with everything else
            del rx_keeps
            return weakref.ref(witness)

        gone = begin()
        for _ in range(5):
            gc.collect()
            turns(loop)

        assert gone() is None


def test_an_operation_that_is_never_awaited_does_nothing() -> None:
    """It takes no item and sends none."""
    with ends(1) as (tx, rx):
        sending = tx.send_async("not sent")
        assert rx.is_empty
        tx.send("item")
        receiving = rx.recv_async()
        assert rx.try_recv() == "item"
        sending.close()
        receiving.close()


def test_an_operation_is_awaited_once() -> None:
    """A second time is an error, not a second receive."""

    async def main() -> None:
        with ends() as (tx, rx):
            tx.send_many([1, 2])
            operation = rx.recv_async()
            assert await operation == 1
            with pytest.raises(RuntimeError, match="can be awaited once"):
                await operation
            assert rx.try_recv() == 2

    asyncio.run(main())


def test_outside_a_loop_a_wait_is_refused() -> None:
    """There is nobody to wake it."""
    with ends() as (_, rx), pytest.raises(RuntimeError, match="no loop runs here"):
        rx.recv_async().send(None)
