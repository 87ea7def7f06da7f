"""`ThreadPool.map`: order, what is submitted when, failures, and what it keeps.

Not here: results as their calls end (`test_thread_pool_stats.py`), and CPython's own cases (`tests/conformance`).
"""

import gc
import itertools
from collections.abc import Iterator

import pytest

import fearless as fl
from tests.support.blocking import Gate
from tests.support.until import BOUND


class TestMap:
    def test_results_come_in_order(self) -> None:
        """Whichever ends first; several iterables end with the shortest."""
        with fl.ThreadPool(3) as pool:
            assert list(pool.map(pow, range(100), [2] * 1000)) == [n**2 for n in range(100)]
            assert list(pool.map(int, [])) == []

    def test_a_buffer_bounds_what_is_submitted_ahead(self) -> None:
        """Each result that is taken lets one more in; an endless source will do."""
        pulled: list[int] = []

        def numbers() -> Iterator[int]:
            for number in itertools.count():
                pulled.append(number)
                yield number

        with fl.ThreadPool(2) as pool:
            results = pool.map(abs, numbers(), buffersize=3)
            assert len(pulled) == 3
            assert [next(results) for _ in range(10)] == list(range(10))
            assert len(pulled) == 13
            with pytest.raises(ValueError, match="buffersize must be >= 1, got 0"):
                pool.map(abs, [], buffersize=0)

    def test_a_kept_iterator_keeps_no_pool(self) -> None:
        """The workers of a pool that was dropped end; the calls that were yet to come are an error, not left out."""
        pool = fl.ThreadPool(1)
        results = pool.map(abs, range(10), buffersize=2)
        threads = list(pool._threads)
        del pool
        gc.collect()
        for thread in threads:
            thread.join(BOUND)
            assert not thread.is_alive()
        with pytest.raises(RuntimeError, match="nobody has kept the pool"):
            next(results)
        assert list(fl.ThreadPool(1).map(abs, [-1, -2], buffersize=2)) == [1, 2]

    @pytest.mark.guarantee("thread_pool", "timeout")
    def test_a_timeout_bounds_the_whole_and_cancels_the_rest(self, busy: fl.ThreadPool, gate: Gate) -> None:
        """What has not begun never does."""
        ran: list[int] = []
        results = busy.map(ran.append, [1, 2], timeout=0)
        with pytest.raises(fl.Timeout):
            next(results)
        gate.open.set()
        busy.shutdown()
        assert ran == []

    @pytest.mark.parametrize("ordered", [True, False])
    def test_all_calls_are_made_if_nobody_asks_for_a_result(self, *, ordered: bool) -> None:
        """The iterator may be dropped, as that of the stock executor."""
        ran: list[int] = []
        with fl.ThreadPool(2) as pool:
            pool.map(ran.append, range(20), ordered=ordered)
        assert sorted(ran) == list(range(20))

    def test_a_source_that_fails_cancels_what_was_submitted(self, busy: fl.ThreadPool, gate: Gate) -> None:
        """The error surfaces."""
        ran: list[int] = []

        def numbers() -> Iterator[int]:
            yield 1
            raise ValueError("dry")

        with pytest.raises(ValueError, match="dry"):
            busy.map(ran.append, numbers())
        gate.open.set()
        busy.shutdown()
        assert ran == []
