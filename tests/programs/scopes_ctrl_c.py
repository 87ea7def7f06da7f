"""Programs in which Ctrl-C comes twice while scopes are left, run by `tests/test_scope_ctrl_c.py` one after another.

The first cancels and the join goes on; the second leaves at once, whatever is around. Not here: pytest; Ctrl-C that
comes once (`scopes.py`).
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable

import trio

import fearless as fl
from fearless._scope_tasks import Policy
from fearless.testing import no_leftover_threads
from tests.support.threads import start
from tests.support.until import BOUND, LATE, blocked, blocked_receivers, in_join, until

CLEAN = no_leftover_threads(timeout=BOUND)


class Scene:
    """Tasks that heed a cancellation and tasks that do not, and Ctrl-C when the main thread joins them."""

    def __init__(self) -> None:
        """Nobody runs yet."""
        self.tx, self.rx = fl.channel(1)
        self.gate = threading.Event()
        self.stubborn_ones = fl.AtomicInt()
        self.heeding = list[fl.Task[None]]()
        self.stubborn = list[fl.Task[str]]()
        self.scopes = list[fl.Scope]()
        self.sent = 0.0

    def fill(self, scope: fl.Scope, name: str) -> None:
        """Start one of each kind."""
        self.scopes.append(scope)
        self.heeding.append(scope.spawn(self.rx.recv))
        self.stubborn.append(scope.options(name=name).spawn(self.stay))

    def stay(self) -> str:
        """Heed nothing."""
        self.stubborn_ones.add(1)
        assert self.gate.wait(BOUND)
        return "ended at last"

    def poke(self, tasks: int, first: Callable[[], object], again: Callable[[], object]) -> None:
        """Send Ctrl-C once `tasks` of each kind are at it and `first()`, and another once it is felt and `again()`."""
        until(lambda: blocked_receivers(self.rx) == self.stubborn_ones.load() == tasks, "the tasks at it")
        until(first, "the time for the first Ctrl-C")
        os.kill(os.getpid(), signal.SIGINT)
        until(lambda: self.scopes[-1].cancelled, "the first Ctrl-C cancelled the innermost scope")
        until(lambda: sum(thread.is_alive() for thread in self.scopes[-1]._threads) <= 1, "who heeds it gone")
        until(again, "the join going on")
        self.sent = time.monotonic()
        os.kill(os.getpid(), signal.SIGINT)

    def run(self, block: Callable[[], object], tasks: int, *times: Callable[[], object]) -> list[str]:
        """Run the block, which two Ctrl-C have to end; return the notes of the exception when all tasks have ended."""
        poker = start(self.poke, tasks, *times)
        try:
            block()
        except KeyboardInterrupt as interrupt:
            late, notes = time.monotonic() - self.sent, list[str](interrupt.__notes__)
        else:
            raise AssertionError("no KeyboardInterrupt")
        poker.join()
        assert late < LATE
        assert not any(task.done() for task in self.stubborn), "the second one waited for a task"
        assert fl.current_scope() is None
        self.gate.set()
        assert [task.join(BOUND) for task in self.stubborn] == ["ended at last"] * tasks
        until(lambda: all(task.cancelled() for task in self.heeding), "the others cancelled")
        assert blocked_receivers(self.rx) == 0
        self.tx.close()
        self.rx.close()
        return notes


def joining() -> bool:
    """Whether the main thread waits for the tasks of a scope."""
    return in_join(threading.main_thread().ident)


def idle() -> bool:
    """Whether the loop of trio in the main thread waits for something to do."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    return frame is not None and frame.f_code.co_name == "get_events"


@CLEAN
def one_scope(policy: Policy) -> None:
    """Whatever the policy says of failures, an interrupt cancels."""
    scene = Scene()

    def block() -> None:
        with fl.scope(policy=policy) as scope:
            scene.fill(scope, "stubborn")

    notes = scene.run(block, 1, joining, joining)
    assert notes == ["left a scope while 1 of its tasks ran, in: stubborn"], notes
    assert scene.scopes[0].winner is None


@CLEAN
def in_the_block() -> None:
    """The first one comes in the block, so one in the join is the second."""
    scene = Scene()

    def block() -> None:
        with fl.scope() as scope:
            scene.fill(scope, "stubborn")
            fl.Event().wait()

    main = threading.main_thread().ident
    notes = scene.run(block, 1, lambda: blocked(main, "event"), joining)
    assert notes == ["left a scope while 1 of its tasks ran, in: stubborn"], notes


@CLEAN
def nested() -> None:
    """Both come in the inner join; the outer scope is cancelled and left as well."""
    scene = Scene()

    def block() -> None:
        with fl.scope() as outer:
            scene.fill(outer, "outer")
            with fl.scope(policy="collect") as inner:
                scene.fill(inner, "inner")

    check_nested(scene, scene.run(block, 2, joining, joining))


@CLEAN
def nested_in_trio() -> None:
    """The same with the scopes of a coroutine."""
    scene = Scene()

    async def block() -> None:
        async with fl.scope() as outer:
            scene.fill(outer, "outer")
            async with fl.scope() as inner:
                scene.fill(inner, "inner")

    check_nested(scene, scene.run(lambda: trio.run(block), 2, idle, idle))


def check_nested(scene: Scene, notes: list[str]) -> None:
    """Both scopes were left; a task of the outer one that heeds the cancellation may still be on its way out."""
    inner, outer = notes
    assert inner == "left a scope while 1 of its tasks ran, in: inner", inner
    assert outer.startswith("left a scope while "), outer
    assert outer.endswith("outer"), outer
    assert all(scope.cancelled for scope in scene.scopes)


@CLEAN
def nested_in_turn() -> None:
    """The first comes in the inner join, which ends, and the second in the outer one."""
    scene = Scene()

    def block() -> None:
        with fl.scope() as outer:
            scene.fill(outer, "outer")
            with fl.scope(policy="first") as inner:
                scene.scopes.append(inner)
                inner.spawn(fl.sleep, 3600)

    notes = scene.run(block, 1, joining, lambda: scene.scopes[0].cancelled and joining())
    assert notes == ["left a scope while 1 of its tasks ran, in: outer"], notes


@CLEAN
def in_a_task_of_a_pool(policy: Policy) -> None:
    """The scope of the main thread cancels one that a worker is about to leave; both go on until they may end."""
    scene, pool = Scene(), fl.ThreadPool(1)
    tasks = list[fl.Task[None]]()

    def work() -> None:
        with fl.scope(policy=policy) as inner:
            scene.fill(inner, "inner")

    def block() -> None:
        with fl.scope(policy=policy) as outer:
            tasks.append(outer.submit(pool, work))

    try:
        notes = scene.run(block, 1, joining, joining)
    finally:
        pool.shutdown()
    assert notes == ["left a scope while 1 of its tasks ran, in: pool threads"], notes
    assert tasks[0].cancelled()
