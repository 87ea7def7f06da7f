"""`channel` between threads and event loops: one way, there and back, and within asyncio.

The yardstick is what the standard library offers: `call_soon_threadsafe` into an `asyncio.Queue`, a `queue.SimpleQueue`
back, and between two tasks of one loop an `asyncio.Queue`. Each loop is made once and runs in each sample anew. Not
here: threads alone (`bench_channel.py`).
"""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from itertools import repeat
from typing import Any, NamedTuple

from benchmarks import peers
from benchmarks.harness import Body, Make, Shape
from fearless import channel

Loop = asyncio.AbstractEventLoop
ROOM = 128  # slots between the two tasks of one loop


class Bridge(NamedTuple):
    """The methods of a queue whose coroutines run in one loop."""

    put: Callable[[None], object]
    get: Callable[[], object]
    async_put: Callable[[None], Coroutine[Any, Any, object]]
    async_get: Callable[[], Coroutine[Any, Any, object]]


Open = Callable[[ExitStack, Loop, int | None], Bridge]


def ours(stack: ExitStack, _loop: Loop, capacity: int | None) -> Bridge:
    """Open a channel."""
    sender, receiver = channel(capacity)
    stack.enter_context(sender)
    stack.enter_context(receiver)
    return Bridge(sender.send, receiver.recv, sender.send_async, receiver.recv_async)


def standard(_stack: ExitStack, loop: Loop, capacity: int | None) -> Bridge:
    """Join what the standard library has: one queue into the loop, and one out of it."""
    inside: asyncio.Queue[None] = asyncio.Queue(capacity or 0)
    outside: queue.SimpleQueue[None] = queue.SimpleQueue()

    def put(item: None) -> None:
        loop.call_soon_threadsafe(inside.put_nowait, item)

    return Bridge(put, outside.get, inside.put, inside.get)


def outwards(_stack: ExitStack, _loop: Loop, _capacity: int | None) -> Bridge:
    """Put from a coroutine into a queue of threads, which never waits."""
    outside: queue.SimpleQueue[None] = queue.SimpleQueue()

    async def put(item: None) -> None:
        outside.put(item)

    async def get() -> None:
        raise NotImplementedError("would stop the loop")

    return Bridge(outside.put, outside.get, put, get)


def janus(stack: ExitStack, loop: Loop, capacity: int | None) -> Bridge:
    """Open a queue of janus, which has two faces and belongs to a loop."""
    module: Any = peers.find("janus")

    async def make() -> Any:
        return module.Queue(capacity or 0)

    shared = loop.run_until_complete(make())
    stack.callback(lambda: loop.run_until_complete(shared.aclose()))
    return Bridge(shared.sync_q.put, shared.sync_q.get, shared.async_q.put, shared.async_q.get)


def culsans(_stack: ExitStack, _loop: Loop, capacity: int | None) -> Bridge:
    """Open a queue of culsans, which has two faces."""
    module: Any = peers.find("culsans")
    shared = module.Queue(capacity or 0)
    return Bridge(shared.sync_q.put, shared.sync_q.get, shared.async_q.put, shared.async_q.get)


def aiologic(_stack: ExitStack, _loop: Loop, capacity: int | None) -> Bridge:
    """Open a queue of aiologic."""
    module: Any = peers.find("aiologic")
    shared = module.SimpleQueue() if capacity is None else module.Queue(capacity)
    return Bridge(shared.green_put, shared.green_get, shared.async_put, shared.async_get)


def new_loop(stack: ExitStack) -> Loop:
    """Make a loop that is closed at the end."""
    loop = asyncio.new_event_loop()
    stack.callback(loop.close)
    return loop


def again(call: Callable[[], object]) -> Body:
    """Call so many times, in a thread."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            call()

    return body


def again_in(loop: Loop, step: Callable[[], Coroutine[Any, Any, object]]) -> Body:
    """Await so many times, in the loop."""

    async def steps(count: int) -> None:
        for _ in repeat(None, count):
            await step()

    return lambda count: loop.run_until_complete(steps(count))


def to_loop(bridge: Open) -> Make:
    """From a thread to a coroutine."""

    def bodies(stack: ExitStack) -> list[Body]:
        loop = new_loop(stack)
        way = bridge(stack, loop, None)
        return [again(lambda: way.put(None)), again_in(loop, way.async_get)]

    return bodies


def to_thread(bridge: Open) -> Make:
    """From a coroutine to a thread."""

    def bodies(stack: ExitStack) -> list[Body]:
        loop = new_loop(stack)
        way = bridge(stack, loop, None)
        return [again_in(loop, lambda: way.async_put(None)), again(way.get)]

    return bodies


def there_and_back(bridge: Open, homeward: Open) -> Make:
    """From a thread to a coroutine, which answers."""

    def bodies(stack: ExitStack) -> list[Body]:
        loop = new_loop(stack)
        there, back = bridge(stack, loop, None), homeward(stack, loop, None)

        def ask() -> None:
            there.put(None)
            back.get()

        async def answer() -> None:
            await there.async_get()
            await back.async_put(None)

        return [again(ask), again_in(loop, answer)]

    return bodies


def between_tasks(bridge: Open) -> Make:
    """From one task to another, in one loop."""

    def bodies(stack: ExitStack) -> list[Body]:
        loop = new_loop(stack)
        way = bridge(stack, loop, ROOM)

        async def both(count: int) -> None:
            async def produce() -> None:
                for _ in repeat(None, count):
                    await way.async_put(None)

            producer = asyncio.create_task(produce())
            for _ in repeat(None, count):
                await way.async_get()
            await producer

        return [lambda count: loop.run_until_complete(both(count))]

    return bodies


def add_peers(shape: Shape, form: Callable[[Open], Make]) -> None:
    """Let the peers contend that are there."""
    opens: dict[str, Open] = {"janus": janus, "culsans": culsans, "aiologic": aiologic}
    for name, bridge in opens.items():
        if peers.find(name):
            shape.add(f"{name}.Queue", form(bridge))


def shapes() -> list[Shape]:
    """The shapes of this file."""
    inwards = Shape("bridge/thread to asyncio", "an item")
    inwards.add("call_soon_threadsafe", to_loop(standard))
    inwards.add("channel(None)", to_loop(ours))
    add_peers(inwards, to_loop)
    out = Shape("bridge/asyncio to thread", "an item")
    out.add("queue.SimpleQueue", to_thread(outwards))
    out.add("channel(None)", to_thread(ours))
    add_peers(out, to_thread)
    both = Shape("bridge/there and back", "a message from a thread to a coroutine, and one back")
    both.add("call_soon_threadsafe", there_and_back(standard, outwards))
    both.add("channel(None)", there_and_back(ours, ours))
    add_peers(both, lambda bridge: there_and_back(bridge, bridge))
    inside = Shape("bridge/asyncio to asyncio", "an item, between two tasks of a loop")
    inside.add(f"asyncio.Queue({ROOM})", between_tasks(standard))
    inside.add(f"channel({ROOM})", between_tasks(ours))
    add_peers(inside, between_tasks)
    return [inwards, out, both, inside]
