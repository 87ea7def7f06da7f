"""`ShardedCounter`: additions of many threads, added up when asked.

Not here: forks (`tests/generic/`).
"""

import pickle
import threading
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn

BUILDS = pytest.mark.guarantee("sharded_counter", "both builds")
LEAST, MOST = -(2**63), 2**63 - 1


class TestOneThread:
    def test_it_adds_up(self) -> None:
        """By method and by operator, both directions."""
        counter = same = fl.ShardedCounter()
        assert counter.sum() == 0
        assert not counter
        counter.add(5)
        counter += 3
        counter.add(-1)
        assert counter is same
        assert counter.sum() == int(counter) == 7
        assert counter

    @pytest.mark.parametrize(("first", "second"), [(MOST, 1), (LEAST, -1), (1, MOST)])
    def test_what_does_not_fit_is_refused_and_nothing_is_added(self, first: int, second: int) -> None:
        """The error names both numbers."""
        counter = fl.ShardedCounter()
        counter.add(first)
        for add in (counter.add, counter.__iadd__):
            with pytest.raises(OverflowError, match=rf"64 bits: {first} \+ {second} does not fit, nothing was added"):
                add(second)
        assert counter.sum() == first

    @pytest.mark.parametrize("wrong", [MOST + 1, LEAST - 1])
    def test_a_number_of_more_than_64_bits_is_refused(self, wrong: int) -> None:
        """With the rule and the value."""
        with pytest.raises(OverflowError, match=rf"64 bits: -2\*\*63 <= value < 2\*\*63, got {wrong}$"):
            fl.ShardedCounter().add(wrong)

    @pytest.mark.parametrize("wrong", [1.0, "1", None])
    def test_what_is_no_whole_number_is_refused(self, wrong: Any) -> None:
        """A float would lose digits in silence."""
        counter = fl.ShardedCounter()
        with pytest.raises(TypeError):
            counter.add(wrong)
        assert counter.sum() == 0

    def test_it_compares_and_hashes_by_identity(self) -> None:
        """As the atomics do."""
        one, other = fl.ShardedCounter(), fl.ShardedCounter()
        assert one == one  # noqa: PLR0124 - identity is the point
        assert one != other
        assert one != 0  # type: ignore[comparison-overlap]  # that is the point
        assert len({one, other}) == 2

    def test_repr_shows_the_sum(self) -> None:
        """At that moment."""
        counter = fl.ShardedCounter()
        counter.add(-5)
        assert repr(counter) == "<ShardedCounter -5>"

    def test_it_cannot_be_pickled(self) -> None:
        """The copy would be another counter; the error says what to pass on."""
        with pytest.raises(TypeError, match=r"^a ShardedCounter cannot be pickled.*counter.sum\(\)"):
            pickle.dumps(fl.ShardedCounter())


@BUILDS
@pytest.mark.usefixtures("quick_switches")
class TestManyThreads:
    def test_no_addition_is_lost(self, spawn: Spawn) -> None:
        """Four threads, three times over, on two counters: seats change hands."""
        counters = [fl.ShardedCounter(), fl.ShardedCounter()]

        def work() -> None:
            for _ in range(2000):
                counters[0].add(1)
                counters[1].add(2)

        for _ in range(3):
            for thread in [spawn(work) for _ in range(4)]:
                thread.join()
        assert [counter.sum() for counter in counters] == [24000, 48000]

    def test_a_sum_may_be_beyond_64_bits(self, spawn: Spawn) -> None:
        """Each thread has room of its own."""
        counter = fl.ShardedCounter()
        together = threading.Barrier(3)

        def work() -> None:
            together.wait(30.0)  # all three are alive, so each has a seat of its own
            counter.add(MOST)
            together.wait(30.0)

        for thread in [spawn(work) for _ in range(3)]:
            thread.join()
        assert counter.sum() == 3 * MOST

    def test_a_sum_never_goes_back(self, spawn: Spawn) -> None:
        """While threads only count up, each sum has all that the one before had."""
        counter = fl.ShardedCounter()
        over = fl.AtomicBool()

        def work() -> int:
            count = 0
            while not over:
                counter.add(1)
                count += 1
            return count

        threads = [spawn(work) for _ in range(2)]
        sums = [counter.sum() for _ in range(3000)]
        over.store(True)
        assert sum(thread.join() for thread in threads) == counter.sum()
        assert sums == sorted(sums)

    def test_more_threads_than_the_first_row_has_shards(self, spawn: Spawn) -> None:
        """All alive at once, so that each has a seat of its own."""
        counter = fl.ShardedCounter()
        together = threading.Barrier(40)

        def work() -> None:
            counter.add(1)
            together.wait(30.0)
            counter.add(1)

        for thread in [spawn(work) for _ in range(40)]:
            thread.join()
        assert counter.sum() == 80
