"""Channels under races of timeouts, cancellations and closes: an item is either delivered or still with its owner.

Not here: races with signals (`tests/generic/test_storm.py`).
"""

import contextlib
import itertools
import random
import time
from collections import Counter

import pytest

import fearless as fl
from tests.plugins.threads import Spawn

pytestmark = [pytest.mark.stress, pytest.mark.guarantee("channel", "both builds")]
CAPACITIES = pytest.mark.parametrize("capacity", [None, 2, 0])
SHORT = (0, 1e-9, 1e-6, 2e-5, 1e-4, 1e-3)  # seconds


class Round:
    """Producers and consumers on one channel, with books of what was sent and what was got."""

    def __init__(self, capacity: int | None, seconds: float) -> None:
        """Everybody stops after that many seconds."""
        self.tx, self.rx = fl.channel(capacity)
        self.until = time.monotonic() + seconds
        self.numbers = itertools.count()

    def produce(self, seed: int) -> list[int]:
        """Send with tiny timeouts; return what was sent."""
        chance, sent = random.Random(seed), []  # noqa: S311 - a repeatable choice, no secret
        while time.monotonic() < self.until:
            number = next(self.numbers)
            try:
                self.tx.send(number, chance.choice(SHORT))
            except fl.Timeout as error:
                assert error.item == number  # noqa: PT017 - one of two outcomes
            else:
                sent.append(number)
        return sent

    def consume(self, seed: int) -> list[int]:
        """Receive with tiny timeouts; return what was got."""
        chance, got = random.Random(seed), []  # noqa: S311 - same
        while time.monotonic() < self.until:
            with contextlib.suppress(fl.Timeout):
                got.append(self.rx.recv(chance.choice(SHORT)))
        return got

    def finish(self) -> list[int]:
        """Close, and return what was left."""
        self.tx.close()
        left = list(self.rx)
        self.rx.close()
        return left


def check(sent: list[list[int]], got: list[list[int]]) -> None:
    """Assert that both books agree, and that something happened at all."""
    assert Counter(itertools.chain(*sent)) == Counter(itertools.chain(*got))
    assert any(sent)


@CAPACITIES
def test_timeouts_lose_nothing(capacity: int | None, stress_seconds: float, spawn: Spawn) -> None:
    """Sends and receives give up all the time, at the moment they succeed among others."""
    books = Round(capacity, stress_seconds / 3)
    consumers = [spawn(books.consume, seed) for seed in range(2)]
    producers = [spawn(books.produce, seed) for seed in range(2)]
    bound = stress_seconds + 30
    sent = [producer.join(bound) for producer in producers]
    got = [consumer.join(bound) for consumer in consumers]

    check(sent, [*got, books.finish()])


@CAPACITIES
def test_cancellations_lose_nothing(capacity: int | None, stress_seconds: float, spawn: Spawn) -> None:
    """Scopes around few calls are cancelled at any moment; a cancelled call has done nothing."""
    books = Round(capacity, stress_seconds / 3)
    scopes: list[fl.Scope | None] = [None] * 4

    def produce(place: int) -> list[int]:
        sent: list[int] = []
        while time.monotonic() < books.until:
            with fl.scope(timeout=None) as scope:
                scopes[place] = scope
                for _ in range(8):
                    number = next(books.numbers)
                    books.tx.send(number)
                    sent.append(number)
        return sent

    def consume(place: int) -> list[int]:
        got: list[int] = []
        while time.monotonic() < books.until:
            with fl.scope() as scope:
                scopes[place] = scope
                for _ in range(8):
                    got.append(books.rx.recv())  # noqa: PERF401 - a list made at once would be lost with the cancelled
        return got

    producers = [spawn(produce, place) for place in (0, 1)]
    consumers = [spawn(consume, place) for place in (2, 3)]
    chance = random.Random(1)  # noqa: S311 - same
    while not all(thread.ended.is_set() for thread in [*producers, *consumers]):
        if (scope := chance.choice(scopes)) is not None:
            scope.cancel()
    sent = [producer.join() for producer in producers]
    got = [consumer.join() for consumer in consumers]

    check(sent, [*got, books.finish()])


@pytest.mark.parametrize("capacity", [3, 1, 0])
def test_a_close_beside_sends_loses_nothing_that_was_sent(capacity: int, stress_seconds: float, spawn: Spawn) -> None:
    """A receiver closes while others receive and senders block: what was sent was received, or dropped by the close."""
    until = time.monotonic() + stress_seconds / 3
    rounds = 0
    while time.monotonic() < until or rounds < 20:
        rounds += 1
        tx, rx = fl.channel(capacity)

        def produce(tx: "fl.Sender[int]" = tx) -> int:
            for number in itertools.count():
                try:
                    tx.send(number)
                except fl.Closed as error:
                    assert error.item == number  # noqa: PT017 - the loop has to end by it
                    return number
            raise AssertionError

        def consume(rx: "fl.Receiver[int]" = rx, count: int = rounds % 7) -> list[int]:
            with rx:
                return [rx.recv() for _ in range(count)]

        producer = spawn(produce)
        consumers = [spawn(consume, rx.clone()) for _ in range(2)]
        rx.close()
        got = sorted(itertools.chain(*(consumer.join() for consumer in consumers)))
        sent = producer.join()
        tx.close()

        assert got == list(range(len(got)))
        assert 0 <= sent - len(got) <= capacity


def test_closing_senders_lose_nothing(stress_seconds: float, spawn: Spawn) -> None:
    """Consumers that find the channel closed have left nothing in it."""
    until = time.monotonic() + stress_seconds / 3
    rounds = 0
    while time.monotonic() < until or rounds < 20:
        rounds += 1
        tx, rx = fl.channel(None if rounds % 2 else 1)

        def produce(tx: "fl.Sender[int]", count: int) -> None:
            with tx:
                for number in range(count):
                    tx.send(number)

        counts = [rounds % 5, rounds % 3]
        consumers = [spawn(list, rx) for _ in range(2)]
        producers = [spawn(produce, tx.clone(), count) for count in counts]
        tx.close()
        for producer in producers:
            producer.join()
        got = itertools.chain(*(consumer.join() for consumer in consumers))

        assert sorted(got) == sorted(itertools.chain(*map(range, counts)))
        rx.close()
