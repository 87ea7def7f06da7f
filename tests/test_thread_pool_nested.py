"""Tasks that wait for tasks of their own pool: what a worker runs itself, and what is refused.

Not here: submitting over the backlog, which `tests/test_thread_pool.py` has, and the ends of scopes and coroutines on
workers (`tests/test_thread_pool_stalled.py`).
"""

import threading

import pytest

import fearless as fl
from tests.support.blocking import Gate
from tests.support.pools import stalled
from tests.support.until import BOUND, until


def fibonacci(pool: fl.ThreadPool, n: int) -> int:
    """By one nested task, and one call, for each number above 1."""
    if n < 2:
        return n
    smaller = pool.submit(fibonacci, pool, n - 2)
    return fibonacci(pool, n - 1) + smaller.result()


@pytest.mark.parametrize("workers", [1, 3])
def test_a_task_waits_for_its_own_tasks_however_few_workers_there_are(workers: int) -> None:
    """It runs them itself when nobody has begun them; each is run once."""
    with fl.ThreadPool(workers, backlog=1) as pool:
        assert pool.submit(fibonacci, pool, 13).result(BOUND) == 233
        assert pool.submit(lambda: list(pool.map(abs, [-1, 2, -3]))).result(BOUND) == [1, 2, 3]
        assert pool.submit(lambda: type(pool.submit(int, "x").exception())).result(BOUND) is ValueError


def test_a_scope_in_a_task_runs_its_own_tasks() -> None:
    """Also those that its tasks submit, where the worker that leaves the scope is the only one."""
    with fl.ThreadPool(1) as pool:
        ran: list[int] = []

        def outer() -> None:
            with fl.scope() as scope:
                scope.submit(pool, lambda: scope.submit(pool, ran.append, 1))

        pool.submit(outer).result(BOUND)
        assert ran == [1]


def test_a_task_that_is_run_by_its_parent_is_a_task_like_others() -> None:
    """Its variables, its thread, its callbacks; and what runs it is still running afterwards."""
    with fl.ThreadPool(1) as pool:
        told: list[bool] = []

        def outer() -> "tuple[fl.Task[int], fl.Task[bool], int]":
            inner = pool.submit(threading.get_ident)
            inner.add_done_callback(lambda task: told.append(task.done()))
            assert inner.join() == threading.get_ident()
            with pytest.raises(fl.DeadlockError, match="running the task itself"):
                pool.submit(me.result).result()
            return pool.submit(bool), pool.submit(me.running), pool.submit(int).result()

        started = threading.Event()
        me: fl.Task[tuple[fl.Task[int], fl.Task[bool], int]] = pool.submit(
            lambda: started.wait(BOUND) and outer()  # type: ignore[arg-type,return-value]  # a bool is the end of the test
        )
        started.set()
        assert me.result(BOUND)[2] == 0
        assert told == [True]


def test_a_task_of_others_is_never_run_inside_a_wait() -> None:
    """With a worker to come it is waited for, whoever holds what."""
    gate, idents = Gate(), set[int]()
    with fl.ThreadPool(2) as pool:
        busy = pool.submit(gate)
        assert gate.entered.wait(BOUND)
        ready = threading.Event()

        def wait() -> int:
            ready.wait(BOUND)
            idents.add(threading.get_ident())
            return others.result()

        waits = pool.submit(wait)
        others = pool.submit(threading.get_ident)
        ready.set()
        until(lambda: stalled(pool) == 1, "a worker that waits")
        assert not others.done()
        gate.open.set()
        assert waits.result(BOUND) not in idents
        assert busy.done()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_pool_that_would_starve_refuses_the_last_wait(workers: int) -> None:
    """The others get what they wait for, by the worker that is free again."""
    with fl.ThreadPool(workers) as pool:
        ready = threading.Event()

        def wait() -> int:
            ready.wait(BOUND)
            return last.join()

        waits = [pool.submit(wait) for _ in range(workers)]
        last = pool.submit(abs, -32)
        ready.set()
        errors = [task.exception(BOUND) for task in waits]
        assert last.result(BOUND) == 32
    refused = [error for error in errors if error is not None]
    assert len(refused) == 1
    with pytest.raises(fl.DeadlockError, match=r"^join: every worker of the pool would wait for a task of the pool"):
        raise refused[0]


def test_a_wait_with_a_bound_is_no_deadlock_and_runs_nothing() -> None:
    """It ends by itself; so does that of a scope with a deadline."""
    with fl.ThreadPool(1) as pool:

        def outer() -> "fl.Task[int]":
            own = pool.submit(abs, -32)
            with pytest.raises(fl.Timeout):
                own.result(0.01)
            assert not own.done()
            with pytest.raises(fl.Timeout), fl.scope(timeout=0.01):
                others[0].result()
            return own

        ready = threading.Event()
        waits = pool.submit(lambda: ready.wait(BOUND) and outer())
        others = [pool.submit(int)]
        ready.set()
        own = waits.result(BOUND)
        assert isinstance(own, fl.Task)
        assert own.result(BOUND) == 32


def test_tasks_behind_idle_workers_have_threads_started_for_them() -> None:
    """Two that wait for a third, submitted in one go to a pool with two idle workers and room for more."""
    gates = [Gate(), Gate()]
    with fl.ThreadPool(3) as pool:
        for gate in gates:
            pool.submit(gate)
            assert gate.entered.wait(BOUND)
        for gate in gates:
            gate.open.set()
        until(lambda: "0 of 3 workers busy" in repr(pool), "two idle workers")
        meet = threading.Barrier(3)
        tasks = [pool.submit(meet.wait, BOUND) for _ in range(3)]
        assert sorted(task.result(BOUND) for task in tasks) == [0, 1, 2]
