"""Channels in the shapes that programs give them: chains, sieves, one-shot channels, channels sent through channels.

The cases are those that the suites of Go and of crossbeam try channels with, in so far as no other file here has them:
what a try finds beside a close, order over several producers, rendezvous both ways, what is dropped, many small
channels. Not here: the cases of select (`test_select_cases.py`).
"""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

import fearless as fl
from tests.plugins.channels import Make
from tests.plugins.threads import Spawn
from tests.support.loops import Run, gather
from tests.support.until import BOUND, blocked_receivers, blocked_senders, until

pytestmark = [pytest.mark.guarantee("channel", "both builds"), pytest.mark.usefixtures("quick_switches")]
CAPACITIES = pytest.mark.parametrize("capacity", [None, 3, 1, 0])
HOLDING = pytest.mark.parametrize("capacity", [None, 1])


class TestOrder:
    @HOLDING
    def test_a_try_beside_a_close_finds_the_item_or_the_end(self, capacity: int | None, spawn: Spawn) -> None:
        """The item was there before the close: of two receivers one gets it, and neither finds the channel empty."""
        for _ in range(200):
            tx, rx = fl.channel(capacity)
            with rx:
                tx.send("item")
                other = spawn(_try, rx)
                tx.close()

                assert sorted([_try(rx), other.join()]) == ["closed", "item"]

    @pytest.mark.parametrize("capacity", [None, 4])
    def test_who_has_sent_finds_an_item(self, make: Make, capacity: int | None, spawn: Spawn) -> None:
        """Four threads send one and take one: whoever took mine has left another."""
        tx, rx = make(capacity)

        def send_and_take() -> int:
            for _ in range(300):
                tx.send("item", BOUND)
                rx.try_recv()
            return 300

        assert [thread.join() for thread in [spawn(send_and_take) for _ in range(4)]] == [300] * 4
        assert rx.is_empty

    @CAPACITIES
    def test_what_was_sent_before_another_began_to_be_comes_before_it(
        self, make: Make, capacity: int | None, spawn: Spawn
    ) -> None:
        """Over all producers: no item overtakes one whose send had returned before its own began."""
        tx, rx = make(capacity)
        clock = fl.AtomicInt(0)
        ended: dict[int, int] = {}

        def produce(tx: "fl.Sender[int]") -> None:
            with tx:
                for _ in range(300):
                    begun = clock.fetch_add(1)  # also the item: no two are equal
                    tx.send(begun)
                    ended[begun] = clock.fetch_add(1)

        producers = [spawn(produce, tx.clone()) for _ in range(3)]
        tx.close()
        got = list(rx)
        for producer in producers:
            producer.join()

        latest = -1
        for begun in got:
            assert ended[begun] > latest, "it had been sent before one that came earlier began to be"
            latest = max(latest, begun)
        assert len(got) == 900

    @CAPACITIES
    def test_the_length_is_never_out_of_range(self, make: Make, capacity: int | None, spawn: Spawn) -> None:
        """While two threads send and two receive."""
        tx, rx = make(capacity)
        bound = 600 if capacity is None else max(capacity, 2)  # at a rendezvous, those on their way to a receiver
        lengths: set[int] = set()

        def produce(tx: "fl.Sender[int]") -> None:
            with tx:
                for number in range(300):
                    tx.send(number)
                    lengths.add(len(tx))

        threads = [spawn(produce, tx.clone()) for _ in range(2)] + [spawn(_exhaust, rx) for _ in range(2)]
        tx.close()
        while not all(thread.ended.is_set() for thread in threads):
            lengths.add(len(rx))
        for thread in threads:
            thread.join()

        assert lengths <= set(range(bound + 1))
        assert len(rx) == 0


def _exhaust(rx: "fl.Receiver[int]") -> None:
    for _ in rx:
        pass


def _try(rx: "fl.Receiver[str]") -> str:
    try:
        return rx.try_recv()
    except fl.Closed:
        return "closed"


class TestRendezvous:
    @pytest.mark.parametrize("capacity", [1, 0])
    def test_ping_pong(self, make: Make, capacity: int, spawn: Spawn) -> None:
        """Two threads answer each other."""
        (ping_tx, ping_rx), (pong_tx, pong_rx) = make(capacity), make(capacity)

        def answer() -> None:
            with pong_tx:
                for number in ping_rx:
                    pong_tx.send(number + 1)

        answering = spawn(answer)
        number = 0
        while number < 600:
            ping_tx.send(number, BOUND)
            assert pong_rx.recv(BOUND) == number + 1
            number += 2
        ping_tx.close()
        answering.join()

    def test_both_wait_for_each_other_in_turn(self, make: Make, spawn: Spawn) -> None:
        """On one channel, whoever comes first waits: a receive that is met by a try, and a send that is."""
        tx, rx = make(0)
        for number in range(50):
            receiver = spawn(rx.recv, BOUND)
            until(lambda: blocked_receivers(rx) == 1)
            tx.try_send(number)
            assert receiver.join() == number

            sender = spawn(tx.send, -number, BOUND)
            until(lambda: blocked_senders(rx) == 1)
            assert rx.try_recv() == -number
            sender.join()

    def test_a_send_has_not_returned_before_its_receive_began(self, make: Make, spawn: Spawn) -> None:
        """Nothing is kept on the way: when a send returns, somebody has come for the item."""
        tx, rx = make(0)
        came = fl.AtomicInt(0)

        def receive() -> list[int]:
            got = []
            for _ in range(300):
                came.add(1)
                got.append(rx.recv(BOUND))
            return got

        receiver = spawn(receive)
        for number in range(300):
            tx.send(number, BOUND)
            assert came.load() > number
        assert receiver.join() == list(range(300))


class Counted:
    """An object that counts its end."""

    def __init__(self, ended: "fl.AtomicInt") -> None:
        self.ended = ended

    def __del__(self) -> None:
        self.ended.add(1)


class TestDrops:
    @pytest.mark.parametrize(("capacity", "received"), [(None, 0), (None, 20), (50, 7), (30, 20), (0, 9)])
    def test_every_item_is_dropped_once(self, capacity: int | None, received: int, spawn: Spawn) -> None:
        """Those received, those still queued when the last receiver closes, and the one that its sender kept."""
        tx, rx = fl.channel(capacity)
        made, ended = fl.AtomicInt(0), fl.AtomicInt(0)

        def produce() -> None:
            with tx:
                for _ in range(60):
                    made.add(1)
                    try:
                        tx.send(Counted(ended))
                    except fl.Closed:
                        return

        producer = spawn(produce)
        for _ in range(received):
            rx.recv(BOUND)
        if capacity is None:
            until(lambda: made.load() == 60 and producer.ended.is_set())
        else:
            until(lambda: blocked_senders(rx) == 1)
        assert ended.load() <= made.load()
        rx.close()
        producer.join()

        until(lambda: ended.load() == made.load())
        assert made.load() == (60 if capacity is None else received + capacity + 1)

    def test_an_item_that_is_a_channel_takes_its_items_along(self) -> None:
        """A receiver that lies in a channel is dropped with it, and with it the items that only it could receive."""
        ended = fl.AtomicInt(0)
        outer_tx, outer_rx = fl.channel(None)
        for _ in range(10):
            tx, rx = fl.channel(None)
            tx.send(Counted(ended))
            tx.close()
            outer_tx.send(rx)
            del tx, rx
        with pytest.warns(ResourceWarning, match="a Receiver was dropped without close"):
            outer_rx.close()
        outer_tx.close()

        until(lambda: ended.load() == 10)


class TestManyChannels:
    @CAPACITIES
    def test_one_shot_channels(self, make: Make, capacity: int | None, spawn: Spawn) -> None:
        """A thousand channels that carry one item each, from one thread to another, and end."""
        senders_tx, senders = make(4)

        def send_one_each() -> int:
            count = 0
            for tx in senders:
                with tx:
                    tx.send(count)
                count += 1
            return count

        sending = spawn(send_one_each)
        for number in range(1000):
            tx, rx = fl.channel(capacity)
            senders_tx.send(tx, BOUND)
            with rx:
                assert list(rx) == [number]
        senders_tx.close()

        assert sending.join() == 1000

    @CAPACITIES
    def test_a_channel_through_a_channel(self, capacity: int | None, spawn: Spawn) -> None:
        """Each item is the receiver of the next channel, a hundred deep."""
        tx, rx = fl.channel(capacity)

        def send_nested(tx: "fl.Sender[Any]") -> None:
            for _ in range(100):
                next_tx, next_rx = fl.channel(capacity)
                with tx:
                    tx.send(next_rx)
                tx = next_tx
            with tx:
                tx.send("core")

        sending = spawn(send_nested, tx)
        item: Any = rx
        depth = 0
        while item != "core":
            with item as inner:
                item = inner.recv(BOUND)
            depth += 1
        sending.join()

        assert depth == 101

    @pytest.mark.parametrize("capacity", [1, 0])
    def test_a_daisy_chain_of_threads(self, capacity: int, spawn: Spawn) -> None:
        """Fifty threads hand each number on, adding one; the close runs down the chain."""
        first, rx = fl.channel(capacity)
        for _ in range(50):
            tx, following = fl.channel(capacity)
            spawn(_hand_on, rx, tx)
            rx = following
        feeding = spawn(_feed, first, range(20))
        with rx:
            assert list(rx) == [number + 50 for number in range(20)]
        feeding.join()

    @pytest.mark.guarantee("channel", "async")
    @pytest.mark.parametrize("capacity", [1, 0])
    def test_a_daisy_chain_of_coroutines(self, run: Run, capacity: int) -> None:
        """A thousand coroutines of one loop do the same."""

        async def main() -> list[int]:
            first, rx = fl.channel(capacity)
            links: list[Any] = []
            for _ in range(1000):
                tx, following = fl.channel(capacity)
                links.append((rx, tx))
                rx = following
            return await _chain(run, links, first, rx)

        assert run(main) == [1000, 1001, 1002]

    @pytest.mark.parametrize("capacity", [4, 0])
    def test_a_prime_sieve(self, capacity: int, spawn: Spawn) -> None:
        """A thread for each prime takes its multiples out; the last one stops them all by closing its end."""
        tx, rx = fl.channel(capacity)
        threads = [spawn(_feed, tx, itertools.count(2))]
        primes = []
        for _ in range(25):
            primes.append(rx.recv(BOUND))
            tx, following = fl.channel(capacity)
            threads.append(spawn(_sift, rx, tx, primes[-1]))
            rx = following
        rx.close()
        for thread in threads:
            thread.join()

        assert primes[-3:] == [83, 89, 97]


def _feed(tx: "fl.Sender[int]", numbers: Iterator[int] | range) -> None:
    with tx:
        try:
            for number in numbers:
                tx.send(number)
        except fl.Closed:
            pass


def _hand_on(rx: "fl.Receiver[int]", tx: "fl.Sender[int]") -> None:
    with rx, tx:
        for number in rx:
            tx.send(number + 1)


def _sift(rx: "fl.Receiver[int]", tx: "fl.Sender[int]", prime: int) -> None:
    with rx:
        _feed(tx, (number for number in rx if number % prime))


async def _chain(run: Run, links: list[Any], first: "fl.Sender[int]", last: "fl.Receiver[int]") -> list[int]:
    got: list[int] = []

    async def hand_on(rx: "fl.Receiver[int]", tx: "fl.Sender[int]") -> None:
        with rx, tx:
            async for number in rx:
                await tx.send_async(number + 1)

    async def feed() -> None:
        with first:
            for number in range(3):
                await first.send_async(number)

    async def collect() -> None:
        with last:
            got.extend([number async for number in last])

    steps = [lambda rx=rx, tx=tx: hand_on(rx, tx) for rx, tx in links]
    await gather(run, *steps, feed, collect)
    return got
