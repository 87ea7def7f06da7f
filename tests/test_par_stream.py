"""Iterating a `par` chain: order, reading ahead, failures, and that no way out of the loop leaves a worker behind.

Ctrl-C, cancelling and the end of the process are also in `tests/generic`, which knows the calls.
"""

import contextlib
import gc
import itertools
import threading
import weakref
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

import fearless as fl
from fearless import _stream
from tests.plugins.threads import Spawn
from tests.programs import pars as programs
from tests.support.process import execute, succeed
from tests.support.until import BOUND, until

AHEAD = 4  # chunks for each worker


@pytest.mark.parametrize("options", [{"workers": 1}, {"workers": 2}, {"workers": 3, "chunk": 1}, {"chunk": 7}])
def test_results_come_in_the_order_of_the_items(options: dict[str, Any]) -> None:
    """From any kind of source, and again with each iteration."""
    run = fl.par(range(3000), **options).filter(lambda n: n % 3).flat_map(lambda n: [n, -n])
    expected = [part for n in range(3000) if n % 3 for part in (n, -n)]

    assert [*run] == [*run] == expected
    assert sorted(run.unordered()) == sorted(expected)
    assert [*fl.par(iter(()), **options)] == []


def test_unordered_does_not_wait_for_an_earlier_item() -> None:
    """The first item takes until the consumer has all others."""
    others = threading.Event()
    run = fl.par(range(20), workers=2, chunk=1).map(lambda n: n or (others.wait(BOUND) and n))
    results = run.unordered()

    assert list(itertools.islice(results, 19)) == list(range(1, 20))
    others.set()
    assert list(results) == [0]


def test_chunks_of_a_slow_source_stay_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little the work is: the first item has not to wait for a thousand others."""
    clock = [0.0]
    monkeypatch.setattr(_stream, "time", SimpleNamespace(perf_counter=lambda: clock[0]))

    def ticks(pause: float) -> Iterator[int]:
        for number in itertools.count():
            clock[0] += pause
            yield number

    def sizes(pause: float) -> list[int]:
        pull = _stream._Pull(fl.par(ticks(pause))._plan)
        return [len(pulled[2]) for pulled in (pull.next(spent=0.0) for _ in range(12)) if pulled is not None]

    assert sizes(1.0) == [1] * 12
    assert sizes(0.0) == [min(2**number, 1024) for number in range(12)]


@pytest.mark.parametrize("chunk", [1, 5])
def test_workers_read_ahead_so_far_and_no_further(chunk: int) -> None:
    """Of an endless source: the chunk in hand, and so many for each worker."""
    pulled = fl.AtomicInt(0)

    def numbers() -> Iterator[int]:
        for number in itertools.count():
            pulled.add(1)
            yield number

    bound = chunk * (1 + 2 * AHEAD)
    results = iter(fl.par(numbers(), workers=2, chunk=chunk).map(abs))
    assert next(results) == 0
    until(lambda: pulled.load() == bound, "workers as far ahead as they may be")
    assert [next(results) for _ in range(chunk - 1)] == list(range(1, chunk))
    results.close()  # type: ignore[attr-defined]
    assert pulled.load() == bound


def leave_by_break(run: "fl.parallel.Par[int]") -> None:
    """Leave a loop that has the only reference to its iterator."""
    for _ in run:
        break


def leave_by_error(run: "fl.parallel.Par[int]") -> None:
    """Leave the loop by an exception."""
    with contextlib.suppress(ZeroDivisionError):
        for number in run:
            _ = 1 // number


def leave_by_close(run: "fl.parallel.Par[int]") -> None:
    """Close the iterator."""
    results = run.unordered()
    next(results)
    results.close()  # type: ignore[attr-defined]


def leave_by_garbage(run: "fl.parallel.Par[int]") -> None:
    """Let it go in a cycle."""
    results = iter(run)
    next(results)
    cycle: list[object] = [results]
    cycle.append(cycle)
    del results, cycle
    gc.collect()


@pytest.mark.parametrize("leave", [leave_by_break, leave_by_error, leave_by_close, leave_by_garbage])
def test_whoever_leaves_early_leaves_no_worker_behind(leave: Callable[["fl.parallel.Par[int]"], None]) -> None:
    """Neither one that computes nor one that waits inside its item."""
    before = set(threading.enumerate())
    tx, rx = fl.channel(None)
    waiting = threading.Event()

    def work(number: int) -> int:
        if number == 1:
            waiting.set()
            rx.recv()
        elif number == 0:
            assert waiting.wait(BOUND)
        return number

    run = fl.par(itertools.chain([0, 1], itertools.count(2)), workers=3, chunk=1).map(work)
    leave(run)
    assert set(threading.enumerate()) <= before
    tx.close()
    rx.close()


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("where", ["source", "stage"])
def test_results_before_a_failure_come_out_first(where: str, workers: int) -> None:
    """Though the failing item may be done before them."""

    def numbers() -> Iterator[int]:
        yield from range(100)
        if where == "source":
            raise OSError("dry")
        yield from itertools.count(100)

    def work(number: int) -> int:
        if number == 100:
            raise OSError("dry")
        return number

    seen: list[int] = []
    with pytest.raises(OSError, match="dry") as caught:
        seen.extend(fl.par(numbers(), workers=workers).map(work))
    assert seen == list(range(100))
    notes = ["fearless.par: in item 100 of the run: 100"] if where == "stage" else []
    assert getattr(caught.value, "__notes__", []) == notes


def test_a_failure_is_in_no_cycle_of_ours() -> None:
    """Once the consumer lets go, it is gone without the collector."""

    class Failure(Exception):
        """One that can be watched."""

    def fail(_: int) -> int:
        raise Failure

    def watch(*, ordered: bool) -> Callable[[], object]:
        run = fl.par(range(100), workers=2).map(fail)
        try:
            list(run if ordered else run.unordered())
        except Failure as error:
            return weakref.ref(error)
        raise AssertionError("no failure")

    gc.collect()
    gc.disable()
    try:
        watches = [watch(ordered=True), watch(ordered=False)]
        until(lambda: all(watched() is None for watched in watches), "the errors gone")
    finally:
        gc.enable()


def test_what_was_handed_out_is_held_by_nobody() -> None:
    """The iterator forgets a result as soon as it gives it."""

    class Thing:
        """Something that a weak reference can watch."""

    results = iter(fl.par(range(10), workers=1, chunk=5).map(lambda _: Thing()))
    watched = weakref.ref(next(results))
    until(lambda: watched() is None, "the result gone")
    assert len(list(results)) == 9


def test_the_scope_of_the_consumer_stops_the_workers(spawn: Spawn) -> None:
    """They end with the wait of the consumer, before its scope does."""
    scopes: list[fl.Scope] = []
    before = set(threading.enumerate())
    seen = fl.AtomicInt(0)

    def consume() -> str:
        with fl.scope() as scope:
            scopes.append(scope)
            for _ in fl.par(itertools.count(), workers=2):
                seen.add(1)
        return "left"

    consumer = spawn(consume)
    until(lambda: seen.load() > 100, "an iteration under way")
    scopes[0].cancel()
    assert consumer.join() == "left"
    until(lambda: set(threading.enumerate()) <= before, "all threads gone")


def test_iterations_may_be_nested() -> None:
    """One chain may be the source of another."""
    inner = fl.par(range(100), workers=2).map(abs)
    assert [*fl.par(inner, workers=2).map(lambda n: sum(fl.par(range(n), workers=1)))] == [
        sum(range(n)) for n in range(100)
    ]


@pytest.mark.fork
def test_an_unfinished_iterator_keeps_no_process() -> None:
    """Nor does a forked child wait for workers that it does not have."""
    succeed(programs.iterators_left_unfinished, options=("-W", "ignore::DeprecationWarning"))
    succeed(programs.an_unfinished_iterator_in_a_module)


def test_exits_leave_bare() -> None:
    """At the place of the result."""
    assert execute(programs.exit_from_an_iteration).code == 7
