"""`wait_until` of the atomics: who is told of a change, and what a wait leaves behind. For threads and for coroutines.

Not here: Ctrl-C, deadlines and cancellation of a blocked thread (`tests/generic/`).
"""

import asyncio
import gc
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import trio

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.items import Marker
from tests.support.loops import Run, run_asyncio, run_trio, until_async
from tests.support.until import BOUND, until, waiting


class Case(NamedTuple):
    """An atomic with a change that makes `wanted` true, and the value that it then has."""

    make: Callable[[], Any]
    change: Callable[[Any], object]
    wanted: Callable[[Any], object]
    after: object


CASES = {
    "int store": Case(fl.AtomicInt, lambda a: a.store(5), lambda value: value == 5, 5),
    "int swap": Case(fl.AtomicInt, lambda a: a.swap(5), lambda value: value == 5, 5),
    "int add": Case(fl.AtomicInt, lambda a: a.add(5), lambda value: value == 5, 5),
    "int sub": Case(fl.AtomicInt, lambda a: a.sub(5), lambda value: value == -5, -5),
    "int fetch_add": Case(fl.AtomicInt, lambda a: a.fetch_add(5), lambda value: value == 5, 5),
    "int fetch_sub": Case(fl.AtomicInt, lambda a: a.fetch_sub(5), lambda value: value == -5, -5),
    "int +=": Case(fl.AtomicInt, lambda a: a.__iadd__(5), lambda value: value == 5, 5),
    "int -=": Case(fl.AtomicInt, lambda a: a.__isub__(5), lambda value: value == -5, -5),
    "int fetch_and": Case(lambda: fl.AtomicInt(7), lambda a: a.fetch_and(5), lambda value: value == 5, 5),
    "int fetch_or": Case(fl.AtomicInt, lambda a: a.fetch_or(5), lambda value: value == 5, 5),
    "int fetch_xor": Case(fl.AtomicInt, lambda a: a.fetch_xor(5), lambda value: value == 5, 5),
    "int fetch_min": Case(fl.AtomicInt, lambda a: a.fetch_min(-5), lambda value: value == -5, -5),
    "int fetch_max": Case(fl.AtomicInt, lambda a: a.fetch_max(5), lambda value: value == 5, 5),
    "int compare_exchange": Case(fl.AtomicInt, lambda a: a.compare_exchange(0, 5), lambda value: value == 5, 5),
    "int update": Case(fl.AtomicInt, lambda a: a.update(lambda _: 5), lambda value: value == 5, 5),
    "bool store": Case(fl.AtomicBool, lambda a: a.store(True), bool, True),
    "bool swap": Case(fl.AtomicBool, lambda a: a.swap(True), bool, True),
    "bool fetch_and": Case(lambda: fl.AtomicBool(True), lambda a: a.fetch_and(False), lambda value: not value, False),
    "bool fetch_or": Case(fl.AtomicBool, lambda a: a.fetch_or(True), bool, True),
    "bool fetch_xor": Case(fl.AtomicBool, lambda a: a.fetch_xor(True), bool, True),
    "bool toggle": Case(fl.AtomicBool, lambda a: a.toggle(), bool, True),
    "bool compare_exchange": Case(fl.AtomicBool, lambda a: a.compare_exchange(False, True), bool, True),
    "bool update": Case(fl.AtomicBool, lambda a: a.update(lambda _: True), bool, True),
    "float store": Case(fl.AtomicFloat, lambda a: a.store(0.5), bool, 0.5),
    "float swap": Case(fl.AtomicFloat, lambda a: a.swap(0.5), bool, 0.5),
    "float add": Case(fl.AtomicFloat, lambda a: a.add(0.5), bool, 0.5),
    "float sub": Case(fl.AtomicFloat, lambda a: a.sub(0.5), bool, -0.5),
    "float fetch_add": Case(fl.AtomicFloat, lambda a: a.fetch_add(0.5), bool, 0.5),
    "float fetch_sub": Case(fl.AtomicFloat, lambda a: a.fetch_sub(0.5), bool, -0.5),
    "float +=": Case(fl.AtomicFloat, lambda a: a.__iadd__(0.5), bool, 0.5),
    "float -=": Case(fl.AtomicFloat, lambda a: a.__isub__(0.5), bool, -0.5),
    "float fetch_min": Case(fl.AtomicFloat, lambda a: a.fetch_min(-0.5), bool, -0.5),
    "float fetch_max": Case(fl.AtomicFloat, lambda a: a.fetch_max(0.5), bool, 0.5),
    "float compare_exchange": Case(fl.AtomicFloat, lambda a: a.compare_exchange(0, 0.5), bool, 0.5),
    "float update": Case(fl.AtomicFloat, lambda a: a.update(lambda _: 0.5), bool, 0.5),
    "ref store": Case(lambda: fl.AtomicRef(""), lambda a: a.store("new"), bool, "new"),
    "ref swap": Case(lambda: fl.AtomicRef(""), lambda a: a.swap("new"), bool, "new"),
    "ref compare_exchange": Case(lambda: fl.AtomicRef(""), lambda a: a.compare_exchange(a.load(), "new"), bool, "new"),
    "ref update": Case(lambda: fl.AtomicRef(""), lambda a: a.update(lambda _: "new"), bool, "new"),
}


def at_least(least: int) -> Callable[[int], bool]:
    """Whether a value has come so far."""
    return lambda value: value >= least


async def until_waiting(run: Run, atomic: Any, count: int = 1) -> None:
    """Give way until so many wait."""
    await until_async(run, lambda: waiting(atomic) == count)


class TestThread:
    @pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
    def test_every_method_that_changes_the_value_tells_a_thread(self, case: Case, spawn: Spawn) -> None:
        """Which gets the value that it waited for."""
        atomic = case.make()
        blocked = spawn(atomic.wait_until, case.wanted, BOUND)
        until(lambda: waiting(atomic) == 1)

        case.change(atomic)

        assert blocked.join() == case.after
        assert waiting(atomic) == 0

    def test_a_value_that_is_there_needs_no_wait(self) -> None:
        """The predicate is called once, also with a timeout of zero."""
        number = fl.AtomicInt(5)
        seen: list[int] = []
        assert number.wait_until(lambda value: not seen.append(value), 0) == 5  # type: ignore[func-returns-value]
        assert seen == [5]

    def test_a_change_that_is_not_the_awaited_one_ends_nothing(self, spawn: Spawn) -> None:
        """The predicate sees the value, and the thread waits on."""
        number = fl.AtomicInt()
        seen: list[int] = []

        def is_three(value: int) -> bool:
            seen.append(value)
            return value == 3

        blocked = spawn(number.wait_until, is_three, BOUND)
        for value in (1, 2):
            until(lambda: waiting(number) == 1)
            number.store(value)
            until(lambda value=value: value in seen)  # type: ignore[misc]
        number.store(3)

        assert blocked.join() == 3

    def test_all_that_wait_are_told(self, spawn: Spawn) -> None:
        """Each looks for a value of its own; repr counts them."""
        number = fl.AtomicInt()
        blocked = [spawn(number.wait_until, at_least(least)) for least in (1, 2, 2)]
        until(lambda: waiting(number) == 3)
        assert repr(number) == "<AtomicInt 0, 3 waiting>"

        number.add(1)
        assert blocked[0].join() == 1
        until(lambda: waiting(number) == 2)
        number.add(1)

        assert [thread.join() for thread in blocked[1:]] == [2, 2]
        assert repr(number) == "<AtomicInt 2>"

    @pytest.mark.parametrize("at_once", [True, False])
    def test_what_the_predicate_raises_is_passed_on(self, spawn: Spawn, *, at_once: bool) -> None:
        """From the first call of it, and from one after a change; nobody is left waiting."""
        number = fl.AtomicInt(0 if at_once else 1)
        blocked = spawn(number.wait_until, lambda value: 1 // value > 1, BOUND)
        if not at_once:
            until(lambda: waiting(number) == 1)
            number.store(0)

        with pytest.raises(ZeroDivisionError):
            blocked.join()

        assert waiting(number) == 0

    def test_the_predicate_may_use_and_change_the_atomic(self) -> None:
        """No lock is held while it runs; its own change makes it look again."""
        number = fl.AtomicInt()

        def grows(value: int) -> bool:
            number.add(1)
            return value >= 3

        assert number.wait_until(grows, BOUND) == 3
        assert number.load() == 4

    def test_a_value_that_never_stands_still_does_not_keep_a_call_beyond_its_time(self) -> None:
        """Each wait is ended by a change that is not the awaited one; the deadline is seen all the same."""
        number = fl.AtomicInt()
        with pytest.raises(fl.Timeout):
            number.wait_until(lambda _: number.add(1), 0.02)

    def test_a_value_that_never_stands_still_does_not_keep_a_call_from_its_cancellation(self, spawn: Spawn) -> None:
        """The same without a deadline, in a scope that another thread cancels."""
        number = fl.AtomicInt()
        with fl.scope() as scope:

            def cancel() -> None:
                until(lambda: number.load() > 10)
                scope.cancel()

            cancelling = spawn(cancel)
            with pytest.raises(fl.Cancelled):
                number.wait_until(lambda _: number.add(1))
        cancelling.join()

    def test_a_predicate_that_cannot_be_called_is_refused(self) -> None:
        """As it is when it is called: at once."""
        with pytest.raises(TypeError, match="not callable"):
            fl.AtomicInt().wait_until(5)  # type: ignore[arg-type]  # that is the point


@pytest.mark.guarantee("atomic_bool", "async")
@pytest.mark.guarantee("atomic_float", "async")
@pytest.mark.guarantee("atomic_int", "async")
@pytest.mark.guarantee("atomic_ref", "async")
class TestCoroutine:
    @pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
    def test_every_method_that_changes_the_value_tells_a_task(self, case: Case, run: Run) -> None:
        """Of the same loop, between two of its turns."""
        atomic = case.make()

        async def main() -> Any:
            if run is run_asyncio:
                task = asyncio.create_task(awaiting())
                await until_waiting(run, atomic)
                case.change(atomic)
                return await task
            async with trio.open_nursery() as nursery:
                nursery.start_soon(awaiting)
                await until_waiting(run, atomic)
                case.change(atomic)
            return got[0]

        got: list[Any] = []

        async def awaiting() -> Any:
            got.append(await atomic.wait_until_async(case.wanted))
            return got[0]

        assert run(main) == case.after
        assert waiting(atomic) == 0

    def test_a_value_that_is_there_needs_no_wait(self, run: Run) -> None:
        """The await returns at once."""
        number = fl.AtomicInt(5)

        async def main() -> int:
            return await number.wait_until_async(lambda value: value == 5)

        assert run(main) == 5

    def test_a_thread_tells_a_task(self, run: Run, spawn: Spawn) -> None:
        """Whose loop sleeps meanwhile; changes that are not the awaited one do not end it."""
        number = fl.AtomicInt()

        def change() -> None:
            until(lambda: waiting(number) == 1)
            for _ in range(100):
                number.add(1)

        async def main() -> int:
            return await number.wait_until_async(lambda value: value >= 100)

        changing = spawn(change)
        assert run(main) == 100
        changing.join()

    def test_a_thread_is_told_beside_a_task_whose_loop_is_busy(self, spawn: Spawn) -> None:
        """All are told of a change; nobody waits for the loop."""
        number = fl.AtomicInt()

        async def main() -> int:
            task = asyncio.create_task(awaiting())
            await until_waiting(run_asyncio, number)
            thread = spawn(number.wait_until, bool, BOUND)
            until(lambda: waiting(number) == 2)
            number.add(1)
            assert thread.join() == 1  # the loop stands still
            return await task

        async def awaiting() -> int:
            return await number.wait_until_async(bool)

        assert run_asyncio(main) == 1

    def test_what_the_predicate_raises_is_passed_on(self, run: Run) -> None:
        """And the task waits no more."""
        number = fl.AtomicInt(0)

        async def main() -> None:
            with pytest.raises(ZeroDivisionError):
                await number.wait_until_async(lambda value: 1 // value > 1)

        run(main)
        assert waiting(number) == 0

    def test_an_error_of_the_predicate_after_a_change_is_passed_on(self) -> None:
        """It is called again by the task, not by who makes the change."""
        number = fl.AtomicInt(1)

        async def awaiting() -> int:
            return await number.wait_until_async(lambda value: 1 // value > 1)

        async def main() -> None:
            task = asyncio.create_task(awaiting())
            await until_waiting(run_asyncio, number)
            number.store(0)
            with pytest.raises(ZeroDivisionError):
                await task

        run_asyncio(main)
        assert waiting(number) == 0

    def test_a_cancelled_task_leaves_nothing_behind(self) -> None:
        """Cancelled while it waits, and in the turn in which it is told."""
        number = fl.AtomicInt()

        async def awaiting() -> int:
            return await number.wait_until_async(bool)

        async def main() -> None:
            for told in (False, True):
                number.store(0)
                task = asyncio.create_task(awaiting())
                await until_waiting(run_asyncio, number)
                if told:
                    number.store(1)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert waiting(number) == 0

        run_asyncio(main)

    def test_a_trio_scope_ends_the_wait(self) -> None:
        """And nobody is left waiting."""
        number = fl.AtomicInt()

        async def main() -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(awaiting)
                await until_waiting(run_trio, number)
                nursery.cancel_scope.cancel()

        async def awaiting() -> None:
            await number.wait_until_async(bool)

        run_trio(main)
        assert waiting(number) == 0


class TestCollection:
    @pytest.mark.parametrize(
        "make",
        [
            pytest.param(make, id=kind, marks=pytest.mark.guarantee(kind, "GC"))
            for kind, make in {
                "atomic_int": fl.AtomicInt,
                "atomic_bool": fl.AtomicBool,
                "atomic_float": fl.AtomicFloat,
                "atomic_ref": lambda: fl.AtomicRef(0),
            }.items()
        ],
    )
    def test_a_waiting_task_lives_as_long_as_its_atomic(self, make: Callable[[], Any]) -> None:
        """Only the atomic refers to it; once nobody refers to the atomic both are collected."""

        async def awaiting(atomic: Any) -> None:
            await atomic.wait_until_async(bool)

        async def main() -> Any:
            atomic = make()
            task = asyncio.create_task(awaiting(atomic))
            await until_waiting(run_asyncio, atomic)
            seen = weakref.ref(task)
            del task
            gc.collect()
            assert seen() is not None
            assert waiting(atomic) == 1
            return seen

        seen = run_asyncio(main)
        until(lambda: gc.collect() is not None and seen() is None)

    def test_an_operation_in_a_cycle_with_its_predicate_is_collected(self) -> None:
        """It was never awaited."""
        marker = Marker()
        gone = weakref.ref(marker)
        operation = fl.AtomicInt().wait_until_async(marker.holds.__contains__)
        marker.holds.extend([operation, marker])
        del marker, operation
        until(lambda: gc.collect() is not None and gone() is None)
