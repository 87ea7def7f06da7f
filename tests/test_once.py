"""`Once`, `OnceCell` and `Lazy`: one makes it, the others wait, a failure leaves it to the next.

Not here: what all blocking calls have in common (`tests/generic/`).
"""

import asyncio
import functools
import gc
import pickle
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.blocking import Gate
from tests.support.forks import in_child
from tests.support.items import Marker
from tests.support.loops import Run, gather, run_asyncio, turn, until_async
from tests.support.until import BOUND, until

Make = Callable[[Callable[[], Any]], Callable[[], Any]]


def by_cell(function: Callable[[], Any]) -> Callable[[], Any]:
    """Initialize a cell with a function."""
    cell: fl.OnceCell[Any] = fl.OnceCell()
    return lambda: cell.get_or_init(function)


def by_lazy(function: Callable[[], Any]) -> Callable[[], Any]:
    """Make a lazy value with a function."""
    return fl.Lazy(function).get


def by_once(function: Callable[[], Any]) -> Callable[[], Any]:
    """Call a function once, and keep what it returned."""
    once, results = fl.Once(), []

    def get() -> Any:
        once.call(lambda: results.append(function()))
        return results[0]

    return get


@pytest.fixture(params=[by_cell, by_lazy, by_once], ids=["OnceCell", "Lazy", "Once"])
def make(request: pytest.FixtureRequest) -> Make:
    """One of the three ways."""
    way: Make = request.param
    return way


@pytest.mark.guarantee("once", "both builds")
def test_of_many_that_ask_one_makes_it(make: Make, spawn: Spawn) -> None:
    """All get the same object, a hundred times over."""
    for _ in range(100):
        made: list[object] = []
        start = threading.Barrier(4)

        def build(made: list[object] = made) -> object:
            made.append(object())
            return made[-1]

        get = make(build)

        def ask(start: threading.Barrier = start, get: Callable[[], Any] = get) -> object:
            start.wait(BOUND)
            return get()

        threads = [spawn(ask) for _ in range(4)]
        got = [thread.join(BOUND) for thread in threads]

        assert len(made) == 1
        assert all(value is made[0] for value in got)


def test_a_failure_is_raised_where_it_was_asked_and_the_next_tries(make: Make, spawn: Spawn) -> None:
    """Also one that was waiting meanwhile."""
    gate, attempts = Gate(), []

    def build() -> str:
        attempts.append(1)
        if len(attempts) == 1:
            gate()
            raise ZeroDivisionError
        return "made"

    get = make(build)
    first = spawn(get)
    assert gate.entered.wait(BOUND)
    second = spawn(get)
    gate.open.set()

    with pytest.raises(ZeroDivisionError):
        first.join(BOUND)
    assert second.join(BOUND) == "made"
    assert get() == "made"
    assert len(attempts) == 2


def test_who_asks_for_what_it_is_making_is_told(make: Make) -> None:
    """It would wait for itself; afterwards all is as it was."""
    errors: list[fl.DeadlockError] = []

    def build() -> int:
        try:
            get()
        except fl.DeadlockError as error:
            errors.append(error)
        return 5

    get = make(build)

    assert get() == 5
    assert len(errors) == 1
    assert "initializing it already" in str(errors[0])


@pytest.mark.guarantee("once", "fork")
@pytest.mark.fork
def test_a_forked_child_begins_anew_what_a_vanished_thread_was_making(make: Make, spawn: Spawn) -> None:
    """Nobody else would; what was made before the fork is there."""
    gate, attempts = Gate(), []

    def build() -> int:
        attempts.append(1)
        if len(attempts) == 1:
            gate()
        return len(attempts)

    get = make(build)
    running = spawn(get)
    assert gate.entered.wait(BOUND)

    def child() -> None:
        assert get() == 2

    in_child(child)
    gate.open.set()
    running.join(BOUND)
    in_child(lambda: get() == 1 or pytest.fail("it was made before"))


class TestCell:
    def test_a_value_is_set_once(self) -> None:
        """The second comes back with the error."""
        cell: fl.OnceCell[str] = fl.OnceCell()
        assert (cell.is_set, cell.get(), cell.get("none"), repr(cell)) == (False, None, "none", "<OnceCell empty>")

        cell.set("first")
        with pytest.raises(ValueError, match="set: the cell has a value already") as caught:
            cell.set("second")

        assert caught.value.item == "second"  # type: ignore[attr-defined]  # the convention of the package
        assert (cell.is_set, cell.get(), repr(cell)) == (True, "first", "<OnceCell set to 'first'>")

    def test_none_is_a_value(self) -> None:
        """It is not taken for nothing."""
        cell: fl.OnceCell[None] = fl.OnceCell()
        cell.set(None)

        assert cell.get(7) is None
        assert cell.is_set

    def test_it_shows_who_initializes_and_who_waits(self, spawn: Spawn) -> None:
        """For a look from outside."""
        cell, gate = fl.OnceCell[str](), Gate()
        first = spawn(cell.get_or_init, gate)
        assert gate.entered.wait(BOUND)
        second = spawn(cell.get_or_init, gate)
        until(lambda: repr(cell) == "<OnceCell initializing, 1 waiting>")

        with pytest.raises(fl.Timeout, match="get_or_init: who initializes it did not end"):
            cell.get_or_init(str, 0)
        gate.open.set()

        assert [first.join(BOUND), second.join(BOUND)] == ["through"] * 2

    def test_it_is_not_pickled(self) -> None:
        """What it is about cannot leave the process."""
        for thing in (fl.OnceCell[int](), fl.Once(), fl.Lazy(int)):
            with pytest.raises(TypeError):
                pickle.dumps(thing)


class TestOnce:
    def test_only_the_first_call_is_made(self) -> None:
        """And says so."""
        once, calls = fl.Once(), []

        assert repr(once) == "<Once not done>"
        assert once.call(lambda: calls.append(1)) is True
        assert once.call(lambda: calls.append(2)) is False
        assert (calls, once.is_done, repr(once)) == ([1], True, "<Once done>")


class TestLazy:
    def test_the_function_is_let_go_once_the_value_is_there(self) -> None:
        """What it refers to may be large."""
        large = [Marker()]
        seen = weakref.ref(large[0])
        lazy = fl.Lazy(functools.partial(len, large))
        del large
        gc.collect()
        assert seen() is not None

        assert lazy.get() == 1
        until(lambda: gc.collect() is not None and seen() is None)

    def test_what_cannot_be_called_is_refused(self) -> None:
        """At once, not when it is first asked for."""
        with pytest.raises(TypeError, match="Lazy takes a function to call, got 5"):
            fl.Lazy(5)  # type: ignore[call-overload]


@pytest.mark.guarantee("once", "GC")
def test_a_dead_cycle_through_each_is_collected() -> None:
    """Through the value, and through the function."""

    def through_cell() -> Marker:
        marker = Marker()
        cell: fl.OnceCell[Marker] = fl.OnceCell()
        cell.set(marker)
        marker.holds.append(cell)
        return marker

    def through_lazy() -> Marker:
        marker = Marker()
        marker.holds.append(fl.Lazy(lambda: marker))
        return marker

    def through_value() -> Marker:
        marker = Marker()
        lazy = fl.Lazy(lambda: marker)
        lazy.get()
        marker.holds.append(lazy)
        return marker

    for tie in (through_cell, through_lazy, through_value):
        seen = weakref.ref(tie())
        until(lambda seen=seen: gc.collect() is not None and seen() is None, tie.__name__)  # type: ignore[misc]


@pytest.mark.guarantee("once", "async")
class TestTasks:
    def test_one_task_makes_it_and_the_others_wait(self, run: Run) -> None:
        """The function may be a coroutine function."""
        lazy_made = []

        async def build() -> str:
            lazy_made.append(1)
            await turn(run)
            return "made"

        lazy: fl.Lazy[str] = fl.Lazy(build)
        got = []

        async def ask() -> None:
            got.append(await lazy.get_async())

        run(lambda: gather(run, *[ask] * 5))

        assert (got, lazy_made) == (["made"] * 5, [1])
        assert lazy.get() == "made"

    def test_a_thread_and_a_task_wait_for_each_other(self, run: Run, spawn: Spawn) -> None:
        """The loop goes on while a thread makes it."""
        cell, gate = fl.OnceCell[str](), Gate()
        running = spawn(cell.get_or_init, gate)
        assert gate.entered.wait(BOUND)

        async def main() -> str:
            async def open_late() -> None:
                while "1 waiting" not in repr(cell):
                    await turn(run)
                gate.open.set()

            got: list[str] = []

            async def ask() -> None:
                got.append(await cell.get_or_init_async(str))

            await gather(run, open_late, ask)
            return got[0]

        assert run(main) == "through"
        running.join(BOUND)

    def test_an_error_in_a_task_leaves_it_to_the_next(self, run: Run) -> None:
        """And is raised where it was asked."""
        once, attempts = fl.Once(), []

        async def attempt() -> None:
            attempts.append(1)
            if len(attempts) == 1:
                raise ZeroDivisionError

        async def main() -> list[bool]:
            with pytest.raises(ZeroDivisionError):
                await once.call_async(attempt)
            return [await once.call_async(attempt), await once.call_async(attempt)]

        assert run(main) == [True, False]
        assert len(attempts) == 2

    @pytest.mark.guarantee("once", "cancel")
    def test_a_cancelled_maker_leaves_it_to_the_next(self) -> None:
        """The task that waited behind it makes the value."""
        cell: fl.OnceCell[str] = fl.OnceCell()

        async def never() -> str:
            await asyncio.Event().wait()
            return "never"

        async def main() -> str:
            first = asyncio.create_task(cell.get_or_init_async(never))
            await until_async(run_asyncio, lambda: repr(cell) == "<OnceCell initializing>")
            second = asyncio.create_task(cell.get_or_init_async(lambda: "second"))
            await until_async(run_asyncio, lambda: "1 waiting" in repr(cell))
            first.cancel()
            return await second

        assert run_asyncio(main) == "second"

    def test_a_task_that_asks_for_what_it_is_making_is_told(self, run: Run) -> None:
        """It would wait for itself."""
        cell: fl.OnceCell[int] = fl.OnceCell()

        async def build() -> int:
            with pytest.raises(fl.DeadlockError, match="get_or_init_async"):
                await cell.get_or_init_async(build)
            return 3

        async def main() -> int:
            return await cell.get_or_init_async(build)

        assert run(main) == 3
