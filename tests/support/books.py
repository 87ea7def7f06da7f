"""Who takes part in the stress of one channel: producers and consumers in threads, in asyncio and in trio, with books.

Each takes every way that its world has to send or to receive, gives up and is cancelled all the time, and replaces its
end by a clone now and then. What was sent is in the books of the sender, what was received in those of the receiver.
Not here: pytest; what the books have to say (`tests/test_channel_stress.py`).
"""

import asyncio
import contextlib
import itertools
import random
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import trio

import fearless as fl
from tests.support.until import BOUND

Item = tuple[int, int]  # who sent it, and its number

_pause = threading.Event()  # never set


class Books:
    """What became of each item."""

    def __init__(self, seconds: float) -> None:
        """Producers stop after that many seconds."""
        self.until = time.monotonic() + seconds
        self.sent: list[list[Item]] = []
        self.got: list[list[Item]] = []
        self.doubtful: set[Item] = set()  # asyncio cancelled the send at a rendezvous, where the item may be taken


class Party:
    """A producer or a consumer: its end, its books, and a repeatable choice."""

    def __init__(self, books: Books, end: Any, seed: int) -> None:
        """Take over the end."""
        self.books, self.end, self.who = books, end, seed
        self.chance = random.Random(seed)  # noqa: S311 - a repeatable choice, no secret
        self.numbers = itertools.count()
        self.sent: list[Item] = []
        self.got: list[Item] = []
        books.sent.append(self.sent)
        books.got.append(self.got)

    def patience(self) -> float:
        """Seconds: none, hardly any, or enough."""
        return self.chance.choice((0, 1e-6, 1e-4, 1e-3))

    def renew(self) -> None:
        """Go on with another end."""
        if self.chance.random() < 0.01:
            old, self.end = self.end, self.end.clone()
            old.close()

    def goes_on(self) -> bool:
        """Whether a producer has time left; some more if it has sent nothing yet."""
        self.renew()
        return time.monotonic() < self.books.until + (0 if self.sent else BOUND)

    def next_item(self) -> Item:
        """Return an item that nobody has sent."""
        return (self.who, next(self.numbers))

    # ---- threads ----------------------------------------------------------------------------------

    def produce(self) -> None:
        """Send from a thread until the time is over."""
        ways = [self.send, self.try_send, self.send_many, self.send_by_select, self.send_in_a_scope]
        try:
            while self.goes_on():
                if len(self.end) > 1000:  # unbounded
                    _pause.wait(0.001)
                with contextlib.suppress(fl.Timeout, fl.Full):
                    self.chance.choice(ways)()
        finally:
            self.end.close()

    def send(self) -> None:
        item = self.next_item()
        self.end.send(item, self.patience())
        self.sent.append(item)

    def try_send(self) -> None:
        item = self.next_item()
        self.end.try_send(item)
        self.sent.append(item)

    def send_many(self) -> None:
        items = [self.next_item() for _ in range(5)]
        unsent: list[Item] = []
        source = iter(items)
        try:
            self.end.send_many(source, self.patience())
        except fl.Timeout as error:
            unsent = [*error.item, *source]  # drawn and not sent, and not drawn
        self.sent += items[: len(items) - len(unsent)]

    def send_by_select(self) -> None:
        item = self.next_item()
        fl.select(self.end.sending(item), fl.never(), timeout=self.patience())
        self.sent.append(item)

    def send_in_a_scope(self) -> None:
        with fl.scope() as scope:
            canceller = threading.Thread(target=scope.cancel)
            canceller.start()
            try:
                item = self.next_item()
                self.end.send(item)
                self.sent.append(item)
            finally:
                canceller.join()

    def consume(self) -> None:
        """Receive in a thread until the channel has ended."""
        ways = [self.receive, self.receive_many, self.drain, self.receive_by_select, self.receive_in_a_scope]
        try:
            while True:
                self.renew()
                with contextlib.suppress(fl.Timeout):
                    self.chance.choice(ways)()
        except fl.Closed:
            pass
        finally:
            self.end.close()

    def receive(self) -> None:
        self.got.append(self.end.recv(self.patience()))

    def receive_many(self) -> None:
        self.got += self.end.recv_many(5, self.patience())

    def drain(self) -> None:
        self.got += self.end.drain()

    def receive_by_select(self) -> None:
        chosen = fl.select(self.end, fl.after(self.patience()))
        if chosen.index == 0 and not chosen.closed:
            self.got.append(chosen.value)

    def receive_in_a_scope(self) -> None:
        with fl.scope() as scope:
            canceller = threading.Thread(target=scope.cancel)
            canceller.start()
            try:
                with contextlib.suppress(fl.Closed):  # a scope would raise it in a group; the next call finds it again
                    self.got.append(self.end.recv())
            finally:
                canceller.join()

    # ---- coroutines -------------------------------------------------------------------------------

    async def produce_async(self, within: "Within") -> None:
        """Send from a coroutine until the time is over."""
        try:
            while self.goes_on():
                if len(self.end) > 1000:
                    await within(0.001, never_ends)
                item = self.next_item()
                by_select = self.chance.random() < 0.5
                if await within(self.patience(), lambda item=item, by=by_select: self.send_async(item, by_select=by)):  # type: ignore[misc]
                    self.sent.append(item)
                elif within is within_asyncio and self.end.capacity == 0:
                    self.books.doubtful.add(item)
        finally:
            self.end.close()

    async def send_async(self, item: Item, *, by_select: bool) -> None:
        if by_select:
            await fl.select_async(self.end.sending(item), fl.never())
        else:
            await self.end.send_async(item)

    async def consume_async(self, within: "Within") -> None:
        """Receive in a coroutine until the channel has ended."""
        try:
            while True:
                self.renew()
                by_select = self.chance.random() < 0.5
                await within(self.patience(), lambda by=by_select: self.receive_async(by_select=by))  # type: ignore[misc]
        except fl.Closed:
            pass
        finally:
            self.end.close()

    async def receive_async(self, *, by_select: bool) -> None:
        if by_select:
            chosen = await fl.select_async(self.end, fl.never())
            if chosen.closed:
                raise fl.Closed
            self.got.append(chosen.value)
        else:
            self.got.append(await self.end.recv_async())


Within = Callable[[float, Callable[[], Coroutine[Any, Any, None]]], Awaitable[bool]]


async def never_ends() -> None:
    """Wait for ever."""
    await fl.select_async(fl.never())


async def within_asyncio(seconds: float, call: Callable[[], Coroutine[Any, Any, None]]) -> bool:
    """Whether the call came to its end in time; else it was cancelled."""
    task = asyncio.ensure_future(call())
    await asyncio.wait([task], timeout=seconds)
    if not task.done():
        task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        return False
    return True


async def within_trio(seconds: float, call: Callable[[], Coroutine[Any, Any, None]]) -> bool:
    """Whether the call came to its end in time; else it was cancelled."""
    with trio.move_on_after(seconds):
        await call()
        return True
    return False
