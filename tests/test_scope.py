"""`scope`: joining, where tasks run, nesting, signals, memory.

Not here: policies, shields and names (`test_scope_policy.py`), cancelling (`test_scope_cancel.py`), and what a block
raises when tasks fail or its time is over (`test_scope_failures.py`).
"""

# ruff: noqa: PT012 - a scope raises when its block is left, so the block is what may raise

import asyncio
import contextvars
import gc
import sys
import threading
import weakref
from collections.abc import Callable

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.programs import scopes as programs
from tests.support.blocking import Gate
from tests.support.failing import fail, members
from tests.support.items import Marker
from tests.support.process import succeed
from tests.support.threads import start
from tests.support.until import BOUND, blocked_receivers, blocked_senders, in_join, queued, until

BUILDS = pytest.mark.guarantee("scope", "both builds")
CANCEL = pytest.mark.guarantee("scope", "cancel")
variable = contextvars.ContextVar("variable", default="unset")


def joins_a_thread(ident: int | None) -> bool:
    """Whether the thread is in the join of another."""
    frame = sys._current_frames().get(ident or -1)
    while frame is not None and frame.f_code is not threading.Thread.join.__code__:
        frame = frame.f_back
    return frame is not None


class TestJoining:
    @BUILDS
    def test_leaving_the_block_joins_every_task(self) -> None:
        """Outcomes are there at once, and no thread is left."""
        threads = list[threading.Thread]()

        def work(power: int) -> int:
            threads.append(threading.current_thread())
            return 1 << power

        with fl.scope() as scope:
            tasks = [scope.spawn(work, power) for power in range(20)]

        assert [task.result(0) for task in tasks] == [2**power for power in range(20)]
        assert len(threads) == 20
        assert not any(thread.is_alive() for thread in threads)

    @BUILDS
    def test_tasks_may_spawn_into_their_scope(self) -> None:
        """It ends with the last of them, whoever spawned it."""
        ended = fl.AtomicInt()

        def work(scope: fl.Scope, depth: int) -> None:
            if depth:
                scope.spawn(work, scope, depth - 1)
                scope.spawn(work, scope, depth - 1)
            ended.add(1)

        with fl.scope() as scope:
            scope.spawn(work, scope, 5)

        assert ended.load() == 2**6 - 1

    def test_it_waits_for_what_it_has_submitted(self) -> None:
        """On a pool's thread, which goes on after the scope."""
        with fl.ThreadPool(1) as pool:
            gate, here = Gate(), threading.get_ident()

            def open_late() -> None:
                until(lambda: in_join(here))
                gate.open.set()

            with fl.scope() as scope:
                task = scope.submit(pool, gate)
                fl.spawn(open_late)
            assert task.result(0) == "through"
            assert pool.submit(pow, 2, 5).join(BOUND) == 32

    def test_a_task_that_others_spawn_while_the_block_is_left_is_joined(self, spawn: Spawn) -> None:
        """Although the last task had ended by then, and only its thread was waited for."""
        scopes, done, callback, late = list[fl.Scope](), list[bool](), Gate(), Gate()
        tasks, go = list[fl.Task[str]](), threading.Event()

        def work() -> None:
            with fl.scope() as scope:
                scopes.append(scope)
                scope.spawn(go.wait, BOUND).add_done_callback(lambda _: callback())
                go.set()
            done.append(tasks[0].done())

        leaving = spawn(work)
        assert callback.entered.wait(BOUND)
        until(lambda: joins_a_thread(leaving.ident))
        tasks.append(scopes[0].spawn(late))
        callback.open.set()
        until(lambda: not joins_a_thread(leaving.ident))
        until(lambda: in_join(leaving.ident) or leaving.ended.is_set())
        late.open.set()
        leaving.join()

        assert done == [True]

    def test_a_scope_that_was_left_takes_no_task(self) -> None:
        """And closes what was moved to it."""
        with fl.ThreadPool(1) as pool:
            with fl.scope() as scope:
                pass
            spawns: list[Callable[..., object]] = [
                scope.spawn,
                scope.options(name="late").spawn,
                lambda *args: scope.submit(pool, *args),
            ]
            for spawn in spawns:
                tx, rx = fl.channel(1)
                with pytest.raises(RuntimeError, match="the scope's block has been left; spawn before that"):
                    spawn(print, tx.move())
                assert list(rx) == []
                rx.close()

    def test_a_scope_is_used_in_its_block(self) -> None:
        """Not before, and not twice."""
        scope = fl.scope()
        for use in (scope.cancel, lambda: scope.spawn(int)):
            with pytest.raises(RuntimeError, match="the scope has not been entered; use it in a `with` statement"):
                use()
        with scope:
            with pytest.raises(RuntimeError, match="a scope can be entered once"):
                scope.__enter__()
            assert fl.current_scope() is scope
        with pytest.raises(RuntimeError, match="a scope can be entered once"), scope:
            pass
        assert fl.current_scope() is None

    def test_a_closed_pool_refuses(self) -> None:
        """And the scope does not wait for what was refused."""
        pool = fl.ThreadPool(1)
        pool.shutdown()
        with (
            fl.scope() as scope,
            pytest.raises(RuntimeError, match="cannot schedule new futures: the pool is shut down"),
        ):
            scope.submit(pool, int)

    def test_threads_are_named_and_no_daemons(self) -> None:
        """As asked for, or by number."""

        def work() -> tuple[str, bool]:
            thread = threading.current_thread()
            return thread.name, thread.daemon

        with fl.scope() as scope:
            named, plain = scope.options(name="loader").spawn(work), scope.spawn(work)

        assert named.result(0) == ("loader", False)
        assert plain.result(0)[0].startswith("fearless-")

    def test_repr_shows_the_state(self) -> None:
        """With the tasks that were started, and those that still run."""
        gate = Gate()
        scope = fl.scope()
        assert repr(scope) == "<Scope not entered>"
        with scope:
            scope.spawn(int).join(BOUND)
            scope.spawn(gate)
            until(lambda: repr(scope) == "<Scope open, 2 tasks, 1 running>")
            scope.cancel()
            assert repr(scope) == "<Scope cancelled, 2 tasks, 1 running>"
            gate.open.set()
        assert repr(scope) == "<Scope left, 2 tasks, 0 running>"


class TestWhereTasksRun:
    @CANCEL
    def test_the_scope_of_a_thread_is_that_of_its_block_or_task(self) -> None:
        """Innermost first; what is spawned elsewhere is outside."""
        assert fl.current_scope() is None
        with fl.ThreadPool(1) as pool, fl.scope() as outer:
            assert fl.current_scope() is outer
            with fl.scope() as inner:
                assert fl.current_scope() is inner
                assert inner.spawn(fl.current_scope).join(BOUND) is inner
                assert outer.spawn(fl.current_scope).join(BOUND) is outer
                assert inner.submit(pool, fl.current_scope).join(BOUND) is inner
                assert pool.submit(fl.current_scope).join(BOUND) is None
                assert fl.spawn(fl.current_scope).join(BOUND) is None
                assert start(contextvars.copy_context().run, fl.current_scope).join() is None
            assert fl.current_scope() is outer
        assert fl.current_scope() is None

    @CANCEL
    def test_what_is_started_outside_every_scope_is_not_cancelled(self) -> None:
        """Not even from inside a task of the scope."""
        tx, rx = fl.channel(0)
        with fl.ThreadPool(1) as pool:
            with fl.scope() as scope:
                outside = [
                    fl.spawn(rx.recv),
                    pool.submit(rx.recv),
                    scope.spawn(fl.spawn, rx.recv).join(BOUND),
                ]
                until(lambda: blocked_receivers(rx) == 3)
                scope.cancel()
            for number in range(3):
                tx.send(number)
            assert sorted(task.join(BOUND) for task in outside) == [0, 1, 2]
        tx.close()
        rx.close()

    def test_tasks_see_the_context_variables_of_their_spawn(self) -> None:
        """On a thread of their own and on a pool's; what they set stays inside."""

        def work() -> str:
            seen = variable.get()
            variable.set("task's")
            return seen

        with fl.ThreadPool(1) as pool, fl.scope() as scope:
            token = variable.set("spawner's")
            tasks = [scope.spawn(work), scope.submit(pool, work), scope.options(name="n").spawn(work)]
            variable.reset(token)

        assert [task.result(0) for task in tasks] == ["spawner's"] * 3
        assert variable.get() == "unset"

    def test_a_block_under_a_running_loop_is_refused(self) -> None:
        """Its join would stop the loop. In a thread beside the loop it is fine."""

        def in_thread() -> int:
            with fl.scope() as scope:
                task = scope.spawn(pow, 2, 5)
            return task.result(0)

        async def main() -> int:
            with pytest.raises(RuntimeError, match="`with scope\\(\\)` would stop the running event loop"), fl.scope():
                raise AssertionError("the block was entered")
            assert fl.current_scope() is None
            return await asyncio.get_running_loop().run_in_executor(None, in_thread)

        assert asyncio.run(main()) == 32


@CANCEL
class TestNesting:
    def test_an_outer_scope_cancels_what_is_inside_whatever_the_thread(self) -> None:
        """A tree: the tasks of scopes in tasks of scopes."""
        tx, rx = fl.channel(1)

        def nest(depth: int) -> None:
            with fl.scope() as scope:
                scope.spawn(nest, depth - 1) if depth else scope.spawn(rx.recv)
                rx.recv()

        with fl.scope() as scope:
            task = scope.spawn(nest, 3)
            until(lambda: blocked_receivers(rx) == 5)
            scope.cancel()

        assert task.cancelled()
        assert blocked_receivers(rx) == 0
        tx.close()
        rx.close()

    def test_an_inner_scope_cancels_nothing_around_it(self) -> None:
        """Its sibling and its parent go on."""
        tx, rx = fl.channel(0)
        with fl.scope() as outer:
            sibling = outer.spawn(rx.recv)
            with fl.scope() as inner:
                mine = inner.spawn(fl.sleep, 3600)
                inner.cancel()
            until(lambda: blocked_receivers(rx) == 1)
            tx.send("goes on")
            assert sibling.join(BOUND) == "goes on"

        assert mine.cancelled()
        tx.close()
        rx.close()

    def test_a_scope_entered_in_a_cancelled_one_is_cancelled(self) -> None:
        """And stays so although the outer one is not left yet."""
        with fl.scope() as outer:
            outer.cancel()
            with pytest.raises(fl.Cancelled), fl.scope() as inner:
                assert inner.cancelled
                fl.checkpoint()

    def test_a_failure_deep_inside_reaches_the_outermost(self) -> None:
        """Level by level, each a group."""
        error = ValueError("deep")

        def nest(depth: int) -> None:
            with fl.scope() as scope:
                scope.spawn(nest, depth - 1) if depth else fail(error)

        with pytest.raises(ExceptionGroup) as caught:
            nest(3)
        found: BaseException = caught.value
        for _ in range(4):
            (found,) = members(found)
        assert found is error


@CANCEL
def test_cancelling_loses_no_item() -> None:
    """An item is either delivered or still in the channel, whenever the cancellation comes."""
    for least in range(30):
        tx, rx = fl.channel(1)
        delivered, sent = list[int](), list[int]()

        def produce(tx: "fl.Sender[int]", sent: list[int]) -> None:
            for number in range(10_000):
                tx.send(number)
                sent.append(number)

        def consume(rx: "fl.Receiver[int]", delivered: list[int]) -> None:
            while True:
                delivered.append(rx.recv())

        with fl.scope() as scope:
            scope.spawn(produce, tx, sent)
            scope.spawn(consume, rx, delivered)
            until(lambda delivered=delivered, least=least: len(delivered) >= least)  # type: ignore[misc]
            scope.cancel()
        assert (blocked_senders(rx), blocked_receivers(rx)) == (0, 0)
        left = [rx.try_recv() for _ in range(queued(rx))]
        assert delivered + left == sent
        tx.close()
        rx.close()


class TestMemory:
    @pytest.mark.guarantee("scope", "GC")
    def test_what_a_finished_task_returned_is_let_go_of(self) -> None:
        """And what it was given; a scope can start any number of tasks."""
        with fl.scope() as scope:
            given, returned = Marker(), list[weakref.ref[Marker]]()
            watch = weakref.ref(given)

            def work(marker: Marker) -> Marker:
                marker.holds.append(1)
                result = Marker()
                returned.append(weakref.ref(result))
                return result

            scope.spawn(work, given).join(BOUND)
            del given
            until(lambda: gc.collect() >= 0 and watch() is None and returned[0]() is None)

    def test_ended_threads_are_let_go_of(self) -> None:
        """Not kept until the block is left."""
        with fl.scope() as scope:
            threads = list[weakref.ref[threading.Thread]]()
            for _ in range(200):
                scope.spawn(lambda: threads.append(weakref.ref(threading.current_thread()))).join(BOUND)
            gc.collect()
            assert sum(thread() is not None for thread in threads) < 100


@pytest.mark.guarantee("scope", "Ctrl-C")
@pytest.mark.parametrize(
    "program",
    [
        programs.ctrl_c_in_the_block,
        programs.ctrl_c_cancels_and_joins,
        programs.a_second_ctrl_c_leaves_at_once,
        programs.a_signal_handler_cancels_the_scope,
    ],
)
def test_signals(program: Callable[[], None]) -> None:
    """Each in a process of its own; see there."""
    succeed(program)


@pytest.mark.guarantee("scope", "Ctrl-C")
@pytest.mark.parametrize("library", ["asyncio", "trio"])
def test_ctrl_c_in_a_coroutine(library: str) -> None:
    """In a process of its own; see there."""
    succeed(programs.ctrl_c_in_a_coroutine, library)


@pytest.mark.guarantee("scope", "exit")
def test_the_process_waits_for_the_threads_of_a_scope() -> None:
    """Nothing is lost half-way."""
    assert succeed(programs.exit_beside_a_scope) == "the task has ended\n"
