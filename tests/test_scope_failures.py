"""What leaving a scope raises: groups, interrupts, timeouts; and deadlines. Not here: `test_scope_cancel.py`."""

# ruff: noqa: PT012 - a scope raises when its block is left, so the block is what may raise

import contextlib
import gc
import math
import threading
import weakref

import pytest

import fearless as fl
from tests.support.blocking import Gate
from tests.support.failing import fail, fail_together, fail_when_cancelled, members
from tests.support.until import BOUND

BUILDS = pytest.mark.guarantee("scope", "both builds")
TIMEOUT = pytest.mark.guarantee("scope", "timeout")


def raise_last(errors: list[BaseException]) -> None:
    """Raise it, and keep no reference."""
    raise errors.pop()


class Odd(BaseException):
    """Neither an `Exception` nor an interrupt."""


class TestGroups:
    @BUILDS
    def test_all_failures_are_raised_together(self) -> None:
        """Those of the tasks, and the block's own."""
        barrier = threading.Barrier(3)
        first, second, own = ValueError("first"), KeyError("second"), OSError("own")
        with pytest.raises(ExceptionGroup, match=r"^3 failed in a scope of 2 tasks") as caught, fl.scope() as scope:
            scope.spawn(fail_together, barrier, first)
            scope.spawn(fail_together, barrier, second)
            fail_together(barrier, own)

        assert set(members(caught.value)) == {first, second, own}

    def test_also_one_failure_comes_in_a_group(self) -> None:
        """So that `except*` always is right. It is the very exception, with the traceback of its thread."""
        error = ValueError("alone")
        with pytest.raises(ExceptionGroup) as caught, fl.scope() as scope:
            task = scope.spawn(fail, error)

        assert members(caught.value) == [error]
        assert task.exception() is error
        traceback = error.__traceback__
        names = []
        while traceback is not None:
            names.append(traceback.tb_frame.f_code.co_name)
            traceback = traceback.tb_next
        assert names == ["fail"]

    def test_the_block_alone_may_fail(self) -> None:
        """In a group as well."""
        error = ValueError("own")
        with pytest.raises(ExceptionGroup, match="1 failed in a scope of 0 tasks") as caught, fl.scope():
            fail(error)

        assert members(caught.value) == [error]

    def test_what_is_no_exception_makes_a_base_group(self) -> None:
        """Which `except Exception` lets pass."""
        error = Odd()
        with pytest.raises(BaseExceptionGroup) as caught, fl.scope() as scope:
            scope.spawn(fail, error)

        assert not isinstance(caught.value, Exception)
        assert members(caught.value) == [error]

    def test_a_failure_that_was_joined_inside_is_counted_where_it_happened(self) -> None:
        """The block sees its cancellation before a second copy of the failure could come out of `join`."""
        error = ValueError("once")
        with pytest.raises(ExceptionGroup) as caught, fl.scope() as scope:
            scope.spawn(fail, error).join(BOUND)

        assert set(members(caught.value)) == {error}

    def test_nothing_is_kept_after_the_block(self) -> None:
        """A scope lets go of the failures that it has raised."""

        class Failure(ValueError):
            pass

        scope = fl.scope()

        def run() -> "weakref.ref[Failure]":
            error = Failure()
            watch = weakref.ref(error)
            try:
                with scope:
                    scope.spawn(fail, error)
            except* Failure:
                pass
            return watch

        watch = run()
        gc.collect()
        assert watch() is None

    def test_nested_groups_keep_their_shape(self) -> None:
        """The group of an inner scope is one failure of the outer one."""
        error = ValueError("deep")
        with pytest.raises(ExceptionGroup) as caught, fl.scope(), fl.scope() as inner:
            inner.spawn(fail, error)

        (group,) = members(caught.value)
        assert members(group) == [error]


class TestInterrupts:
    @pytest.mark.guarantee("scope", "Ctrl-C")
    @pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
    @pytest.mark.parametrize("who", ["task", "block"])
    def test_they_leave_bare_with_the_failures_as_context(self, kind: type[BaseException], who: str) -> None:
        """Nobody has to look for them in a group."""
        barrier, interrupt, error = threading.Barrier(2), kind("stop"), ValueError("other")
        with pytest.raises(kind) as caught, fl.scope() as scope:
            if who == "block":
                scope.spawn(fail_together, barrier, error)
                fail_together(barrier, interrupt)
            scope.spawn(fail_together, barrier, interrupt)
            fail_together(barrier, error)

        assert caught.value is interrupt
        assert members(interrupt.__context__) == [error]

    @pytest.mark.parametrize("who", ["task", "block"])
    def test_without_other_failures_there_is_no_group(self, who: str) -> None:
        """The interrupt alone leaves; its siblings are cancelled."""
        interrupt = KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt) as caught, fl.scope() as scope:
            task = scope.spawn(fl.sleep, 3600)
            if who == "block":
                fail(interrupt)
            scope.spawn(fail, interrupt)

        assert caught.value is interrupt
        assert interrupt.__context__ is None
        assert task.cancelled()

    @pytest.mark.parametrize("who", ["task", "block"])
    @pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
    def test_they_keep_nothing_that_only_the_collector_frees(self, kind: type[BaseException], who: str) -> None:
        """No frame of ours holds an interrupt that leaves through it."""

        def run() -> "weakref.ref[BaseException]":
            things = [type("Interrupt", (kind,), {})()]
            watch = weakref.ref(things[0])
            with contextlib.suppress(kind), fl.scope() as scope:
                if who == "block":
                    raise things.pop()
                scope.spawn(lambda: raise_last(things))
            return watch

        gc.disable()
        try:
            assert run()() is None
        finally:
            gc.enable()

    def test_of_two_the_second_is_in_the_context(self) -> None:
        """Neither is lost."""
        barrier, own, other = threading.Barrier(2), KeyboardInterrupt(), SystemExit(3)
        with pytest.raises(KeyboardInterrupt) as caught, fl.scope() as scope:
            scope.spawn(fail_together, barrier, other)
            fail_together(barrier, own)

        assert caught.value is own
        assert members(own.__context__) == [other]


@TIMEOUT
class TestTimeout:
    def test_it_is_raised_when_the_tasks_have_ended(self) -> None:
        """And not before, although they take their time."""
        ended = list[str]()

        def slow() -> None:
            try:
                fl.sleep(3600)
            finally:
                threading.Event().wait(0.05)
                ended.append("slow")

        with pytest.raises(fl.Timeout, match=r"the scope ran out of its 0\.02 s") as caught, fl.scope(0.02) as scope:
            task = scope.spawn(slow)

        assert ended == ["slow"]
        assert task.cancelled()
        assert isinstance(caught.value, TimeoutError)
        assert caught.value.__cause__ is None

    def test_failures_are_its_cause(self) -> None:
        """Also those of the block."""
        error, own = ValueError("while cleaning up"), KeyError("own")
        with pytest.raises(fl.Timeout) as caught, fl.scope(0.02) as scope:
            begun = threading.Event()
            scope.spawn(fail_when_cancelled, error, begun)
            assert begun.wait(BOUND)
            fail_when_cancelled(own)

        assert set(members(caught.value.__cause__)) == {error, own}

    def test_a_failure_in_time_is_no_timeout(self) -> None:
        """Although the time runs out while the others end."""
        error, gate = ValueError("in time"), Gate()
        with pytest.raises(ExceptionGroup) as caught, fl.scope(BOUND) as scope:
            scope.spawn(fail, error)
            gate.open.set()

        assert members(caught.value) == [error]


@TIMEOUT
class TestDeadlines:
    def test_a_block_that_ends_in_time_raises_nothing(self) -> None:
        """Nor does a scope without a limit."""
        for timeout in (BOUND, None, math.inf, 1e300):
            with fl.scope(timeout) as scope:
                task = scope.spawn(pow, 2, 5)
            assert task.result(0) == 32

    def test_the_deadline_of_an_outer_scope_reaches_the_inner_ones(self) -> None:
        """The inner scope passes the cancellation on; the outer one raises Timeout."""
        left = list[str]()
        with pytest.raises(fl.Timeout, match=r"the scope ran out of its 0\.03 s"), fl.scope(0.03):
            try:
                with fl.scope(BOUND) as inner:
                    task = inner.spawn(fl.sleep, 3600)
                    fl.sleep(3600)
            except fl.Cancelled:
                left.append("inner")
                raise

        assert left == ["inner"]
        assert task.cancelled()

    def test_also_in_a_task_that_has_scopes_of_its_own(self) -> None:
        """It waits in the innermost, whose deadline is the earliest of all."""

        def work() -> None:
            with fl.scope(BOUND), fl.scope():
                fl.sleep(3600)

        with pytest.raises(fl.Timeout), fl.scope(0.03) as scope:
            task = scope.spawn(work)

        assert task.cancelled()

    def test_an_inner_timeout_is_the_inner_scopes_alone(self) -> None:
        """Whoever catches it goes on."""
        with fl.scope(BOUND) as outer:
            with pytest.raises(fl.Timeout), fl.scope(0.02):
                fl.sleep(3600)
            fl.checkpoint()
            assert not outer.cancelled

    def test_zero_is_over_at_once(self) -> None:
        """The first wait, or checkpoint, ends the block."""
        with pytest.raises(fl.Timeout), fl.scope(0):
            fl.checkpoint()
            pytest.fail("the block went on")

    @pytest.mark.parametrize("wrong", [-1, -math.inf, math.nan])
    def test_a_wrong_timeout_is_refused(self, wrong: float) -> None:
        """With rule and value, and the block is not entered."""
        with (
            pytest.raises(ValueError, match=f"timeout must be None or a number of seconds >= 0, got {wrong}$"),
            fl.scope(wrong),
        ):
            pytest.fail("the block was entered")
        assert fl.current_scope() is None
