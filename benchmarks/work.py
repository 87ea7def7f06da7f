"""Work that is counted: how many turns of an empty loop take a number of nanoseconds.

Spinning until a clock says so would "finish" also while the thread is off its core. A count does not, so it shows a
missing core. Not here: the loop itself, which a body holds inline so that no call is measured with it.
"""

from __future__ import annotations

from functools import cache
from itertools import repeat
from statistics import median
from time import perf_counter

LOOPS = 2_000
LONG = 1_000  # turns


def loop(turns: int) -> float:
    """Return the seconds that one loop of so many turns takes, its set-up included."""
    start = perf_counter()
    for _ in repeat(None, LOOPS):
        for _ in repeat(None, turns):
            pass
    return (perf_counter() - start) / LOOPS


@cache
def calibration() -> tuple[float, float]:
    """Return the seconds of a loop of no turn, and of a turn."""
    bare = median(loop(0) for _ in range(15))
    return bare, (median(loop(LONG) for _ in range(15)) - bare) / LONG


def turns(nanoseconds: int) -> int:
    """Return how many turns take so long; none if the loop itself already does."""
    bare, turn = calibration()
    return max(0, round((nanoseconds * 1e-9 - bare) / turn))
