"""Tasks in the hands of the standard library: among stock futures, and in asyncio's doors to threads.

Holds: what CPython's suites (`conformance`) do not have, as all their futures are of one kind. Not here: `await task`
in general (`test_task_async.py`).
"""

import asyncio
import concurrent.futures as cf
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.blocking import Gate
from tests.support.failing import fail
from tests.support.loops import run_asyncio, turn
from tests.support.until import BOUND, until

KINDS = ("pool", "scope", "spawn", "stock")


class Expected(Exception):
    """What a call fails with."""


class Call:
    """A call that runs until it is let go, and then returns or raises."""

    def __init__(self, start: Callable[[Callable[[], str]], "cf.Future[str]"]) -> None:
        """Return when it runs."""
        self._gate, self._error = Gate(), list[Exception]()
        self.future = start(self._run)
        assert self._gate.entered.wait(BOUND)

    def _run(self) -> str:
        self._gate()
        return fail(self._error[0]) if self._error else "through"

    def end(self, *error: Exception) -> None:
        """Let it go."""
        self._error += error
        self._gate.open.set()


@pytest.fixture
def calls() -> Iterator[dict[str, Call]]:
    """One running call of each kind."""
    made = dict[str, Call]()
    try:
        with fl.ThreadPool(1) as pool, cf.ThreadPoolExecutor(1) as stock, fl.scope(policy="collect") as scope:
            starts = {"pool": pool.submit, "scope": scope.spawn, "spawn": fl.spawn, "stock": stock.submit}
            try:
                made.update((kind, Call(starts[kind])) for kind in KINDS)
                yield made
            finally:
                for call in made.values():
                    call.end()
    except* Expected:
        pass  # the scope's own task was the one that failed


def watched(futures: "list[cf.Future[str]]") -> bool:
    """Whether somebody waits for each."""
    return all(future._waiters for future in futures)  # the stock functions' own list


@pytest.mark.parametrize("failing", KINDS)
def test_the_first_failure_ends_a_wait(failing: str, calls: dict[str, Call], spawn: Spawn) -> None:
    """Whichever kind fails; one that succeeds before does not end it, and those that run on are not done."""
    futures = [call.future for call in calls.values()]
    lucky = KINDS[KINDS.index(failing) - 1]
    waiting = spawn(cf.wait, futures, BOUND, cf.FIRST_EXCEPTION)
    until(lambda: watched(futures))

    calls[lucky].end()
    until(calls[lucky].future.done)
    assert watched([future for future in futures if not future.done()])
    calls[failing].end(Expected("first"))

    done, running = waiting.join()
    assert done == {calls[lucky].future, calls[failing].future}
    assert running == set(futures) - done
    assert not any(watched([future]) for future in futures)


def test_they_come_as_they_end(calls: dict[str, Call]) -> None:
    """Each when it was let go; when the time is over those that run are counted, and go on."""
    futures = [call.future for call in calls.values()]
    ended = list[object]()
    completed = cf.as_completed(futures, BOUND)

    for kind in reversed(KINDS[1:]):
        calls[kind].end()
        ended.append(next(completed))
    assert ended == [calls[kind].future for kind in reversed(KINDS[1:])]
    in_time = cf.as_completed(futures, 0)
    assert {next(in_time) for _ in ended} == set(ended)
    with pytest.raises(TimeoutError, match=r"1 \(of 4\) futures unfinished"):
        next(in_time)

    calls["pool"].end()
    assert next(completed) is calls["pool"].future
    assert not any(watched([future]) for future in futures)


def test_only_wrap_future_cancels_what_it_waits_for() -> None:
    """A task that has not begun: it never does if a wrapped one is cancelled, and is run if an `await` of it is."""
    gate = Gate()

    async def outcome(task: "fl.Task[Any]") -> Any:
        return await task

    async def main(pool: fl.ThreadPool) -> None:
        loop = asyncio.get_running_loop()
        kept, wrapped = pool.submit(ran.append, "awaited"), pool.submit(ran.append, "wrapped")
        waiting: list[asyncio.Future[Any]] = [
            asyncio.create_task(outcome(kept)),
            asyncio.wrap_future(wrapped),
            loop.run_in_executor(pool, ran.append, "in executor"),
        ]
        await turn(run_asyncio)
        for each in waiting:
            assert each.cancel()
        for each in waiting:
            with pytest.raises(asyncio.CancelledError):
                await each
        assert (kept.cancelled(), wrapped.cancelled()) == (False, True)

    ran = list[str]()
    with fl.ThreadPool(1) as pool:
        pool.submit(gate)
        assert gate.entered.wait(BOUND)
        try:
            run_asyncio(lambda: main(pool))
        finally:
            gate.open.set()
    assert ran == ["awaited"]


def test_a_loop_runs_calls_in_a_pool_that_it_is_given() -> None:
    """Results and failures come; a full backlog is refused at once; as the loop's own executor a pool is refused."""
    gate = Gate()

    async def main(pool: fl.ThreadPool) -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(TypeError, match="executor must be ThreadPoolExecutor instance"):
            loop.set_default_executor(pool)
        assert await loop.run_in_executor(pool, pow, 2, 5) == 32
        with pytest.raises(Expected, match="here"):
            await loop.run_in_executor(pool, fail, Expected("here"))
        running = loop.run_in_executor(pool, gate)
        assert gate.entered.wait(BOUND)
        queued = loop.run_in_executor(pool, int)
        with pytest.raises(fl.Full, match="the backlog is full"):
            loop.run_in_executor(pool, int)
        gate.open.set()
        assert (await running, await queued) == ("through", 0)

    with fl.ThreadPool(1, backlog=1) as pool:
        run_asyncio(lambda: main(pool))


def test_a_subclass_may_take_arguments_of_its_own() -> None:
    """As one of the stock future may, for executors that keep something with each task."""

    class Numbered(fl.Task[int]):
        def __init__(self, number: int, *, name: str) -> None:
            super().__init__()
            self.label = (number, name)

    task = Numbered(3, name="three")
    task.set_result(9)
    assert (task.label, task.join()) == ((3, "three"), 9)
    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        fl.Task(3)  # type: ignore[call-arg]  # that is the point
