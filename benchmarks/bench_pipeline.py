"""Pipelines: what an item costs that passes through stages which do nothing, beside queues and threads by hand.

Starting and joining the threads is part of it, as it is for the user. Not here: stages that compute.
"""

from __future__ import annotations

import queue
import threading
from contextlib import ExitStack
from typing import Any

from benchmarks.harness import Body, Shape, empty
from fearless import pipeline

CAPACITY = 128  # slots between two stages, on both sides
END = object()


def same(item: Any) -> Any:
    """Pass an item on."""
    return item


def by_hand(_stack: ExitStack) -> Body:
    """Join two stages by `queue.Queue`, with a sentinel for the end."""

    def stage(source: queue.Queue[Any], target: queue.Queue[Any]) -> None:
        while (item := source.get()) is not END:
            target.put(same(item))
        target.put(END)

    def feed(count: int, target: queue.Queue[Any]) -> None:
        for number in range(count):
            target.put(number)
        target.put(END)

    def body(count: int) -> None:
        first, second, last = (queue.Queue[Any](CAPACITY) for _ in range(3))
        threads = [
            threading.Thread(target=feed, args=(count, first)),
            threading.Thread(target=stage, args=(first, second)),
            threading.Thread(target=stage, args=(second, last)),
        ]
        for thread in threads:
            thread.start()
        while last.get() is not END:
            pass
        for thread in threads:
            thread.join()

    return body


def ours(*, ordered: bool) -> Any:
    """The same two stages as a pipeline."""

    def body(count: int) -> None:
        with pipeline(range(count), same, same, capacity=CAPACITY, ordered=ordered) as results:
            for _ in results:
                pass

    def make(_stack: ExitStack) -> Body:
        return body

    return make


def shapes() -> list[Shape]:
    """The shapes of this file."""
    through = Shape("pipeline/two-stages", "an item through two stages that do nothing")
    through.alone("queue.Queue and threads", by_hand)
    through.add("empty loop", empty())
    through.alone("pipeline", ours(ordered=True))
    through.alone("pipeline, unordered", ours(ordered=False))
    return [through]
