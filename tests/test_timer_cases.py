"""Timers in the loops that programs put them in: deadlines, heartbeats, timers of many threads, `never` for an end.

The cases are those that the suites of Go and of crossbeam try timers with, in so far as `test_timer.py` does not have
them. A clock is read for lower bounds alone. Not here: selects without timers (`test_select_cases.py`).
"""

import random
import time
from typing import Any

import pytest

import fearless as fl
from tests.plugins.channels import Make
from tests.plugins.threads import Spawn
from tests.support.until import BOUND, blocked_receivers

pytestmark = [pytest.mark.guarantee("channel", "select"), pytest.mark.usefixtures("quick_switches")]


def choose(*channels: Any) -> "fl.Selected[Any]":
    """Select, with a bound."""
    return fl.select(*channels, timeout=BOUND)


def test_never_takes_the_place_of_what_has_ended(make: Make) -> None:
    """The loop that the reference shows: it goes on with those that are left until nothing is."""
    pairs = [make(None) for _ in range(3)]
    for place, (tx, _) in enumerate(pairs):
        tx.send_many([place] * (place + 1))
        tx.close()
    listen: list[Any] = [rx for _, rx in pairs]
    got: list[int] = []
    open_ones = 3
    while open_ones:
        chosen = choose(*listen)
        if chosen.closed:
            listen[chosen.index] = fl.never()
            open_ones -= 1
        else:
            got.append(chosen.value)

    assert sorted(got) == [0, 1, 1, 2, 2, 2]
    with pytest.raises(fl.Timeout):
        fl.select(*listen, timeout=0.01)


def test_after_in_many_threads_is_each_ones_own(make: Make, spawn: Spawn) -> None:
    """Each thread that waits for a channel or a timer gets its timer, not before its time."""
    _, rx = make(1)

    def wait(seconds: float) -> bool:
        begun = time.monotonic()
        chosen = choose(rx, fl.after(seconds))
        return chosen.index == 1 and time.monotonic() >= chosen.value >= begun + seconds - 0.001

    assert all(thread.join() for thread in [spawn(wait, 0.001 * number) for number in range(20)])
    assert blocked_receivers(rx) == 0


def test_ticks_beside_a_deadline() -> None:
    """No more ticks than periods have passed, and the deadline, which is chosen once, ends the loop."""
    begun = time.monotonic()
    deadline, ticks = fl.after(0.05), 0
    with fl.tick(0.01) as ticker:
        while (chosen := choose(ticker, deadline)).index == 0:
            ticks += 1
    passed = chosen.value - begun

    assert ticks <= (time.monotonic() - begun) / 0.01
    assert passed >= 0.049
    assert fl.select(deadline).closed


def test_one_timer_in_many_selects_ends_one(spawn: Spawn) -> None:
    """Its one tick goes to one of them; the others see that it has ended."""
    timer = fl.after(0.01)
    waiters = [spawn(choose, timer, fl.never()) for _ in range(5)]

    assert sorted(waiter.join().closed for waiter in waiters) == [False, True, True, True, True]


def test_time_is_up_beside_random_sends(make: Make, spawn: Spawn) -> None:
    """A consumer that gives up on a timer again and again loses nothing."""
    tx, rx = make(0)
    rng = random.Random(4)  # noqa: S311 - a repeatable choice, no secret
    pauses = [rng.random() / 1000 for _ in range(200)]

    def produce() -> None:
        with tx:
            for number, pause in enumerate(pauses):
                fl.select(fl.after(pause))
                tx.send(number, BOUND)

    producer = spawn(produce)
    got = []
    while not (chosen := choose(rx, fl.after(0.0005))).closed or chosen.index == 1:
        if chosen.index == 0:
            got.append(chosen.value)
    producer.join()

    assert got == list(range(200))
