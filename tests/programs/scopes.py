"""Programs about scopes and signals, each run in a process of its own by `tests/test_scope.py`.

Not here: pytest, which these programs do not need.
"""

# ruff: noqa: PT017 - a program does without pytest

import asyncio
import contextlib
import os
import signal
import threading
import time

import trio

import fearless as fl
from tests.support.threads import start
from tests.support.until import BOUND, LATE, blocked_receivers, in_join, until


def _await_main() -> None:
    main = threading.main_thread().ident
    until(lambda: in_join(main), "the main thread in the join")


def ctrl_c_cancels_and_joins() -> None:
    """One Ctrl-C while the block is left: the tasks are cancelled, joined, and KeyboardInterrupt leaves bare."""
    tx, rx = fl.channel(1)
    ended, tasks = list[str](), list[fl.Task[None]]()

    def work() -> None:
        try:
            rx.recv()
        finally:
            threading.Event().wait(0.05)  # the join has to last
            ended.append("ended")

    def poke() -> None:
        until(lambda: blocked_receivers(rx) == 2)
        _await_main()
        os.kill(os.getpid(), signal.SIGINT)

    poker = start(poke)
    try:
        with fl.scope() as scope:
            tasks += [scope.spawn(work) for _ in range(2)]
    except KeyboardInterrupt as interrupt:
        assert interrupt.__context__ is None, interrupt.__context__
        assert not hasattr(interrupt, "__notes__")
    else:
        raise AssertionError("no KeyboardInterrupt")
    poker.join()
    assert ended == ["ended", "ended"]
    assert [task.cancelled() for task in tasks] == [True, True]
    assert fl.current_scope() is None
    tx.close()
    rx.close()


def a_second_ctrl_c_leaves_at_once() -> None:
    """A task that heeds no cancellation keeps the join until the second Ctrl-C, which names its thread."""
    gate, begun = threading.Event(), threading.Event()
    sent, tasks = list[float](), list[fl.Task[str]]()

    def stubborn() -> str:
        begun.set()
        assert gate.wait(BOUND)
        return "ended at last"

    scope = fl.scope()

    def poke() -> None:
        assert begun.wait(BOUND)
        _await_main()
        os.kill(os.getpid(), signal.SIGINT)
        until(lambda: scope.cancelled, "the first Ctrl-C cancelled the scope")
        _await_main()
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    poker = start(poke)
    try:
        with scope:
            tasks.append(scope.options(name="stubborn").spawn(stubborn))
    except KeyboardInterrupt as interrupt:
        assert time.monotonic() - sent[0] < LATE
        assert interrupt.__notes__ == ["left a scope while 1 of its tasks ran, in: stubborn"], interrupt.__notes__
    else:
        raise AssertionError("no KeyboardInterrupt")
    poker.join()
    assert not tasks[0].done()
    assert fl.current_scope() is None
    try:
        scope.spawn(print)
    except RuntimeError:
        pass
    else:
        raise AssertionError("spawned into a scope that was left")
    gate.set()
    assert tasks[0].join(BOUND) == "ended at last"


def ctrl_c_in_the_block() -> None:
    """KeyboardInterrupt in the block cancels the tasks and leaves bare when they have ended."""
    tx, rx = fl.channel(1)
    tasks = list[fl.Task[None]]()

    def poke() -> None:
        until(lambda: blocked_receivers(rx) == 2)
        os.kill(os.getpid(), signal.SIGINT)

    poker = start(poke)
    try:
        with fl.scope() as scope:
            tasks.append(scope.spawn(rx.recv))
            rx.recv()
    except KeyboardInterrupt as interrupt:
        assert interrupt.__context__ is None, interrupt.__context__
    else:
        raise AssertionError("no KeyboardInterrupt")
    poker.join()
    assert tasks[0].cancelled()
    assert blocked_receivers(rx) == 0
    tx.close()
    rx.close()


def ctrl_c_in_a_coroutine(library: str) -> None:
    """The loop cancels the task, and so its scope: the thread in it has ended when KeyboardInterrupt comes out."""
    tx, rx = fl.channel(1)
    other_tx, other = fl.channel(1)
    tasks = list[fl.Task[None]]()
    loops = list[asyncio.AbstractEventLoop]()

    def poke() -> None:
        until(lambda: blocked_receivers(rx) == blocked_receivers(other) == 1)
        os.kill(os.getpid(), signal.SIGINT)
        for loop in loops:
            # asyncio misses a signal that comes between its last look and its sleep, until something wakes it.
            with contextlib.suppress(RuntimeError):  # the loop may be closed by now
                loop.call_soon_threadsafe(int)

    async def main() -> None:
        if library == "asyncio":
            loops.append(asyncio.get_running_loop())
        async with fl.scope() as scope:
            tasks.append(scope.spawn(rx.recv))
            await other.recv_async()

    poker = start(poke)
    try:
        asyncio.run(main()) if library == "asyncio" else trio.run(main)
    except KeyboardInterrupt:
        pass
    else:
        raise AssertionError("no KeyboardInterrupt")
    poker.join()
    assert tasks[0].cancelled()
    assert blocked_receivers(rx) == blocked_receivers(other) == 0
    for end in (tx, rx, other_tx, other):
        end.close()


def a_signal_handler_cancels_the_scope() -> None:
    """Whatever the main thread does in it at that moment: waiting in the block, spawning, or joining."""
    tx, rx = fl.channel(1)
    scopes = list[fl.Scope]()
    signal.signal(signal.SIGTERM, lambda *_: scopes[-1].cancel())

    def poke(receivers: int, *, joins: bool) -> None:
        until(lambda: blocked_receivers(rx) == receivers)
        if joins:
            _await_main()
        os.kill(os.getpid(), signal.SIGTERM)

    for in_block in (True, False):
        poker = start(poke, 2, joins=not in_block)
        with fl.scope() as scope:
            scopes.append(scope)
            tasks = [scope.spawn(rx.recv) for _ in range(1 if in_block else 2)]
            if in_block:
                rx.recv()
        poker.join()
        assert all(task.cancelled() for task in tasks)
        assert blocked_receivers(rx) == 0
    _cancel_while_spawning(scopes)
    tx.close()
    rx.close()


def _cancel_while_spawning(scopes: "list[fl.Scope]") -> None:
    for _ in range(20):
        with fl.scope() as scope:
            scopes.append(scope)
            poker = start(os.kill, os.getpid(), signal.SIGTERM)
            until(lambda scope=scope: scope.spawn(fl.sleep, 3600) and scope.cancelled)  # type: ignore[misc]
        poker.join()


def exit_beside_a_scope() -> None:
    """The process ends only when the threads of a scope have ended, also those of a scope that was left by force."""
    main = threading.main_thread()
    begun = threading.Event()

    def work() -> None:
        begun.set()
        main.join(BOUND)
        print("the task has ended")  # noqa: T201 - the result of the program

    def hold() -> None:
        with fl.scope() as scope:
            scope.spawn(work)

    fl.spawn(hold)
    assert begun.wait(BOUND), "an interpreter that ends starts no more threads"
