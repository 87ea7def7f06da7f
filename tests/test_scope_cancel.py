"""Cancelling a scope: by a failure, by hand, from outside. Not here: deadlines (`test_scope_failures.py`)."""

# ruff: noqa: PT012 - a scope raises when its block is left, so the block is what may raise

import concurrent.futures as cf
import gc
import threading
import weakref
from collections.abc import Callable

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.blocking import Gate
from tests.support.failing import fail, fail_when_cancelled, members
from tests.support.items import Marker
from tests.support.until import BOUND, blocked_receivers, in_join, until

BUILDS = pytest.mark.guarantee("scope", "both builds")
CANCEL = pytest.mark.guarantee("scope", "cancel")


@CANCEL
class TestTheFirstFailureCancels:
    @BUILDS
    @pytest.mark.parametrize("who", ["task", "block"])
    def test_the_others(self, who: str) -> None:
        """Every wait of the scope ends, and only the failure is in the group."""
        tx, rx = fl.channel(1)
        error = ValueError("first")
        with tx, rx:
            with pytest.raises(ExceptionGroup) as caught, fl.scope() as scope:
                tasks = [scope.spawn(rx.recv) for _ in range(3)]
                until(lambda: blocked_receivers(rx) == 3)
                if who == "block":
                    fail(error)
                scope.spawn(fail, error)
                rx.recv()
                pytest.fail("the block went on")

            assert members(caught.value) == [error]
            assert all(task.cancelled() for task in tasks)
            for task in tasks:
                with pytest.raises(cf.CancelledError):
                    task.join(0)
            tx.send("still works")
            assert rx.recv() == "still works"

    def test_a_failure_while_being_cancelled_is_a_failure(self) -> None:
        """It is in the group beside the first."""
        first, second = ValueError("first"), KeyError("while cleaning up")
        with pytest.raises(ExceptionGroup) as caught, fl.scope() as scope:
            begun = threading.Event()
            scope.spawn(fail_when_cancelled, second, begun)
            assert begun.wait(BOUND)
            scope.spawn(fail, first)

        assert members(caught.value) == [first, second]

    def test_a_task_that_ends_well_all_the_same_keeps_its_result(self) -> None:
        """Whoever swallows `Cancelled` and returns has returned."""
        begun = threading.Event()

        def stubborn() -> str:
            begun.set()
            with pytest.raises(fl.Cancelled):
                fl.sleep(3600)
            return "done"

        with fl.scope() as scope:
            task = scope.spawn(stubborn)
            assert begun.wait(BOUND)
            scope.cancel()

        assert (task.result(0), task.cancelled()) == ("done", False)


def stopped_by(reason: str, scope: fl.Scope) -> None:
    """Stop the scope for one of the reasons that there are, from inside its block."""
    if reason == "task":
        scope.spawn(fail, ValueError("first"))
    elif reason == "block":
        fail(ValueError("first"))
    elif reason == "cancel":
        scope.cancel()


@CANCEL
@pytest.mark.parametrize("reason", ["task", "block", "cancel", "outer", "timeout"])
def test_tasks_that_have_not_begun_never_do(reason: str, spawn: Spawn) -> None:
    """Whatever stops the scope, it does not wait until a busy pool comes to them; what they were given is let go of."""
    gate, ran, things = Gate(), list[Marker](), [Marker()]
    watch, queued = weakref.ref(things[0]), list[fl.Task[None]]()

    def work(pool: fl.ThreadPool) -> None:
        with fl.scope() as outer, fl.scope(0.02 if reason == "timeout" else None) as scope:
            queued.append(scope.submit(pool, ran.append, things.pop()))
            if reason == "outer":
                outer.cancel()
            stopped_by(reason, scope)

    with fl.ThreadPool(1) as pool:
        pool.submit(gate)
        assert gate.entered.wait(BOUND)
        scoped = spawn(work, pool)
        left = scoped.ended.wait(BOUND / 6)
        gate.open.set()
        assert left, "the scope waited for a task that had not begun"
        if reason in ("cancel", "outer"):
            scoped.join()
        else:
            with pytest.raises(ExceptionGroup, match="1 failed"):
                scoped.join()
    gc.collect()
    assert (queued[0].cancelled(), ran, watch()) == (True, [], None)


@CANCEL
def test_what_others_submit_to_a_cancelled_scope_never_begins(spawn: Spawn) -> None:
    """Nor does the scope wait until a worker comes to it."""
    gate, stay, scopes = Gate(), Gate(), list[fl.Scope]()

    def work() -> None:
        with fl.scope() as scope:
            scopes.append(scope)
            scope.spawn(stay)  # heeds no cancellation, so that the scope is still there
            assert stay.entered.wait(BOUND)
            scope.cancel()

    with fl.ThreadPool(1) as pool:
        pool.submit(gate)
        assert gate.entered.wait(BOUND)
        scoped = spawn(work)
        until(lambda: in_join(scoped.ident))
        task = scopes[0].submit(pool, int)  # from outside the scope
        stay.open.set()
        left = scoped.ended.wait(BOUND / 6)
        gate.open.set()
        assert left, "the scope waited for a task that had not begun"
        scoped.join()
    assert task.cancelled()


@CANCEL
def test_a_worker_leaves_a_scope_that_a_task_which_it_makes_itself_cancels() -> None:
    """The task counts as ended on a thread whose waits are cancelled, too; its failure is told."""
    queued = list[fl.Task[int]]()

    def stop(scope: fl.Scope) -> None:
        scope.cancel()
        raise ValueError("lost")

    def work(pool: fl.ThreadPool) -> None:
        with fl.scope() as outer, fl.scope(policy="collect") as inner:
            inner.submit(pool, stop, outer)
            queued.append(inner.submit(pool, int))

    with fl.ThreadPool(1) as pool:
        failed = pool.submit(work, pool).exception(BOUND)
    (group,) = members(failed)
    assert [str(error) for error in members(group)] == ["lost"]
    assert queued[0].done()


@CANCEL
class TestCancelled:
    def test_users_cannot_make_one(self) -> None:
        """It would belong to no scope."""
        makers: list[Callable[[], BaseException]] = [fl.Cancelled, lambda: fl.Cancelled("text")]
        for make in makers:
            with pytest.raises(TypeError, match=r"Cancelled cannot be raised by hand; call cancel\(\) of the scope"):
                make()

    def test_only_its_own_scope_swallows_it(self) -> None:
        """It passes `except Exception`, and through an inner scope bare."""
        seen = list[BaseException]()
        with fl.scope() as outer:
            try:
                with fl.scope() as inner:
                    task = inner.spawn(fl.sleep, 3600)
                    outer.cancel()
                    try:
                        fl.checkpoint()
                    except Exception:  # noqa: BLE001 - that is the point
                        pytest.fail("Cancelled is an Exception")
                    except fl.Cancelled as cancelled:
                        seen.append(cancelled)
                        raise
            except fl.Cancelled as cancelled:
                seen.append(cancelled)
                raise
            pytest.fail("the outer block went on")

        assert len(seen) == 2
        assert seen[0] is seen[1]
        assert task.cancelled()

    def test_an_inner_block_that_did_not_notice_is_left_by_it(self) -> None:
        """The outer scope was cancelled while the inner one was joined: leaving it is a wait."""
        reached = list[str]()
        with fl.scope() as outer:
            with fl.scope() as inner:
                inner.spawn(outer.cancel)
            reached.append("after the inner block")

        assert reached == []

    def test_leaving_an_inner_scope_that_was_cancelled_itself_goes_on(self) -> None:
        """It swallows its own, and the block around it continues."""
        with fl.scope() as outer:
            with fl.scope() as inner:
                inner.cancel()
                fl.sleep(3600)
            fl.checkpoint()
            after = (inner.cancelled, outer.cancelled)

        assert after == (True, False)

    def test_failures_of_an_inner_scope_survive_the_cancellation_of_the_outer(self) -> None:
        """No group contains Cancelled, and no failure is swallowed with it."""
        error = ValueError("while cleaning up")
        begun = threading.Event()

        def inner() -> None:
            with fl.scope() as scope:
                scope.spawn(fail_when_cancelled, error, begun)
                fl.sleep(3600)

        def cancel(outer: fl.Scope) -> None:
            assert begun.wait(BOUND)
            outer.cancel()

        runs: list[Callable[[fl.Scope], object]] = [lambda _: inner(), lambda outer: outer.spawn(inner)]
        for run in runs:
            begun.clear()
            with pytest.raises(ExceptionGroup) as caught, fl.scope() as outer:
                fl.spawn(cancel, outer)
                run(outer)
            (group,) = members(caught.value)
            assert members(group) == [error]

    def test_a_swallowed_cancellation_comes_again(self) -> None:
        """Level-triggered: every later wait of the scope raises, also one that need not wait."""
        tx, rx = fl.channel(4)
        done = fl.spawn(pow, 2, 5)
        done.join(BOUND)
        waits: list[Callable[[], object]] = [
            fl.checkpoint,
            lambda: fl.sleep(0),
            lambda: tx.send(1),
            rx.recv,
            lambda: next(rx),
            done.join,
        ]
        tx.send("kept")
        with fl.scope() as scope:
            scope.cancel()
            for _ in range(3):
                for wait in waits:
                    with pytest.raises(fl.Cancelled):
                        wait()
            mutex = fl.Mutex(1)
            mutex.update(lambda value: value + 1)
            assert mutex.copy() == 2

        assert rx.recv() == "kept"
        tx.close()
        rx.close()
