import threading
from collections.abc import Iterator

import pytest

import fearless as fl

BOUND = 10.0


def test_results_come_in_the_order_of_the_source_whatever_the_workers() -> None:
    """The first item is held back until the second has passed the same stage."""
    second = threading.Event()

    def hold(number: int) -> int:
        if number == 0:
            assert second.wait(BOUND)
        elif number == 1:
            second.set()
        return number

    with fl.pipeline(range(50), fl.stage(hold, workers=2), str) as results:
        assert list(results) == [str(number) for number in range(50)]


def test_unordered_results_come_as_they_are_done() -> None:
    """The first item is held back until the second result has come."""
    first = threading.Event()

    def hold(number: int) -> int:
        assert number != 0 or first.wait(BOUND)
        return number

    with fl.pipeline(range(2), fl.stage(hold, workers=2), ordered=False) as results:
        came = [next(results)]
        first.set()
        came += results

    assert came == [1, 0]


def test_a_failing_stage_stops_everything_and_is_named() -> None:
    """An endless source ends, and the failure tells stage and item."""

    def endless() -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1

    def fail(number: int) -> int:
        if number == 3:
            raise ValueError(number)
        return number

    with pytest.raises(ExceptionGroup) as caught, fl.pipeline(endless(), str, int, fail, capacity=2) as results:
        for _ in results:
            pass

    (failure,) = caught.value.exceptions
    assert isinstance(failure, ValueError)
    assert failure.__notes__ == ["in stage 3 of a pipeline, fail, for item 3"]


def test_a_failing_source_is_named() -> None:
    """What the source gave before has been through the stages or was stopped; the error surfaces."""

    def source() -> Iterator[int]:
        yield 1
        raise OSError("gone")

    with pytest.raises(ExceptionGroup) as caught, fl.pipeline(source(), str) as results:
        list(results)

    assert caught.value.exceptions[0].__notes__ == ["in the source of a pipeline"]


def test_leaving_the_block_early_ends_the_threads() -> None:
    """One result of an endless source is enough."""
    before = threading.active_count()

    with fl.pipeline(iter(int, 1), fl.stage(str, workers=3), capacity=1) as results:
        assert next(results) == "0"

    assert threading.active_count() == before


def test_a_slow_consumer_holds_up_the_source() -> None:
    """While nothing is taken, the source is asked for no more than fits between the stages."""
    asked = fl.AtomicInt()

    def source() -> Iterator[int]:
        for number in range(1000):
            asked.add(1)
            yield number

    with fl.pipeline(source(), fl.stage(str, workers=2), capacity=1) as results:
        for _ in range(100):
            next(results)
        assert asked.load() <= 100 + 10
        assert repr(results) == "<Pipeline str x2, 100 results>"


def test_results_are_given_inside_the_block_only() -> None:
    """Before it there is nothing to iterate."""
    with pytest.raises(RuntimeError, match="inside its `with` block"):
        next(fl.pipeline([1], str))


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: fl.pipeline([1]), ValueError, "at least one stage"),
        (lambda: fl.pipeline([1], str, capacity=0), ValueError, "capacity must be >= 1, got 0"),
        (lambda: fl.pipeline([1], 3), TypeError, "got 3"),  # type: ignore[arg-type]
        (lambda: fl.stage(str, workers=0), ValueError, "workers must be >= 1, got 0"),
    ],
)
def test_what_cannot_work_is_refused(make: object, error: type[Exception], text: str) -> None:
    """The error names the rule and the value."""
    assert callable(make)
    with pytest.raises(error, match=text):
        make()
