"""The options of `scope`: which task cancels the others, what comes in from outside, how things are named.

Not here: the timeout (`test_scope_failures.py`).
"""

# ruff: noqa: PT012 - a scope raises when its block is left, so the block is what may raise

import concurrent.futures as cf
import threading
from typing import Any

import pytest

import fearless as fl
from tests.support.blocking import Gate
from tests.support.failing import fail, fail_together, fail_when_cancelled, members
from tests.support.until import BOUND, blocked_receivers, until

CANCEL = pytest.mark.guarantee("scope", "cancel")
TIMEOUT = pytest.mark.guarantee("scope", "timeout")


def test_an_unknown_policy_is_refused() -> None:
    """With the value."""
    with pytest.raises(ValueError, match="policy must be 'cancel', 'collect' or 'first', got 'ignore'"):
        fl.scope(policy="ignore")  # type: ignore[arg-type]  # that is the point


@CANCEL
class TestCollect:
    def test_the_others_go_on_and_all_failures_come_together(self) -> None:
        """A task that begins to wait after a failure still gets its item."""
        tx, rx = fl.channel(0)
        first, last = ValueError("first"), KeyError("last")

        def fail_late() -> None:
            rx.recv()
            raise last

        with tx, rx:
            with (
                pytest.raises(ExceptionGroup, match="2 failed in a scope of 3 tasks") as caught,
                fl.scope(policy="collect") as scope,
            ):
                assert scope.spawn(fail, first).exception(BOUND) is first
                receiving = scope.spawn(rx.recv)
                scope.spawn(fail_late)
                tx.send("item")
                tx.send("item")

            assert set(members(caught.value)) == {first, last}
            assert receiving.result(0) == "item"
            assert scope.winner is None

    @pytest.mark.parametrize("error", [ValueError("own"), KeyboardInterrupt("own")])
    def test_a_failure_of_the_block_cancels(self, error: BaseException) -> None:
        """Nobody else would end the tasks that wait for the block."""
        kind = BaseExceptionGroup if isinstance(error, ValueError) else KeyboardInterrupt
        with pytest.raises(kind), fl.scope(policy="collect") as scope:
            task = scope.spawn(fl.sleep, 3600)
            fail(error)

        assert task.cancelled()

    def test_an_interrupt_in_a_task_cancels(self) -> None:
        """It asks the program to end, so nobody waits for the others."""
        with pytest.raises(SystemExit), fl.scope(policy="collect") as scope:
            task = scope.spawn(fl.sleep, 3600)
            scope.spawn(fail, SystemExit(3))

        assert task.cancelled()


@CANCEL
class TestFirst:
    def test_the_first_success_cancels_the_others(self) -> None:
        """Also those in a pool that have not begun. What the losers raised is kept by their tasks alone."""
        busy, error, late = Gate(), ValueError("lost"), KeyError("while cleaning up")
        begun = threading.Event()
        with fl.ThreadPool(1) as pool:
            pool.submit(busy)
            with fl.scope(policy="first") as scope:
                assert scope.spawn(fail, error).exception(BOUND) is error
                others: list[fl.Task[Any]] = [scope.spawn(fl.sleep, 3600), scope.submit(pool, int)]
                cleaner = scope.spawn(fail_when_cancelled, late, begun)
                assert begun.wait(BOUND)
                assert scope.winner is None
                winner = scope.spawn(pow, 2, 5)
                fl.sleep(3600)
            busy.open.set()

        assert scope.winner is winner
        assert winner.result(0) == 32
        assert [task.cancelled() for task in others] == [True, True]
        assert cleaner.exception(0) is late

    def test_if_none_succeeds_all_failures_come_together(self) -> None:
        """And there is no winner."""
        barrier = threading.Barrier(2)
        errors = [ValueError("one"), KeyError("two")]
        with pytest.raises(ExceptionGroup) as caught, fl.scope(policy="first") as scope:
            for error in errors:
                scope.spawn(fail_together, barrier, error)

        assert set(members(caught.value)) == set(errors)
        assert scope.winner is None

    def test_a_failure_of_the_block_is_raised_although_there_is_a_winner(self) -> None:
        """It is no loser of the race."""
        own = ValueError("own")
        with pytest.raises(ExceptionGroup) as caught, fl.scope(policy="first") as scope:
            scope.spawn(pow, 2, 5).add_done_callback(lambda _: None)
            until(lambda: scope.cancelled)
            fail(own)

        assert members(caught.value) == [own]
        assert scope.winner is not None

    def test_who_succeeds_after_the_cancellation_has_not_won(self) -> None:
        """What ended the scope was not its success."""
        gate = Gate()
        with fl.scope(policy="first") as scope:
            task = scope.spawn(gate)
            assert gate.entered.wait(BOUND)
            scope.cancel()
            gate.open.set()

        assert task.result(0) == "through"
        assert scope.winner is None


@CANCEL
class TestShield:
    def test_what_is_outside_does_not_come_in(self) -> None:
        """Neither a cancellation from before, nor one that comes while it waits; afterwards it is seen again."""
        tx, rx = fl.channel(0)
        seen = list[object]()

        def send(outer: fl.Scope) -> None:
            until(lambda: blocked_receivers(rx) == 1)
            outer.cancel()
            tx.send("inside")
            tx.send("inside again")

        with fl.scope() as outer:
            fl.spawn(send, outer)
            with fl.scope(shield=True) as scope:
                seen.append(rx.recv())
                assert outer.cancelled
                assert not scope.cancelled
                seen.append(scope.spawn(rx.recv).join(BOUND))
            seen.append("after the shield")
            with pytest.raises(fl.Cancelled):
                fl.checkpoint()

        assert seen == ["inside", "inside again", "after the shield"]
        assert (blocked_receivers(rx), fl.current_scope()) == (0, None)
        tx.close()
        rx.close()

    @TIMEOUT
    def test_nor_does_a_deadline(self) -> None:
        """The outer scope ends by its own when the shield is over; scopes inside the shield are shielded by it."""
        inside = list[str]()
        with pytest.raises(fl.Timeout, match=r"ran out of its 0\.02 s"), fl.scope(0.02) as outer:
            with pytest.raises(fl.Cancelled):
                fl.sleep(3600)
            with fl.scope(shield=True), fl.scope():
                fl.checkpoint()
                inside.append("inside")
            assert outer.cancelled
            fl.checkpoint()
            inside.append("the outer block went on")

        assert inside == ["inside"]

    @TIMEOUT
    def test_its_own_timeout_and_cancellation_work(self) -> None:
        """A shield keeps out, and nothing in."""
        with fl.scope() as outer:
            with pytest.raises(fl.Timeout), fl.scope(0.02, shield=True):
                fl.sleep(3600)
            with fl.scope(shield=True) as scope:
                scope.cancel()
                fl.sleep(3600)
            assert not outer.cancelled


def test_a_pool_of_others_is_refused() -> None:
    """Its futures know no scope."""
    with cf.ThreadPoolExecutor(1) as pool, fl.scope() as scope:
        with pytest.raises(TypeError, match=r"pool must be a fearless\.ThreadPool, got <concurrent"):
            scope.submit(pool, int)
        assert "0 tasks" in repr(scope)


def test_tasks_and_threads_are_named_after_their_scope() -> None:
    """Unless they have names of their own."""

    def name() -> str:
        return threading.current_thread().name

    with fl.ThreadPool(1) as pool, fl.scope(name="load") as scope:
        tasks = [scope.spawn(name), scope.options(name="mine").spawn(name), scope.submit(pool, name)]

    assert [task.name for task in tasks] == ["load-1", "mine", "load-2"]
    assert [task.result(0) for task in tasks[:2]] == ["load-1", "mine"]


def test_repr_shows_the_options() -> None:
    """Name, policy, and the time that is left to the earliest deadline, also of a scope around it."""
    scope = fl.scope(policy="first", name="load")
    assert repr(scope) == "<Scope 'load' not entered>"
    with fl.scope(3600), scope:
        assert repr(scope).startswith("<Scope 'load' open, policy 'first', 3")
        assert repr(scope).endswith(" s left, 0 tasks, 0 running>")
    assert repr(scope) == "<Scope 'load' left, policy 'first', 0 tasks, 0 running>"
