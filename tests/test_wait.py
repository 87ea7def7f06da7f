"""The waiting door: `sleep`, `checkpoint`, the clock of all waiting, its warning, and where the module loads.

Not here: what holds for every call that waits (`tests/generic`).
"""

import asyncio
import re
import sys
import threading
import time
import warnings
from collections.abc import Callable

import pytest
import trio

import fearless as fl
from fearless import _native
from tests.plugins.threads import Spawn
from tests.programs import subinterpreters as programs
from tests.support.blocking import Gate
from tests.support.pools import blocked_submitters
from tests.support.process import succeed
from tests.support.until import BOUND, blocked, blocked_receivers, in_join, until, waiting

WAIT = 0.02  # seconds that a call waits here; only a lower bound is ever asserted


class TestSleep:
    @pytest.mark.parametrize("seconds", [WAIT, 0, 0.001])
    def test_it_lasts_at_least_as_long_as_asked(self, seconds: float) -> None:
        """Any number of seconds will do."""
        begun = time.monotonic()
        fl.sleep(seconds)
        assert time.monotonic() - begun >= seconds

    @pytest.mark.parametrize("wrong", [-1, -0.5, float("-inf"), float("nan"), -(10**30)])
    def test_what_is_no_length_of_time_is_refused(self, wrong: float) -> None:
        """With the rule and the value."""
        with pytest.raises(ValueError, match=rf"^seconds must be a number >= 0, got {wrong}$"):
            fl.sleep(wrong)

    @pytest.mark.parametrize("wrong", [None, "1", [1]])
    def test_what_is_no_number_is_a_type_error(self, wrong: object) -> None:
        """Also `None`: nobody would ever wake it."""
        with pytest.raises(TypeError, match=rf"^seconds must be a number >= 0, got {re.escape(repr(wrong))}$"):
            fl.sleep(wrong)  # type: ignore[arg-type]  # that is the point

    @pytest.mark.parametrize(
        "wait",
        [
            lambda timeout: fl.Event().wait(timeout=timeout),
            lambda timeout: fl.scope(timeout).__enter__(),
            lambda timeout: fl.ThreadPool(1).map(len, [], timeout=timeout),
        ],
    )
    def test_a_timeout_that_is_no_number_is_named_with_its_rule(self, wait: Callable[[object], object]) -> None:
        """Whether the native half reads it or Python does."""
        with pytest.raises(TypeError, match=r"^timeout must be None or a number of seconds >= 0, got '1'$"):
            wait("1")

    @pytest.mark.guarantee("scope", "cancel")
    @pytest.mark.parametrize("seconds", [3600, float("inf"), 1e300, 10**400], ids=["hour", "inf", "1e300", "10**400"])
    def test_however_long_it_ends_with_its_scope(self, seconds: float, spawn: Spawn) -> None:
        """More than the clock can hold is for ever."""
        scopes = list[fl.Scope]()

        def work() -> None:
            with fl.scope() as scope:
                scopes.append(scope)
                fl.sleep(seconds)

        sleeper = spawn(work)
        until(lambda: blocked(sleeper.ident))
        scopes[0].cancel()
        sleeper.join()


@pytest.mark.guarantee("scope", "cancel")
class TestCheckpoint:
    def test_it_raises_only_in_a_cancelled_scope(self) -> None:
        """Every time; outside every scope it does nothing."""
        fl.checkpoint()
        with fl.scope() as scope:
            fl.checkpoint()
            scope.cancel()
            for _ in range(2):
                with pytest.raises(fl.Cancelled):
                    fl.checkpoint()
        fl.checkpoint()

    @pytest.mark.guarantee("scope", "timeout")
    def test_a_computation_that_never_waits_ends_at_the_deadline(self) -> None:
        """Nobody has to cancel the scope: the checkpoint itself looks at the clock."""
        limit = time.monotonic() + BOUND

        def compute() -> None:
            while time.monotonic() < limit:
                fl.checkpoint()

        with pytest.raises(fl.Timeout), fl.scope(WAIT):
            compute()
        with pytest.raises(fl.Timeout), fl.scope(WAIT) as scope:
            scope.spawn(compute)
        assert time.monotonic() < limit


def lock() -> None:
    """Wait for a mutex."""
    mutex = fl.Mutex(1)
    held, gate = threading.Event(), threading.Event()

    def hold() -> None:
        with mutex:
            held.set()
            assert gate.wait(BOUND)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(BOUND)
    with pytest.raises(fl.Timeout):
        mutex.lock(WAIT)
    gate.set()
    holder.join()


def channel() -> None:
    """Wait for an item."""
    tx, rx = fl.channel(1)
    with tx, rx, pytest.raises(fl.Timeout):
        rx.recv(WAIT)


def join() -> None:
    """Wait for a task."""
    with pytest.raises(fl.Timeout):
        fl.Task[int]().join(WAIT)


def scope() -> None:
    """Wait for the end of a scope."""
    here = threading.get_ident()

    def end_late() -> None:
        until(lambda: in_join(here))
        fl.sleep(WAIT)

    with fl.scope() as waited:
        waited.spawn(end_late)


def sleep() -> None:
    """Wait for the clock."""
    fl.sleep(WAIT)


def pool() -> None:
    """Wait for a worker to have room."""
    gate = Gate()
    with fl.ThreadPool(1, backlog=1) as busy:
        busy.submit(gate)
        assert gate.entered.wait(BOUND)
        busy.submit(int)

        def make_room_late() -> None:
            until(lambda: blocked_submitters(busy) == 1)
            fl.sleep(WAIT)
            gate.open.set()

        late = fl.spawn(make_room_late)
        busy.submit(int)
        late.join(BOUND)


KINDS = {
    *("lock", "channel", "pool", "join", "scope", "sleep"),
    *("condvar", "semaphore", "barrier", "latch", "event", "once", "atomic"),
}


class TestClock:
    @pytest.mark.parametrize("wait", [lock, channel, join, scope, sleep, pool], ids=lambda wait: wait.__name__)
    def test_it_counts_the_seconds_of_each_kind_of_wait(self, wait: Callable[[], None]) -> None:
        """Also of a wait that failed. What others wait for meanwhile is counted under its own kind."""
        kind = wait.__name__
        before = _native.waiting()
        wait()
        after = _native.waiting()

        assert set(after) == KINDS
        assert after[kind] - before[kind] >= 0.9 * WAIT
        assert all(after[other] >= before[other] for other in after)

    def test_every_thread_is_counted(self, spawn: Spawn) -> None:
        """Waiting adds up over threads, so it can be more than has passed."""
        tx, rx = fl.channel(1)
        before = _native.waiting()["channel"]
        blocked = [spawn(rx.recv, WAIT) for _ in range(4)]
        for thread in blocked:
            with pytest.raises(fl.Timeout):
                thread.join()
        tx.close()
        rx.close()

        assert _native.waiting()["channel"] - before >= 0.9 * 4 * WAIT

    def test_a_call_that_need_not_wait_is_not_counted(self) -> None:
        """The door is not even asked."""
        mutex, before = fl.Mutex(1), _native.waiting()["lock"]
        for _ in range(1000):
            with mutex as guard:
                guard.value += 1
            mutex.copy()

        assert _native.waiting()["lock"] == before


def test_waiting_burns_no_processor_time(spawn: Spawn) -> None:
    """Threads that wait are asleep, the main thread between its looks at signals, too."""
    tx, rx = fl.channel(1)
    blocked = [spawn(rx.recv) for _ in range(4)]
    until(lambda: blocked_receivers(rx) == 4)
    used = time.process_time()
    fl.sleep(0.4)
    used = time.process_time() - used
    tx.close()
    for thread in blocked:
        with pytest.raises(fl.Closed):
            thread.join()
    rx.close()

    assert used < 0.2


class TestEventLoop:
    def in_loop(self, work: Callable[[], None]) -> list[warnings.WarningMessage]:
        """Do the work in a coroutine and return what it was warned about, once per place."""

        async def main() -> None:
            work()

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            asyncio.run(main())
        return caught

    def test_a_wait_beside_the_tasks_of_a_loop_warns_once_per_place(self) -> None:
        """At the line of the call."""
        tx, rx = fl.channel(1)

        def recv() -> None:
            for _ in range(3):
                with pytest.raises(fl.Timeout):
                    rx.recv(0.001)

        (warning,) = self.in_loop(recv)
        tx.close()
        rx.close()

        assert warning.category is RuntimeWarning
        assert "a blocking call of fearless waits on a thread that runs an event loop" in str(warning.message)
        assert warning.filename == __file__
        first = recv.__code__.co_firstlineno
        assert first < warning.lineno <= first + 3

    def test_the_place_is_the_line_of_the_user_also_where_python_of_ours_waits(self) -> None:
        """Each of two blocks is told of; both wait in the same line of the pool's module."""
        places: list[int] = []

        def work() -> None:
            for pool in (fl.ThreadPool(1), fl.ThreadPool(1)):
                pool.submit(fl.sleep, WAIT)
                places.append(sys._getframe().f_lineno + 1)
                pool.shutdown()
            with fl.ThreadPool(1) as pool:
                places.append(sys._getframe().f_lineno - 1)
                pool.submit(fl.sleep, WAIT)

        caught = self.in_loop(work)

        assert {(warning.filename, warning.lineno) for warning in caught} == {(__file__, line) for line in places}
        assert len(caught) == 2

    def test_a_call_that_need_not_wait_does_not_warn(self) -> None:
        """Nothing stands still."""
        tx, rx = fl.channel(1)
        mutex = fl.Mutex(1)

        def work() -> None:
            tx.send(1)
            assert rx.recv() == 1
            assert mutex.update(lambda value: value + 1) == 2
            fl.sleep(0)
            fl.checkpoint()

        assert self.in_loop(work) == []
        tx.close()
        rx.close()

    def test_a_thread_beside_the_loop_waits_without_a_warning(self) -> None:
        """Only the loop's own thread is meant."""
        tx, rx = fl.channel(1)

        async def main() -> object:
            received = asyncio.get_running_loop().run_in_executor(None, rx.recv)
            await asyncio.to_thread(until, lambda: blocked_receivers(rx) == 1)
            tx.send("came")
            return await received

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert asyncio.run(main()) == "came"
        tx.close()
        rx.close()

    def test_a_warning_that_is_an_error_ends_the_call(self) -> None:
        """Which has then done nothing, and nobody waits any more."""
        tx, rx = fl.channel(1)
        gate, entered, mutex = threading.Event(), threading.Event(), fl.Mutex(1)

        def hold() -> None:
            with mutex:
                entered.set()
                assert gate.wait(BOUND)

        holder = threading.Thread(target=hold)
        holder.start()
        assert entered.wait(BOUND)

        async def main() -> None:
            for call in (rx.recv, mutex.lock, lambda: fl.sleep(3600), fl.Task[int]().join):
                with pytest.raises(RuntimeWarning, match="a blocking call of fearless"):
                    call()

        asyncio.run(main())  # warnings are errors in this suite
        assert (blocked_receivers(rx), waiting(mutex)) == (0, 0)
        gate.set()
        holder.join()
        assert mutex.copy() == 1
        tx.send("later")
        assert rx.recv() == "later"
        tx.close()
        rx.close()

    def test_locking_what_another_task_of_the_loop_holds_is_a_deadlock(self) -> None:
        """The loop could never run the holder."""
        mutex = fl.Mutex(1)

        async def hold(entered: asyncio.Event, leave: asyncio.Event) -> None:
            with mutex:
                entered.set()
                await leave.wait()

        async def main() -> None:
            entered, leave = asyncio.Event(), asyncio.Event()
            holder = asyncio.ensure_future(hold(entered, leave))
            await entered.wait()
            with pytest.raises(fl.DeadlockError):
                mutex.lock()
            leave.set()
            await holder

        asyncio.run(main())
        assert mutex.copy() == 1

    def test_a_loop_of_trio_is_seen_too(self) -> None:
        """While it runs."""

        async def main() -> None:
            with pytest.raises(RuntimeWarning, match="a blocking call of fearless"):
                fl.sleep(WAIT)

        trio.run(main)
        fl.sleep(WAIT)


@pytest.mark.parametrize(
    ("program", "main_first"), [(programs.import_beside_first, False), (programs.import_beside_second, True)]
)
def test_a_subinterpreter_is_refused(program: Callable[[], None], main_first: bool) -> None:  # noqa: FBT001 - of pytest
    """Every time, of every kind, with an error of ours; the main interpreter is served, before or after."""
    lines = succeed(program).splitlines()
    refused = ["refused: fearless works in the main interpreter only, not in a subinterpreter"]
    attempts = refused * 2 * len(programs._configurations())

    assert lines == (["main", *attempts] if main_first else [*attempts, "main"])
