"""What a channel promises, as lists: the model that `tests/test_channel_model.py` holds real channels to.

Holds: channels in which calls may wait, and selects over them. A call that waits is a `Waiter`; when the model serves
it, its `outcome` is what the real call has to return. Not here: fearless, threads, hypothesis.

The one thing that is not as plain as it could be: a thread in `send` or `recv` is *handed* room or an item, in its
turn, while a select is *told* that it can go ahead and does so when the step is over (`settle`). So on a rendezvous
nobody meets a waiting select without waiting himself.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Put = Literal["sent", "full", "closed"]


class Closed(Exception):
    """Nothing will ever come."""


class Nothing(Exception):
    """Nothing is there now."""


@dataclass(eq=False)
class Operation:
    """One thing that a call would do."""

    channel: "PlainChannel"
    item: int | None = None  # that it would send; None if it would receive

    @property
    def is_send(self) -> bool:
        """Whether it would send."""
        return self.item is not None


@dataclass(eq=False)
class Waiter:
    """A call that waits for the first of its operations."""

    operations: list[Operation]
    is_select: bool
    outcome: tuple[int, int | None, bool] | None = (
        None  # the number of the operation, what it got, whether it has ended
    )

    def begin(self) -> None:
        """Take the last place in each queue."""
        for operation in self.operations:
            operation.channel.queue(operation.is_send).append(self)

    def leave(self) -> None:
        """Give the places up."""
        for operation in self.operations:
            operation.channel.queue(operation.is_send).remove(self)

    def serve(self, channel: "PlainChannel", item: int | None, *, sends: bool, closed: bool = False) -> None:
        """End the wait by one of the operations."""
        self.leave()
        number = next(
            number
            for number, operation in enumerate(self.operations)
            if operation.channel is channel and operation.is_send == sends
        )
        self.outcome = (number, item, closed)

    def offers(self, channel: "PlainChannel") -> int:
        """Return the item that it would send there."""
        (item,) = (
            operation.item
            for operation in self.operations
            if operation.channel is channel and operation.item is not None
        )
        return item


@dataclass(eq=False)
class PlainChannel:
    """A list with a capacity, open ends, and two queues of calls that wait."""

    capacity: int | None
    items: list[int] = field(default_factory=list)
    open_senders: int = 1
    open_receivers: int = 1
    senders: list[Waiter] = field(default_factory=list)
    receivers: list[Waiter] = field(default_factory=list)
    told: list[int] = field(default_factory=list)  # what selects will send when the step is over

    def queue(self, sends: bool) -> list[Waiter]:  # noqa: FBT001 - one of two queues
        """Return the queue of the calls that wait to send, or to receive."""
        return self.senders if sends else self.receivers

    @property
    def is_full(self) -> bool:
        """Whether a send would have to wait."""
        return self.capacity is not None and len(self.items) + len(self.told) >= self.capacity

    def settle(self) -> None:
        """End a step: selects that were told of room send."""
        self.items += self.told
        self.told.clear()

    # ---- what calls do ----------------------------------------------------------------------------

    def met(self, *, waits: bool) -> list[Waiter]:
        """Return the receivers that a send would meet; one that waits also meets a select at a rendezvous."""
        if not self.is_full:
            return self.receivers
        handed = [waiter for waiter in self.receivers if not waiter.is_select]
        return handed or (self.receivers if waits else [])

    def can_put(self, *, waits: bool) -> bool:
        """Whether a send could go ahead, also to learn that nobody receives."""
        return not self.open_receivers or not self.is_full or bool(self.met(waits=waits))

    def put(self, item: int, *, waits: bool = False) -> Put:
        """Send."""
        if not self.open_receivers:
            return "closed"
        if met := self.met(waits=waits):
            met[0].serve(self, item, sends=False)
        elif self.is_full:
            return "full"
        else:
            self.items.append(item)
        return "sent"

    def force(self, item: int) -> int | None:
        """Send; make room by the oldest. Raise `Nothing` where there is no oldest."""
        if self.put(item) == "sent":
            return None
        if not self.items:
            raise Nothing
        self.items.append(item)
        return self.items.pop(0)

    def can_take(self) -> bool:
        """Whether a receive could go ahead."""
        return bool(self.items or self.senders or not self.open_senders)

    def take(self) -> int:
        """Receive the oldest item; the first that waits to send moves up."""
        if self.items:
            item = self.items.pop(0)
            self.admit()
            return item
        offering = (waiter for waiter in self.senders if self.capacity == 0 or not waiter.is_select)
        if (first := next(offering, None)) is not None:
            item = first.offers(self)
            first.serve(self, None, sends=True)
            return item
        raise Nothing if self.open_senders else Closed

    def take_many(self, most: int) -> list[int]:
        """Receive up to that many. Raise as `take` does if there are none."""
        got = [self.take()]
        while len(got) < most:
            try:
                got.append(self.take())
            except (Nothing, Closed):
                break
        return got

    def drain(self) -> list[int]:
        """Take what is in the list; those that wait to send move up after that."""
        items, self.items = self.items, []
        self.admit()
        return items

    def admit(self) -> None:
        """Give the room there is to those that wait for it, in their turn."""
        while self.senders and not self.is_full:
            first = self.senders[0]
            (self.told if first.is_select else self.items).append(first.offers(self))
            first.serve(self, None, sends=True)

    def close_sender(self) -> None:
        """Close one; after the last, nobody need wait for an item any more."""
        self.open_senders -= 1
        if not self.open_senders:
            self.end(self.receivers)

    def close_receiver(self) -> None:
        """Close one; after the last, items are dropped and senders get theirs back."""
        self.open_receivers -= 1
        if not self.open_receivers:
            self.items.clear()
            self.end(self.senders)

    def end(self, waiters: Iterable[Waiter]) -> None:
        """Tell all of them that the channel has ended."""
        for waiter in list(waiters):
            sends = waiter in self.senders
            waiter.serve(self, waiter.offers(self) if sends else None, sends=sends, closed=True)
