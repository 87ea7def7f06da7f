"""Selects beside every other way to send and to receive, while channels close and calls are cancelled.

Not here: what a single select promises (`test_select.py`).
"""

import asyncio
import itertools
import random
import threading
import time
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.until import BOUND

pytestmark = pytest.mark.guarantee("channel", "select")


class Stress:
    """Four producers and four consumers of three channels, by all calls, with cancellations."""

    def __init__(self, seconds: float) -> None:
        """Capacities of all kinds."""
        self.pairs = [fl.channel(capacity) for capacity in (0, 2, None)]
        self.until = time.monotonic() + seconds
        self.sent: list[list[tuple[int, int]]] = [[] for _ in range(4)]
        self.got: list[list[tuple[int, int]]] = [[] for _ in range(4)]

    def produce(self, who: int, txs: "list[fl.Sender[Any]]") -> None:
        """Send in every way, and note what was sent."""
        rng = random.Random(who)  # noqa: S311 - a repeatable choice, no secret
        try:
            for number in itertools.count():
                if time.monotonic() >= self.until:
                    return
                if len(txs[2]) > 1000:
                    threading.Event().wait(0.001)
                if self.send(rng.randrange(5), txs, (who, number)):
                    self.sent[who].append((who, number))
        finally:
            for tx in txs:
                tx.close()

    @staticmethod
    def send(way: int, txs: "list[fl.Sender[Any]]", item: tuple[int, int]) -> bool:
        """Whether it was sent."""
        try:
            if way == 0:
                return not fl.select(*(tx.sending(item) for tx in txs), timeout=0.01).closed
            if way == 1:
                txs[0].send(item, 0.0005)
            elif way == 2:
                txs[1].send_many([item], 0.0005)
            elif way == 3:
                asyncio.run(_send_or_cancel(txs[1], item))
            else:
                txs[2].send(item)
        except (fl.Timeout, TimeoutError):
            return False
        return True

    def consume(self, who: int, rxs: "list[fl.Receiver[Any]]") -> None:
        """Receive in every way until all channels have ended."""
        rng = random.Random(-who)  # noqa: S311 - a repeatable choice, no secret
        got, left = self.got[who], list(rxs)
        while left:
            try:
                way = rng.randrange(4)
                if way == 0:
                    with fl.scope() as scope:
                        threading.Thread(target=scope.cancel).start()
                        selected = fl.select(*left, timeout=0.001)
                        if not selected.closed:
                            got.append(selected.value)
                elif way == 1:
                    got += left[-1].recv_many(5, 0.0005)
                elif way == 2:
                    got += left[0].drain()
                else:
                    selected = fl.select(*left, fl.after(0.001))
                    if not selected.closed and selected.index < len(left):
                        got.append(selected.value)
                    elif selected.index < len(left):
                        del left[selected.index]
            except (fl.Timeout, fl.Closed):
                pass
        for rx in rxs:
            rx.close()


async def _send_or_cancel(tx: "fl.Sender[Any]", item: object) -> None:
    async def send() -> None:
        await tx.send_async(item)

    await asyncio.wait_for(send(), 0.001)


@pytest.mark.stress
@pytest.mark.guarantee("channel", "both builds")
@pytest.mark.usefixtures("quick_switches")
def test_every_item_comes_once_whatever_is_closed_and_cancelled(stress_seconds: float, spawn: Spawn) -> None:
    """What was sent is what was received."""
    stress = Stress(stress_seconds)
    consumers = [spawn(stress.consume, who, [rx.clone() for _, rx in stress.pairs]) for who in range(4)]
    producers = [spawn(stress.produce, who, [tx.clone() for tx, _ in stress.pairs]) for who in range(4)]
    for tx, rx in stress.pairs:
        tx.close()
        rx.close()
    for worker in (*producers, *consumers):
        worker.join(stress_seconds + BOUND)

    assert sorted(itertools.chain(*stress.got)) == sorted(itertools.chain(*stress.sent))
