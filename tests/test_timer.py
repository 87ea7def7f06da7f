"""`after`, `tick` and `never`: receivers of time. A clock is read for lower bounds alone.

Not here: what holds for every call that blocks (`tests/generic/test_blocking.py`).
"""

import itertools
import math
import time
from typing import Any

import pytest

import fearless as fl
from fearless.channels import Timer
from tests.plugins.threads import Spawn
from tests.support.until import BOUND


def test_after_is_ready_once_and_not_before_its_time() -> None:
    """What it gives is when it was due, on the clock of `time.monotonic`; then it has ended."""
    begun = time.monotonic()
    timer = fl.after(0.02)
    due = timer.recv(BOUND)

    assert time.monotonic() >= due >= begun + 0.019
    assert timer.is_closed
    for ended in (timer.recv, timer.try_recv):
        with pytest.raises(fl.Closed, match="the timer has ended"):
            ended()
    assert list(timer) == []


def test_after_zero_is_ready_at_once() -> None:
    """Also for a call that does not wait."""
    assert isinstance(fl.after(0).try_recv(), float)


def test_ticks_come_a_period_apart() -> None:
    """Each is due at a multiple of the period, which does not drift with the receiver."""
    with fl.tick(0.005) as timer:
        due = [timer.recv(BOUND) for _ in range(4)]

    steps = [(later - sooner) / 0.005 for sooner, later in itertools.pairwise(due)]
    assert all(step == pytest.approx(round(step), abs=1e-3) and round(step) >= 1 for step in steps)


def test_missed_ticks_are_left_out_all_but_one() -> None:
    """A late receiver gets one tick at once, and not one for each period that has passed."""
    with fl.tick(1e-9) as timer:
        timer.recv(BOUND)
        first, second = timer.recv(BOUND), timer.recv(BOUND)
    assert second > first

    with fl.tick(3600) as slow, pytest.raises(fl.Empty):
        slow.try_recv()


def test_each_tick_goes_to_one_call(spawn: Spawn) -> None:
    """Of many threads that ask for the one tick of `after`, one gets it."""

    def ask(timer: Timer) -> list[float]:
        return list(timer)

    timer = fl.after(0.01)
    parts = [spawn(ask, timer) for _ in range(4)]

    assert sum(len(part.join()) for part in parts) == 1


def test_never_and_times_beyond_the_clock_are_never_due() -> None:
    """`inf` is allowed, and as good as never."""
    for timer in (fl.never(), fl.after(math.inf), fl.tick(math.inf), fl.after(1e300), fl.tick(10**400)):
        with pytest.raises(fl.Empty):
            timer.try_recv()
        with pytest.raises(fl.Timeout):
            timer.recv(0)
        assert not timer.is_closed


def test_close_ends_it_and_again_is_harmless() -> None:
    """It then has no tick to give, even one that was due."""
    timer = fl.tick(3600)
    timer.close()
    timer.close()

    assert (timer.is_closed, list(timer)) == (True, [])
    assert "ended" in repr(timer)


@pytest.mark.parametrize("wrong", [-1, -0.001, -math.inf, math.nan])
@pytest.mark.parametrize("make", [fl.after, fl.tick])
def test_a_wrong_time_is_refused_with_the_value(make: Any, wrong: float) -> None:
    """Negative, or not a number."""
    with pytest.raises(ValueError, match=rf"seconds must be a number .*got {wrong}"):
        make(wrong)


def test_a_tick_needs_a_period() -> None:
    """Zero would be ready for ever."""
    with pytest.raises(ValueError, match="seconds must be a number > 0, got 0"):
        fl.tick(0)
    with pytest.raises(TypeError):
        fl.after("1")  # type: ignore[arg-type]  # that is the point
