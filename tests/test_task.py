"""`Task`, `spawn` and `options`: outcomes, cancelling, callbacks, what a call keeps alive, moved ends of channels.

The calls that block are also in `tests/generic`, and CPython's own cases in `tests/conformance`.
"""

import asyncio
import concurrent.futures as cf
import contextvars
import gc
import logging
import os
import threading
import traceback
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import fearless as fl
from fearless import _core
from tests.plugins.threads import Spawn
from tests.programs import tasks as programs
from tests.support.blocking import Gate
from tests.support.process import succeed
from tests.support.until import BOUND, until

variable = contextvars.ContextVar("variable", default="unset")


class Thing:
    """Something that a weak reference can watch."""


def fail(error: BaseException) -> None:
    """Raise `error`."""
    raise error


def completed_of(tasks: "list[fl.Task[int]]") -> "set[cf.Future[int]]":
    """Return what `as_completed` yields."""
    return set(cf.as_completed(tasks, BOUND))


class TestOutcome:
    def test_join_returns_what_the_call_returned(self) -> None:
        """Positional and keyword arguments reach the function, also those called `fn` and `self`."""
        task = fl.spawn(lambda *args, **kwargs: (args, kwargs), 1, fn=2, self=3)

        assert task.join(BOUND) == ((1,), {"fn": 2, "self": 3})
        assert task.result() == task.join()
        assert (task.done(), task.running(), task.cancelled()) == (True, False, False)

    def test_a_failure_is_raised_with_the_traceback_of_its_thread(self) -> None:
        """The frames of the call are in it; none of ours is."""
        task = fl.spawn(fail, ValueError("no"))

        with pytest.raises(ValueError, match="no") as caught:
            task.join(BOUND)

        names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
        assert names[-1] == "fail"
        assert not {"_work", "run", "_bootstrap"} & set(names)
        assert task.exception() is caught.value

    @pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
    def test_also_what_is_no_exception_is_the_outcome(self, error: BaseException) -> None:
        """The thread ends quietly; whoever joins gets it."""
        task = fl.spawn(fail, error)

        with pytest.raises(type(error)):
            task.join(BOUND)

    def test_a_panic_in_native_code_is_an_exception(self, capfd: pytest.CaptureFixture[str]) -> None:
        """It neither ends the process nor leaves the task pending."""
        task = fl.spawn(_core._panic, "out of cheese")

        with pytest.raises(RuntimeError, match="native code panicked: out of cheese"):
            task.join(BOUND)
        capfd.readouterr()  # Rust has told of it on standard error

    def test_a_function_that_cannot_be_called_is_refused_at_once(self) -> None:
        """With the value, and before a thread exists; what was moved is closed."""
        tx, rx = fl.channel(1)
        with pytest.raises(TypeError, match="fn must be callable, got 3"):
            fl.spawn(3, tx.move())  # type: ignore[arg-type]  # that is the point

        assert list(rx) == []
        rx.close()

    def test_joining_itself_is_a_deadlock(self) -> None:
        """By whatever method, and at once."""
        box: list[fl.Task[None]] = []
        ready = threading.Event()

        def work(method: str) -> None:
            assert ready.wait(BOUND)
            getattr(box[-1], method)()

        for method in ("join", "result", "exception"):
            ready.clear()
            box.append(fl.spawn(work, method))
            ready.set()
            with pytest.raises(fl.DeadlockError, match="running the task itself"):
                box[-1].join(BOUND)

    def test_many_threads_join_one_task(self, spawn: Spawn) -> None:
        """Each gets the same object."""
        task, outcome = fl.Task[Thing](), Thing()
        joiners = [spawn(task.join, BOUND) for _ in range(8)]

        task.set_result(outcome)

        assert all(joiner.join() is outcome for joiner in joiners)


class TestNames:
    def test_a_task_is_named_after_its_thread(self) -> None:
        """And the thread as it was asked for."""
        task = fl.options(name="loader").spawn(lambda: threading.current_thread().name)

        assert (task.join(BOUND), task.name) == ("loader", "loader")
        assert fl.spawn(lambda: threading.current_thread().name).join(BOUND).startswith("fearless-")

    @pytest.mark.parametrize(
        "named",
        [
            lambda name: fl.options(name=name),
            lambda name: fl.scope(name=name),
            lambda name: fl.scope().options(name=name),
            lambda name: fl.ThreadPool(1, name=name),
            lambda name: fl.ThreadPool(1).options(name=name),
        ],
    )
    def test_a_name_is_a_string(self, named: Callable[[Any], object]) -> None:
        """Said where it is given, not where it is used."""
        with pytest.raises(TypeError, match=r"^name must be None or a str, got 5$"):
            named(5)

    def test_threads_are_daemons_only_on_request(self) -> None:
        """A thread of Python's own, in either case."""
        for daemon in (False, True):
            task = fl.options(daemon=daemon).spawn(lambda: threading.current_thread().daemon)
            assert task.join(BOUND) is daemon

    def test_repr_shows_name_and_state(self) -> None:
        """As the stock future does, with the name before."""
        gate = Gate()
        task = fl.options(name="loader").spawn(gate)
        assert gate.entered.wait(BOUND)
        assert repr(task).startswith("<Task 'loader' at 0x")
        assert repr(task).endswith(" state=running>")
        gate.open.set()
        task.join(BOUND)
        assert repr(task).endswith(" state=finished returned str>")

    def test_a_task_is_generic(self) -> None:
        """For annotations that are evaluated."""
        assert fl.Task[int].__origin__ is fl.Task  # type: ignore[attr-defined]


class TestContext:
    def test_the_call_sees_the_variables_of_its_spawn(self) -> None:
        """And what it sets stays inside."""
        token = variable.set("spawner's")

        def work() -> str:
            seen = variable.get()
            variable.set("task's")
            return seen

        task = fl.spawn(work)
        variable.reset(token)

        assert task.join(BOUND) == "spawner's"
        assert variable.get() == "unset"

    @pytest.mark.guarantee("task", "cancel")
    def test_a_spawned_task_is_outside_every_scope(self) -> None:
        """Its waits are not the spawner's to cancel."""
        with fl.scope() as scope:
            task = fl.spawn(fl.current_scope)
            scope.cancel()

        assert task.join(BOUND) is None


class TestCancelling:
    @pytest.mark.guarantee("task", "cancel")
    def test_a_task_that_has_not_begun_never_does(self) -> None:
        """Its call is let go of at once, and whoever joins is told."""
        gate, thing = Gate(), Thing()
        watch = weakref.ref(thing)
        with fl.ThreadPool(1) as pool:
            pool.submit(gate)
            task = pool.submit(id, thing)
            del thing

            assert task.cancel()

            gc.collect()
            assert watch() is None
            assert (task.cancelled(), task.done(), task.running()) == (True, True, False)
            with pytest.raises(cf.CancelledError):
                task.join(BOUND)
            with pytest.raises(cf.CancelledError):
                task.exception(BOUND)
            gate.open.set()

    def test_a_running_task_cannot_be_cancelled(self) -> None:
        """Nor one that has ended."""
        gate = Gate()
        task = fl.spawn(gate)
        assert gate.entered.wait(BOUND)
        assert not task.cancel()
        gate.open.set()
        assert task.join(BOUND) == "through"
        assert not task.cancel()

    @pytest.mark.guarantee("task", "cancel")
    def test_a_task_ended_by_its_scope_is_cancelled(self) -> None:
        """`join` outside raises `CancelledError`; stock waiters are told, too."""
        with fl.scope() as scope:
            task = scope.spawn(fl.sleep, 3600)
            waiting = fl.spawn(cf.wait, [task], BOUND)
            until(lambda: task._waiters, "somebody waits for the task")
            scope.cancel()

        assert task.cancelled()
        with pytest.raises(cf.CancelledError):
            task.join(BOUND)
        assert waiting.join(BOUND).done == {task}

    @pytest.mark.guarantee("task", "timeout")
    def test_a_join_that_timed_out_can_be_repeated(self) -> None:
        """The task goes on."""
        gate = Gate()
        task = fl.spawn(gate)
        for _ in range(3):
            with pytest.raises(fl.Timeout, match="join: the task did not end within the timeout"):
                task.join(0.001)
        gate.open.set()
        assert task.join(BOUND) == "through"

    def test_cancelling_meets_beginning(self) -> None:
        """Exactly one wins; what the call was given is gone in either case."""
        for _ in range(200):
            ran: list[int] = []
            with fl.ThreadPool(1) as pool:
                task = pool.submit(ran.append, 1)
                cancelled = task.cancel()
            assert ran == ([] if cancelled else [1])
            assert task.cancelled() is cancelled


class TestCallbacks:
    def test_they_run_once_in_order_and_late_ones_at_once(self) -> None:
        """On the thread that ends the task, then on the one that adds."""
        gate, calls = Gate(), list[tuple[str, int]]()
        task = fl.spawn(gate)
        for name in ("first", "second"):
            task.add_done_callback(lambda done, name=name: calls.append((name, id(done))))
        gate.open.set()
        task.join(BOUND)
        until(lambda: len(calls) == 2)

        task.add_done_callback(lambda done: calls.append(("late", id(done))))

        assert calls == [("first", id(task)), ("second", id(task)), ("late", id(task))]

    def test_a_failing_callback_is_logged_and_the_others_run(self, caplog: pytest.LogCaptureFixture) -> None:
        """Under the logger that `concurrent.futures` uses."""
        task, calls = fl.Task[int](), list[object]()
        task.add_done_callback(lambda _: fail(ValueError("doh")))
        task.add_done_callback(calls.append)

        with caplog.at_level(logging.ERROR, "concurrent.futures"):
            task.set_result(1)

        assert calls == [task]
        assert "exception calling callback for <Task" in caplog.text
        assert "doh" in caplog.text

    def test_one_that_is_no_exception_is_raised_after_the_others_have_run(self) -> None:
        """The task has its outcome all the same."""
        task, calls = fl.Task[int](), list[object]()
        task.add_done_callback(lambda _: fail(SystemExit(3)))
        task.add_done_callback(calls.append)

        with pytest.raises(SystemExit):
            task.set_result(1)

        assert (calls, task.result()) == ([task], 1)

    def test_adding_meets_the_end(self, spawn: Spawn) -> None:
        """Every callback is called, once."""
        for _ in range(200):
            task, calls = fl.Task[int](), list[object]()
            end = spawn(task.set_result, 1)
            for _ in range(3):
                task.add_done_callback(calls.append)
            end.join()
            assert calls == [task] * 3


class TestSharing:
    """The stock functions watch a future's private condition; a task has one as soon as they ask."""

    def test_the_condition_is_one_object(self) -> None:
        """Whoever asks first."""
        task = fl.Task[int]()
        assert task._condition is task._condition
        assert task._waiters is task._waiters

    def test_watching_meets_the_end(self, spawn: Spawn) -> None:
        """`wait` and `as_completed` miss no end, whether it comes before, during or after they install themselves."""
        for _ in range(100):
            tasks = [fl.Task[int]() for _ in range(3)]
            ends = [spawn(task.set_result, 1) for task in tasks]
            completed = spawn(completed_of, tasks)
            assert cf.wait(tasks, BOUND).done == set(tasks)
            assert completed.join() == set(tasks)
            for end in ends:
                end.join()

    @pytest.mark.guarantee("task", "async")
    def test_asyncio_awaits_a_task(self) -> None:
        """Also a failed and a cancelled one."""
        gate = Gate()

        async def main() -> None:
            task = fl.spawn(gate)
            waiting = asyncio.ensure_future(asyncio.wrap_future(task))
            await asyncio.sleep(0)
            gate.open.set()
            assert await waiting == "through"
            with pytest.raises(ValueError, match="no"):
                await asyncio.wrap_future(fl.spawn(fail, ValueError("no")))
            cancelled = fl.Task[int]()
            cancelled.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wrap_future(cancelled)

        asyncio.run(main())


@pytest.mark.fork
@pytest.mark.guarantee("task", "fork")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("program", [programs.fork_beside_a_running_task, programs.fork_inside_a_task])
def test_a_task_of_the_parent_is_lost_in_a_forked_child(program: Callable[[], None]) -> None:
    """Joining it there is refused instead of waiting for ever."""
    succeed(program, options=("-W", "ignore::DeprecationWarning"))


@pytest.mark.guarantee("task", "exit")
def test_the_process_waits_for_a_task() -> None:
    """Nothing is lost half-way."""
    assert succeed(programs.exit_with_a_task_running) == "the task has ended\n"


@pytest.mark.guarantee("task", "exit")
def test_the_process_does_not_wait_for_a_daemon_task() -> None:
    """It ends with code 0 and in silence."""
    assert succeed(programs.exit_with_a_daemon_task_running) == ""


@pytest.mark.guarantee("task", "exit")
@pytest.mark.parametrize("attempt", range(5))
def test_the_process_ends_while_daemon_tasks_are_at_work(attempt: int) -> None:
    """Before CPython 3.14 their stacks are unwound then, which must not get to frames of Rust."""
    del attempt
    assert succeed(programs.exit_with_daemon_tasks_at_work) == ""
