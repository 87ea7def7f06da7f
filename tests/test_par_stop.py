"""What ends a run of `par` before its items do: failures, cancelling, Ctrl-C; and what a run holds while it lasts."""

import asyncio
import contextvars
import gc
import itertools
import operator
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.programs import pars as programs
from tests.support.process import execute, succeed
from tests.support.until import BOUND, LATE, until


def collected(items: Iterable[int], stage: Callable[[int], int]) -> object:
    """Run to the end."""
    return fl.par(items, workers=2).map(stage).collect()


def iterated(items: Iterable[int], stage: Callable[[int], int]) -> object:
    """Take the results one by one."""
    return list(fl.par(items, workers=2).map(stage))


def pooled(items: Iterable[int], stage: Callable[[int], int]) -> object:
    """Run with the help of a pool."""
    with fl.ThreadPool(2) as pool:
        return pool.par(items).map(stage).collect()


def invoked(items: Iterable[int], stage: Callable[[int], int]) -> object:
    """Run as one function of two."""
    return fl.invoke(int, lambda: list(map(stage, items)))


class TestFailures:
    @pytest.mark.parametrize("workers", [1, 2, 3])
    def test_the_failure_is_raised_as_it_is_with_a_note_that_names_the_item(self, workers: int) -> None:
        """No group, no wrapper."""
        error = KeyError("no such thing")

        def work(name: str) -> str:
            if name == "item-700":
                raise error
            return name

        with pytest.raises(KeyError) as caught:
            fl.par([f"item-{n}" for n in range(1000)], workers=workers).map(work).collect()

        assert caught.value is error
        assert error.__notes__ == ["fearless.par: in item 700 of the run: 'item-700'"]

    def test_of_several_failures_the_first_item_counts(self) -> None:
        """Of those that failed before the run had stopped."""
        meeting = threading.Barrier(2, timeout=BOUND)

        def work(number: int) -> None:
            meeting.wait()
            raise ValueError(number)

        with pytest.raises(ValueError, match=r"^0\n"):
            fl.par([0, 1], workers=2, chunk=1).for_each(work)

    def test_the_others_stop_at_their_next_item(self) -> None:
        """Also in the middle of a long chunk."""
        failed = threading.Event()
        after = fl.AtomicInt(0)

        def work(number: int) -> None:
            if number == 0:
                failed.set()
                raise ValueError(number)
            assert failed.wait(BOUND)
            after.add(1)
            threading.Event().wait(0.01)

        with pytest.raises(ValueError, match="0"):
            fl.par(range(10**9), workers=2, chunk=10**8).for_each(work)
        assert after.load() < 1000

    def test_workers_that_wait_inside_an_item_are_woken(self) -> None:
        """By the cancellation of the run's scope."""
        assert succeed(programs.blocked_elsewhere).startswith("1")

    def test_an_item_without_a_repr_does_not_hide_the_error(self) -> None:
        """The note says so."""

        class Rude:
            def __repr__(self) -> str:
                raise RuntimeError("no repr")

        with pytest.raises(ZeroDivisionError) as caught:
            fl.par([Rude()]).map(lambda _: 1 // 0).collect()
        assert caught.value.__notes__[0].startswith("fearless.par: in item 0 of the run: <Rude instance at 0x")

    def test_an_error_that_takes_no_note_is_raised_all_the_same(self) -> None:
        """By each way there is to run."""

        class Rude(Exception):
            __notes__: list[str] = "not a list"  # type: ignore[assignment]

        def fail(_: int) -> None:
            raise Rude

        for run in (fl.par(range(3), workers=2).map(fail).collect, lambda: list(fl.par(range(3)).map(fail))):
            with pytest.raises(Rude):
                run()

    def test_only_an_item_that_failed_is_named(self) -> None:
        """Not the one before a part was made, nor the last before two parts were joined."""

        def fail(*_: object) -> int:
            raise KeyError

        one: dict[str, Any] = {"workers": 2, "chunk": 1}
        meeting = threading.Barrier(2, timeout=BOUND)  # so that both have a part
        together = fl.par([1, 1], **one).map(lambda n: n + 0 * meeting.wait())
        runs: list[Callable[[], object]] = [
            lambda: fl.par(range(3), **one).fold(fail, operator.add, operator.add),
            lambda: together.fold(int, operator.add, fail),
        ]
        for run in runs:
            with pytest.raises(KeyError) as caught:
                run()
            assert not hasattr(caught.value, "__notes__")

    @pytest.mark.parametrize("run", [collected, iterated, pooled, invoked])
    @pytest.mark.parametrize("place", ["stage", "source"])
    def test_any_exception_is_raised_as_it_is(self, run: Callable[..., object], place: str) -> None:
        """Also one that is no `Exception`, as a test that ends itself or a cancelled coroutine raises it."""

        class Outcome(BaseException):
            pass

        def numbers() -> Iterator[int]:
            yield from range(50)
            if place == "source":
                raise Outcome
            yield from range(50, 100)

        def pass_on(number: int) -> int:
            if number == 50:
                raise Outcome
            return number

        with pytest.raises(Outcome):
            run(numbers(), pass_on)

    @pytest.mark.parametrize("workers", [1, 2])
    @pytest.mark.parametrize("place", [50, 99])
    def test_stop_iteration_does_not_end_a_chunk_unseen(self, workers: int, place: int) -> None:
        """`map` and `filter` would take it for the end of the items, also at the last item of a chunk."""

        def work(number: int) -> int:
            if number == place:
                raise StopIteration
            return number

        with pytest.raises(RuntimeError, match="a stage raised StopIteration") as caught:
            fl.par(range(100), workers=workers).map(work).collect()
        assert caught.value.__notes__ == [f"fearless.par: in item {place} of the run: {place}"]

    def test_the_traceback_shows_the_function(self) -> None:
        """Whichever thread it ran in."""
        with pytest.raises(ZeroDivisionError) as caught:
            fl.par(range(100), workers=2).map(divide).collect()
        assert caught.traceback[-1].name == "divide"

    def test_a_failure_is_in_no_cycle_of_ours(self) -> None:
        """Once the caller lets go, it is gone without the collector."""
        gc.collect()
        gc.disable()
        try:
            watches = [fail_and_watch(workers) for workers in (1, 2, 2)]
            until(lambda: all(watch() is None for watch in watches), "the errors gone")
        finally:
            gc.enable()

    def test_exits_leave_bare(self) -> None:
        """From any worker."""
        assert execute(programs.exit_from_a_stage).code == 7


def divide(number: int) -> int:
    """Fail in the middle of a hundred."""
    return 1 // (number - 50)


def fail_and_watch(workers: int) -> Callable[[], object]:
    """Run into a failure, drop all of it and return a weak reference to it."""

    class Failure(Exception):
        """One that can be watched."""

    def work(_: int) -> None:
        raise Failure

    try:
        fl.par(range(100), workers=workers).for_each(work)
    except Failure as error:
        return weakref.ref(error)
    raise AssertionError("no failure")


class TestCancelling:
    @pytest.mark.guarantee("par", "cancel")
    @pytest.mark.parametrize("workers", [1, 2])
    def test_the_scope_around_a_run_stops_it(self, workers: int, spawn: Spawn) -> None:
        """At the next item, also where no item ever waits."""
        seen = fl.AtomicInt(0)
        scopes: list[fl.Scope] = []

        def run() -> str:
            with fl.scope() as scope:
                scopes.append(scope)
                fl.par(itertools.repeat(1), workers=workers).for_each(seen.add)
            return "left"

        running = spawn(run)
        until(lambda: seen.load() > 1000, "a run under way")
        scopes[0].cancel()

        assert running.join() == "left"

    @pytest.mark.guarantee("par", "timeout")
    def test_so_does_its_deadline(self) -> None:
        """The scope says that it ran out of time."""
        with pytest.raises(fl.Timeout), fl.scope(timeout=0.02):
            fl.par(range(10**12), workers=2).for_each(abs)

    @pytest.mark.guarantee("par", "Ctrl-C")
    @pytest.mark.parametrize("stage", ["python", "native"])
    def test_ctrl_c_stops_all_workers(self, stage: str) -> None:
        """Also while a stage that is written in C runs through one chunk."""
        assert float(succeed(programs.interrupt, stage)) < LATE

    @pytest.mark.guarantee("par", "Ctrl-C")
    @pytest.mark.parametrize("call", ["invoke", "nested", "par"])
    def test_a_second_ctrl_c_leaves_at_once(self, call: str) -> None:
        """As it leaves a scope, and the exception names the threads that go on."""
        succeed(programs.interrupt_twice, call)

    def test_context_variables_reach_the_workers(self) -> None:
        """As they reach every task."""
        variable = contextvars.ContextVar("variable", default="unset")
        variable.set("caller's")
        meeting = threading.Barrier(2, timeout=BOUND)

        def read(_: int) -> str:
            meeting.wait()
            return variable.get()

        assert fl.par([0, 1], workers=2).map(read).collect() == ["caller's"] * 2

    def test_a_run_inside_a_run(self) -> None:
        """Nesting needs no pool that could run dry."""
        inner = fl.par(range(3), workers=2).map(lambda row: fl.par(range(row), workers=2).map(abs).collect())
        assert inner.collect() == [[], [0], [0, 1]]


@pytest.mark.guarantee("par", "GC")
def test_what_a_run_holds_is_not_collected_and_goes_with_it() -> None:
    """Items in cycles, seen by a collector that runs all the time."""
    finalized = fl.AtomicInt(0)

    class Cell:
        def __init__(self, number: int) -> None:
            self.self = self
            self.number = number

        def __del__(self) -> None:
            self.number = -1
            finalized.add(1)

    def check(cell: Cell) -> int:
        if cell.number % 50 == 0:
            gc.collect()
        return cell.number

    assert fl.par(map(Cell, range(500)), workers=2).map(check).collect() == list(range(500))
    until(lambda: gc.collect() is not None and finalized.load() == 500, "all of them finalized")


@pytest.mark.fork
@pytest.mark.guarantee("par", "fork")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("program", [programs.fork_inside_a_run, programs.fork_and_go_on])
def test_a_forked_child_can_run(program: Callable[[], None]) -> None:
    """Also when a stage of the parent's run forks; but it cannot go on with that run."""
    succeed(program, options=("-W", "ignore::DeprecationWarning"))


@pytest.mark.parametrize(
    ("run", "name"),
    [
        (lambda: fl.par([1]).collect(), "`par`"),
        (lambda: fl.par([1]).sum(), "`par`"),
        (lambda: list(fl.par([1])), "iterating `par`"),
        (lambda: fl.invoke(int), "`invoke`"),
    ],
)
def test_on_the_thread_of_an_event_loop_the_refusal_names_the_call(run: Callable[[], object], name: str) -> None:
    """Not the scope inside of it, which the caller has not written and cannot enter in another way."""

    async def main() -> None:
        with pytest.raises(RuntimeError, match=rf"^{name} would stop the running event loop; use a worker thread$"):
            run()

    asyncio.run(main())
