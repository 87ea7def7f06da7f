"""`Owned`: what it costs to hand a value on with its ownership, beside sending the bare value.

No library is a peer: the alternative is a comment. Not here: the channel itself (`bench_channel.py`).
"""

from __future__ import annotations

from contextlib import ExitStack
from itertools import repeat
from typing import Any

from benchmarks.harness import Body, Shape, empty
from fearless import Owned, Receiver, Sender, channel


def ends(stack: ExitStack) -> tuple[Sender[Any], Receiver[Any]]:
    """Open a channel that the calling thread does not fill."""
    sender, receiver = channel(1)
    return stack.enter_context(sender), stack.enter_context(receiver)


def bare(stack: ExitStack) -> Body:
    """Send a value and receive it."""
    sender, receiver = ends(stack)
    send, recv = sender.send, receiver.recv

    def body(count: int) -> None:
        for _ in repeat(None, count):
            send(None)
            recv()

    return body


def owned(stack: ExitStack) -> Body:
    """Wrap a value, send it, receive it, unwrap it."""
    sender, receiver = ends(stack)
    send, recv = sender.send, receiver.recv

    def body(count: int) -> None:
        for _ in repeat(None, count):
            send(Owned(None))
            recv().take()

    return body


def wrapped(_stack: ExitStack) -> Body:
    """Wrap a value in a list, and take it out."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            [None].pop()

    return body


def taken(_stack: ExitStack) -> Body:
    """Wrap a value, and take it out."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            Owned(None).take()

    return body


def moved(_stack: ExitStack) -> Body:
    """Wrap a value, hand it on once, and take it out."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            Owned(None).move().take()

    return body


def shapes() -> list[Shape]:
    """The shapes of this file."""
    sent = Shape("owned/send", "a value that is sent and received")
    sent.alone("bare", bare)
    sent.add("empty loop", empty())
    sent.alone("Owned", owned)
    alone = Shape("owned/alone", "a value that is wrapped and unwrapped")
    alone.alone("a list of one", wrapped)
    alone.add("empty loop", empty())
    alone.alone("Owned, take", taken)
    alone.alone("Owned, move, take", moved)
    return [sent, alone]
