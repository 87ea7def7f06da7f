"""`ThreadPool`: workers, backlog, order, shutting down, and what ends it.

Not here: `map` (`test_thread_pool_map.py`), and what a pool keeps alive (`test_thread_pool_life.py`). The calls that
block are also in `tests/generic`, and CPython's own cases in `tests/conformance`.
"""

import concurrent.futures as cf
import contextvars
import os
import threading
from collections.abc import Callable
from concurrent.futures.thread import BrokenThreadPool
from pathlib import Path

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.programs import pools as programs
from tests.support.blocking import Gate
from tests.support.pools import blocked_submitters, cancel_when_blocked
from tests.support.process import succeed
from tests.support.until import BOUND, until

variable = contextvars.ContextVar("variable", default="unset")


class TestArguments:
    @pytest.mark.parametrize(
        ("options", "error", "text"),
        [
            ({"workers": 0}, ValueError, "workers must be >= 1, got 0"),
            ({"workers": -3}, ValueError, "workers must be >= 1, got -3"),
            ({"workers": 1.5}, TypeError, "workers must be a whole number >= 1, got 1.5"),
            ({"backlog": -1}, ValueError, "backlog must be >= 0, got -1"),
            ({"initializer": 3}, TypeError, "initializer must be callable, got 3"),
        ],
    )
    def test_a_wrong_one_is_refused_with_rule_and_value(
        self, options: dict[str, object], error: type[Exception], text: str
    ) -> None:
        """Before any thread exists."""
        with pytest.raises(error, match=f"^{text}$"):
            fl.ThreadPool(**options)  # type: ignore[arg-type]  # that is the point

    def test_numbers_beyond_every_machine_are_no_bounds(self) -> None:
        """As those of `par`: there is no need to know how large a word is."""
        with fl.ThreadPool(2**70, backlog=2**70) as pool:
            assert pool.workers >= 2**31 - 1
            assert list(pool.map(abs, [-1, -2])) == [1, 2]

    def test_a_function_that_cannot_be_called_is_refused_by_submit(self) -> None:
        """Not by the worker, where nobody would look."""
        with fl.ThreadPool(1) as pool, pytest.raises(TypeError, match="fn must be callable, got None"):
            pool.submit(None)  # type: ignore[arg-type]  # that is the point

    def test_workers_by_default_follow_the_usable_cores(self) -> None:
        """Four more than there are, at most 32."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        with fl.ThreadPool() as pool:
            assert pool.workers == min(32, cores + 4)

    @pytest.mark.parametrize("timeout", [-1, float("nan")])
    def test_a_wrong_timeout_of_map_is_refused_before_anything_is_submitted(self, timeout: float) -> None:
        """As by every method with a timeout."""
        ran: list[int] = []
        with (
            fl.ThreadPool(1) as pool,
            pytest.raises(ValueError, match="timeout must be None or a number of seconds >= 0"),
        ):
            pool.map(ran.append, [1], timeout=timeout)
        assert ran == []


class TestWorkers:
    def test_one_is_started_only_when_none_is_idle(self) -> None:
        """Tasks one after the other need one."""
        with fl.ThreadPool(4) as pool:
            for _ in range(20):
                pool.submit(int).result(BOUND)
                until(lambda: ", 0 queued" in repr(pool) and "0 of 4 workers busy" in repr(pool))
            assert len(pool._threads) == 1

    def test_there_are_never_more_than_asked_for(self) -> None:
        """However many tasks wait."""
        with fl.ThreadPool(3) as pool:
            idents = set(pool.map(lambda _: threading.get_ident(), range(500)))
            assert len(pool._threads) <= 3
        assert 1 <= len(idents) <= 3

    def test_they_are_threads_of_python_with_the_name_of_the_pool(self) -> None:
        """So tracebacks, profilers and `threading.enumerate` know them; they are no daemons."""
        with fl.ThreadPool(1, name="parser") as pool:
            thread = pool.submit(threading.current_thread).result(BOUND)
            assert (thread.name, thread.daemon) == ("parser_0", False)
            assert thread in threading.enumerate()
        with fl.ThreadPool(1) as pool:
            name = pool.submit(threading.current_thread).result(BOUND).name
            assert name.startswith("ThreadPool-")
            assert name.endswith("_0")

    def test_tasks_begin_in_the_order_of_their_submission(self, busy: fl.ThreadPool, gate: Gate) -> None:
        """First come, first served."""
        ran: list[int] = []
        for number in range(1000):
            busy.submit(ran.append, number)
        gate.open.set()
        busy.shutdown()
        assert ran == list(range(1000))

    def test_every_task_of_many_submitters_is_run_once(self, spawn: Spawn) -> None:
        """Contention loses nothing and doubles nothing."""
        with fl.ThreadPool(3) as pool:
            submitters = [
                spawn(lambda base=base: [pool.submit(int, base + n) for n in range(500)])  # type: ignore[misc]
                for base in range(0, 2000, 500)
            ]
            results = [task.result(BOUND) for submitter in submitters for task in submitter.join()]
        assert results == list(range(2000))

    @pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts with the kernel's own numbers")
    def test_idle_workers_do_not_wake_up(self) -> None:
        """Not once in a second."""
        assert int(succeed(programs.idle_pool)) == 0

    def test_an_initializer_runs_first_in_every_worker(self) -> None:
        """With its arguments."""
        local = threading.local()

        def prepare(value: str) -> None:
            local.value = value

        with fl.ThreadPool(2, initializer=prepare, initargs=("ready",)) as pool:
            assert set(pool.map(lambda _: local.value, range(20))) == {"ready"}

    def test_a_failing_initializer_breaks_the_pool(self, caplog: pytest.LogCaptureFixture) -> None:
        """Tasks fail each with an error of its own, later submissions are refused, the cause is logged."""
        gate = Gate()

        def prepare() -> None:
            gate()
            raise ValueError("not today")

        pool = fl.ThreadPool(1, initializer=prepare)
        tasks = [pool.submit(int) for _ in range(3)]
        gate.open.set()
        errors = {id(task.exception(BOUND)) for task in tasks}
        assert len(errors) == 3
        assert all(isinstance(task.exception(), BrokenThreadPool) for task in tasks)
        with pytest.raises(BrokenThreadPool):
            pool.submit(int)
        pool.shutdown()
        assert "not today" in caplog.text

    @pytest.mark.parametrize(
        ("call", "error"),
        [
            ("shutdown", "shutdown: a worker of the pool waits for its own end"),
            ("join", "join: every worker of the pool would wait for a task of the pool, and none is left to run one"),
        ],
    )
    def test_an_initializer_that_would_wait_for_ever_breaks_the_pool(self, call: str, error: str) -> None:
        """It is refused what a task is, and that is its failure."""
        ended, logged = succeed(programs.initializer_that_waits, call).splitlines()
        assert ended == "an initializer of the pool failed; it runs no tasks"
        assert logged.startswith(error)

    def test_an_initializer_may_submit_to_its_own_pool(self) -> None:
        """As a task may, even when the backlog is full; what nobody else has begun it runs itself."""
        assert succeed(programs.initializer_that_waits, "submit") == "None\n"

    def test_without_threads_to_be_had(self) -> None:
        """A pool without any refuses the task; one that has some goes on with those."""
        assert succeed(programs.no_threads_to_be_had) == "can't start new thread\n"

    def test_a_failure_leaves_the_worker_as_good_as_before(self) -> None:
        """Whatever was raised, and a panic in native code, too."""
        with fl.ThreadPool(1) as pool:
            for error in (ValueError, KeyboardInterrupt, SystemExit):

                def fail(error: type[BaseException] = error) -> None:
                    raise error

                assert isinstance(pool.submit(fail).exception(BOUND), error)
            assert len({pool.submit(threading.get_ident).result(BOUND) for _ in range(5)}) == 1


class TestBacklog:
    def test_submit_waits_for_room(self, gate: Gate, spawn: Spawn) -> None:
        """It goes on when a worker has taken a task, in the order of arrival."""
        ran: list[str] = []
        with fl.ThreadPool(1, backlog=1) as pool:
            pool.submit(gate)
            assert gate.entered.wait(BOUND)
            pool.submit(ran.append, "queued")
            blocked = spawn(pool.submit, ran.append, "waited")
            until(lambda: blocked_submitters(pool) == 1, "a submitter that waits")
            assert ran == []
            gate.open.set()
            blocked.join().result(BOUND)
        assert ran == ["queued", "waited"]

    def test_a_backlog_of_none_gives_a_task_to_a_free_worker_only(self, gate: Gate, spawn: Spawn) -> None:
        """While all are busy, submit waits."""
        with fl.ThreadPool(1, backlog=0) as pool:
            pool.submit(gate)
            blocked = spawn(lambda: pool.submit(abs, -32))
            until(lambda: blocked_submitters(pool) == 1, "a submitter that waits")
            gate.open.set()
            assert blocked.join().result(BOUND) == 32
            assert pool.submit(pow, 2, 3).result(BOUND) == 8

    def test_a_worker_is_let_in_over_the_bound(self) -> None:
        """A pool that waited for itself would wait for ever."""
        with fl.ThreadPool(1, backlog=1) as pool:

            def fan_out() -> list["fl.Task[int]"]:
                return [pool.submit(abs, -number) for number in range(50)]

            tasks = pool.submit(fan_out).result(BOUND)
            assert [task.result(BOUND) for task in tasks] == list(range(50))

    def test_shutting_down_refuses_a_submitter_that_waits(self, gate: Gate, spawn: Spawn) -> None:
        """What it moved is closed."""
        tx, rx = fl.channel(1)
        pool = fl.ThreadPool(1, backlog=0)
        pool.submit(gate)
        blocked = spawn(pool.submit, print, tx.move())
        until(lambda: blocked_submitters(pool) == 1, "a submitter that waits")

        pool.shutdown(wait=False)

        with pytest.raises(RuntimeError, match="cannot schedule new futures: the pool is shut down"):
            blocked.join()
        assert list(rx) == []
        rx.close()
        gate.open.set()
        pool.shutdown()

    @pytest.mark.guarantee("thread_pool", "cancel")
    def test_a_cancelled_submit_has_submitted_nothing(self, gate: Gate) -> None:
        """And closes what was moved into it."""
        ran: list[object] = []
        tx, rx = fl.channel(1)
        with fl.ThreadPool(1, backlog=0) as pool:
            pool.submit(gate)
            with fl.scope() as scope:
                scope.spawn(cancel_when_blocked, scope, pool)
                pool.submit(ran.append, tx.move())
            assert list(rx) == []
            gate.open.set()
        rx.close()
        assert ran == []


class TestNested:
    def test_a_task_may_submit_to_its_own_pool(self) -> None:
        """And hand the task on."""
        with fl.ThreadPool(2) as pool:
            inner = pool.submit(lambda: pool.submit(pow, 2, 5)).result(BOUND)
            assert inner.result(BOUND) == 32

    def test_a_blocked_task_never_runs_another_in_its_place(self) -> None:
        """So a lock it holds cannot be taken twice by one thread."""
        mutex = fl.Mutex(0)

        def add() -> int:
            return mutex.update(lambda value: value + 1)

        with fl.ThreadPool(2) as pool, fl.ThreadPool(1) as other:

            def outer() -> int:
                with mutex:
                    inner = pool.submit(add)
                    other.submit(int).result(BOUND)
                    assert not inner.done()
                return inner.result(BOUND)

            assert pool.submit(outer).result(BOUND) == 1

    def test_a_worker_that_waits_for_its_own_pool_is_refused(self) -> None:
        """It could never return."""
        waits_for_itself = pytest.raises(fl.DeadlockError, match="a worker of the pool waits for its own end")
        with fl.ThreadPool(1) as pool, waits_for_itself:
            pool.submit(pool.shutdown).result(BOUND)


class TestShutdown:
    def test_leaving_the_block_runs_what_is_queued(self) -> None:
        """All of it, and the threads have ended."""
        ran: list[int] = []
        with fl.ThreadPool(2) as pool:
            for number in range(200):
                pool.submit(ran.append, number)
            threads = set(pool._threads)
        assert sorted(ran) == list(range(200))
        assert not any(thread.is_alive() for thread in threads)

    def test_with_cancel_what_has_not_begun_never_does(self, busy: fl.ThreadPool) -> None:
        """Whoever waits for it is told, also by the stock functions."""
        tasks = [busy.submit(pow, 2, 5) for _ in range(5)]
        busy.shutdown(wait=False, cancel_futures=True)
        assert cf.wait(tasks, BOUND).done == set(tasks)
        assert all(task.cancelled() for task in tasks)

    def test_again_is_harmless_and_submitting_is_refused(self) -> None:
        """As for every executor."""
        pool = fl.ThreadPool(1)
        pool.submit(int)
        for _ in range(3):
            pool.shutdown()
        with pytest.raises(RuntimeError, match="the pool is shut down"):
            pool.submit(int)
        assert repr(pool) == "<ThreadPool shut down, 0 of 1 workers busy, 0 queued>"

    def test_meets_submitting(self, spawn: Spawn) -> None:
        """Every submission is refused or run."""
        for _ in range(30):
            pool = fl.ThreadPool(2)
            accepted: list[fl.Task[int]] = []

            def submit(pool: fl.ThreadPool = pool, accepted: "list[fl.Task[int]]" = accepted) -> None:
                while len(accepted) < 1_000_000:
                    accepted.append(pool.submit(int))

            submitter = spawn(submit)
            until(lambda accepted=accepted: accepted, "a task accepted")  # type: ignore[misc]
            pool.shutdown()
            with pytest.raises(RuntimeError, match="the pool is shut down"):
                submitter.join()
            assert all(task.done() and not task.cancelled() for task in accepted)
            assert len(accepted) < 1_000_000


class TestContext:
    def test_a_task_sees_the_variables_of_its_submit(self) -> None:
        """Not those of the thread that runs it, nor of the task before."""

        def work(value: str) -> str:
            seen = variable.get()
            variable.set(value)
            return seen

        def submit_three(pool: fl.ThreadPool) -> list[fl.Task[str]]:
            first = pool.submit(work, "first")
            token = variable.set("submitter's")
            second = pool.submit(work, "second")
            variable.reset(token)
            return [first, second, pool.submit(work, "third")]

        with fl.ThreadPool(1) as pool:
            # In a context without any variable, which is a case of its own.
            tasks = contextvars.Context().run(submit_three, pool)
            assert [task.result(BOUND) for task in tasks] == ["unset", "submitter's", "unset"]

    @pytest.mark.guarantee("thread_pool", "cancel")
    def test_a_task_is_outside_every_scope_unless_a_scope_submits_it(self) -> None:
        """`scope.submit` makes it one of the scope's, which cancels it and waits for it."""
        with fl.ThreadPool(2) as pool:
            with fl.scope() as scope:
                outside = pool.submit(fl.current_scope)
                inside = scope.submit(pool, fl.current_scope)
                sleeper = scope.submit(pool, fl.sleep, 3600)
                assert outside.result(BOUND) is None
                assert inside.result(BOUND) is scope
                until(sleeper.running, "the sleeper asleep")
                scope.cancel()
            assert sleeper.cancelled()


def test_many_programs_use_the_names_of_the_stock_executor() -> None:
    """A pool is an `Executor`, its tasks are futures."""
    with fl.ThreadPool(1) as pool:
        assert isinstance(pool, cf.Executor)
        task: Callable[[], object] = pool.submit(int).result
        assert task() == 0
