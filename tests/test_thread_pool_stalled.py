"""Workers that wait for calls of their pool by other means than a join.

The end of a scope, a coroutine, and the functions of ``concurrent.futures``.

Not here: joins, which `tests/test_thread_pool_nested.py` has.
"""

import asyncio
import concurrent.futures as stock
import threading
from collections.abc import Iterator

import pytest

import fearless as fl
from tests.support.blocking import Gate
from tests.support.loops import Run, gather, run_asyncio
from tests.support.pools import stalled
from tests.support.until import BOUND, until

pytestmark = pytest.mark.guarantee("thread_pool", "async")
STARVED = "every worker of the pool would wait for a task of the pool"


@pytest.fixture
def pool() -> Iterator[fl.ThreadPool]:
    """Make a pool of two workers."""
    with fl.ThreadPool(2) as made:
        yield made


class Chain:
    """A task of a scope, on the second worker, that joins a call of others which is in the queue behind it."""

    def __init__(self, pool: fl.ThreadPool) -> None:
        """Bring the pool to where the first worker has yet to leave its scope."""
        self.pool = pool
        self.gate = Gate()
        self.others: list[fl.Task[int]] = []
        self.inner: list[fl.Task[int]] = []

    def join_others(self) -> int:
        """Be the task of the scope."""
        self.gate()
        return self.others[0].join()

    def fill(self, scope: fl.Scope) -> None:
        """Submit it, and have the other call queued once it runs."""
        self.inner.append(scope.submit(self.pool, self.join_others))
        assert self.gate.entered.wait(BOUND)
        # By a thread that is no worker, so that it is nobody's own call.
        fl.spawn(lambda: self.others.append(self.pool.submit(abs, -32))).join(BOUND)

    def check(self) -> None:
        """Assert that the join was refused, and then the other call made."""
        with pytest.raises(fl.DeadlockError, match=f"^join: {STARVED}"):
            self.inner[0].result(BOUND)
        assert self.others[0].result(BOUND) == 32


@pytest.mark.parametrize("comes_last", ["scope", "join"])
def test_the_end_of_a_scope_is_a_wait_that_the_pool_sees(pool: fl.ThreadPool, comes_last: str) -> None:
    """It is never the one that is refused: a scope does not end before its tasks."""
    chain = Chain(pool)

    def leave() -> None:
        with fl.scope() as scope:
            chain.fill(scope)
            if comes_last == "scope":
                chain.gate.open.set()
                until(lambda: stalled(pool) == 1, "a task that joins")

    task = pool.submit(leave)
    if comes_last == "join":
        until(lambda: stalled(pool) == 1, "a scope that is left")
        chain.gate.open.set()
    failure = task.exception(BOUND)
    assert isinstance(failure, ExceptionGroup)
    assert [type(error) for error in failure.exceptions] == [fl.DeadlockError]
    chain.check()


def test_the_end_of_a_run_of_par_is_one_as_well(pool: fl.ThreadPool) -> None:
    """A worker waits there for the helper that another worker runs."""
    helps, queued = fl.Event(), fl.Event()
    others: list[fl.Task[int]] = []

    def run() -> list[int]:
        runner = threading.get_ident()

        def stage(item: int) -> int:
            if threading.get_ident() == runner:
                helps.wait(BOUND)
                return item
            helps.set()
            queued.wait(BOUND)
            return others[0].join()

        return pool.par(range(2), chunk=1).map(stage).collect()

    task = pool.submit(run)
    helps.wait(BOUND)
    others.append(pool.submit(abs, -32))
    queued.set()
    with pytest.raises(fl.DeadlockError, match=f"^join: {STARVED}"):
        task.result(BOUND)
    assert others[0].result(BOUND) == 32


def test_the_end_of_a_scope_that_has_a_deadline_is_no_deadlock(pool: fl.ThreadPool) -> None:
    """It ends by itself, and with it the waits of its tasks."""
    chain = Chain(pool)

    def leave() -> None:
        with fl.scope(timeout=0.05) as scope:
            chain.fill(scope)
            chain.gate.open.set()

    with pytest.raises(fl.Timeout):
        pool.submit(leave).result(BOUND)
    assert chain.inner[0].cancelled()
    assert chain.others[0].result(BOUND) == 32


def test_a_task_that_comes_while_a_scope_is_left_is_run_by_the_only_worker() -> None:
    """Here a thread of the scope submits it, and joins it."""
    with fl.ThreadPool(1) as pool:
        leaving = fl.Event()
        children: list[fl.Task[int]] = []

        def late(scope: fl.Scope) -> int:
            leaving.wait(BOUND)
            return scope.submit(pool, abs, -32).join(BOUND)

        def leave() -> None:
            with fl.scope() as scope:
                children.append(scope.spawn(late, scope))

        task = pool.submit(leave)
        fl.testing.wait_until_blocked(task)
        leaving.set()
        task.result(BOUND)
        assert children[0].result(BOUND) == 32


def test_such_a_task_is_run_although_another_worker_is_waited_for(pool: fl.ThreadPool) -> None:
    """The one that leaves the scope waits for the other, which joins what it could run itself."""
    gate, queued = Gate(), list[fl.Task[int]]()

    def join() -> int:
        gate()
        return queued[0].join()

    def late(scope: fl.Scope) -> None:
        until(lambda: stalled(pool) == 1, "a scope that is left")
        queued.append(scope.submit(pool, abs, -32))
        gate.open.set()

    def leave() -> int:
        with fl.scope() as scope:
            task = scope.submit(pool, join)
            assert gate.entered.wait(BOUND)
            scope.spawn(late, scope)
        return task.result(BOUND)

    try:
        assert pool.submit(leave).result(BOUND) == 32
    finally:
        gate.open.set()


@pytest.mark.parametrize("wait", ["task", "scope"])
def test_a_coroutine_on_the_last_worker_is_refused(run: Run, wait: str) -> None:
    """It makes no call itself, which would hold up its loop; the end of its scope cancels the queued call."""
    with fl.ThreadPool(1) as pool:
        inner: list[fl.Task[int]] = []

        async def main() -> None:
            if wait == "task":
                inner.append(pool.submit(abs, -32))
                await inner[0]
            else:
                async with fl.scope() as scope:
                    inner.append(scope.submit(pool, abs, -32))

        with pytest.raises(fl.DeadlockError, match=f"^await: {STARVED}"):
            pool.submit(run, main).result(BOUND)
        if wait == "task":
            assert inner[0].result(BOUND) == 32
        else:
            assert inner[0].cancelled()


def test_a_loop_with_many_waits_counts_as_one_worker(pool: fl.ThreadPool, run: Run) -> None:
    """The other worker makes the calls."""

    async def main() -> None:
        async def square(number: int) -> None:
            assert await pool.submit(pow, number, 2) == number**2

        await gather(run, *(lambda number=number: square(number) for number in range(8)))
        async with fl.scope() as scope:
            tasks = [scope.submit(pool, pow, number, 2) for number in range(8)]
        assert [task.result() for task in tasks] == [number**2 for number in range(8)]

    pool.submit(run, main).result(BOUND)
    assert stalled(pool) == 0


@pytest.mark.parametrize("wait", ["task", "scope"])
def test_a_coroutine_whose_scope_has_a_deadline_does_not_count(pool: fl.ThreadPool, run: Run, wait: str) -> None:
    """It ends by itself, and then its worker makes the call that the other waits for."""
    gate, queued = Gate(), fl.Event()
    others: list[fl.Task[int]] = []

    async def main() -> None:
        async with fl.scope(timeout=0.05) as scope:
            if wait == "task":
                await others[0]
            else:
                scope.submit(pool, fl.sleep, 3600)

    def join() -> int:
        gate()
        return others[0].join()

    def bounded() -> None:
        queued.wait(BOUND)
        run(main)

    joins, ends = pool.submit(join), pool.submit(bounded)
    assert gate.entered.wait(BOUND)
    others.append(pool.submit(abs, -32))
    gate.open.set()
    until(lambda: stalled(pool) == 1, "a task that joins")
    queued.set()
    with pytest.raises(fl.Timeout):
        ends.result(BOUND)
    assert joins.result(BOUND) == 32


def test_a_cancelled_coroutine_no_longer_counts() -> None:
    """Its worker goes on, and the call it waited for is made."""
    gate = Gate()
    with fl.ThreadPool(2) as pool:

        async def main() -> "fl.Task[str]":
            task = pool.submit(gate)
            waits = asyncio.create_task(until_ended(task))
            await asyncio.sleep(0)
            assert stalled(pool) == 1
            waits.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waits
            assert stalled(pool) == 0
            return task

        async def until_ended(task: "fl.Task[str]") -> None:
            await task

        task = pool.submit(run_asyncio, main).result(BOUND)
        gate.open.set()
        task.result(BOUND)


def test_the_stock_functions_make_the_calls_that_their_task_has_submitted() -> None:
    """As many as it takes for what they wait for; and none with a timeout."""
    with fl.ThreadPool(1) as pool:

        def outer() -> None:
            tasks = [pool.submit(abs, -number) for number in range(3)]
            done, waits = stock.wait(tasks, timeout=0.01)
            assert (len(done), len(waits)) == (0, 3)
            done, waits = stock.wait(tasks, return_when=stock.FIRST_COMPLETED)
            assert (len(done), len(waits)) == (1, 2)
            done, waits = stock.wait(tasks)
            assert (len(done), len(waits)) == (3, 0)
            more = [pool.submit(abs, -number) for number in range(4)]
            ended = [sum(task.done() for task in more) for task in stock.as_completed(more)]
            assert ended == [1, 2, 3, 4]
            failing, own = pool.submit(int, "x"), pool.submit(int)
            _, waits = stock.wait([failing, own], return_when=stock.FIRST_EXCEPTION)
            assert waits <= {own}
            assert isinstance(failing.exception(), ValueError)

        pool.submit(outer).result(BOUND)
