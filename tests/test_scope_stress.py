"""Trees of scopes under everything at once: failures, cancellations, deadlines, shields, policies, threads and tasks.

Not here: each of these alone (`test_scope*.py`).
"""

# ruff: noqa: S311 - a draw that can be repeated is what is wanted

import asyncio
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

import fearless as fl
from tests.support.failing import fail
from tests.support.until import blocked_receivers, blocked_senders, queued

POLICIES: tuple[Literal["cancel", "collect", "first"], ...] = ("cancel", "collect", "first")


class Expected(ValueError):
    """What tasks fail with."""


@dataclass
class Block:
    """A scope, what was started in it, and how it was left."""

    scope: fl.Scope
    tasks: list[fl.Task[Any]] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    raised: BaseException | None = None
    wrong: list[str] = field(default_factory=list)

    @contextmanager
    def looked_at(self) -> Iterator[None]:
        """Look, when the scope in this block has been left, at once: what it had to wait for has ended."""
        try:
            yield
        except BaseException as error:
            self.raised = error
            raise
        finally:
            self.wrong += [f"{task!r} had not ended" for task in self.tasks if not task.done()]
            self.wrong += [f"the thread {thread.name} ran on" for thread in self.threads if thread.is_alive()]

    def check(self) -> None:
        """Once all is over: the group that was raised has the failures of the tasks, all of them and nothing else."""
        assert not self.wrong
        failures = [task.exception(0) for task in self.tasks if not task.cancelled()]
        expected = {id(failure) for failure in failures if failure is not None and self.scope.winner is None}
        error = self.raised.__cause__ if isinstance(self.raised, fl.Timeout) else self.raised
        found = {id(member) for member in error.exceptions} if isinstance(error, BaseExceptionGroup) else set()
        assert found == expected, f"{self.raised!r} was raised of {failures}"


class Tree:
    """A tree of scopes that is drawn at random; it counts what begins and what ends."""

    def __init__(self, seed: int, pool: fl.ThreadPool) -> None:
        """One channel serves all waits of the tree, and one lock what they count."""
        self.random, self.pool = random.Random(seed), pool
        self.begun, self.ended = fl.AtomicInt(), fl.AtomicInt()
        self.sent, self.received = fl.AtomicInt(), fl.AtomicInt()
        self.tx, self.rx = fl.channel(2)
        self.blocks = list[Block]()
        self.count, self.counted = fl.Mutex(0), fl.AtomicInt()

    def draw(self) -> random.Random:
        """A source of its own for each task: a shared one would make the tree depend on who is quicker."""
        return random.Random(self.random.getrandbits(64))

    def scope(self, draw: random.Random) -> fl.Scope:
        """Any scope."""
        timeout = draw.choice([None, None, 0.0, 0.001, 0.01])
        shield = timeout is not None and draw.random() < 0.2  # one without a deadline could wait for ever
        return fl.scope(timeout, draw.choice(POLICIES), shield=shield)

    def block(self, draw: random.Random) -> Block:
        """Any scope, to be entered."""
        self.blocks.append(block := Block(self.scope(draw)))
        return block

    def run(self, draw: random.Random, depth: int, threads: list[threading.Thread]) -> None:
        """A task: scopes inside, tasks in them, and some way to end."""
        self.begun.add(1)
        threads.append(threading.current_thread())
        try:
            with self.count as guard:
                guard.value += 1
                self.counted.add(1)
                fl.checkpoint()  # a cancellation lets go of the lock, too
            self.step(draw, depth)
        finally:
            self.ended.add(1)

    def step(self, draw: random.Random, depth: int) -> None:
        """One step of a task."""
        way = draw.choice(["nest", "nest", "loop", "send", "receive", "fail", "cancel", "return"])
        if way == "nest" and depth:
            block = self.block(draw)
            with block.looked_at(), block.scope:
                self.grow(block, draw, depth)
                if draw.random() < 0.5:
                    self.receive()
        elif way == "loop" and depth:
            asyncio.run(self.run_async(draw, depth))
        elif way == "send":
            self.tx.send(1)
            self.sent.add(1)
        elif way == "receive":
            self.receive()
        elif way == "fail":
            fail(Expected("drawn"))
        elif way == "cancel":
            chosen = draw.choice(self.blocks).scope
            with suppress(RuntimeError):  # it has not been entered yet
                chosen.cancel()

    async def run_async(self, draw: random.Random, depth: int) -> None:
        """The same for a task of an event loop."""
        block = self.block(draw)
        with block.looked_at():
            async with block.scope:
                self.grow(block, draw, depth)
                if draw.random() < 0.5:
                    await self.rx.recv_async()
                    self.received.add(1)

    def grow(self, block: Block, draw: random.Random, depth: int) -> None:
        """Start tasks in a scope; in the pool those that have none inside, for which it could be too small."""
        for _ in range(draw.randrange(4)):
            source = random.Random(draw.getrandbits(64))
            if draw.random() < 0.3:
                block.tasks.append(block.scope.submit(self.pool, self.run, source, 0, []))
            else:
                block.tasks.append(block.scope.spawn(self.run, source, depth - 1, block.threads))

    def receive(self) -> None:
        """Wait for an item."""
        self.rx.recv()
        self.received.add(1)


def leaves(error: BaseException) -> list[BaseException]:
    """What is in a group, at any depth."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for member in error.exceptions for leaf in leaves(member)]


def grow_one(seed: int, pool: fl.ThreadPool) -> Tree:
    """Run a tree until its outermost block has been left."""
    tree = Tree(seed, pool)
    tree.blocks.append(outermost := Block(fl.scope(0.2, random.Random(seed).choice(POLICIES))))
    try:
        with outermost.looked_at(), outermost.scope:
            for _ in range(3):
                outermost.tasks.append(outermost.scope.spawn(tree.run, tree.draw(), 3, outermost.threads))
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is looked at
        chain = [error, *([] if error.__cause__ is None else [error.__cause__])]
        kinds = {type(leaf) for each in chain for leaf in leaves(each)}
        assert kinds <= {Expected, fl.Timeout}, kinds
    return tree


def check(tree: Tree, before: set[threading.Thread]) -> None:
    """Nothing is left of the tree: no task, thread or waiter, no lock that is held, no item that nobody has."""
    assert tree.begun.load() == tree.ended.load()
    for block in tree.blocks:
        block.check()
    assert set(threading.enumerate()) - before <= tree.pool._threads
    assert (blocked_senders(tree.rx), blocked_receivers(tree.rx), fl.current_scope()) == (0, 0, None)
    assert tree.sent.load() == tree.received.load() + queued(tree.rx)
    with tree.count.lock(timeout=0) as guard:
        assert guard.value == tree.counted.load()


@pytest.mark.stress
@pytest.mark.guarantee("scope", "cancel")
@pytest.mark.guarantee("scope", "both builds")
def test_nothing_is_lost_and_nobody_is_left(stress_seconds: float) -> None:
    """A scope is left when all it started has ended, and raises what failed; no item and no lock is lost."""
    end = time.monotonic() + stress_seconds
    before = set(threading.enumerate())
    with fl.ThreadPool(2) as pool:
        pool.submit(int).result()
        before |= set(threading.enumerate())
        seed = 0
        while seed == 0 or time.monotonic() < end:
            seed += 1
            try:
                tree = grow_one(seed, pool)
                check(tree, before)
            except BaseException as error:
                error.add_note(f"seed {seed}")
                raise
            tree.tx.close()
            tree.rx.close()
