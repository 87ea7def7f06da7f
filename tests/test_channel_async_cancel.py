"""Coroutines of asyncio and trio that are cancelled in a send or a receive: nothing is lost, the next is served.

Not here: scopes of ours that cancel threads (`tests/generic/test_blocking.py`).
"""

import asyncio

import pytest
import trio

import fearless as fl
from tests.support.loops import Run, receive, run_asyncio, run_trio, send, until_async
from tests.support.until import BOUND, blocked_receivers, blocked_senders

pytestmark = pytest.mark.guarantee("channel", "async")


class TestCancel:
    @pytest.mark.guarantee("channel", "cancel")
    @pytest.mark.parametrize("capacity", [None, 1])
    def test_asyncio_in_the_turn_of_the_wake_up(self, capacity: int | None) -> None:
        """The task is woken and cancelled before it runs: the item goes to the next, or stays."""

        async def main() -> None:
            tx, rx = fl.channel(capacity)
            first, second = (asyncio.ensure_future(receive(rx)) for _ in range(2))
            await until_async(run_asyncio, lambda: blocked_receivers(rx) == 2)
            tx.send("item")
            first.cancel()
            assert await second == "item"
            with pytest.raises(asyncio.CancelledError):
                await first

            third = asyncio.ensure_future(receive(rx))
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
                lost = asyncio.ensure_future(send(tx, "cancelled"))
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
                    await asyncio.wait_for(receive(rx), 0.01)
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
