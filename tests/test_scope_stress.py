"""Trees of scopes under everything at once: failures, cancellations, deadlines, shields, policies, threads and tasks.

Not here: each of these alone (`test_scope*.py`).
"""

# ruff: noqa: S311 - a draw that can be repeated is what is wanted

import asyncio
import random
import threading
import time
from typing import Literal

import pytest

import fearless as fl
from tests.support.failing import fail
from tests.support.until import blocked_receivers, queued

POLICIES: tuple[Literal["cancel", "collect", "first"], ...] = ("cancel", "collect", "first")


class Expected(ValueError):
    """What tasks fail with."""


class Tree:
    """A tree of scopes that is drawn at random; it counts what begins and what ends."""

    def __init__(self, seed: int) -> None:
        """One channel serves all waits of the tree."""
        self.random = random.Random(seed)
        self.begun, self.ended = fl.AtomicInt(), fl.AtomicInt()
        self.sent, self.received = fl.AtomicInt(), fl.AtomicInt()
        self.tx, self.rx = fl.channel(2)
        self.scopes = list[fl.Scope]()

    def draw(self) -> random.Random:
        """A source of its own for each task: a shared one would make the tree depend on who is quicker."""
        return random.Random(self.random.getrandbits(64))

    def scope(self, draw: random.Random) -> fl.Scope:
        """Any scope."""
        timeout = draw.choice([None, None, 0.0, 0.001, 0.01])
        shield = timeout is not None and draw.random() < 0.2  # one without a deadline could wait for ever
        return fl.scope(timeout, draw.choice(POLICIES), shield=shield)

    def run(self, draw: random.Random, depth: int) -> None:
        """A task: scopes inside, tasks in them, and some way to end."""
        self.begun.add(1)
        try:
            self.step(draw, depth)
        finally:
            self.ended.add(1)

    def step(self, draw: random.Random, depth: int) -> None:
        """One step of a task."""
        way = draw.choice(["nest", "nest", "loop", "send", "receive", "fail", "cancel", "return"])
        if way == "nest" and depth:
            with self.scope(draw) as scope:
                self.grow(scope, draw, depth)
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
            draw.choice(self.scopes).cancel()

    async def run_async(self, draw: random.Random, depth: int) -> None:
        """The same for a task of an event loop."""
        async with self.scope(draw) as scope:
            self.grow(scope, draw, depth)
            if draw.random() < 0.5:
                await self.rx.recv_async()
                self.received.add(1)

    def grow(self, scope: fl.Scope, draw: random.Random, depth: int) -> None:
        """Start tasks in a scope."""
        self.scopes.append(scope)
        for _ in range(draw.randrange(4)):
            scope.spawn(self.run, random.Random(draw.getrandbits(64)), depth - 1)

    def receive(self) -> None:
        """Wait for an item."""
        self.rx.recv()
        self.received.add(1)


def leaves(error: BaseException) -> list[BaseException]:
    """What is in a group, at any depth."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for member in error.exceptions for leaf in leaves(member)]


@pytest.mark.stress
@pytest.mark.guarantee("scope", "cancel")
@pytest.mark.guarantee("scope", "both builds")
def test_nothing_is_lost_and_nobody_is_left(stress_seconds: float) -> None:
    """Every task that began has ended when the outermost block is left, no group has a `Cancelled`, no item is lost."""
    end = time.monotonic() + stress_seconds
    seed = 0
    while seed == 0 or time.monotonic() < end:
        seed += 1
        tree, before = Tree(seed), threading.active_count()
        try:
            with fl.scope(0.2, random.Random(seed).choice(POLICIES)) as outer:
                tree.scopes.append(outer)
                for _ in range(3):
                    outer.spawn(tree.run, tree.draw(), 3)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is looked at
            chain = [error, *([] if error.__cause__ is None else [error.__cause__])]
            kinds = {type(leaf) for each in chain for leaf in leaves(each)}
            assert kinds <= {Expected, fl.Timeout}, f"seed {seed}: {kinds}"
        assert tree.begun.load() == tree.ended.load(), f"seed {seed}"
        assert threading.active_count() == before, f"seed {seed}"
        assert (blocked_receivers(tree.rx), fl.current_scope()) == (0, None), f"seed {seed}"
        assert tree.sent.load() == tree.received.load() + queued(tree.rx), f"seed {seed}"
        tree.tx.close()
        tree.rx.close()
