"""Shapes, contenders, and the rounds in which they are measured side by side.

A shape is one question ("enter and leave a lock"); its contenders answer it, and the first of them is the yardstick,
which is what a reader would use today. Not here: what the figures mean (`figures.py`) and how they are shown.

A sample is at least 50 ms of one loop whose length was calibrated before. A round takes one sample of each contender,
in an order that changes, all in this process. One contender more is always there: the yardstick a second time, made
anew. What the two differ by is what the session cannot tell from nothing.
"""

from __future__ import annotations

import gc
import random
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from time import perf_counter
from typing import Literal

Body = Callable[[int], object]
"""Does a number of operations, one after the other."""
Make = Callable[[ExitStack], Sequence[Body]]
"""Makes the objects of a contender, closes them on the stack, and returns a body for each thread."""

SAME = "the yardstick again"


@dataclass(frozen=True, slots=True)
class Contender:
    """One answer to the question of a shape."""

    name: str
    make: Make
    goals: tuple[float, float] | None = None  # the ratio to keep to, with the GIL and without


@dataclass(slots=True)
class Shape:
    """A question and its contenders; the first is the yardstick.

    Thread safety: externally synchronized.
    """

    name: str  # as in `lock-pass/2 threads/1 us`
    unit: str  # what one operation is
    contenders: list[Contender] = field(default_factory=list)
    measures: Literal["seconds", "bytes"] = "seconds"
    operations: int | None = None  # in a sample; calibrated where nobody says
    told: bool = False  # the bodies return the seconds of an operation, as a quantile of them, and are not timed

    def add(self, name: str, make: Make, goals: tuple[float, float] | None = None) -> None:
        """Let one more contend."""
        self.contenders.append(Contender(name, make, goals))

    def alone(self, name: str, make: Callable[[ExitStack], Body], goals: tuple[float, float] | None = None) -> None:
        """Let one more contend, whose operations are all done by the calling thread."""
        self.add(name, lambda stack: [make(stack)], goals)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    rounds: int = 15
    sample: float = 0.05  # seconds, at least


QUICK = Plan(rounds=3, sample=0.005)  # enough to see that everything runs, and for nothing else


@dataclass(frozen=True, slots=True)
class Samples:
    """What was measured of one contender: seconds or bytes for an operation, one sample a round."""

    contender: Contender
    operations: int  # in a sample
    values: list[float]


def empty(threads: int = 1) -> Make:
    """Make the loop that surrounds every operation, around nothing: nothing is subtracted, this is shown."""

    def body(count: int) -> None:
        for _ in range(count):
            pass

    return lambda _stack: [body] * threads


def measure(shape: Shape, plan: Plan) -> list[Samples]:
    """Measure the contenders of a shape; the last is the yardstick again."""
    contenders = [*shape.contenders, Contender(SAME, shape.contenders[0].make)]
    order = list(range(len(contenders)))
    draw = random.Random(shape.name)  # noqa: S311 - an order that changes, the same in every session
    with ExitStack() as stack:
        loops = [contender.make(stack) for contender in contenders]
        counts = [shape.operations or calibrate(bodies, plan.sample) for bodies in loops]
        counts[0] = counts[-1] = max(counts[0], counts[-1])  # they are the same, so they do the same
        values: list[list[float]] = [[] for _ in contenders]
        for _ in range(plan.rounds):
            draw.shuffle(order)
            for place in order:
                gc.collect()
                values[place].append(one_operation(shape, loops[place], counts[place]))
    return [Samples(*row) for row in zip(contenders, counts, values, strict=True)]


def calibrate(bodies: Sequence[Body], least: float) -> int:
    """Find how many operations take at least `least` seconds. This warms up, too."""
    count = 1
    while (seconds := quickest(bodies, count, least)) < least:
        # Towards the goal by what was seen, but not blindly: a first operation is often a slow one.
        count = min(count * 16, max(count * 2, int(count * 1.2 * least / max(seconds, 1e-9))))
    return count


def quickest(bodies: Sequence[Body], count: int, least: float) -> float:
    """Return the seconds of the quicker of two samples; a hiccup of the machine would end the search too early."""
    seconds = sample(bodies, count)
    return seconds if seconds < least else min(seconds, sample(bodies, count))


def one_operation(shape: Shape, bodies: Sequence[Body], count: int) -> float:
    """Take one sample; return what one operation took in it."""
    if shape.told:
        return report(bodies, count)
    return (sample if shape.measures == "seconds" else report)(bodies, count) / count


def sample(bodies: Sequence[Body], count: int) -> float:
    """Run the bodies, each `count` operations, and return the seconds from the first start to the last end."""
    if len(bodies) == 1:
        start = perf_counter()
        bodies[0](count)
        return perf_counter() - start
    return together(bodies, count)


def report(bodies: Sequence[Body], count: int) -> float:
    """Return what the bodies themselves say."""
    return sum(float(str(body(count))) for body in bodies)


def together(bodies: Sequence[Body], count: int) -> float:
    """Run each body in a thread of its own, all at once."""
    gate = threading.Barrier(len(bodies))
    ended = threading.Semaphore(0)
    spans: list[tuple[float, float]] = []
    failures: list[BaseException] = []

    def run(body: Body) -> None:
        try:
            gate.wait()
            start = perf_counter()
            body(count)
            spans.append((start, perf_counter()))
        except BaseException as error:  # noqa: BLE001 - raised below, in the thread that asked
            failures.append(error)
        ended.release()

    # Daemons: when one fails, another may wait for it for ever.
    threads = [threading.Thread(target=run, args=(body,), daemon=True) for body in bodies]
    for thread in threads:
        thread.start()
    for _ in threads:
        ended.acquire()
        if failures:
            raise failures[0]
    for thread in threads:
        thread.join()
    return max(end for _, end in spans) - min(start for start, _ in spans)
