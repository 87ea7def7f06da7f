"""Channels in programs of anyio, on both of its backends: task groups, cancel scopes, worker threads.

Nothing of ours knows anyio; that its ways to cancel and to start tasks go together with our waiting is what is tested.
Not here: asyncio and trio by themselves (`test_channel_async*.py`).
"""

import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import anyio
import anyio.abc
import anyio.from_thread
import anyio.lowlevel
import anyio.to_thread
import pytest

import fearless as fl
from tests.plugins.channels import Ends, Make
from tests.plugins.threads import Spawn
from tests.support.until import BOUND, blocked_receivers, blocked_senders, queued

pytestmark = pytest.mark.guarantee("channel", "async")
CANCEL = pytest.mark.guarantee("channel", "cancel")

Run = Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]
Wait = Callable[[Ends, Ends], Awaitable[Any]]

WAITS: dict[str, Wait] = {  # each waits for an item of the first channel, which is empty, or for room in the second
    "recv_async": lambda empty, _: empty[1].recv_async(),
    "async_for": lambda empty, _: anext(empty[1]),
    "send_async": lambda _, full: full[0].send_async("new"),
    "select_async": lambda empty, full: fl.select_async(empty[1], full[0].sending("new"), fl.never()),
}
EACH_WAIT = pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)


@pytest.fixture(params=["asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a program on one of the backends, `BOUND` seconds at most."""

    def bounded(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        async def inner() -> Any:
            with anyio.fail_after(BOUND):
                return await main()

        return anyio.run(inner, backend=request.param)

    return bounded


@pytest.fixture
def ends(make: Make) -> tuple[Ends, Ends]:
    """An empty channel, and one that has no room."""
    empty, full = make(1), make(1)
    full[0].send("old")
    return empty, full


async def until(happened: Callable[[], object]) -> None:
    """Give way to others until it happened; `run` has the bound."""
    while not happened():
        await anyio.lowlevel.checkpoint()


def waiting(empty: Ends, full: Ends) -> int:
    """How many places in queues the two channels have given away."""
    return blocked_receivers(empty[1]) + blocked_senders(full[1])


@pytest.mark.parametrize("capacity", [None, 3, 0])
def test_tasks_of_a_group_share_a_channel(run: Run, make: Make, capacity: int | None) -> None:
    """Three send and three receive to the end, and each item comes once."""
    tx, rx = make(capacity)
    got: list[int] = []

    async def send(tx: "fl.Sender[int]", first: int) -> None:
        with tx:
            for number in range(first, first + 100):
                await tx.send_async(number)

    async def receive() -> None:
        got.extend([number async for number in rx])

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for first in (0, 100, 200):
                group.start_soon(receive)
                group.start_soon(send, tx.clone(), first)
            tx.close()

    run(main)

    assert sorted(got) == list(range(300))


@CANCEL
@EACH_WAIT
def test_a_scope_that_runs_out_of_time_has_done_nothing(run: Run, ends: tuple[Ends, Ends], wait: Wait) -> None:
    """`move_on_after` around each way to wait: no item is taken or sent, and nobody is left in a queue."""

    async def main() -> bool:
        with anyio.move_on_after(0.01) as scope:
            await wait(*ends)
        return scope.cancelled_caught

    assert run(main) is True
    empty, full = ends
    assert (waiting(empty, full), queued(empty[1]), full[1].drain()) == (0, 0, ["old"])


@CANCEL
@EACH_WAIT
def test_a_task_that_fails_ends_the_waits_of_its_group(run: Run, ends: tuple[Ends, Ends], wait: Wait) -> None:
    """The others of the group are cancelled out of their calls; the channels are as they were."""

    async def main() -> None:
        async def stay() -> None:
            await wait(*ends)
            pytest.fail("nothing came")

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(stay)
            await until(lambda: waiting(*ends) >= 3)
            raise LookupError("the block fails")

    with pytest.raises(ExceptionGroup) as caught:
        run(main)
    assert [type(error) for error in caught.value.exceptions] == [LookupError]
    empty, full = ends
    assert (waiting(empty, full), full[1].drain()) == (0, ["old"])


@CANCEL
@EACH_WAIT
def test_a_shielded_wait_goes_on_in_a_cancelled_scope(run: Run, ends: tuple[Ends, Ends], wait: Wait) -> None:
    """Until it is served."""
    empty, full = ends
    served: list[bool] = []

    async def stay() -> None:
        with anyio.CancelScope(shield=True):
            await wait(*ends)
            served.append(True)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(stay)
            await until(lambda: waiting(empty, full) >= 1)
            group.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                for _ in range(5):
                    await anyio.lowlevel.checkpoint()
            assert served == []
            empty[0].try_send("item")
            full[1].try_recv()

    run(main)

    assert served == [True]


@CANCEL
@pytest.mark.parametrize("capacity", [None, 1])
def test_a_cancel_in_the_turn_of_the_item_loses_nothing(run: Run, make: Make, capacity: int | None) -> None:
    """Item and cancellation come together: the task has the item, or the channel has."""
    tx, rx = make(capacity)

    async def main() -> None:
        for number in range(20):
            got: list[int] = []
            scope = anyio.CancelScope()

            async def receive(scope: anyio.CancelScope = scope, got: list[int] = got) -> None:
                with scope:
                    got.append(await rx.recv_async())

            async with anyio.create_task_group() as group:
                group.start_soon(receive)
                await until(lambda: blocked_receivers(rx) == 1)
                tx.try_send(number)
                scope.cancel()
            assert got + rx.drain() == [number]

    run(main)


@CANCEL
@pytest.mark.guarantee("channel", "both builds")
def test_a_loop_of_short_waits_gets_all_in_order(run: Run, make: Make, spawn: Spawn) -> None:
    """A consumer that gives up all the time, beside a thread that sends."""
    tx, rx = make(2)

    def produce() -> None:
        with tx:
            for number in range(300):
                tx.send(number)

    async def main() -> list[int]:
        got: list[int] = []
        while True:
            with anyio.move_on_after(0.0001):
                try:
                    got.append(await rx.recv_async())
                except fl.Closed:
                    return got

    producer = spawn(produce)
    assert run(main) == list(range(300))
    producer.join()


@CANCEL
def test_an_iteration_goes_on_after_a_timeout(run: Run, make: Make) -> None:
    """`fail_after` ends the loop, and a second one begins where the first was."""
    tx, rx = make(None)
    tx.send_many(range(3))

    async def main() -> list[int]:
        got: list[int] = []
        with pytest.raises(TimeoutError), anyio.fail_after(0.05):  # noqa: PT012 - the loop is what is ended
            async for number in rx:
                got.append(number)  # noqa: PERF401 - a list made at once would be lost with the timeout
        tx.send(3)
        tx.close()
        return got + [number async for number in rx]

    assert run(main) == [0, 1, 2, 3]


def test_worker_threads_of_anyio_use_the_other_end(run: Run, make: Make) -> None:
    """A thread that anyio started waits by `recv`, while the loop sends and receives the echo."""
    (tx, rx), (back_tx, back_rx) = make(0), make(0)

    def echo() -> None:
        with back_tx:
            back_tx.send_many(rx)

    async def main() -> list[int]:
        got = []
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.to_thread.run_sync, echo)
            for number in range(50):
                await tx.send_async(number)
                got.append(await back_rx.recv_async())
            tx.close()
        return got

    assert run(main) == list(range(50))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_thread_waits_through_a_portal(backend: str, make: Make) -> None:
    """A coroutine that a thread has started in anyio's loop receives what it sends; cancelled, it took nothing."""
    tx, rx = make(1)

    async def receive() -> Any:
        return await rx.recv_async()

    with anyio.from_thread.start_blocking_portal(backend) as portal:
        future = portal.start_task_soon(receive)
        portal.call(functools.partial(until, lambda: blocked_receivers(rx) == 1))
        tx.send("item", BOUND)
        assert future.result(BOUND) == "item"

        future = portal.start_task_soon(receive)
        portal.call(functools.partial(until, lambda: blocked_receivers(rx) == 1))
        assert future.cancel()
        portal.call(functools.partial(until, lambda: blocked_receivers(rx) == 0))
        tx.send("kept", BOUND)
    assert rx.drain() == ["kept"]
