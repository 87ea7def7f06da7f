"""`select` over 2, 8 and 64 channels, beside a receive from one: when an item is there, and when it has to come first.

The standard library has no select over queues. What is written instead asks one queue after the other, which has no way
to wait; it is shown where an item is there. Not here: what a send and a receive cost (`bench_channel.py`), and timers
(`bench_timer.py`).
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from contextlib import ExitStack
from itertools import cycle, islice, repeat
from typing import Any

from benchmarks.harness import Body, Shape, empty
from fearless import Receiver, channel, select, try_select

SIZES = (2, 8, 64)
GOAL = (3.0, 3.0)  # of one receive, for 8 channels
Put = Callable[[None], object]
Get = Callable[[], object]


def channels(stack: ExitStack, size: int, capacity: int | None = 1) -> tuple[list[Put], list[Receiver[Any]]]:
    """Make so many channels: the senders' methods, and the receivers."""
    ends = [channel(capacity) for _ in range(size)]
    for sender, receiver in ends:
        stack.enter_context(sender)
        stack.enter_context(receiver)
    return [sender.send for sender, _ in ends], [receiver for _, receiver in ends]


def in_turn(puts: list[Put], get: Get) -> Body:
    """Put into one after the other, and get it each time."""

    def body(count: int) -> None:
        for put in islice(cycle(puts), count):
            put(None)
            get()

    return body


def one(stack: ExitStack) -> Body:
    """One channel, one receive."""
    puts, (receiver,) = channels(stack, 1)
    return in_turn(puts, receiver.recv)


def chosen(size: int, call: Callable[..., object]) -> Callable[[ExitStack], Body]:
    """So many channels, one of which has an item."""

    def make(stack: ExitStack) -> Body:
        puts, receivers = channels(stack, size)
        return in_turn(puts, lambda: call(*receivers))

    return make


def asked(size: int) -> Callable[[ExitStack], Body]:
    """So many queues, asked one after the other."""

    def make(_stack: ExitStack) -> Body:
        queues: list[queue.SimpleQueue[None]] = [queue.SimpleQueue() for _ in range(size)]

        def get() -> None:
            for shared in queues:
                try:
                    return shared.get_nowait()
                except queue.Empty:
                    pass
            return None

        return in_turn([shared.put for shared in queues], get)

    return make


def answering(size: int) -> Callable[[ExitStack], list[Body]]:
    """A thread that puts into one of so many channels and waits for the answer, and one that selects and answers."""

    def make(stack: ExitStack) -> list[Body]:
        puts, receivers = channels(stack, size)
        (answer,), (answers,) = channels(stack, 1)
        get = receivers[0].recv if size == 1 else lambda: select(*receivers)

        def respond(count: int) -> None:
            for _ in repeat(None, count):
                get()
                answer(None)

        return [in_turn(puts, answers.recv), respond]

    return make


def ready(size: int) -> Shape:
    """An item is there."""
    shape = Shape(f"select/ready/{size} channels", "a put, and a get from the channel that has it")
    shape.alone("recv from one", one)
    shape.add("empty loop", empty())
    shape.alone("select", chosen(size, select), GOAL if size == 8 else None)
    shape.alone("try_select", chosen(size, try_select))
    shape.alone("SimpleQueues, asked in turn", asked(size))
    return shape


def waiting(size: int) -> Shape:
    """An item has to be waited for."""
    shape = Shape(f"select/wait/{size} channels", "a message there and one back")
    shape.add("recv from one", answering(1))
    shape.add("select", answering(size), GOAL if size == 8 else None)
    return shape


def shapes() -> list[Shape]:
    """The shapes of this file."""
    return [*(ready(size) for size in SIZES), *(waiting(size) for size in SIZES)]
