"""`wait_until` of an atomic under stress: threads and a task that pass a number on.

Not here: one wait after the other (`test_wait_until.py`).
"""

import asyncio
import time
from collections.abc import Callable

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.until import BOUND, waiting


def at_least(least: int) -> Callable[[int], bool]:
    """Whether a value has come so far."""
    return lambda value: value >= least


@pytest.mark.stress
@pytest.mark.guarantee("atomic_int", "both builds")
@pytest.mark.usefixtures("quick_switches")
def test_two_threads_and_a_task_pass_a_number_on(stress_seconds: float, spawn: Spawn) -> None:
    """Each waits for its turn, adds one, and so tells the next; a change that was missed would stop them all."""
    number = fl.AtomicInt()
    over = fl.AtomicBool()
    members = 3

    def is_mine(me: int) -> Callable[[int], bool]:
        return lambda value: value % members == me or bool(over)

    def in_thread(me: int) -> None:
        while not over:
            number.wait_until(is_mine(me), BOUND)
            number.add(1)

    def in_loop(me: int) -> None:
        async def main() -> None:
            while not over:
                await number.wait_until_async(is_mine(me))
                number.add(1)

        asyncio.run(main())

    threads = [spawn(in_thread, 0), spawn(in_thread, 1), spawn(in_loop, 2)]
    end = time.monotonic() + stress_seconds
    while time.monotonic() < end:
        before = number.load()
        number.wait_until(at_least(before + members), BOUND)
    over.store(True)
    number.add(members)  # so that each of them looks again

    for thread in threads:
        thread.join(BOUND)
    assert waiting(number) == 0
