"""A channel against a plain model, driven by hypothesis: every sequence of calls that need not wait.

Not here: threads.
"""

import contextlib

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

import fearless as fl
from tests.support.until import queued


class Model(RuleBasedStateMachine):
    """The model is a list of items and two counts of open ends."""

    senders = Bundle("senders")
    receivers = Bundle("receivers")

    @initialize(
        capacity=strategies.one_of(strategies.none(), strategies.integers(0, 4)),
        tx=strategies.just(None),
        target=senders,
    )
    def start(self, capacity: int | None, tx: None) -> "fl.Sender[int]":
        """Make the channel; its receiver is handed out by `receiver`."""
        del tx
        self.capacity = capacity
        sender, self.first = fl.channel(capacity)
        self.ends: list[fl.Sender[int] | fl.Receiver[int]] = [sender, self.first]
        self.items: list[int] = []
        self.open = [1, 1]
        self.number = 0
        return sender

    @rule(target=receivers)
    def receiver(self) -> "fl.Receiver[int]":
        """The receiver that the channel was made with; closed or not."""
        return self.first

    @rule(tx=senders, timeout=strategies.sampled_from(["try", 0, 0.001]))
    def send(self, tx: "fl.Sender[int]", timeout: float | str) -> None:
        """Send without a receiver that waits."""
        self.number += 1
        number = self.number

        def send() -> None:
            tx.try_send(number) if timeout == "try" else tx.send(number, float(timeout))

        expected: type[fl.FearlessError] | None = None
        if tx.is_closed or self.open[1] == 0:
            expected = fl.Closed
        elif self.capacity is not None and len(self.items) >= self.capacity:
            expected = fl.Full if timeout == "try" else fl.Timeout
        if expected is None:
            send()
            self.items.append(number)
        else:
            with pytest.raises(expected) as caught:
                send()
            assert caught.value.item == number  # type: ignore[attr-defined]  # each of the three carries it

    @rule(rx=receivers, timeout=strategies.sampled_from(["try", 0, 0.001]))
    def receive(self, rx: "fl.Receiver[int]", timeout: float | str) -> None:
        """Receive without a sender that waits."""

        def receive() -> int:
            return rx.try_recv() if timeout == "try" else rx.recv(float(timeout))

        if rx.is_closed or (not self.items and self.open[0] == 0):
            with pytest.raises(fl.Closed):
                receive()
        elif self.items:
            assert receive() == self.items.pop(0)
        else:
            with pytest.raises(fl.Empty if timeout == "try" else fl.Timeout):
                receive()

    @rule(tx=senders, target=senders)
    def clone_sender(self, tx: "fl.Sender[int]") -> object:
        """One more sender."""
        if tx.is_closed:
            with pytest.raises((fl.Closed, fl.MovedError)):
                tx.clone()
            return multiple()
        self.open[0] += 1
        self.ends.append(other := tx.clone())
        return other

    @rule(rx=receivers, target=receivers)
    def clone_receiver(self, rx: "fl.Receiver[int]") -> object:
        """One more receiver."""
        if rx.is_closed:
            with pytest.raises((fl.Closed, fl.MovedError)):
                rx.clone()
            return multiple()
        self.open[1] += 1
        self.ends.append(other := rx.clone())
        return other

    @rule(tx=consumes(senders), target=senders)
    def move_sender(self, tx: "fl.Sender[int]") -> object:
        """The old sender is dead."""
        if tx.is_closed:
            return multiple()
        self.ends.append(new := tx.move())
        with pytest.raises(fl.MovedError):
            tx.send(0)
        return new

    @rule(tx=senders)
    def close_sender(self, tx: "fl.Sender[int]") -> None:
        """Again is harmless."""
        self.open[0] -= not tx.is_closed
        tx.close()

    @rule(rx=receivers)
    def close_receiver(self, rx: "fl.Receiver[int]") -> None:
        """The last one drops what is queued."""
        self.open[1] -= not rx.is_closed
        rx.close()
        if self.open[1] == 0:
            self.items.clear()

    @rule(rx=receivers)
    def drain(self, rx: "fl.Receiver[int]") -> None:
        """Iterating takes all that is left when no sender is."""
        if self.open[0] == 0 and not rx.is_closed:
            assert list(rx) == self.items
            self.items.clear()

    @invariant()
    def as_many_are_queued(self) -> None:
        """Model and channel agree on the count."""
        if hasattr(self, "items"):
            assert queued(self.first) == len(self.items)

    def teardown(self) -> None:
        """Close what is open."""
        with contextlib.suppress(AttributeError):  # nothing was made
            for end in self.ends:
                end.close()


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
