"""A failure of a task that nobody asks for is reported once, when the task dies; one that somebody asks for never."""

import asyncio
import concurrent.futures
import contextlib
import gc
import logging
import os
import sys
import threading
from collections.abc import Callable

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.programs import tasks as programs
from tests.support.blocking import Gate
from tests.support.process import execute, succeed
from tests.support.threads import Spawned
from tests.support.until import BOUND, blocked, until

TEXT = "task 'loader' failed and nobody asked for its outcome"


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, object]]:
    """What came to `sys.unraisablehook`: the object and the exception's type."""
    came: list[tuple[object, object]] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: came.append((args.object, args.exc_type)))
    return came


def fail(error: BaseException) -> None:
    """Raise `error`."""
    raise error


def loader() -> threading.Thread | None:
    """The thread of the task that goes by that name, unless it has ended."""
    return next((one for one in threading.enumerate() if one.name == "loader"), None)


def join(thread: threading.Thread | None) -> None:
    """Return when the thread has let go of its task."""
    if thread is not None:
        thread.join(BOUND)
        assert not thread.is_alive()


def failed(error: BaseException) -> "fl.Task[None]":
    """A task that has failed, and that its thread has let go of."""
    task = fl.options(name="loader").spawn(fail, error)
    join(loader())
    assert task.done()
    return task


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_that_nobody_asks_for_is_reported_once_when_the_task_dies(
    kind: type[BaseException], reports: list[tuple[object, object]], caplog: pytest.LogCaptureFixture
) -> None:
    """By the log and by the hook, with the task's name and the exception."""
    with caplog.at_level(logging.ERROR, "fearless"):
        task = failed(kind("lost"))
        assert "raised" in repr(task)
        gc.collect()
        assert reports == []
        del task
        gc.collect()
        until(lambda: reports)

    assert reports == [(TEXT, kind)]
    (record,) = [record for record in caplog.records if record.name == "fearless"]
    assert record.getMessage() == TEXT
    assert record.exc_info is not None
    assert record.exc_info[0] is kind


def test_a_task_in_a_cycle_reports_when_the_collector_finds_it(reports: list[tuple[object, object]]) -> None:
    """The exception leads back to the task."""
    error = ValueError("lost")
    task = failed(error)
    error.task = task  # type: ignore[attr-defined]
    del error, task
    gc.collect()
    until(lambda: reports)
    gc.collect()

    assert reports == [(TEXT, ValueError)]


def test_the_task_of_a_pool_reports_and_one_that_is_cancelled_or_succeeds_does_not(
    reports: list[tuple[object, object]],
) -> None:
    """A pool's task has no name unless it is given one."""
    gate = Gate()
    with fl.ThreadPool(1) as pool:
        pool.submit(gate)
        queued = pool.submit(fail, ValueError("never raised"))
        assert queued.cancel()
        gate.open.set()
        pool.submit(fail, KeyError("lost"))
        with pytest.raises(ZeroDivisionError):
            list(pool.map(divmod, [1, 1], [0, 0]))
    del queued
    gc.collect()
    until(lambda: reports)

    assert reports == [("a task failed and nobody asked for its outcome", KeyError)]


def by_await(task: "fl.Task[None]") -> None:
    """Await it in asyncio."""

    async def main() -> None:
        await task

    asyncio.run(main())


def by_wrap_future(task: "fl.Task[None]") -> None:
    """Await asyncio's future of it."""

    async def main() -> None:
        await asyncio.wrap_future(task)

    asyncio.run(main())


WAYS: dict[str, Callable[["fl.Task[None]"], object]] = {
    "result": lambda task: task.result(BOUND),
    "join": lambda task: task.join(BOUND),
    "exception": lambda task: task.exception(BOUND),
    "add_done_callback": lambda task: task.add_done_callback(repr),
    "await": by_await,
    "wrap_future": by_wrap_future,
    "wait": lambda task: concurrent.futures.wait([task], BOUND),
    "condition": lambda task: task._condition,
    "as_completed": lambda task: list(concurrent.futures.as_completed([task], BOUND)),
}


def wait_for(asker: Spawned[None], task: "fl.Task[None]") -> None:
    """Return when the thread has asked, or is about to wait for the outcome."""
    until(lambda: task._done_callbacks or blocked(asker.ident) or asker.ended.is_set(), "somebody who asks")


EARLY = ["result", "add_done_callback", "wrap_future", "condition"]


@pytest.mark.parametrize(("way", "when"), [*((way, "after") for way in WAYS), *((way, "before") for way in EARLY)])
def test_a_failure_that_somebody_asks_for_is_not_reported(
    way: str, when: str, reports: list[tuple[object, object]], spawn: Spawn
) -> None:
    """Whether he asks before the task ends or after."""
    gate = Gate()

    def work() -> None:
        gate()
        raise ValueError("seen")

    def ask(task: "fl.Task[None]") -> None:
        with contextlib.suppress(ValueError):
            WAYS[way](task)

    task = fl.options(name="loader").spawn(work)
    thread = loader()
    asker = spawn(ask, task) if when == "before" else None
    if asker is not None:
        wait_for(asker, task)
    gate.open.set()
    join(thread)
    if asker is not None:
        asker.join(BOUND)
    else:
        ask(task)
    del task
    gc.collect()

    assert reports == []


def test_nothing_is_reported_at_the_end_of_the_interpreter() -> None:
    """Nor does the exit code change."""
    assert succeed(programs.exit_with_a_failure_that_is_kept) == "kept\n"
    assert succeed(programs.exit_with_a_failure_that_a_module_keeps) == "kept\n"


def test_a_failure_at_the_end_of_the_stack_needs_no_import() -> None:
    """The first of a process. It may be reported, if `result` had no stack left to ask for it."""
    ended = execute(programs.fail_at_the_end_of_the_stack)
    assert ended.code == 0
    assert "importlib" not in ended.errors


@pytest.mark.fork
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_forked_child_leaves_the_report_to_its_parent() -> None:
    """Of what failed before the fork; failures of its own it reports."""
    succeed(programs.fork_beside_a_failure)
