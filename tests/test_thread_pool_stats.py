"""`ThreadPool.stats`, and `map` with `ordered=False`.

Not here: the share of time in figures, which the core's tests compute with times of their own.
"""

import contextlib
import gc
import itertools
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures.thread import BrokenThreadPool

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.blocking import Gate
from tests.support.pools import stalled
from tests.support.until import BOUND, blocked, until, waiting


def counts(pool: fl.ThreadPool) -> tuple[int, int, int, int, int, int]:
    """All but the share of time, which must be one."""
    now = pool.stats()
    assert 0.0 <= now["busy"] <= 1.0
    return now["workers"], now["idle"], now["running"], now["queued"], now["waiting"], now["done"]


@contextlib.contextmanager
def closed_gates() -> Iterator[list[Gate]]:
    """Three gates, open when the block is left: inside that of a pool, which then ends whatever failed."""
    gates = [Gate() for _ in range(3)]
    try:
        yield gates
    finally:
        for gate in gates:
            gate.open.set()


class TestStats:
    def test_they_count_workers_tasks_and_submitters(self, spawn: Spawn) -> None:
        """From the making of the pool to its end; a task that was cancelled in the queue is done, too."""
        with fl.ThreadPool(2, backlog=1) as pool, closed_gates() as gates:
            assert pool.stats() == {
                "workers": 0, "idle": 0, "running": 0, "queued": 0, "waiting": 0, "done": 0, "busy": 0.0,
            }  # fmt: skip
            for gate in gates[:2]:
                pool.submit(gate)
                assert gate.entered.wait(BOUND)
            assert counts(pool) == (2, 0, 2, 0, 0, 0)
            assert pool.stats()["busy"] == 1.0  # nobody ever slept
            queued = pool.submit(int)
            submitter = spawn(pool.submit, gates[2])
            until(lambda: waiting(pool) == 1, "a submitter that waits")
            assert counts(pool) == (2, 0, 2, 1, 1, 0)

            queued.cancel()
            gates[0].open.set()
            assert gates[2].entered.wait(BOUND)
            assert counts(pool) == (2, 0, 2, 0, 0, 2)
            submitter.join(BOUND)
            gates[1].open.set()
            until(lambda: counts(pool) == (2, 1, 1, 0, 0, 3), "an idle worker")
            gates[2].open.set()
            until(lambda: counts(pool) == (2, 2, 0, 0, 0, 4), "two idle workers")
            asleep = pool.stats()["busy"]
            until(lambda: pool.stats()["busy"] < asleep, "time that counts for those who sleep")
        ended = pool.stats()
        assert (counts(pool), pool.stats()) == ((0, 0, 0, 0, 0, 4), ended)

    def test_each_submitter_that_waits_learns_of_a_broken_pool(self, spawn: Spawn) -> None:
        """By an error of its own; nobody is left behind."""
        gate = Gate()

        def prepare() -> None:
            gate()
            raise ValueError("not today")

        pool = fl.ThreadPool(1, backlog=1, initializer=prepare)
        tasks = [pool.submit(int), pool.submit(int)]

        def submit() -> BaseException:
            with pytest.raises(BrokenThreadPool, match="an initializer of the pool failed") as failed:
                pool.submit(int)
            return failed.value

        submitters = [spawn(submit) for _ in range(3)]
        until(lambda: waiting(pool) == 3, "three submitters that wait")
        gate.open.set()
        assert len({id(submitter.join(BOUND)) for submitter in submitters}) == 3
        assert all(isinstance(task.exception(BOUND), BrokenThreadPool) for task in tasks)
        pool.shutdown()
        assert counts(pool) == (0, 0, 0, 0, 0, 0)


class TestAsTheyEnd:
    def test_a_slow_call_holds_up_no_other(self) -> None:
        """Results come in the order in which calls end, also when nobody waits yet; a buffer bounds what is ahead."""
        pulled: list[int] = []

        def numbers() -> Iterator[int]:
            for number in itertools.count():
                pulled.append(number)
                yield number

        def work(number: int) -> int:
            if number in (0, 2):
                gates[number]()
            return number

        with (
            fl.ThreadPool(2) as pool,
            closed_gates() as gates,
        ):  # the second gate is entered by the worker that made the call between
            results = pool.map(work, numbers(), ordered=False, buffersize=3)
            assert gates[2].entered.wait(BOUND)
            assert len(pulled) == 3
            until(lambda: pool.stats()["done"] == 1)
            gates[2].open.set()
            until(lambda: pool.stats()["done"] == 2)
            assert [next(results) for _ in range(2)] == [1, 2]
            assert [next(results) for _ in range(20)] == list(range(3, 23))
            assert len(pulled) == 25
            gates[0].open.set()
            until(lambda: pool.stats()["done"] == 25)
            assert 0 in [next(results) for _ in range(3)]
            results.close()  # type: ignore[attr-defined]  # a generator

    def test_a_failure_is_raised_when_it_comes_and_cancels_the_rest(self) -> None:
        """Before the result of a call that still runs."""
        ran: list[int] = []
        with fl.ThreadPool(2) as pool, closed_gates() as gates:
            calls: list[Callable[[], object]] = [gates[0], lambda: int("x"), gates[1], lambda: ran.append(1)]
            results = pool.map(lambda call: call(), calls, ordered=False)
            assert gates[1].entered.wait(BOUND)
            with pytest.raises(ValueError, match="invalid literal"):
                next(results)
            gates[0].open.set()
            gates[1].open.set()
        assert ran == []

    @pytest.mark.parametrize("is_cancelled", [False, True])
    def test_its_wait_ends_by_timeout_and_by_cancellation(self, spawn: Spawn, *, is_cancelled: bool) -> None:
        """What has not begun then never does."""
        ran: list[int] = []
        with fl.ThreadPool(1) as pool, closed_gates() as gates:
            pool.submit(gates[0])
            results = pool.map(ran.append, [1, 2], ordered=False, timeout=None if is_cancelled else 0)
            if is_cancelled:
                me = threading.get_ident()
                with fl.scope() as scope:

                    def cancel() -> None:
                        until(lambda: blocked(me), "an iterator that waits")
                        scope.cancel()

                    canceller = spawn(cancel)
                    next(results)
                canceller.join(BOUND)
            else:
                with pytest.raises(fl.Timeout, match="no task ended within the timeout"):
                    next(results)
            gates[0].open.set()
        assert ran == []

    def test_a_task_of_the_pool_makes_the_calls_itself(self) -> None:
        """Those that nobody has begun, so that it needs no other worker; and it waits for those that others make."""
        with fl.ThreadPool(2, backlog=1) as pool, closed_gates() as gates:

            def outer() -> list[object]:
                results = pool.map(lambda call: call(), [gates[0], int, list, gates[0].open.set], ordered=False)
                assert gates[0].entered.wait(BOUND)
                return list(results)

            first, second, *rest = pool.submit(outer).result(BOUND)
            assert (first, second, {*rest}) == (0, [], {None, "through"})
        with fl.ThreadPool(1) as pool:
            got = pool.submit(lambda: list(pool.map(abs, [-1, 2, -3], ordered=False, buffersize=1)))
            assert got.result(BOUND) == [1, 2, 3]

    def test_a_slow_call_holds_up_no_other_on_a_worker_either(self) -> None:
        """Where others make all the calls."""
        with fl.ThreadPool(3) as pool, closed_gates() as gates:

            def outer() -> list[int]:
                results = pool.map(lambda number: (gates[number](), number)[1], [0, 1], ordered=False)
                assert gates[0].entered.wait(BOUND)
                assert gates[1].entered.wait(BOUND)
                gates[1].open.set()
                first = next(results)
                gates[0].open.set()
                return [first, *results]

            assert pool.submit(outer).result(BOUND) == [1, 0]

    def test_its_wait_on_the_last_worker_is_refused(self) -> None:
        """The call that it waits for joins one that nobody is left to make."""
        with fl.ThreadPool(2) as pool:
            queued, others = fl.Event(), list[fl.Task[int]]()

            def inner(_: int) -> int:
                queued.wait(BOUND)
                return others[0].join()

            def outer() -> list[int]:
                results = pool.map(inner, [0], ordered=False)
                queued.wait(BOUND)
                until(lambda: stalled(pool) == 1, "a call that joins")
                return list(results)

            task = pool.submit(outer)
            until(lambda: pool.stats()["running"] == 2, "both workers busy")
            others.append(pool.submit(abs, -32))
            queued.set()
            with pytest.raises(fl.DeadlockError, match=r"^result: every worker of the pool would wait for a task"):
                task.result(BOUND)
            assert others[0].result(BOUND) == 32

    def test_it_keeps_neither_pool_nor_results(self) -> None:
        """An iterator that was begun and kept, and one that was never begun."""

        class Result:
            """Can be referred to weakly."""

        pool = fl.ThreadPool(1)
        kept, unused = (pool.map(lambda _: Result(), range(9), ordered=False, buffersize=2) for _ in range(2))
        result = weakref.ref(next(kept))
        until(lambda: result() is None, "no result kept")  # the worker lets go of the task a moment later
        threads = list(pool._threads)
        del pool, unused
        gc.collect()
        for thread in threads:
            thread.join(BOUND)
            assert not thread.is_alive()
        with pytest.raises(RuntimeError, match="nobody has kept the pool"):
            next(kept)
