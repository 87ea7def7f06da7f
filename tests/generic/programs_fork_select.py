"""Programs that fork beside selects and event loops: what the child may rely on, and what goes on in the parent.

Not here: pytest, which these programs do not need; POSIX is taken for granted; channels alone (`programs_fork.py`).
"""

import asyncio
import threading
from typing import Any

import fearless as fl
from tests.support.forks import in_child
from tests.support.loops import Run, receive, run_asyncio, run_trio, turn, until_async
from tests.support.threads import start
from tests.support.until import BOUND, blocked_receivers, blocked_senders, queued, until


def choose(*channels: Any) -> "fl.Selected[Any]":
    """Select, with a bound."""
    return fl.select(*channels, timeout=BOUND)


def select_forgets_vanished_threads() -> None:
    """The child has the channels to itself, in both directions; in the parent the select goes on."""
    (tx, rx), (full_tx, full_rx) = fl.channel(2), fl.channel(1)
    full_tx.send("old")
    blocked = start(lambda: choose(rx, full_tx.sending("new"), fl.never()))
    until(lambda: (blocked_receivers(rx), blocked_senders(full_rx)) == (1, 1))

    def child() -> None:
        assert (blocked_receivers(rx), blocked_senders(full_rx)) == (0, 0)
        for number in range(5):
            tx.send(number, 0)
            assert tuple(fl.try_select(full_tx.sending("no room"), rx)) == (1, rx, number, False)
        assert full_rx.drain() == ["old"]
        assert fl.try_select(full_tx.sending("of the child"), rx).index == 0
        assert full_rx.drain() == ["of the child"]

    in_child(child)
    assert full_rx.recv(BOUND) == "old"
    assert blocked.join().index == 1
    assert full_rx.recv(BOUND) == "new"


def select_offered_at_a_rendezvous() -> None:
    """What a vanished select had offered there counts as sent, once; in the parent it is taken once as well."""
    tx, rx = fl.channel(0)
    blocked = start(lambda: choose(tx.sending("offered"), fl.never()))
    until(lambda: blocked_senders(rx) == 1)

    def child() -> None:
        assert blocked_senders(rx) == 0
        assert rx.drain() == ["offered"]
        for _ in range(2):
            receiver = start(lambda: choose(rx).value)
            tx.send("again", BOUND)
            assert receiver.join() == "again"

    in_child(child)
    assert rx.recv(BOUND) == "offered"
    assert blocked.join().index == 0
    assert blocked_senders(rx) == 0


def select_works_between_threads_of_the_child() -> None:
    """Selects, timers and closes wait and wake in the child as in any process."""
    (tx, rx), (stop_tx, stop) = fl.channel(0), fl.channel(0)

    def consume() -> list[int]:
        got = []
        while (chosen := choose(rx, stop)).index == 0:
            got.append(chosen.value)
        return got

    def child() -> None:
        assert fl.select(rx, fl.after(0.001)).index == 1
        consumer = start(consume)
        for number in range(50):
            assert choose(tx.sending(number), fl.never()).index == 0
        stop_tx.close()
        assert consumer.join() == list(range(50))

    in_child(child)
    assert blocked_receivers(rx) == 0


def select_of_a_timer_made_before() -> None:
    """A timer is due in both processes, once in each."""
    timer = fl.after(0.01)

    def child() -> None:
        assert choose(timer).index == 0
        assert choose(timer).closed

    in_child(child)
    assert not choose(timer).closed
    assert choose(timer).closed


# ---- loops -------------------------------------------------------------------------------------


def loop_in_a_vanished_thread(run: Run) -> None:
    """The child forgets its task, and loops of its own send and receive on the same channel."""
    tx, rx = fl.channel(2)
    waiting = start(run, lambda: receive(rx))
    until(lambda: blocked_receivers(rx) == 1)

    def child() -> None:
        assert blocked_receivers(rx) == 0
        for other in (run_asyncio, run_trio):
            assert other(lambda: exchange(tx, rx)) == list(range(20))
        tx.send("of the child", 0)
        assert rx.recv(0) == "of the child"

    in_child(child)
    tx.send("item")
    assert waiting.join() == "item"


async def exchange(tx: "fl.Sender[Any]", rx: "fl.Receiver[Any]") -> list[int]:
    """Send and receive in turn, by coroutines."""
    got = []
    for number in range(20):
        await tx.send_async(number)
        got.append((await fl.select_async(rx, fl.never())).value)
    return got


def asyncio_in_a_vanished_thread() -> None:
    """Of asyncio."""
    loop_in_a_vanished_thread(run_asyncio)


def trio_in_a_vanished_thread() -> None:
    """Of trio."""
    loop_in_a_vanished_thread(run_trio)


def fork_in_a_coroutine() -> None:
    """The loop that forked goes on in the parent; the child, which leaves it behind, runs another."""
    tx, rx = fl.channel(2)

    async def main() -> Any:
        task = asyncio.ensure_future(receive(rx))
        await until_async(run_asyncio, lambda: blocked_receivers(rx) == 1)

        def child() -> None:
            assert blocked_receivers(rx) == 0
            assert run_asyncio(lambda: exchange(tx, rx)) == list(range(20))
            consumer = start(lambda: list(rx))
            for number in range(20):
                tx.send(number, BOUND)  # no word about a loop that stands still: none runs here
            tx.close()
            assert consumer.join() == list(range(20))

        in_child(child)
        await tx.send_async("item")
        return await task

    assert run_asyncio(main) == "item"


def fork_between_notice_and_turn() -> None:
    """A task was told of an item and has not run: the item is there in both processes, for whoever comes."""
    tx, rx = fl.channel(2)
    loop = asyncio.new_event_loop()

    async def tell() -> None:
        tx.try_send("item")

        def child() -> None:
            assert (queued(rx), blocked_receivers(rx)) == (1, 0)
            assert rx.try_recv() == "item"
            tx.try_send("another")
            assert rx.try_recv() == "another"

        in_child(child)

    task = loop.create_task(receive(rx))
    loop.run_until_complete(asyncio.sleep(0))
    assert blocked_receivers(rx) == 1
    loop.run_until_complete(tell())
    assert loop.run_until_complete(asyncio.wait_for(task, BOUND)) == "item"
    loop.close()


def fork_beside_a_busy_loop(run: Run) -> None:
    """Forks while a loop sends and receives: each child can use the channel, and the parent has lost nothing.

    One loop: before 3.14, the lock of a dict for which threads without a GIL contend, `sys.modules` here, may be left
    locked in the child by CPython itself.
    """
    tx, rx = fl.channel(3)
    over = threading.Event()
    count = fl.AtomicInt(0)

    async def main() -> int:
        sent = 0
        while not over.is_set():
            await tx.send_async(sent)
            sent += 1
            await rx.recv_async()
            count.add(1)
            await turn(run)
        return sent

    def child() -> None:
        rx.drain()
        assert run_asyncio(lambda: exchange(tx, rx)) == list(range(20))
        assert run_trio(lambda: exchange(tx, rx)) == list(range(20))

    busy = start(run, main)
    try:
        for _ in range(10):
            before = count.load()
            until(lambda before=before: count.load() > before)  # type: ignore[misc]
            in_child(child)
    finally:
        over.set()
    assert busy.join() == count.load()
    assert queued(rx) == 0


def fork_beside_busy_asyncio() -> None:
    """Of asyncio."""
    fork_beside_a_busy_loop(run_asyncio)


def fork_beside_busy_trio() -> None:
    """Of trio."""
    fork_beside_a_busy_loop(run_trio)
