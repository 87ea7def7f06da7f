"""`channel` beside the queues of the standard library: in one thread, from one thread to another, batches, round trips.

Threads call bound methods. What is sent is `None`, so that no object's count of references is measured. Where the
standard library has no rendezvous, its nearest is a queue of one slot. Not here: pools, which have a queue of their
own (`bench_thread_pool.py`), and event loops (`bench_bridge.py`).
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from contextlib import ExitStack
from itertools import repeat
from typing import Any, NamedTuple

from benchmarks import peers
from benchmarks.harness import Body, Make, Shape, empty
from fearless import channel

BATCHES = (8, 64, 512)
AMPLE = 1024  # slots that neither side runs out of for long
CAPACITIES = {"unbounded": None, "1024": AMPLE, "128": 128, "16": 16, "1": 1, "0": 0}


class Pipe(NamedTuple):
    """The two ends of some queue, as bound methods."""

    put: Callable[[None], object]
    get: Callable[[], object]


Open = Callable[[ExitStack], Pipe]


def ours(capacity: int | None) -> Open:
    """A channel."""

    def make(stack: ExitStack) -> Pipe:
        sender, receiver = channel(capacity)
        stack.enter_context(sender)
        stack.enter_context(receiver)
        return Pipe(sender.send, receiver.recv)

    return make


def standard(capacity: int | None) -> Open:
    """A `queue.Queue`; 0 means unbounded there."""

    def make(_stack: ExitStack) -> Pipe:
        shared: queue.Queue[None] = queue.Queue(capacity or 0)
        return Pipe(shared.put, shared.get)

    return make


def simple(_stack: ExitStack) -> Pipe:
    """A `queue.SimpleQueue`, which is unbounded."""
    shared: queue.SimpleQueue[None] = queue.SimpleQueue()
    return Pipe(shared.put, shared.get)


def aiologic(capacity: int | None) -> Open:
    """A queue of aiologic, which also has asynchronous ends."""

    def make(_stack: ExitStack) -> Pipe:
        module: Any = peers.find("aiologic")
        shared = module.SimpleQueue() if capacity is None else module.Queue(capacity)
        return Pipe(shared.green_put, shared.green_get)

    return make


def culsans(capacity: int | None) -> Open:
    """The synchronous end of a queue of culsans."""

    def make(_stack: ExitStack) -> Pipe:
        module: Any = peers.find("culsans")
        shared = module.Queue(capacity or 0).sync_q
        return Pipe(shared.put, shared.get)

    return make


def concurrent(_stack: ExitStack) -> Pipe:
    """A `ConcurrentQueue` of ft_utils, which is unbounded."""
    module: Any = peers.find("ft_utils.concurrency")
    shared = module.ConcurrentQueue()
    return Pipe(shared.push, shared.pop)


def turns(pipe: Pipe) -> Body:
    """Put one and get it."""
    put, get = pipe

    def body(count: int) -> None:
        for _ in repeat(None, count):
            put(None)
            get()

    return body


def producing(put: Callable[[None], object]) -> Body:
    """Put one after the other."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            put(None)

    return body


def consuming(get: Callable[[], object]) -> Body:
    """Get one after the other."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            get()

    return body


def one_way(pipe: Open) -> Make:
    """A producer and a consumer."""

    def bodies(stack: ExitStack) -> list[Body]:
        put, get = pipe(stack)
        return [producing(put), consuming(get)]

    return bodies


def there_and_back(pipe: Open) -> Make:
    """Two threads and two queues."""

    def bodies(stack: ExitStack) -> list[Body]:
        there, back = pipe(stack), pipe(stack)

        def answer(count: int) -> None:
            get, put = there.get, back.put
            for _ in repeat(None, count):
                get()
                put(None)

        return [turns(Pipe(there.put, back.get)), answer]

    return bodies


def add_peers(shape: Shape, capacity: int | None, form: Callable[[Open], Make]) -> None:
    """Let the peers contend that are there."""
    if peers.find("aiologic"):
        shape.add("aiologic.Queue", form(aiologic(capacity)))
    if peers.find("culsans"):
        shape.add("culsans.Queue", form(culsans(capacity)))
    if capacity is None and peers.find("ft_utils.concurrency"):
        shape.add("ft_utils ConcurrentQueue", form(concurrent))


def in_one_thread(pipe: Open) -> Make:
    """One thread puts and gets."""
    return lambda stack: [turns(pipe(stack))]


def seq() -> list[Shape]:
    """Put one and get it, in one thread: what the operations themselves cost."""
    unbounded = Shape("seq/unbounded", "a put and a get")
    unbounded.add("queue.SimpleQueue", in_one_thread(simple))
    unbounded.add("empty loop", empty())
    unbounded.add("channel(None)", in_one_thread(ours(None)), goals=(1.5, 1.5))
    unbounded.add("queue.Queue", in_one_thread(standard(None)))
    add_peers(unbounded, None, in_one_thread)
    bounded = Shape("seq/1024", "a put and a get")
    bounded.add("queue.Queue(1024)", in_one_thread(standard(1024)))
    bounded.add("empty loop", empty())
    bounded.add("channel(1024)", in_one_thread(ours(1024)), goals=(0.05, 0.05))
    add_peers(bounded, 1024, in_one_thread)
    return [unbounded, bounded]


def spsc(name: str, capacity: int | None) -> Shape:
    """Put in one thread, get in another."""
    nearest = None if capacity is None else max(capacity, 1)
    shape = Shape(f"spsc/{name}", "an item that goes from one thread to the other")
    if nearest is None:
        shape.add("queue.SimpleQueue", one_way(simple))
    shape.add(f"queue.Queue({nearest or ''})", one_way(standard(nearest)))
    shape.add("empty loops", empty(2))
    goals = (0.1, 0.1) if capacity == AMPLE else None
    shape.add(f"channel({capacity})", one_way(ours(capacity)), goals)
    if capacity != 0:
        add_peers(shape, capacity, one_way)
    return shape


def batches(size: int) -> Make:
    """A producer and a consumer of so many items at a time; an operation is a batch."""

    def bodies(stack: ExitStack) -> list[Body]:
        sender, receiver = channel(AMPLE)
        stack.enter_context(sender)
        stack.enter_context(receiver)
        send, recv, items = sender.send_many, receiver.recv_many, [None] * size

        def produce(count: int) -> None:
            for _ in repeat(None, count):
                send(items)

        def consume(count: int) -> None:
            left = count * size
            while left:
                left -= len(recv(min(left, size)))

        return [produce, consume]

    return bodies


def one_by_one(pipe: Open, size: int) -> Make:
    """The same items, each by itself."""

    def bodies(stack: ExitStack) -> list[Body]:
        put, get = pipe(stack)
        produce, consume = producing(put), consuming(get)
        return [lambda count: produce(count * size), lambda count: consume(count * size)]

    return bodies


def in_lists(pipe: Open, size: int) -> Make:
    """Lists of so many items: what is done where a queue has no batches."""

    def bodies(stack: ExitStack) -> list[Body]:
        put, get = pipe(stack)

        def produce(count: int) -> None:
            for _ in repeat(None, count):
                send: Any = [None] * size
                put(send)

        return [produce, consuming(get)]

    return bodies


def batch(size: int) -> Shape:
    """Put many in one thread, get many in another."""
    shape = Shape(f"batch/{size}", f"{size} items that go from one thread to the other")
    shape.add(f"queue.Queue({AMPLE})", one_by_one(standard(AMPLE), size))
    shape.add("empty loops", empty(2))
    shape.add(f"channel({AMPLE})", one_by_one(ours(AMPLE), size))
    shape.add(f"channel({AMPLE}), send_many, recv_many", batches(size))
    shape.add("channel(16) of lists", in_lists(ours(16), size))
    return shape


def in_one_call(size: int) -> Make:
    """One thread puts so many and gets them."""

    def bodies(stack: ExitStack) -> list[Body]:
        sender, receiver = channel(AMPLE)
        stack.enter_context(sender)
        stack.enter_context(receiver)
        send, recv, items = sender.send_many, receiver.recv_many, [None] * size

        def body(count: int) -> None:
            for _ in repeat(None, count):
                send(items)
                recv(size)

        return [body]

    return bodies


def seq_batch(size: int) -> Shape:
    """Put many and get them, in one thread: what an item of a batch costs."""
    shape = Shape(f"batch/one thread/{size}", f"{size} items put and got")
    shape.add("queue.SimpleQueue", all_by_one(simple, size))
    shape.add("empty loop", empty())
    shape.add(f"channel({AMPLE})", all_by_one(ours(AMPLE), size))
    shape.add(f"channel({AMPLE}), send_many, recv_many", in_one_call(size), goals=(0.2, 0.2) if size == 64 else None)
    return shape


def all_by_one(pipe: Open, size: int) -> Make:
    """One thread puts and gets so many, each by itself."""

    def bodies(stack: ExitStack) -> list[Body]:
        turn = turns(pipe(stack))
        return [lambda count: turn(count * size)]

    return bodies


def ping_pong() -> Shape:
    """A message there, one back: what it costs to wake a thread."""
    shape = Shape("ping-pong", "a message there and one back")
    shape.add("queue.SimpleQueue", there_and_back(simple))
    shape.add("channel(1)", there_and_back(ours(1)), goals=(1.0, 0.2))
    shape.add("channel(None)", there_and_back(ours(None)))
    shape.add("queue.Queue(1)", there_and_back(standard(1)))
    add_peers(shape, 1, there_and_back)
    return shape


def shapes() -> list[Shape]:
    """The shapes of this file."""
    return [
        *seq(),
        *(spsc(*row) for row in CAPACITIES.items()),
        *map(seq_batch, BATCHES),
        *map(batch, BATCHES),
        ping_pong(),
    ]
