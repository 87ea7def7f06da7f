"""Memory: bytes for an idle object, for a queued item and for a queued call. No type has this file; all of them have.

Each sample is a process of its own that makes many and says by how much it has grown. Not here: what a running
program needs at its peak.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from contextlib import ExitStack

from benchmarks.harness import Body, Shape

PROGRAM = """
import os, queue, sys, threading
from concurrent.futures import ThreadPoolExecutor
import fearless as fl
fl.Mutex, fl.channel, fl.AtomicInt, fl.ThreadPool, fl.Task

def grown():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def nothing(): pass

count = int(sys.argv[1])
kept = [None] * count
gate = threading.Lock()
gate.acquire()
{setup}
before = grown()
for place in range(count):
    {statement}
print(grown() - before, flush=True)
os._exit(0)  # whatever is queued is left there
"""
OBJECTS = 200_000
CALLS = 50_000


def filled(statement: str, setup: str) -> Body:
    """A process that runs the statement many times."""
    program = PROGRAM.format(setup=setup, statement=statement)

    def body(count: int) -> str:
        command = [sys.executable, "-I", "-c", program, str(count)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - from above

    return body


def shape_of(name: str, unit: str, operations: int) -> Shape:
    """A shape that measures bytes."""
    return Shape(f"memory/{name}", unit, measures="bytes", operations=operations)


def add(shape: Shape, name: str, statement: str, setup: str = "", goals: tuple[float, float] | None = None) -> None:
    """Let a statement contend."""

    def make(_stack: ExitStack) -> Body:
        return filled(statement, setup)

    shape.alone(name, make, goals)


def objects() -> Shape:
    """Idle objects."""
    shape = shape_of("idle object", "an object", OBJECTS)
    add(shape, "threading.Condition", "kept[place] = threading.Condition()")
    add(shape, "threading.Lock", "kept[place] = threading.Lock()")
    add(shape, "Mutex", "kept[place] = fl.Mutex(None)")
    add(shape, "AtomicInt", "kept[place] = fl.AtomicInt()")
    add(shape, "object", "kept[place] = object()")
    return shape


def queues() -> Shape:
    """Empty queues."""
    shape = shape_of("idle queue", "an empty queue", OBJECTS // 4)
    add(shape, "queue.Queue", "kept[place] = queue.Queue()")
    add(shape, "queue.SimpleQueue", "kept[place] = queue.SimpleQueue()")
    add(shape, "channel", "kept[place] = fl.channel(None)", goals=(1.0, 1.0))
    return shape


def items() -> Shape:
    """Items in a queue."""
    shape = shape_of("queued item", "an item, which itself takes nothing", OBJECTS * 5)
    add(shape, "queue.Queue", "put(None)", "put = queue.Queue().put")
    add(shape, "queue.SimpleQueue", "put(None)", "put = queue.SimpleQueue().put")
    add(shape, "channel", "put(None)", "tx, rx = fl.channel(None); put = tx.send", goals=(1.0, 1.0))
    return shape


def calls() -> Shape:
    """Calls that wait for a worker."""
    shape = shape_of("queued call", "a call that waits for a worker", CALLS)
    for name, pool in (("ThreadPoolExecutor", "ThreadPoolExecutor(1)"), ("ThreadPool", "fl.ThreadPool(1)")):
        goals = (0.2, 0.2) if name == "ThreadPool" else None
        add(shape, name, "submit(nothing)", f"submit = {pool}.submit; submit(gate.acquire)", goals)
    return shape


def shapes() -> list[Shape]:
    """The shapes of this file; none where the system does not tell a process its size."""
    if sysconfig.get_platform().startswith("linux"):
        return [objects(), queues(), items(), calls()]
    return []
