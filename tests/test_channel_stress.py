"""One channel under everything at once: threads, asyncio, trio, selects, batches, closes, timeouts, cancellations.

Not here: who takes part and how (`tests/support/books.py`); several channels in one select (`test_select_stress.py`).
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import trio

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.books import Books, Party, within_asyncio, within_trio
from tests.support.until import BOUND, blocked_receivers, blocked_senders

pytestmark = [pytest.mark.stress, pytest.mark.guarantee("channel", "both builds")]


def runs(bound: float, side: str) -> list[Callable[[Party], Any]]:
    """Return how four parties take part: two threads, a loop of asyncio, a run of trio."""

    def in_thread(party: Party) -> None:
        getattr(party, side)()

    def in_asyncio(party: Party) -> None:
        async def main() -> None:
            await asyncio.wait_for(getattr(party, f"{side}_async")(within_asyncio), bound)

        asyncio.run(main())

    def in_trio(party: Party) -> None:
        async def main() -> None:
            with trio.fail_after(bound):
                await getattr(party, f"{side}_async")(within_trio)

        trio.run(main)

    return [in_thread, in_thread, in_asyncio, in_trio]


@pytest.mark.guarantee("channel", "async")
@pytest.mark.guarantee("channel", "select")
@pytest.mark.usefixtures("quick_switches")
@pytest.mark.parametrize("capacity", [None, 2, 0])
def test_every_item_comes_once_to_whoever_asks(capacity: int | None, stress_seconds: float, spawn: Spawn) -> None:
    """Four produce and four consume; the books agree, and nobody is left waiting."""
    tx, rx = fl.channel(capacity)
    books, bound = Books(stress_seconds / 3), stress_seconds + BOUND
    takers = [spawn(run, Party(books, rx.clone(), seed)) for seed, run in enumerate(runs(bound, "consume"), start=100)]
    givers = [spawn(run, Party(books, tx.clone(), seed)) for seed, run in enumerate(runs(bound, "produce"))]
    tx.close()
    for party in (*givers, *takers):
        party.join(bound)
    got = Counter(itertools.chain(*books.got))
    sent = Counter(itertools.chain(*books.sent))

    assert (blocked_senders(rx), blocked_receivers(rx), len(rx)) == (0, 0, 0)
    rx.close()
    assert set(sent.values()) | set(got.values()) == {1}
    assert sent - got == Counter()
    assert set(got - sent) <= books.doubtful
    for part in books.got:
        for who in range(4):
            numbers = [number for sender, number in part if sender == who]
            assert numbers == sorted(numbers)
