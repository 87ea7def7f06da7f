"""How a pool ends and what it keeps alive: dropping, cycles, fork, the end of the process.

What it does while it lives is in `tests/test_thread_pool.py`.
"""

import gc
import os
import subprocess
import sys
import threading
import weakref
from typing import Any

import pytest

import fearless as fl
from fearless import _exit
from tests.plugins.threads import Spawn
from tests.programs import pools as programs
from tests.support.blocking import Gate
from tests.support.process import ROOT, execute, succeed
from tests.support.until import BOUND, until


class Thing:
    """Something that a weak reference can watch."""


class TestMemory:
    def test_a_dropped_pool_finishes_and_its_workers_end(self) -> None:
        """Nobody has to shut it down."""
        pool = fl.ThreadPool(2)
        tasks = [pool.submit(pow, n, 2) for n in range(50)]
        threads = list(pool._threads)
        del pool
        gc.collect()
        for thread in threads:
            thread.join(BOUND)
            assert not thread.is_alive()
        assert [task.result(0) for task in tasks] == [n**2 for n in range(50)]

    @pytest.mark.guarantee("thread_pool", "GC")
    def test_a_cycle_through_a_pool_is_collected(self) -> None:
        """Through its attributes, and through what is bound in an initializer."""
        thing = Thing()
        pool = fl.ThreadPool(1, initializer=lambda thing=thing: str(thing))
        pool.submit(int).result(BOUND)
        thing.pool = pool  # type: ignore[attr-defined]
        watch, threads = weakref.ref(thing), list(pool._threads)
        del thing, pool
        until(lambda: gc.collect() is not None and watch() is None, "the cycle collected")
        for thread in threads:
            thread.join(BOUND)
            assert not thread.is_alive()

    @pytest.mark.guarantee("thread_pool", "GC")
    def test_what_is_queued_is_not_collected(self, busy: fl.ThreadPool, gate: Gate) -> None:
        """A task that only the queue knows, with arguments in a cycle, keeps them whole."""
        finalized: list[int] = []

        class Cell:
            def __init__(self) -> None:
                self.self = self
                self.value = 1

            def __del__(self) -> None:
                finalized.append(self.value)
                self.value = 0

        tasks = [busy.submit(lambda cell: cell.value, Cell()) for _ in range(20)]
        for _ in range(5):
            gc.collect()
        assert finalized == []
        gate.open.set()
        assert [task.result(BOUND) for task in tasks] == [1] * 20

    def test_an_idle_worker_keeps_neither_task_nor_result(self) -> None:
        """Nor the arguments."""
        with fl.ThreadPool(1) as pool:
            thing = Thing()
            watch = weakref.ref(thing)
            pool.submit(lambda thing: thing, thing).result(BOUND)
            del thing
            until(lambda: gc.collect() is not None and watch() is None, "the argument gone")

    def test_destructors_may_use_the_pool(self, busy: fl.ThreadPool, gate: Gate) -> None:
        """Of arguments that are dropped with a cancelled task."""
        seen: list[fl.Task[int]] = []

        class Nosy:
            def __del__(self) -> None:
                seen.append(busy.submit(pow, 2, 5))

        tasks = [busy.submit(print, Nosy()) for _ in range(10)]
        for task in tasks:
            task.cancel()
        until(lambda: gc.collect() is not None and len(seen) == 10, "ten destructors")
        gate.open.set()
        assert [task.result(BOUND) for task in seen] == [32] * 10


@pytest.mark.fork
@pytest.mark.guarantee("thread_pool", "fork")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
class TestFork:
    WARNED = ("-W", "ignore::DeprecationWarning")  # CPython warns of a fork beside threads

    def test_the_childs_pool_is_empty_and_works(self) -> None:
        """And the parent's goes on."""
        succeed(programs.fork_with_a_busy_pool, options=self.WARNED)

    def test_the_childs_end_finishes_its_tasks(self) -> None:
        """The watch for the end is kept in the child, too."""
        program = f"import {programs.__name__} as p; p.fork_with_an_idle_pool()"
        command = [sys.executable, *self.WARNED, "-c", program]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=BOUND, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "ran in the child\n", "")

    def test_a_worker_that_forks_is_no_worker_in_the_child(self) -> None:
        """It does not wait there for tasks that never come."""
        assert succeed(programs.fork_inside_a_task, options=self.WARNED) == (
            "ran in the child\nthe child ended with 0\n"
        )

    def test_nor_is_it_refused_the_end_of_the_pool_there(self) -> None:
        """It waits for the child's own workers."""
        assert succeed(programs.shut_down_after_a_fork_inside_a_task, options=self.WARNED) == (
            "32\nshut down\nthe child ended with 0\n"
        )

    def test_nor_is_a_worker_whose_initializer_forked(self) -> None:
        """It ends, and the child with it."""
        assert succeed(programs.fork_inside_an_initializer, options=self.WARNED) == "the child ended with 0\n"


@pytest.mark.guarantee("thread_pool", "exit")
class TestExit:
    def test_what_is_queued_is_run(self) -> None:
        """As by the stock executor."""
        output = succeed(programs.exit_with_tasks_queued)
        assert sorted(output.split()) == ["0", "1", "2", "3", "4"]

    def test_what_tasks_have_submitted_is_run(self) -> None:
        """Whether they wait for it or not."""
        assert sorted(succeed(programs.exit_with_nested_submits).split()) == ["0a", "0b", "1a", "1b"]

    def test_an_idle_pool_does_not_keep_the_process(self) -> None:
        """Nobody shuts it down."""
        assert succeed(programs.exit_with_an_idle_pool) == ""

    def test_submitting_after_the_main_thread_is_refused(self) -> None:
        """By an error, not by silence."""
        lines = succeed(programs.submit_after_the_main_thread).splitlines()
        assert len(lines) == 3
        assert all(line.startswith("cannot schedule new futures") for line in lines)

    @pytest.mark.parametrize("rest", [3600.0, 0.02, 0.005])
    def test_ctrl_c_at_exit_ends_the_process(self, rest: float) -> None:
        """At once, and told of, as with the stock executor; also when tasks wake up in the middle of the end."""
        ended = execute(programs.interrupt_at_exit, rest)
        assert (ended.code, ended.output) == (0, "")
        assert "KeyboardInterrupt" in ended.errors


def test_what_watches_over_the_exit_may_be_entered_while_it_notes_a_pool(spawn: Spawn) -> None:
    """By a finalizer that the collector runs there, as the handler of a log that has a pool, or by a signal handler."""
    queue = fl.ThreadPool(1)._queue
    watch = _exit._Watch()
    watch._thread = threading.main_thread()  # so that none is started

    class Queues(weakref.WeakSet[Any]):
        def add(self, item: Any) -> None:
            watch._queues = weakref.WeakSet()
            watch.add(queue)
            watch._queues.add(item)

    watch._queues = Queues()
    spawn(watch.add, queue).join(BOUND / 6)
    assert list(watch._queues) == [queue]


class TestStruckStart:
    """A worker that was to be started and never is: the pool does not wait for it."""

    @pytest.mark.guarantee("thread_pool", "Ctrl-C")
    def test_by_a_signal_handler_before_there_is_a_thread(self) -> None:
        """The call is cancelled; the next one has a worker started."""

        class Pool(fl.ThreadPool):
            strikes = 1

            def _start_worker(self, place: list[Any]) -> None:
                if self.strikes:
                    self.strikes = 0
                    raise KeyboardInterrupt
                super()._start_worker(place)

        pool = Pool(1)
        with pytest.raises(KeyboardInterrupt):
            pool.submit(int)
        assert pool.stats()["workers"] == 0
        assert pool.submit(pow, 2, 5).result(BOUND) == 32
        pool.shutdown()

    def test_by_the_end_of_the_main_thread(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Between it and the end of all pools."""
        pool, over = fl.ThreadPool(1), _exit._Watch()
        over._over = True
        monkeypatch.setattr(_exit, "_watch", over)
        with pytest.raises(RuntimeError, match=r"^cannot schedule new futures: the main thread has ended"):
            pool.submit(int)
        assert pool.stats()["workers"] == 0
        pool.shutdown()
