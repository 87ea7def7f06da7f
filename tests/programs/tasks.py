"""Programs about tasks, each run in a process of its own by `tests/test_task.py`.

Not here: pytest, which these programs do not need.
"""

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import fearless as fl
from tests.support.until import BOUND, until


def in_child(check: Callable[[], object]) -> None:
    """Run `check` in a forked child, and pass its failure on."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            check()
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, "the child failed"


def fork_beside_a_running_task() -> None:
    """In the child, a task of the parent is lost, and says so; a new one works."""
    gate = threading.Event()
    task = fl.spawn(gate.wait, BOUND)

    def check() -> None:
        try:
            task.join(BOUND)
        except fl.DeadlockError:
            assert fl.spawn(pow, 2, 5).join(BOUND) == 32
        else:
            raise AssertionError("joined a task whose thread is not in this process")

    in_child(check)
    gate.set()
    assert task.join(BOUND)


def fork_inside_a_task() -> None:
    """The child's one thread is the one that runs the task: joining it there is joining oneself."""

    def work() -> int:
        in_child(check)
        return 7

    def check() -> None:
        try:
            task.join(BOUND)
        except fl.DeadlockError:
            return
        raise AssertionError("joined itself")

    task = fl.Task[int]()
    started = threading.Event()

    def begin() -> int:
        assert started.wait(BOUND)
        return work()

    task = fl.spawn(begin)
    started.set()
    assert task.join(BOUND) == 7


def exit_with_a_task_running() -> None:
    """The process waits for it."""
    main = threading.main_thread()

    def work() -> None:
        main.join(BOUND)
        print("the task has ended")  # noqa: T201 - the result of the program

    fl.spawn(work)


def exit_with_a_daemon_task_running() -> None:
    """The process does not wait for it."""
    fl.options(daemon=True).spawn(threading.Event().wait)


def exit_with_a_failure_that_is_kept() -> None:
    """A task that has failed lives until the interpreter ends."""
    task = fl.spawn(int, "twelve")
    until(task.done)
    sys.modules["kept"] = task  # type: ignore[assignment]  # the last to go
    sys.stdout.write("kept\n")


def exit_with_a_failure_that_a_module_keeps() -> None:
    """Without a GIL it goes when the names of our modules have gone."""
    task = fl.spawn(int, "twelve")
    until(task.done)
    vars(sys.modules["__main__"])["kept"] = task
    sys.stdout.write("kept\n")


def fork_beside_a_failure() -> None:
    """A task that has failed dies in the child of a fork, too, which also fails at a task of its own."""
    reports = list[str]()
    sys.unraisablehook = lambda args: reports.append(str(args.exc_value))

    def fail(text: str) -> "fl.Task[object]":
        task: fl.Task[object] = fl.spawn(int, text)
        until(lambda: task.done() and threading.active_count() == 1)
        return task

    tasks = [fail("parent")]

    def check() -> None:
        tasks.append(fail("child"))
        tasks.clear()
        gc.collect()
        assert ["child" in report for report in reports] == [True], reports

    in_child(check)
    assert reports == []
    tasks.clear()
    gc.collect()
    assert ["parent" in report for report in reports] == [True], reports


class Slow:
    """Its operators take their time."""

    def __init__(self, nap: Callable[[], int]) -> None:
        self.nap = nap

    def __copy__(self) -> int:
        return self.nap()

    def __ior__(self, _other: object) -> "Slow":  # noqa: PYI034  # has no subclass
        self.nap()
        return self

    def __getitem__(self, _key: object) -> int:
        return self.nap()

    def __contains__(self, _item: object) -> bool:
        return self.nap() > 0

    def __len__(self) -> int:
        return self.nap()

    def __iter__(self) -> Iterator[int]:
        self.nap()
        return iter(())


def slow_uses(nap: Callable[[], int]) -> list[Callable[[], object]]:
    """Calls in which an operator of the user's class, his iterable or his event loop takes its time."""

    class SlowLoop(asyncio.SelectorEventLoop):
        def create_future(self) -> asyncio.Future[Any]:
            nap()
            return super().create_future()

        def is_closed(self) -> bool:
            nap()
            return super().is_closed()

    ends: tuple[fl.Sender[int], fl.Receiver[int]] = fl.channel(None)
    sender, receiver = ends

    def in_guard(use: Callable[[Any], object]) -> Callable[[], object]:
        def in_block() -> None:
            with fl.Mutex(Slow(nap)) as guard:
                use(guard)

        return in_block

    async def receive() -> None:
        while True:
            await receiver.recv_async()

    uses = [lambda guard: guard.__ior__(1), lambda guard: guard[1], lambda guard: 1 in guard, len, iter]
    return [
        *map(in_guard, uses),
        lambda: fl.Mutex(Slow(nap)).copy(),
        lambda: sender.send_many(nap() for _ in range(3)),
        lambda: SlowLoop().run_until_complete(receive()),
    ]


def exit_with_daemon_tasks_at_work() -> None:
    """Threads that ask for the GIL while the interpreter ends are stopped wherever they are, in frames of ours, too.

    Without the GIL not before each has begun and so imported what it needs: CPython 3.13 can stop a thread that holds
    the lock of `sys.modules`, and then waits for that lock.
    """
    rounds = fl.AtomicInt(0)
    naps = dict[int, int]()
    mutex = fl.Mutex(0)
    number = fl.AtomicInt(0)
    shared = fl.RwLock(0)

    def nap(value: int = 0) -> int:
        threading.Event().wait(1e-4)
        rounds.add(1)
        naps[threading.get_ident()] = naps.get(threading.get_ident(), 0) + 1
        return value

    def again(use: Callable[[], object]) -> None:
        while True:
            use()

    uses: list[Callable[[], object]] = [
        lambda: sum(range(50)),
        nap,
        lambda: mutex.update(nap),
        lambda: mutex.with_lock(nap),
        lambda: number.update(nap),
        lambda: number.wait_until(lambda _: nap(1)),
        lambda: shared.read_with(nap),
        lambda: fl.OnceCell[int]().get_or_init(nap),
        lambda: fl.Task[int]().add_done_callback(lambda _: nap()),
        *slow_uses(nap),
    ]
    for use in uses:
        fl.options(daemon=True).spawn(again, use)
    until(lambda: rounds.load() > 100)
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        napping = len(uses) - 2  # the first and the pending task do not
        until(lambda: sum(count >= 3 for count in list(naps.values())) == napping)


def spawn_without_threads_to_be_had() -> None:
    """The error surfaces, what was moved is closed, and the task is cancelled."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    tx, rx = fl.channel(1)
    with mock.patch.object(threading.Thread, "start", refuse):
        try:
            fl.spawn(print, tx.move())
        except RuntimeError as error:
            print(error)  # noqa: T201 - the result of the program
    assert list(rx) == []
    rx.close()
    gc.collect()


def fail_at_the_end_of_the_stack() -> None:
    """A task whose calls run each other until the stack ends."""
    with fl.ThreadPool(1) as pool:

        def descend() -> None:
            pool.submit(descend).result()

        assert isinstance(pool.submit(descend).exception(BOUND), RecursionError)
        assert pool.submit(abs, -32).result(BOUND) == 32
