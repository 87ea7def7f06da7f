"""Two channels against a plain model, driven by hypothesis: any sequence of calls, with threads that wait beside them.

Holds: the machine. Every step is a call of the main thread; threads that the model says are served by it have to end
with what the model says. Not here: the model (`tests/support/plain_channel.py`); steps that race with each other
(`test_channel_races.py`, `test_select_stress.py`).
"""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import fearless as fl
from tests.support.channel_calls import Blocked, End, wait_in
from tests.support.plain_channel import Closed, Nothing, Operation, PlainChannel, Waiter
from tests.support.threads import start
from tests.support.until import BOUND, blocked_receivers, blocked_senders, until

CAPACITIES = strategies.sampled_from([None, 0, 0, 1, 2, 3])
PICK = strategies.integers(0, 11)  # one of a list, whatever its length
WAYS = strategies.sampled_from(["try", "once", "briefly"])
TIMEOUTS = {"once": 0, "briefly": 0.001}


class Machine(RuleBasedStateMachine):
    """Two channels, their ends, and threads that wait.

    A rule that makes no sense now does nothing, rather than having a precondition: `select` chooses at random, so
    hypothesis would find that a rule which it drew before is not there when it tries again.
    """

    @initialize(capacities=strategies.tuples(CAPACITIES, CAPACITIES))
    def begin(self, capacities: tuple[int | None, int | None]) -> None:
        """Make the channels."""
        self.ends: list[End] = []
        self.blocked: list[Blocked] = []
        self.numbers = itertools.count(1)
        self.channels = [self.make(capacity) for capacity in capacities]

    def make(self, capacity: int | None) -> PlainChannel:
        """Make one channel."""
        channel = PlainChannel(capacity)
        tx, rx = fl.channel(capacity)
        self.ends += [End(channel, tx, sends=True), End(channel, rx, sends=False)]
        return channel

    @rule(capacity=CAPACITIES)
    def fresh(self, capacity: int | None) -> None:
        """Put a new channel in the place of one that has an end nobody has open."""
        for place, old in enumerate(self.channels):
            if not old.open_senders * old.open_receivers:
                for end in self.ends:
                    if end.channel is old:
                        end.handle.close()
                self.ends = [end for end in self.ends if end.channel is not old]
                self.channels[place] = self.make(capacity)

    def end(self, pick: int, *, sends: bool) -> End:
        """Return one of the ends, open or not."""
        found = [end for end in self.ends if end.sends == sends]
        return found[pick % len(found)]

    def one_open(self, pick: int, ready: Callable[[PlainChannel], bool], *, sends: bool) -> End | None:
        """Return one of the open ends whose channel is not ready, if there is any."""
        found = [end for end in self.ends if end.sends == sends and not end.refusal and not ready(end.channel)]
        return found[pick % len(found)] if found else None

    def retire(self, end: End) -> None:
        """Keep one dead end of each kind in play: this one."""
        self.ends = [
            other
            for other in self.ends
            if other is end or not other.refusal or (other.channel, other.sends) != (end.channel, end.sends)
        ]

    # ---- calls that do not wait for long ----------------------------------------------------------

    @rule(pick=PICK, way=WAYS)
    def send(self, pick: int, way: str) -> None:
        """Send one item."""
        end, item = self.end(pick, sends=True), next(self.numbers)
        tx, channel = end.handle, end.channel
        waits = way == "briefly" and channel.can_put(waits=True)
        put = None if end.refusal else channel.put(item, waits=waits)
        missing = {"full": fl.Full if way == "try" else fl.Timeout, "closed": fl.Closed, "sent": None}
        error = missing[put] if put else end.refusal

        def call() -> None:
            tx.try_send(item) if way == "try" else tx.send(item, BOUND if waits else TIMEOUTS[way])

        caught = self.check(call, error, None)
        assert error is None or caught.item == item

    @rule(pick=PICK, count=strategies.integers(1, 5))
    def send_many(self, pick: int, count: int) -> None:
        """Send a batch as far as it goes."""
        end = self.end(pick, sends=True)
        channel = end.channel
        if channel.receivers and channel.capacity:  # as many as can go in one piece, whenever the receivers run
            count = min(count, channel.capacity)
        batch = list(itertools.islice(self.numbers, count))
        error, sent = end.refusal, 0
        while error is None and sent < count:
            put = channel.put(batch[sent])
            error = {"full": fl.Timeout, "closed": fl.Closed, "sent": None}[put]
            sent += put == "sent"
        caught = self.check(lambda: end.handle.send_many(batch, 0), error, None)
        if error is not None and not end.refusal:
            assert caught.item
            assert caught.item == batch[sent : sent + len(caught.item)]

    @rule(pick=PICK)
    def force_send(self, pick: int) -> None:
        """Send; the oldest makes room."""
        end, item, oldest = self.end(pick, sends=True), next(self.numbers), None
        error = end.refusal
        try:
            if error is None and end.channel.open_receivers:
                oldest = end.channel.force(item)
            elif error is None:
                error = fl.Closed
        except Nothing:
            error = fl.Full
        self.check(lambda: end.handle.force_send(item), error, oldest)

    @rule(pick=PICK, way=WAYS)
    def receive(self, pick: int, way: str) -> None:
        """Receive one item."""
        end = self.end(pick, sends=False)
        rx = end.handle
        nothing = fl.Empty if way == "try" else fl.Timeout
        self.take(end, end.channel.take, lambda: rx.try_recv() if way == "try" else rx.recv(TIMEOUTS[way]), nothing)

    @rule(pick=PICK, most=strategies.integers(1, 5))
    def recv_many(self, pick: int, most: int) -> None:
        """Receive a batch."""
        end = self.end(pick, sends=False)
        if any(waiter.is_select for waiter in end.channel.senders):  # it may act between the first item and the rest
            most = 1
        self.take(end, lambda: end.channel.take_many(most), lambda: end.handle.recv_many(most, 0), fl.Timeout)

    @rule(pick=PICK)
    def drain(self, pick: int) -> None:
        """Receive what is there. A select that offers on a rendezvous and asks there too would look up for a moment."""
        end = self.end(pick, sends=False)
        if set(end.channel.senders).isdisjoint(end.channel.receivers):
            self.take(end, end.channel.drain, end.handle.drain, fl.Timeout)

    @rule(pick=PICK)
    def iterate(self, pick: int) -> None:
        """Receive to the end, where that is in sight."""
        end = self.end(pick, sends=False)
        if end.channel.open_senders == 0:
            self.take(end, end.channel.drain, lambda: list(end.handle), fl.Timeout)

    def take(
        self, end: End, model: Callable[[], object], call: Callable[[], object], nothing: type[fl.FearlessError]
    ) -> None:
        """Receive, and compare."""
        expected, error = None, end.refusal
        try:
            expected = None if error else model()
        except Nothing:
            error = nothing
        except Closed:
            error = fl.Closed
        self.check(call, error, expected)

    def check(self, call: Callable[[], object], error: type[Exception] | None, expected: object) -> Any:
        """Make the call that the model has made; return the error that had to come."""
        if error is None:
            assert call() == expected
            caught = None
        else:
            with pytest.raises(error) as info:
                call()
            caught = info.value
        self.settle()
        return caught

    # ---- select -----------------------------------------------------------------------------------

    def operations(self, picks: list[tuple[int, bool]]) -> list[tuple[End, Operation]]:
        """Turn what was drawn into operations on open ends, each channel once for each direction."""
        found: dict[tuple[PlainChannel, bool], tuple[End, Operation]] = {}
        for pick, sends in picks:
            end = self.end(pick, sends=sends)
            if end.refusal is None:
                operation = Operation(end.channel, next(self.numbers) if sends else None)
                found.setdefault((end.channel, sends), (end, operation))
        return list(found.values())

    @staticmethod
    def arguments(operations: list[tuple[End, Operation]]) -> list[Any]:
        """Return what `select` takes."""
        return [end.handle.sending(op.item) if op.is_send else end.handle for end, op in operations]

    @staticmethod
    def ready(operations: list[tuple[End, Operation]], *, waits: bool) -> list[int]:
        """Return the numbers of the operations that can go ahead; without a wait if there are any."""
        for meets_selects in (False, True) if waits else (False,):
            found = [
                number
                for number, (_, op) in enumerate(operations)
                if (op.channel.can_put(waits=meets_selects) if op.is_send else op.channel.can_take())
            ]
            if found:
                return found
        return []

    @rule(picks=strategies.lists(strategies.tuples(PICK, strategies.booleans()), min_size=1, max_size=4), way=WAYS)
    def select(self, picks: list[tuple[int, bool]], way: str) -> None:
        """One of those that are ready goes ahead, with its effect and no other."""
        operations = self.operations(picks)
        if not operations:
            return
        ready = self.ready(operations, waits=way == "briefly")
        arguments = self.arguments(operations)
        if not ready:
            with pytest.raises(fl.Empty if way == "try" else fl.Timeout):
                fl.try_select(*arguments) if way == "try" else fl.select(*arguments, timeout=TIMEOUTS[way])
            return
        timeout = BOUND if way == "briefly" else 0
        chosen = fl.try_select(*arguments) if way == "try" else fl.select(*arguments, timeout=timeout)
        assert chosen.index in ready
        assert chosen.channel is arguments[chosen.index]
        assert (chosen.value, chosen.closed) == self.apply(operations[chosen.index][1], waits=way == "briefly")
        self.settle()

    @staticmethod
    def apply(operation: Operation, *, waits: bool) -> tuple[int | None, bool]:
        """Do in the model what a select has done; return what it says of it."""
        if operation.item is not None:
            closed = operation.channel.put(operation.item, waits=waits) == "closed"
            return (operation.item if closed else None), closed
        try:
            return operation.channel.take(), False
        except Closed:
            return None, True

    # ---- threads that wait ------------------------------------------------------------------------

    @rule(pick=PICK)
    def block_send(self, pick: int) -> None:
        """Have a thread wait in `send`."""
        item = next(self.numbers)
        end = self.one_open(pick, lambda channel: channel.can_put(waits=True), sends=True)
        if end is not None:
            handle = end.handle
            self.block([(end, Operation(end.channel, item))], lambda: handle.send(item, BOUND), is_select=False)

    @rule(pick=PICK)
    def block_receive(self, pick: int) -> None:
        """Have a thread wait in `recv`."""
        end = self.one_open(pick, PlainChannel.can_take, sends=False)
        if end is not None:
            handle = end.handle
            self.block([(end, Operation(end.channel))], lambda: handle.recv(BOUND), is_select=False)

    @rule(picks=strategies.lists(strategies.tuples(PICK, strategies.booleans()), min_size=1, max_size=4))
    def block_select(self, picks: list[tuple[int, bool]]) -> None:
        """Have a thread wait in `select`; one at a time, as two that were told in one step act in any order."""
        operations = self.operations(picks)
        if not operations or self.ready(operations, waits=True) or any(b.waiter.is_select for b in self.blocked):
            return
        arguments = self.arguments(operations)
        self.block(operations, lambda: fl.select(*arguments, timeout=BOUND), is_select=True)

    def block(self, operations: list[tuple[End, Operation]], call: Callable[[], Any], *, is_select: bool) -> None:
        """Start the thread, and return when it waits."""
        waiter = Waiter([operation for _, operation in operations], is_select)
        waiter.begin()
        scopes: list[fl.Scope] = []
        ends = [end for end, _ in operations]
        for end in ends:
            end.calls += 1
        self.blocked.append(Blocked(waiter, ends, start(wait_in, scopes, call), scopes))
        until(lambda: self.waiting() == [(len(c.senders), len(c.receivers)) for c in self.channels])

    def waiting(self) -> list[tuple[int, int]]:
        """Count the calls that wait to send on each channel, and to receive."""
        first = [next(end.handle for end in self.ends if end.channel is channel) for channel in self.channels]
        return [(blocked_senders(handle), blocked_receivers(handle)) for handle in first]

    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        """Cancel the scope of a call that waits: it has done nothing."""
        if not self.blocked:
            return
        blocked = self.blocked.pop(pick % len(self.blocked))
        blocked.waiter.leave()
        blocked.scope[0].cancel()
        assert blocked.join() == "cancelled"

    def settle(self) -> None:
        """End a step: what the model has served is done. Who got which of several items is up to the threads."""
        for channel in self.channels:
            channel.settle()
        served = [blocked for blocked in self.blocked if blocked.waiter.outcome is not None]
        self.blocked = [blocked for blocked in self.blocked if blocked.waiter.outcome is None]
        expected, got = [], []
        for blocked in served:
            outcome = blocked.waiter.outcome
            assert outcome is not None
            number, item, closed = outcome
            expected.append(item)
            got.append(self.item_of(blocked.join(), number, closed=closed))
        assert sorted(map(repr, got)) == sorted(map(repr, expected))

    @staticmethod
    def item_of(result: Any, number: int, *, closed: bool) -> int | None:
        """Return the item in what a waiting call ended with, whether it was a select or not."""
        if isinstance(result, fl.Selected):
            assert (result.index, result.closed) == (number, closed)
            return result.value  # type: ignore[no-any-return]  # an item or nothing
        assert isinstance(result, fl.Closed) == closed
        return getattr(result, "item", None) if closed else result

    # ---- ends -------------------------------------------------------------------------------------

    @rule(pick=PICK, sends=strategies.booleans())
    def clone(self, pick: int, sends: bool) -> None:  # noqa: FBT001 - drawn
        """One more."""
        end = self.end(pick, sends=sends)
        if end.refusal:
            with pytest.raises(end.refusal):
                end.handle.clone()
            return
        end.channel.open_senders += sends
        end.channel.open_receivers += not sends
        self.ends.append(End(end.channel, end.handle.clone(), sends))

    @rule(pick=PICK, sends=strategies.booleans())
    def move(self, pick: int, sends: bool) -> None:  # noqa: FBT001 - drawn
        """The old one is dead, and stays in play."""
        end = self.end(pick, sends=sends)
        if end.refusal:
            with pytest.raises(end.refusal):
                end.handle.move()
        elif not end.calls:
            self.ends.append(End(end.channel, end.handle.move(), sends))
            assert end.refusal is fl.MovedError
            self.retire(end)

    @rule(pick=PICK, sends=strategies.booleans())
    def close(self, pick: int, sends: bool) -> None:  # noqa: FBT001 - drawn
        """Again is harmless; an end in which a call waits is left alone here."""
        end = self.end(pick, sends=sends)
        if end.calls:
            return
        if not end.refusal:
            (end.channel.close_sender if sends else end.channel.close_receiver)()
        end.handle.close()
        self.retire(end)
        self.settle()

    @invariant()
    def both_agree(self) -> None:
        """On what each channel holds, and on who waits."""
        for end in self.ends if hasattr(self, "ends") else ():
            items, capacity = end.channel.items, end.channel.capacity
            assert (len(end.handle), end.handle.is_empty) == (len(items), not items)
            assert (end.handle.is_full, end.handle.capacity) == (end.channel.is_full, capacity)
        if hasattr(self, "channels"):
            assert self.waiting() == [(len(c.senders), len(c.receivers)) for c in self.channels]

    def teardown(self) -> None:
        """Cancel what waits, and close what is open."""
        for blocked in getattr(self, "blocked", ()):
            blocked.scope[0].cancel()
            blocked.join()
        for end in getattr(self, "ends", ()):
            end.handle.close()


TestModel = Machine.TestCase
TestModel.settings = settings(
    max_examples=100,
    stateful_step_count=50,
    deadline=None,
    phases=[Phase.reuse, Phase.generate],  # to shrink a case that hangs would take longer than a test may
)
