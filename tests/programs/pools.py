"""Programs about pools, each run in a process of its own by `tests/test_thread_pool.py`.

Not here: pytest, which these programs do not need.
"""

import atexit
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any
from unittest import mock

import fearless as fl
from tests.programs.tasks import in_child
from tests.support.until import BOUND, until


def fork_with_a_busy_pool() -> None:
    """In the child the pool is empty and works; the parent's tasks are the parent's."""
    gate = threading.Event()
    pool = fl.ThreadPool(2, backlog=4)
    running = [pool.submit(gate.wait, BOUND) for _ in range(2)]
    until(lambda: all(task.running() for task in running), "both workers busy")
    queued = [pool.submit(pow, 2, 5) for _ in range(4)]

    tasks: list[fl.Task[Any]] = [*running, *queued]

    def check() -> None:
        assert repr(pool) == "<ThreadPool open, 0 of 2 workers busy, 0 of 4 queued>", repr(pool)
        assert not any(pool.stats().values()), pool.stats()
        assert [pool.submit(abs, -n).result(BOUND) for n in range(20)] == list(range(20))
        for task in tasks:
            try:
                task.join(BOUND)
            except fl.DeadlockError:
                continue
            raise AssertionError("joined a task that nobody here will run")
        pool.shutdown()

    in_child(check)
    gate.set()
    assert [task.result(BOUND) for task in tasks] == [True, True, 32, 32, 32, 32]
    pool.shutdown()


def fork_with_an_idle_pool() -> None:
    """In the child the workers are new ones, and the child's end finishes what they have.

    To be run without a faulthandler that dumps later: in a forked child it waits for its own lost thread at exit.
    """
    pool = fl.ThreadPool(2)
    pool.submit(int).result(BOUND)

    child = os.fork()
    if child == 0:
        pool.submit(print, "ran in the child")
        sys.exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0, status
    assert pool.submit(pow, 2, 5).result(BOUND) == 32


def fork_inside_a_task() -> None:
    """The worker that came through is no worker any more: its part of the child ends with the task."""
    pool = fl.ThreadPool(1)

    def work() -> int:
        if child := os.fork():
            return child
        # Queued behind a task that ends after this thread: it is left to the child's own worker.
        pool.submit(threading.main_thread().join, BOUND)
        pool.submit(print, "ran in the child", flush=True)
        return 0

    child = pool.submit(work).result(BOUND)
    _, status = os.waitpid(child, 0)
    print("the child ended with", os.waitstatus_to_exitcode(status))  # noqa: T201 - the result of the program


def shut_down_after_a_fork_inside_a_task() -> None:
    """The thread that came through may wait for the child's workers, of which it is none."""
    pool = fl.ThreadPool(1)

    def work() -> int:
        if child := os.fork():
            return child
        with pool:
            print(pool.submit(pow, 2, 5).result(BOUND), flush=True)  # noqa: T201 - the result of the program
        print("shut down", flush=True)  # noqa: T201 - the result of the program
        return 0

    child = pool.submit(work).result(BOUND)
    _, status = os.waitpid(child, 0)
    print("the child ended with", os.waitstatus_to_exitcode(status))  # noqa: T201 - the result of the program


def fork_inside_an_initializer() -> None:
    """The child ends with the thread that came through: it is no worker of the child's pool."""
    children = list[int]()

    def fork_once() -> None:
        if not children:
            children.append(os.fork())

    with fl.ThreadPool(1, initializer=fork_once) as pool:
        assert pool.submit(pow, 2, 5).result(BOUND) == 32
    _, status = os.waitpid(children[0], 0)
    print("the child ended with", os.waitstatus_to_exitcode(status))  # noqa: T201 - the result of the program


def exit_with_tasks_queued() -> None:
    """All are run, by a pool that nobody shut down."""
    main = threading.main_thread()
    pool = fl.ThreadPool(2)
    for _ in range(2):
        pool.submit(lambda: main.join(BOUND))
    for number in range(5):
        pool.submit(print, f"{number}\n", end="", flush=True)  # in one piece


def exit_with_nested_submits() -> None:
    """Tasks whose own tasks are still queued when the main thread ends: some they wait for, some nobody does."""
    main = threading.main_thread()
    pool = fl.ThreadPool(2)
    ready = threading.Barrier(3)

    def outer(number: int) -> None:
        awaited, _ = [pool.submit(print, f"{number}{kind}\n", end="", flush=True) for kind in "ab"]
        ready.wait(BOUND)
        main.join(BOUND)
        awaited.result()

    for number in range(2):
        pool.submit(outer, number)
    ready.wait(BOUND)


def exit_with_an_idle_pool() -> None:
    """The workers do not keep the process."""
    pool = fl.ThreadPool(4)
    list(pool.map(abs, range(100)))


def submit_after_the_main_thread() -> None:
    """It is refused, whether the pool has been used or not; nothing runs silently half-way."""
    used, unused = fl.ThreadPool(1), fl.ThreadPool(1)
    used.submit(int).result(BOUND)

    def late() -> None:
        for pool in (used, unused):
            try:
                pool.submit(print, "ran")
            except RuntimeError as error:
                print(error)  # noqa: T201 - the result of the program
        try:
            fl.ThreadPool(1)
        except RuntimeError as error:
            print(error)  # noqa: T201 - the result of the program

    atexit.register(late)


def interrupt_at_exit(rest: float) -> None:
    """Ctrl-C while the process waits at its end for tasks that go on for `rest` seconds."""
    pool = fl.ThreadPool(8)

    def interrupt() -> None:
        threading.main_thread().join(BOUND)
        while True:  # CPython misses a signal that comes just before it begins to wait
            os.kill(os.getpid(), signal.SIGINT)
            fl.sleep(2.0)

    for _ in range(7):
        pool.submit(fl.sleep, rest)
    pool.submit(interrupt)


def no_threads_to_be_had() -> None:
    """The first worker is refused: so is the task. A later one is not: the first does the work."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pool = fl.ThreadPool(4)
    tx, rx = fl.channel(1)
    with mock.patch.object(threading.Thread, "start", refuse):
        try:
            pool.submit(print, tx.move())
        except RuntimeError as error:
            print(error)  # noqa: T201 - the result of the program
    assert list(rx) == []
    rx.close()

    gate = threading.Event()
    first = pool.submit(gate.wait, BOUND)
    until(first.running, "the first worker busy")
    with mock.patch.object(threading.Thread, "start", refuse):
        others = [pool.submit(pow, 2, 5) for _ in range(3)]
    gate.set()
    assert [task.result(BOUND) for task in others] == [32] * 3
    pool.shutdown()


def initializer_that_waits(call: str) -> None:
    """For its own pool; print how the first task ended, then the errors that were logged."""
    logged: list[logging.LogRecord] = []

    def note(record: logging.LogRecord) -> bool:
        logged.append(record)
        return False

    logging.getLogger("concurrent.futures").addFilter(note)
    submitted, tasks = threading.Event(), list[fl.Task[int]]()

    def submit() -> None:
        assert pool.submit(abs, -1).result() == 1
        for ordered in (True, False):
            assert sorted(pool.map(abs, [-1, -2], ordered=ordered)) == [1, 2]
        with fl.scope() as scope:
            scope.submit(pool, abs, -1)

    def join() -> None:
        submitted.wait(BOUND)
        tasks[0].join()

    def shutdown() -> None:
        pool.shutdown()

    calls: dict[str, Callable[[], object]] = {"shutdown": shutdown, "submit": submit, "join": join}
    pool = fl.ThreadPool(1, backlog=1, initializer=calls[call])
    tasks.append(pool.submit(abs, -32))
    submitted.set()
    print(tasks[0].exception(BOUND))  # noqa: T201 - the result of the program
    pool.shutdown()
    assert (call == "submit") == (tasks[0].exception() is None)
    for record in logged:
        assert record.exc_info is not None
        print(record.exc_info[1])  # noqa: T201 - the result of the program


def idle_pool() -> None:
    """Print how often the threads of an idle pool were on a processor, and how much of it they used."""
    with fl.ThreadPool(4) as pool:
        list(pool.map(threading.Event().wait, [0.01] * 8))
        until(lambda: "0 of 4 workers busy" in repr(pool), "an idle pool")
        until(lambda: switches(pool) == (threading.Event().wait(0.2) or switches(pool)), "workers asleep")
        before = switches(pool)
        threading.Event().wait(1.0)
        print(switches(pool) - before)  # noqa: T201 - the result of the program


def switches(pool: fl.ThreadPool) -> int:
    """How often the workers have gone to sleep, by the kernel's count."""
    count = 0
    for thread in pool._threads:
        with open(f"/proc/self/task/{thread.native_id}/status", encoding="ascii") as status:  # noqa: PTH123 - a procfs
            count += sum(int(line.split()[1]) for line in status if "ctxt_switches" in line)
    return count
