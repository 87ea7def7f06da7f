"""`invoke`: fork-join on one crew of threads, nested to any depth, and with `par` inside and around it.

Its calls are also in `tests/generic`.
"""

import contextvars
import functools
import gc
import sys
import threading
import weakref
from collections.abc import Callable, Iterable
from typing import Any

import pytest

import fearless as fl
from fearless import _crew
from tests.plugins.threads import Spawn
from tests.programs import pars as programs
from tests.support.process import execute, succeed
from tests.support.until import BOUND, until


@pytest.fixture(autouse=True)
def three_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Crews of three, whatever the machine has."""
    monkeypatch.setattr(_crew, "usable_cores", lambda: 3)


def tree_sum(low: int, high: int) -> int:
    """Add up a range, a number at a leaf."""
    if high - low == 1:
        return low
    middle = (low + high) // 2
    return sum(fl.invoke(lambda: tree_sum(low, middle), lambda: tree_sum(middle, high)))


def quicksort(numbers: list[int]) -> list[int]:
    """Sort, with uneven halves."""
    if len(numbers) < 8:
        return sorted(numbers)
    pivot = numbers[0]
    less, same, more = fl.invoke(
        lambda: quicksort([n for n in numbers if n < pivot]),
        lambda: [n for n in numbers if n == pivot],
        lambda: quicksort([n for n in numbers if n > pivot]),
    )
    return [*less, *same, *more]


class TestResults:
    def test_they_come_in_the_order_of_the_functions(self) -> None:
        """Of any number of functions."""
        assert fl.invoke() == ()
        assert fl.invoke(lambda: 1) == (1,)
        assert fl.invoke(*(functools.partial(str, n) for n in range(100))) == tuple(map(str, range(100)))

    def test_functions_run_at_the_same_time(self) -> None:
        """The caller's and two others, which then are gone."""
        before = set(threading.enumerate())
        meeting = threading.Barrier(3, timeout=BOUND)

        def meet() -> int:
            meeting.wait()
            return threading.get_ident()

        idents = fl.invoke(meet, meet, meet)
        assert len(set(idents)) == 3
        assert idents[0] == threading.get_ident()
        assert set(threading.enumerate()) == before

    def test_what_nobody_has_begun_the_caller_runs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """With one core, all of it, and no thread is started."""
        monkeypatch.setattr(_crew, "usable_cores", lambda: 1)
        here = threading.get_ident()
        assert fl.invoke(*[threading.get_ident] * 5) == (here,) * 5

    def test_context_variables_reach_every_function(self) -> None:
        """Those that are set in another stay there."""
        variable = contextvars.ContextVar("variable", default=0)
        variable.set(1)

        def change(value: int) -> int:
            before = variable.get()
            variable.set(value)
            return before

        assert fl.invoke(variable.get, *[functools.partial(change, 5)] * 4) == (1,) * 5
        assert variable.get() == 1


class TestNesting:
    def test_deep_and_even_and_uneven(self) -> None:
        """No thread for each level, no deadlock."""
        most = fl.AtomicInt(0)
        before = threading.active_count()

        def counted(depth: int) -> int:
            most.update(lambda seen: max(seen, threading.active_count()))
            return 1 if depth == 0 else sum(fl.invoke(lambda: counted(depth - 1), lambda: counted(0)))

        assert counted(20) == 21
        assert fl.invoke(lambda: counted(20), lambda: counted(20)) == (21, 21)
        assert most.load() <= before + 2
        assert fl.invoke(lambda: tree_sum(0, 1 << 11))[0] == sum(range(1 << 11))
        numbers = [n * 7919 % 1009 for n in range(2000)]
        assert fl.invoke(lambda: quicksort(numbers))[0] == sorted(numbers)

    def test_runs_of_par_use_the_same_workers(self) -> None:
        """Inside `invoke`, around it, and inside each other."""
        most = fl.AtomicInt(0)
        before = threading.active_count()

        def leaf(number: int) -> int:
            most.update(lambda seen: max(seen, threading.active_count()))
            return number

        def row(number: int) -> int:
            return sum(fl.invoke(lambda: fl.par(range(number), workers=3).map(leaf).sum(), lambda: leaf(number)))

        assert fl.par(range(50), workers=3, chunk=1).map(row).collect() == [sum(range(n + 1)) for n in range(50)]
        assert most.load() <= before + 2

    def test_a_worker_without_chunks_helps_with_a_run_inside(self) -> None:
        """The only item of one is the other's work: both of its items run at the same time."""
        meeting = threading.Barrier(2, timeout=BOUND)

        def inner(_: int) -> bool:
            return fl.par(range(2), workers=2, chunk=1).map(lambda _: meeting.wait() >= 0).all(bool)

        assert fl.par(range(2), workers=2, chunk=1).map(lambda n: n or inner(n)).collect() == [True, 1]

    def test_a_worker_that_was_idle_helps_again(self) -> None:
        """With what is forked where it had taken a call before, though nothing was on offer there meanwhile."""
        meeting = threading.Barrier(2, timeout=BOUND)
        helper: list[int] = []

        def first() -> tuple[int, ...]:
            until(lambda: helper and stands_in(helper[0], "serve"), "the other idle")
            return fl.invoke(meeting.wait, meeting.wait)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_crew, "usable_cores", lambda: 2)
            met, _ = fl.invoke(first, lambda: helper.append(threading.get_ident()))
        assert sorted(met) == [0, 1]

    def test_a_worker_that_is_busy_is_not_called_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Also one that has found its job only when it was on the list of the idle: it would be woken in vain."""
        run_any = _crew._Worker._run_any
        looks: list[object] = []

        def overlook(self: "_crew._Worker", branches: Iterable[Any]) -> bool:
            looks.append(self)
            return len(looks) > 1 and run_any(self, branches)

        def is_on_the_list() -> bool:
            worker = _crew._local.worker
            assert worker is not None
            return worker in worker._crew.idle

        monkeypatch.setattr(_crew._Worker, "_run_any", overlook)
        meeting = threading.Barrier(2, timeout=BOUND)
        assert fl.invoke(meeting.wait, lambda: (meeting.wait(), is_on_the_list())[1])[1] is False

    def test_whoever_waits_helps_with_what_he_waits_for(self) -> None:
        """One of two workers forks once the other has nothing left to do."""
        meeting = threading.Barrier(2, timeout=BOUND)
        begun = threading.Event()
        caller = threading.get_ident()

        def meet() -> int:
            meeting.wait()
            return threading.get_ident()

        def other() -> tuple[int, ...]:
            begun.set()
            until(lambda: stands_in(caller, "_wait_for"), "the caller waiting")
            return fl.invoke(meet, meet)

        def first() -> None:
            assert begun.wait(BOUND)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_crew, "usable_cores", lambda: 2)
            idents = fl.invoke(first, other)[1]
        assert caller in idents
        assert len(set(idents)) == 2


def stands_in(ident: int, function: str) -> bool:
    """Whether that is the innermost function in Python of a thread."""
    frame = sys._current_frames().get(ident)
    return frame is not None and frame.f_code.co_name == function


class TestFailures:
    @pytest.mark.parametrize("place", [0, 1, 2])
    def test_it_is_raised_as_it_is(self, place: int) -> None:
        """Whoever it happened to; and nothing is kept by it."""

        class Failure(Exception):
            """One that can be watched."""

        def fail() -> None:
            raise Failure

        def watch() -> Callable[[], object]:
            functions: list[Callable[[], object]] = [int, int, int]
            functions[place] = fail
            try:
                fl.invoke(*functions)
            except Failure as error:
                return weakref.ref(error)
            raise AssertionError("no failure")

        gc.collect()
        gc.disable()
        try:
            watched = watch()
            until(lambda: watched() is None, "the error gone")
        finally:
            gc.enable()

    @pytest.mark.parametrize("place", [0, 1])
    def test_it_cancels_the_others_wherever_they_wait(self, place: int) -> None:
        """The caller, too."""
        tx, rx = fl.channel(None)
        waiting = threading.Event()

        def wait() -> None:
            waiting.set()
            rx.recv()

        def fail() -> None:
            assert waiting.wait(BOUND)
            raise ValueError(place)

        with pytest.raises(ValueError, match=str(place)):
            fl.invoke(*((fail, wait) if place == 0 else (wait, fail)))
        tx.close()
        rx.close()

    def test_what_has_not_begun_never_does(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """After a failure of the first."""
        monkeypatch.setattr(_crew, "usable_cores", lambda: 1)
        ran: list[int] = []
        with pytest.raises(ZeroDivisionError):
            fl.invoke(lambda: 1 // 0, lambda: ran.append(1))
        assert ran == []

    def test_the_scope_around_stops_all_functions(self, spawn: Spawn) -> None:
        """Those of a nested call on another thread, too."""
        tx, rx = fl.channel(None)
        scopes: list[fl.Scope] = []
        waiting = fl.Latch(3)

        def wait() -> None:
            waiting.arrive()
            rx.recv()

        def run() -> str:
            with fl.scope() as scope:
                scopes.append(scope)
                fl.invoke(lambda: fl.invoke(wait, wait), wait)
            return "left"

        running = spawn(run)
        waiting.wait(BOUND)
        scopes[0].cancel()
        assert running.join() == "left"
        tx.close()
        rx.close()

    @pytest.mark.parametrize("place", [0, 1])
    def test_an_exit_goes_before_a_failure(self, place: int) -> None:
        """Whichever function it is raised in; so does Ctrl-C, which nobody would see otherwise."""
        meeting = threading.Barrier(2, timeout=BOUND)

        def end(error: BaseException) -> None:
            meeting.wait()
            raise error

        ends = [functools.partial(end, ValueError(0)), functools.partial(end, SystemExit(7))]
        with pytest.raises(SystemExit, match=r"^7$"):
            fl.invoke(*(ends if place else ends[::-1]))

    def test_a_failure_goes_before_the_cancellation_around(self) -> None:
        """As where a scope is left: what a cancelled function raises instead is not lost."""

        def fail() -> None:
            outer.cancel()
            try:
                fl.sleep(BOUND)
            finally:
                raise ValueError("cleaning up")

        for run in (lambda: fl.invoke(fail), lambda: fl.par([0]).for_each(lambda _: fail())):
            with pytest.raises(ExceptionGroup) as caught, fl.scope() as outer:
                run()
            assert [str(error) for error in caught.value.exceptions] == ["cleaning up"]

    def test_ctrl_c_gets_through_wherever_it_comes(self) -> None:
        """At each call that our code makes, one after the other: no worker is stranded, no scope stays entered."""
        points = int(succeed(programs.interrupted_everywhere))
        assert points > 100

    def test_the_recursion_limit_is_an_error_and_no_more(self) -> None:
        """However far below it a run begins: no worker is stranded, no result is missing, no group is made."""
        assert execute(programs.at_every_depth)[:2] == (0, "")

    def test_what_cannot_be_called_is_refused(self) -> None:
        """Before anything runs."""
        with pytest.raises(TypeError, match=r"^functions must be callable, got 3$"):
            fl.invoke(lambda: 1 // 0, 3)  # type: ignore[arg-type]


def test_functions_are_in_the_scope_of_the_outermost_call() -> None:
    """A fork inside has none that could be spawned into; a block around it has."""

    def inner() -> tuple[object, ...]:
        with fl.scope() as block:
            found = fl.invoke(fl.current_scope, fl.current_scope)
        return (block, *found)

    outer, forked, inside = fl.invoke(fl.current_scope, lambda: fl.invoke(fl.current_scope)[0], inner)
    assert isinstance(outer, fl.Scope)
    assert forked is outer
    assert len({*inside}) == 1
