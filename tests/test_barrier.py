"""`Barrier`: who meets whom, the action, and what breaks it; tasks.

Not here: what all blocking calls have in common (`tests/generic/`).
"""

import asyncio
import gc
import pickle
import random
import threading
import time
import weakref
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.items import Marker
from tests.support.loops import run_asyncio, until_async
from tests.support.until import BOUND, until

BUILDS = pytest.mark.guarantee("barrier", "both builds")
ASYNC = pytest.mark.guarantee("barrier", "async")


def waits(barrier: fl.Barrier, count: int = 1) -> bool:
    """Whether so many have arrived and wait."""
    return barrier.n_waiting == count


def ended(call: Any, *arguments: object) -> str:
    """How a call ended: the class of its error, or `passed`."""
    try:
        call(*arguments)
    except (fl.FearlessError, ZeroDivisionError) as error:
        return type(error).__name__
    return "passed"


class TestMeeting:
    @BUILDS
    @pytest.mark.usefixtures("quick_switches")
    def test_nobody_goes_on_before_all_have_come(self, spawn: Spawn) -> None:
        """Meeting after meeting; each time one is first, one second, and so on."""
        barrier, begun = fl.Barrier(4), fl.AtomicInt(0)

        def work() -> list[int]:
            places = []
            for meeting in range(1, 301):
                begun.add(1)
                places.append(barrier.wait(BOUND))
                assert begun.load() >= 4 * meeting
            return places

        threads = [spawn(work) for _ in range(4)]
        places = [thread.join() for thread in threads]

        assert all(sorted(meeting) == [0, 1, 2, 3] for meeting in zip(*places, strict=True))
        assert barrier.stats() == {"passed": 300, "waiting": 0}

    def test_the_index_tells_who_came_first(self, spawn: Spawn) -> None:
        """Who gets 0 may do what only one should."""
        barrier = fl.Barrier(3)
        first = spawn(barrier.wait)
        until(lambda: waits(barrier))
        second = spawn(barrier.wait)
        until(lambda: waits(barrier, 2))

        assert (barrier.wait(), first.join(), second.join()) == (2, 0, 1)

    def test_alone_one_never_waits(self) -> None:
        """With one party each arrival is the last."""
        barrier = fl.Barrier(1)

        assert [barrier.wait(), barrier.wait(0)] == [0, 0]
        assert barrier.stats() == {"passed": 2, "waiting": 0}

    def test_its_state_can_be_read(self, spawn: Spawn) -> None:
        """For whoever looks at a program that stands still."""
        barrier = fl.Barrier(3)
        blocked = spawn(ended, barrier.wait)
        until(lambda: waits(barrier))
        assert (barrier.parties, barrier.n_waiting, barrier.broken) == (3, 1, False)
        assert repr(barrier) == "<Barrier 1 of 3 waiting>"
        barrier.abort()
        blocked.join()
        assert (barrier.n_waiting, barrier.broken) == (0, True)
        assert repr(barrier) == "<Barrier broken, 0 of 3 waiting>"

    @pytest.mark.parametrize("wrong", [0, -1, True, 1.5, None, 2**63])
    def test_a_wrong_number_of_parties_is_refused(self, wrong: int) -> None:
        """With the rule and the value."""
        with pytest.raises((TypeError, ValueError), match="n must be") as caught:
            fl.Barrier(wrong)
        assert repr(wrong) in str(caught.value)

    def test_it_cannot_be_pickled(self) -> None:
        """But referred to weakly."""
        barrier = fl.Barrier(1)
        with pytest.raises(TypeError, match="a Barrier cannot be pickled"):
            pickle.dumps(barrier)
        assert weakref.ref(barrier)() is barrier


class TestAction:
    @BUILDS
    def test_it_is_called_once_a_meeting_before_anybody_goes_on(self, spawn: Spawn) -> None:
        """By the last that came."""
        calls: list[int] = []
        barrier = fl.Barrier(3, lambda: calls.append(threading.get_ident()))

        def work() -> list[tuple[int, int]]:
            return [(barrier.wait(BOUND), len(calls)) for _ in range(100)]

        threads = [spawn(work) for _ in range(3)]
        seen = [thread.join() for thread in threads]

        for meeting, parties in enumerate(zip(*seen, strict=True), start=1):
            assert sorted(index for index, _ in parties) == [0, 1, 2]
            assert all(meeting <= count for _, count in parties)
            (last,) = [thread.ident for thread, (index, _) in zip(threads, parties, strict=True) if index == 2]
            assert calls[meeting - 1] == last

    def test_its_failure_breaks_the_barrier(self, spawn: Spawn) -> None:
        """Who called it gets the error, the others that the barrier is broken."""
        barrier = fl.Barrier(2, lambda: 1 // 0)
        blocked = spawn(ended, barrier.wait)
        until(lambda: waits(barrier))

        assert ended(barrier.wait) == "ZeroDivisionError"
        assert blocked.join() == "BrokenBarrierError"
        assert ended(barrier.wait) == "BrokenBarrierError"

    @BUILDS
    @pytest.mark.usefixtures("quick_switches")
    def test_actions_never_overlap(self, spawn: Spawn) -> None:
        """Also when more threads than parties come by."""
        inside, most = fl.AtomicInt(0), list[int]()

        def action() -> None:
            most.append(inside.fetch_add(1) + 1)
            inside.add(-1)

        barrier = fl.Barrier(2, action)

        def work() -> None:
            while ended(barrier.wait, BOUND) == "passed":
                pass

        threads = [spawn(work) for _ in range(5)]
        until(lambda: barrier.stats()["passed"] >= 600)
        barrier.abort()
        for thread in threads:
            thread.join()

        assert set(most) == {1}

    def test_a_deadline_during_the_action_breaks_the_barrier(self, spawn: Spawn) -> None:
        """For all: the parties agree."""
        begun, go_on = threading.Event(), threading.Event()

        def action() -> None:
            begun.set()
            assert go_on.wait(BOUND)

        barrier = fl.Barrier(2, action)
        scopes: list[fl.Scope] = []

        def party() -> None:
            with fl.scope() as scope:
                scopes.append(scope)
                barrier.wait()

        gives_up = spawn(party)
        until(lambda: waits(barrier))
        leads = spawn(ended, barrier.wait)
        assert begun.wait(BOUND)
        scopes[0].cancel()
        gives_up.join()
        assert barrier.broken
        go_on.set()

        assert leads.join() == "BrokenBarrierError"

    def test_a_reset_during_the_action_is_no_pass(self, spawn: Spawn) -> None:
        """The next meeting is a new one."""
        calls: list[int] = []

        def action() -> None:
            calls.append(1)
            if len(calls) == 1:
                barrier.reset()

        barrier = fl.Barrier(2, action)
        blocked = spawn(ended, barrier.wait)
        until(lambda: waits(barrier))

        assert ended(barrier.wait) == "BrokenBarrierError"
        assert blocked.join() == "BrokenBarrierError"
        blocked = spawn(ended, barrier.wait)
        until(lambda: waits(barrier))
        assert ended(barrier.wait) == "passed"
        assert blocked.join() == "passed"

    def test_it_has_to_be_callable(self) -> None:
        """Said at once, not at the first meeting."""
        with pytest.raises(TypeError, match=r"^action must be callable, got 5$"):
            fl.Barrier(2, 5)  # type: ignore[arg-type]  # that is the point


class TestBroken:
    def test_the_error_is_that_of_threading_too(self) -> None:
        """For programs that catch it."""
        barrier = fl.Barrier(2)
        barrier.abort()
        with pytest.raises(threading.BrokenBarrierError, match=r"^wait: the barrier is broken") as caught:
            barrier.wait()
        assert isinstance(caught.value, fl.BrokenBarrierError)
        assert isinstance(caught.value, fl.FearlessError)

    @pytest.mark.parametrize("call", ["abort", "reset"])
    def test_abort_and_reset_end_all_waits(self, call: str, spawn: Spawn) -> None:
        """After an abort the barrier is broken, after a reset it is as it was at first."""
        barrier = fl.Barrier(4)
        blocked = [spawn(ended, barrier.wait) for _ in range(3)]
        until(lambda: waits(barrier, 3))

        getattr(barrier, call)()

        assert [thread.join() for thread in blocked] == ["BrokenBarrierError"] * 3
        assert barrier.broken is (call == "abort")
        assert barrier.n_waiting == 0

    def test_reset_mends_it(self, spawn: Spawn) -> None:
        """For the next meeting."""
        barrier = fl.Barrier(2)
        barrier.abort()
        assert ended(barrier.wait, 0) == "BrokenBarrierError"
        barrier.reset()
        blocked = spawn(barrier.wait)
        until(lambda: waits(barrier))

        assert barrier.wait() == 1
        assert blocked.join() == 0

    @pytest.mark.guarantee("barrier", "timeout")
    def test_who_runs_out_of_time_breaks_it_for_all(self, spawn: Spawn) -> None:
        """It gets `Timeout` itself."""
        barrier = fl.Barrier(3)
        blocked = spawn(ended, barrier.wait)
        until(lambda: waits(barrier))

        assert ended(barrier.wait, 0.001) == "Timeout"

        assert blocked.join() == "BrokenBarrierError"
        assert barrier.broken

    @pytest.mark.guarantee("barrier", "timeout")
    def test_who_will_not_wait_at_all_has_not_arrived(self, spawn: Spawn) -> None:
        """And breaks nothing."""
        barrier = fl.Barrier(3)
        blocked = [spawn(barrier.wait) for _ in range(1)]
        until(lambda: waits(barrier))
        assert ended(barrier.wait, 0) == "Timeout"
        assert (barrier.broken, barrier.n_waiting) == (False, 1)
        blocked.append(spawn(barrier.wait))
        until(lambda: waits(barrier, 2))

        assert barrier.wait(0) == 2
        assert sorted(thread.join() for thread in blocked) == [0, 1]

    @pytest.mark.guarantee("barrier", "cancel")
    def test_who_is_cancelled_breaks_it_for_all(self, spawn: Spawn) -> None:
        """Those in other scopes need not wait for ever."""
        barrier = fl.Barrier(3)
        scopes: list[fl.Scope] = []

        def party() -> None:
            with fl.scope() as scope:
                scopes.append(scope)
                barrier.wait()

        blocked, cancelled = spawn(ended, barrier.wait), spawn(party)
        until(lambda: waits(barrier, 2))

        scopes[0].cancel()

        cancelled.join()
        assert blocked.join() == "BrokenBarrierError"


@pytest.mark.guarantee("barrier", "GC")
class TestCollection:
    def test_an_action_that_refers_to_its_barrier_is_collected(self) -> None:
        """The collector sees the action."""

        class Action(Marker):
            def __call__(self) -> None: ...

        action = Action()
        action.holds.append(fl.Barrier(1, action))
        gone = weakref.ref(action)

        del action
        until(lambda: gc.collect() is not None and gone() is None)

    def test_a_task_that_waits_at_a_barrier_nobody_has_is_collected(self) -> None:
        """As long as somebody has the barrier, it lives."""

        async def main() -> None:
            kept = [fl.Barrier(2)]
            task = asyncio.ensure_future(kept[0].wait_async())
            await until_async(run_asyncio, lambda: waits(kept[0]))
            seen = weakref.ref(task)
            asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # a task that was destroyed
            del task
            gc.collect()
            assert seen() is not None
            kept.clear()
            await until_async(run_asyncio, lambda: gc.collect() is not None and seen() is None)

        run_asyncio(main)


@pytest.mark.stress
@BUILDS
@pytest.mark.usefixtures("quick_switches")
def test_the_parties_agree_on_every_meeting(stress_seconds: float, spawn: Spawn) -> None:
    """Some run out of time; then no party of that meeting goes on, and the next meeting begins with a reset."""
    end, rounds = time.monotonic() + stress_seconds, 0
    barrier, chance = fl.Barrier(3), random.Random(1)  # noqa: S311 - a repeatable choice, no secret
    seen = set()
    while rounds < 50 or time.monotonic() < end:
        rounds += 1
        hasty = chance.choice([1e-4, 5e-4, BOUND])
        threads = [
            spawn(ended, barrier.wait, BOUND),
            spawn(ended, barrier.wait, hasty),
            spawn(ended, barrier.wait, BOUND),
        ]
        outcomes = sorted(thread.join() for thread in threads)
        assert outcomes in (["passed"] * 3, ["BrokenBarrierError"] * 2 + ["Timeout"], ["BrokenBarrierError"] * 3), (
            outcomes
        )
        assert barrier.broken == ("passed" not in outcomes)
        seen.add(outcomes[0])
        barrier.reset()
        assert barrier.n_waiting == 0
    assert "passed" in seen
