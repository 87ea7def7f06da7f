"""Timers: what it costs to make one that will not come, and to receive under one, beside a timeout.

`after` is measured beside `threading.Timer`, which has a thread, and beside the `timeout` of a call, which needs no
object. None of them comes during a measurement. Not here: how late a tick is; that is the operating system's affair.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import ExitStack
from itertools import repeat
from typing import Any

from benchmarks.harness import Body, Shape, empty
from fearless import Receiver, Sender, after, channel, never, select, tick

LATE = 3600.0  # seconds


def nothing() -> None:
    """Do nothing."""


def repeated(call: Callable[[], object]) -> Callable[[ExitStack], Body]:
    """Make a call again and again."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            call()

    return lambda _stack: body


def started_and_cancelled() -> None:
    """Start a `threading.Timer` and call it off."""
    timer = threading.Timer(LATE, nothing)
    timer.start()
    timer.cancel()
    timer.join()


def ends(stack: ExitStack) -> tuple[Sender[Any], Receiver[Any]]:
    """Open a channel that the calling thread does not fill."""
    sender, receiver = channel(1)
    return stack.enter_context(sender), stack.enter_context(receiver)


def standard(_stack: ExitStack) -> Body:
    """Get from a queue, with a timeout."""
    shared: queue.Queue[None] = queue.Queue()
    put, get = shared.put, shared.get

    def body(count: int) -> None:
        for _ in repeat(None, count):
            put(None)
            get(timeout=LATE)

    return body


def with_timeout(stack: ExitStack) -> Body:
    """Receive from a channel, with a timeout."""
    sender, receiver = ends(stack)
    send, recv = sender.send, receiver.recv

    def body(count: int) -> None:
        for _ in repeat(None, count):
            send(None)
            recv(LATE)

    return body


def beside_a_new_timer(stack: ExitStack) -> Body:
    """Select from a channel and a timer that is made for the call."""
    sender, receiver = ends(stack)
    send = sender.send

    def body(count: int) -> None:
        for _ in repeat(None, count):
            send(None)
            select(receiver, after(LATE))

    return body


def beside_a_tick(stack: ExitStack) -> Body:
    """Select from a channel and a timer that was made before."""
    sender, receiver = ends(stack)
    send, beat = sender.send, stack.enter_context(tick(LATE))

    def body(count: int) -> None:
        for _ in repeat(None, count):
            send(None)
            select(receiver, beat)

    return body


def shapes() -> list[Shape]:
    """The shapes of this file."""
    make = Shape("timer/make", "a timer that is made and given up")
    make.alone("threading.Timer", repeated(started_and_cancelled))
    make.add("empty loop", empty())
    make.alone("after", repeated(lambda: after(LATE)))
    make.alone("never", repeated(never))
    limit = Shape("timer/limit", "a put, and a get that would give up after an hour")
    limit.alone("queue.Queue.get(timeout)", standard)
    limit.add("empty loop", empty())
    limit.alone("recv(timeout)", with_timeout)
    limit.alone("select with after", beside_a_new_timer)
    limit.alone("select with tick", beside_a_tick)
    return [make, limit]
