"""How an event loop is told of what was claimed: from a drop, and when a signal comes in the middle.

Not here: loops that stop, end and are cancelled; see `test_channel_loop_life.py`.
"""

import asyncio
import queue
import signal
import threading
from types import FrameType
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.loops import Run
from tests.support.until import BOUND, blocked_receivers, blocked_senders, until, waiting


class Interrupted(BaseException):
    """What a signal handler of these tests raises."""


@pytest.mark.filterwarnings("ignore:A .* was dropped:ResourceWarning")
class TestDrops:
    """A thread ends and drops what it made. Nobody else makes a call of fearless: all sleep, the main thread too.

    What another thread made is no matter of ours: a free-threaded interpreter leaves its end to that thread.
    """

    @pytest.mark.guarantee("channel", "async")
    def test_the_last_sender_ends_a_receive(self, run: Run, spawn: Spawn) -> None:
        """The iteration comes to its end."""
        handed: queue.Queue[fl.Receiver[int]] = queue.Queue()

        def make_and_drop() -> None:
            tx, rx = fl.channel(1)
            handed.put(rx)
            del rx
            until(lambda: blocked_receivers(tx) == 1)

        maker = spawn(make_and_drop)
        rx = handed.get(timeout=BOUND)

        async def main() -> list[int]:
            return [item async for item in rx]

        assert spawn(run, main).join(BOUND / 3) == []
        maker.join(BOUND)
        rx.close()

    @pytest.mark.guarantee("channel", "async")
    def test_the_last_receiver_ends_a_send(self, run: Run, spawn: Spawn) -> None:
        """It finds the channel closed."""
        handed: queue.Queue[fl.Sender[int]] = queue.Queue()

        def make_and_drop() -> None:
            tx, rx = fl.channel(1)
            tx.send(0)
            handed.put(tx)
            del tx
            until(lambda: blocked_senders(rx) == 1)

        maker = spawn(make_and_drop)
        tx = handed.get(timeout=BOUND)

        async def main() -> None:
            with pytest.raises(fl.Closed):
                await tx.send_async(1)

        spawn(run, main).join(BOUND / 3)
        maker.join(BOUND)
        tx.close()

    @pytest.mark.guarantee("mutex", "async")
    def test_a_guard_frees_its_mutex_for_a_task(self, run: Run, spawn: Spawn) -> None:
        """The task gets the lock."""
        mutex = fl.Mutex(0)
        taken = threading.Event()

        def hold() -> None:
            guards = [mutex.lock()]
            taken.set()
            until(lambda: waiting(mutex) == 1)
            guards.clear()

        holder = spawn(hold)
        taken.wait(BOUND)

        async def main() -> None:
            (await mutex.lock_async()).release()

        spawn(run, main).join(BOUND / 3)
        holder.join(BOUND)


class _SignalledLoop(asyncio.SelectorEventLoop):
    """A loop in whose `call_soon_threadsafe` a signal arrives, once."""

    is_armed = False

    def call_soon_threadsafe(self, *arguments: Any, **keywords: Any) -> Any:  # type: ignore[override]  # passed on
        if self.is_armed:
            self.is_armed = False
            signal.raise_signal(signal.SIGUSR1)
        return super().call_soon_threadsafe(*arguments, **keywords)


@pytest.mark.guarantee("channel", "Ctrl-C")
def test_a_signal_in_the_middle_of_telling_a_loop_is_raised(spawn: Spawn) -> None:
    """Just after the call; the item was sent, and the loop was told of it."""
    tx, rx = fl.channel(1)
    loop = _SignalledLoop()

    async def receive() -> object:
        return await asyncio.wait_for(_received(rx), BOUND)

    def handler(_number: int, _frame: FrameType | None) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        receiver = spawn(loop.run_until_complete, receive())
        until(lambda: blocked_receivers(rx) == 1)
        loop.is_armed = True
        with pytest.raises(Interrupted):
            _send_and_go_on(tx)
        assert receiver.join(BOUND) == "item"
    finally:
        signal.signal(signal.SIGUSR1, before)
        loop.close()
        tx.close()
        rx.close()


def _send_and_go_on(tx: "fl.Sender[str]") -> None:
    """The exception comes between two steps of the interpreter: give it some."""
    tx.send("item")
    for _ in range(1000):
        pass


async def _received(rx: "fl.Receiver[Any]") -> object:
    return await rx.recv_async()
