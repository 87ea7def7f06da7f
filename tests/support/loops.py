"""Programs of coroutines in asyncio and in trio, written once for both.

Not here: pytest; the fixture `run` that names the library (`tests/plugins/loops.py`).
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import trio

import fearless as fl
from tests.support.until import BOUND

Main = Callable[[], Coroutine[Any, Any, Any]]
Run = Callable[[Main], Any]


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


async def receive(rx: "fl.Receiver[Any]") -> Any:
    """Receive, as a coroutine that a task can be made of."""
    return await rx.recv_async()


async def send(tx: "fl.Sender[Any]", item: object) -> None:
    """Send, as a coroutine that a task can be made of."""
    await tx.send_async(item)
