"""`ShardedCounter` beside `AtomicInt`: an addition alone and with two threads on one counter, and a sum.

Not here: more threads than there are cores, of which this machine could say nothing.
"""

from __future__ import annotations

from benchmarks.bench_atomic_int import adding, calling, each
from benchmarks.harness import Shape, empty
from fearless import AtomicInt, ShardedCounter


def shard(threads: int) -> Shape:
    """Add one, in a number of threads on one counter."""
    shape = Shape(f"sharded/{threads} thread{'' if threads == 1 else 's'}", "an addition, by each thread")
    shape.add("AtomicInt.add(1)", each(threads, AtomicInt, lambda number: adding(number.add)))
    shape.add("empty loop", empty(threads))
    shape.add("ShardedCounter.add(1)", each(threads, ShardedCounter, lambda counter: adding(counter.add)))
    return shape


def total() -> Shape:
    """Ask for the value."""
    shape = Shape("sharded/sum", "a sum")
    shape.add("AtomicInt.load()", each(1, AtomicInt, lambda number: calling(number.load)))
    shape.add("ShardedCounter.sum()", each(1, counted, lambda counter: calling(counter.sum)))
    return shape


def counted() -> ShardedCounter:
    """A counter that has shards."""
    counter = ShardedCounter()
    counter.add(1)
    return counter


def shapes() -> list[Shape]:
    """The shapes of this file."""
    return [shard(1), shard(2), total()]
