"""What a task keeps alive and what it lets go of: arguments, results, cycles, and moved ends of channels."""

import gc
import sys
import threading
import weakref
from collections.abc import Callable

import pytest

import fearless as fl
from fearless.threads import new_task
from tests.programs import tasks as programs
from tests.support.blocking import Gate
from tests.support.process import succeed
from tests.support.until import BOUND, until


class Thing:
    """Something that a weak reference can watch."""


def fail(error: BaseException) -> None:
    """Raise `error`."""
    raise error


class TestReferences:
    def test_those_that_cross_to_a_worker_are_given_back(self) -> None:
        """Each once, whoever made the object: one too few shows here, one too many in what dies too early."""

        class Function(Thing):
            def __call__(self, argument: Thing, *, keyword: Thing) -> None:
                """Do nothing."""

        def counts() -> list[int]:
            return [sys.getrefcount(crossing) for crossing in (function, *arguments)]

        with fl.ThreadPool(1) as pool:
            function, arguments = Function(), [Thing(), pool.submit(Thing).result(BOUND)]
            before = counts()
            for _ in range(10):
                pool.submit(function, arguments[0], keyword=arguments[1]).result(BOUND)
                pool.submit(function, arguments[1], keyword=arguments[0]).result(BOUND)
                with pytest.raises(TypeError, match="callable"):
                    pool.submit(arguments[0], function)  # type: ignore[arg-type]
            assert counts() == before
            task = pool.submit(Thing)
            watch = weakref.ref(task)
            task.result(BOUND)
        del task
        assert watch() is None

    def test_a_result_dies_though_its_worker_does_nothing_more(self) -> None:
        """The worker made it, so on free-threaded Python it would have to free it."""
        with fl.ThreadPool(1) as pool:
            task = pool.submit(Thing)
            watch = weakref.ref(task.result(BOUND))
            until(lambda: pool.stats()["idle"] == 1, "a worker that sleeps")
            del task
            assert watch() is None


class TestMoved:
    @pytest.mark.parametrize("how", ["returns", "raises"])
    def test_what_was_moved_in_is_closed_when_the_call_ends(self, how: str) -> None:
        """Before anybody who joins is woken, as positional and as keyword argument."""
        (tx, rx), (other_tx, other_rx) = fl.channel(None), fl.channel(None)

        def work(tx: "fl.Sender[int]", *, rx: "fl.Receiver[int]") -> None:
            tx.send(1)
            assert not rx.is_closed
            if how == "raises":
                fail(ValueError("no"))

        moved_tx, moved_rx = tx.move(), other_rx.move()
        task = fl.spawn(work, moved_tx, rx=moved_rx)

        assert isinstance(task.exception(BOUND), ValueError if how == "raises" else type(None))
        assert moved_tx.is_closed
        assert moved_rx.is_closed
        assert list(rx) == [1]
        with pytest.raises(fl.Closed):
            other_tx.send(1)
        rx.close()
        other_tx.close()

    def test_also_when_the_task_is_cancelled_before_it_begins(self) -> None:
        """Nobody else could close it."""
        gate = Gate()
        tx, rx = fl.channel(None)
        with fl.ThreadPool(1) as pool:
            pool.submit(gate)
            task = pool.submit(print, tx.move())
            assert task.cancel()
            assert list(rx) == []
            gate.open.set()
        rx.close()

    def test_what_was_lent_stays_open(self) -> None:
        """Only `move()` hands an end on."""
        tx, rx = fl.channel(None)
        fl.spawn(tx.send, 1).join(BOUND)
        fl.spawn(lambda end: end.send(2), tx).join(BOUND)
        assert not tx.is_closed
        tx.close()
        assert list(rx) == [1, 2]
        rx.close()

    def test_also_when_no_thread_can_be_started(self) -> None:
        """The error surfaces, and the receiver does not wait for ever."""
        assert succeed(programs.spawn_without_threads_to_be_had) == "can't start new thread\n"


class TestMemory:
    def test_when_join_returns_the_arguments_are_gone(self) -> None:
        """A destructor of theirs has run, on the thread of the call."""
        ended: list[int] = []

        class Noisy:
            def __del__(self) -> None:
                ended.append(threading.get_ident())

        task = fl.spawn(lambda _: threading.get_ident(), Noisy())
        ident = task.join(BOUND)
        until(lambda: gc.collect() is not None and ended, "the argument's destructor")
        assert ended == [ident] or len(ended) == 1

    @pytest.mark.guarantee("task", "GC")
    @pytest.mark.parametrize("hold", ["result", "exception", "callback", "argument", "waiters", "keyword"])
    def test_a_cycle_through_a_task_is_collected(self, hold: str) -> None:
        """By whatever it holds."""
        thing = Thing()
        watch = weakref.ref(thing)
        task = make_cycle(hold, thing)
        thing.task = task  # type: ignore[attr-defined]

        del thing, task

        until(lambda: gc.collect() is not None and watch() is None, "the cycle collected")

    @pytest.mark.guarantee("task", "GC")
    def test_what_a_running_call_uses_is_not_collected(self) -> None:
        """Though only the thread refers to it."""
        gate = Gate()

        class Cell:
            value = "alive"

        def work(cell: Cell) -> str:
            cell.self = cell  # type: ignore[attr-defined]
            gate()
            return cell.value

        task = fl.spawn(work, Cell())
        assert gate.entered.wait(BOUND)
        for _ in range(5):
            gc.collect()
        gate.open.set()
        assert task.join(BOUND) == "alive"

    def test_a_raised_failure_is_in_no_cycle_of_ours(self) -> None:
        """Once the caller lets go, it is gone without the collector."""
        gc.disable()
        try:
            watches = [join_and_watch() for _ in range(3)]
            until(lambda: all(watch() is None for watch in watches), "the errors gone")
        finally:
            gc.enable()

    def test_destructors_may_use_the_task(self) -> None:
        """Of a result that is displaced, a callback that is dropped, an argument that was never used."""
        seen: list[str] = []
        task = fl.Task[object]()

        class Nosy:
            def __del__(self) -> None:
                seen.append(repr(task.done()))
                task.add_done_callback(lambda _: None)
                task.cancel()

            def __call__(self, _task: object) -> None:
                """A callback."""

        task._result = Nosy()
        task.add_done_callback(Nosy())
        task.set_result(None)
        gc.collect()

        assert seen
        assert task.result(0) is None


def make_cycle(hold: str, thing: Thing) -> "fl.Task[object]":
    """Make a task that holds `thing` in some way."""
    task = fl.Task[object]()
    if hold == "result":
        task.set_result(thing)
    elif hold == "exception":
        task.set_exception(ValueError(thing))
    elif hold == "callback":
        task.add_done_callback(lambda _, thing=thing: str(thing))
    elif hold == "waiters":
        task._waiters.append(thing)
    else:
        positional, keyword = ((thing,), {}) if hold == "argument" else ((), {"thing": thing})
        task = new_task(print, positional, keyword)
    return task


def join_and_watch() -> "Callable[[], object]":
    """Join a task that fails, drop all of it and return a weak reference to the failure."""

    class Failure(Exception):
        """One that can be watched."""

    def work() -> None:
        raise Failure

    task = fl.spawn(work)
    try:
        task.join(BOUND)
    except Failure as error:
        return weakref.ref(error)
    finally:
        del task
    raise AssertionError("no failure")
