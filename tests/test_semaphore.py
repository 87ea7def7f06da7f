"""`Semaphore` for threads: how many are inside at once, who comes first, what giving back is refused for.

Not here: tasks and select (`test_semaphore_async.py`), and what all blocking calls have in common (`tests/generic/`).
"""

import contextlib
import pickle
import random
import threading
import time
import weakref
from collections.abc import Callable

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.until import BOUND, until


def waiting(semaphore: fl.Semaphore, count: int) -> None:
    """Return when so many wait."""
    until(lambda: semaphore.stats()["waiting"] == count)


class TestPermits:
    @pytest.mark.guarantee("semaphore", "both builds")
    @pytest.mark.usefixtures("quick_switches")
    @pytest.mark.parametrize("way", ["with", "permits", "acquire", "try_acquire"])
    def test_no_more_are_inside_than_there_are_permits(self, way: str, spawn: Spawn) -> None:
        """Four threads, two permits; each has its turns."""
        semaphore, inside, most = fl.Semaphore(2), fl.AtomicInt(0), list[int]()
        begin = threading.Barrier(4)

        def section() -> None:
            most.append(inside.fetch_add(1) + 1)
            inside.add(-1)

        def once() -> None:
            if way == "with":
                with semaphore:
                    section()
            elif way == "permits":
                with semaphore.permits(1, BOUND):
                    section()
            else:
                if way == "acquire":
                    semaphore.acquire(1, BOUND)
                else:
                    while not semaphore.try_acquire():
                        pass
                section()
                semaphore.release()

        def work() -> None:
            begin.wait(BOUND)
            for _ in range(1000):
                once()

        for thread in [spawn(work) for _ in range(4)]:
            thread.join()

        assert len(most) == 4000
        assert max(most) <= 2
        assert semaphore.stats() == {"free": 2, "waiting": 0}

    def test_a_release_serves_all_for_whom_it_is_enough(self, spawn: Spawn) -> None:
        """And leaves the rest free."""
        semaphore = fl.Semaphore(4)
        semaphore.acquire(4)
        blocked = [spawn(semaphore.acquire, number) for number in (1, 2)]
        waiting(semaphore, 2)

        semaphore.release(4)
        for thread in blocked:
            thread.join()

        assert semaphore.stats() == {"free": 1, "waiting": 0}

    def test_try_acquire_tells_whether_it_has_taken(self) -> None:
        """All of what was asked for, or nothing."""
        semaphore = fl.Semaphore(3)

        assert semaphore.try_acquire(2)
        assert not semaphore.try_acquire(2)
        assert semaphore.try_acquire()
        assert not semaphore.try_acquire()
        assert semaphore.stats()["free"] == 0

    def test_a_block_gives_back_also_after_an_error(self) -> None:
        """As many as it took."""
        semaphore = fl.Semaphore(3)
        with pytest.raises(ZeroDivisionError), semaphore, semaphore.permits(2):
            1 // semaphore.stats()["free"]

        assert semaphore.stats()["free"] == 3

    def test_a_block_of_permits_can_be_used_again_and_by_several(self, spawn: Spawn) -> None:
        """It holds nothing by itself."""
        semaphore = fl.Semaphore(4)
        block = semaphore.permits(2)
        go_on = threading.Event()

        def hold() -> None:
            with block:
                assert go_on.wait(BOUND)

        with block:
            other = spawn(hold)
            until(lambda: semaphore.stats()["free"] == 0)
        go_on.set()
        other.join()
        with block:
            assert semaphore.stats()["free"] == 2

        assert repr(block) == "<2 permits of <Semaphore 4 of 4 free, 0 waiting>>"

    def test_a_block_waits_no_longer_than_it_was_given(self) -> None:
        """Each time it is entered."""
        semaphore = fl.Semaphore(2)
        block = semaphore.permits(2, 0)
        with semaphore:
            for _ in range(2):
                with pytest.raises(fl.Timeout, match="with: not enough permits were free within"), block:
                    pass
        with block:
            pass

    def test_any_thread_may_give_back(self, spawn: Spawn) -> None:
        """Nobody owns a permit."""
        semaphore = fl.Semaphore(1)
        semaphore.acquire()
        blocked = spawn(semaphore.acquire)
        waiting(semaphore, 1)

        spawn(semaphore.release).join()

        blocked.join()
        assert semaphore.stats() == {"free": 0, "waiting": 0}


class TestOrder:
    def test_waiters_are_served_in_the_order_they_came(self, spawn: Spawn) -> None:
        """With one permit at a time."""
        semaphore, got = fl.Semaphore(1), list[int]()

        def take(number: int) -> None:
            semaphore.acquire()
            got.append(number)
            semaphore.release()

        with semaphore:
            blocked = []
            for number in range(5):
                blocked.append(spawn(take, number))
                waiting(semaphore, number + 1)
        for thread in blocked:
            thread.join()

        assert got == [0, 1, 2, 3, 4]

    def test_a_large_request_holds_up_the_small_ones_behind_it(self, spawn: Spawn) -> None:
        """Also those that come by: one permit is free, and nobody gets it."""
        semaphore = fl.Semaphore(2)
        semaphore.acquire()
        large = spawn(semaphore.acquire, 2)
        waiting(semaphore, 1)
        small = spawn(semaphore.acquire)
        waiting(semaphore, 2)

        assert not semaphore.try_acquire()
        with pytest.raises(fl.Timeout):
            semaphore.acquire(timeout=0)
        with pytest.raises(fl.Empty):
            fl.try_select(semaphore)
        assert semaphore.stats() == {"free": 1, "waiting": 2}

        semaphore.release()
        large.join()
        assert semaphore.stats() == {"free": 0, "waiting": 1}
        semaphore.release(2)
        small.join()

    def test_a_large_request_is_served_while_small_ones_never_pause(self, spawn: Spawn) -> None:
        """Threads that take one again and again do not starve it."""
        semaphore, over = fl.Semaphore(2), threading.Event()

        def busy() -> None:
            while not over.is_set():
                with semaphore:
                    pass

        others = [spawn(busy) for _ in range(3)]
        for _ in range(200):
            semaphore.acquire(2, BOUND)
            semaphore.release(2)
        over.set()
        for other in others:
            other.join()

        assert semaphore.stats() == {"free": 2, "waiting": 0}

    @pytest.mark.guarantee("semaphore", "timeout")
    def test_who_gives_up_lets_the_smaller_ones_behind_it_go(self, spawn: Spawn) -> None:
        """Nothing was given back meanwhile."""
        semaphore = fl.Semaphore(2)
        semaphore.acquire()
        scopes: list[fl.Scope] = []

        def large() -> None:
            with fl.scope() as scope:
                scopes.append(scope)
                semaphore.acquire(2)

        gives_up = spawn(large)
        waiting(semaphore, 1)
        small = spawn(semaphore.acquire)
        waiting(semaphore, 2)

        scopes[0].cancel()

        gives_up.join()
        small.join()
        assert semaphore.stats() == {"free": 0, "waiting": 0}


class TestMisuse:
    def test_giving_back_what_is_not_taken_is_refused(self) -> None:
        """As a whole, with the counts."""
        semaphore = fl.Semaphore(3)
        with pytest.raises(ValueError, match=r"^release: 0 of 3 permits are taken, got 1 back$"):
            semaphore.release()
        semaphore.acquire(2)
        with pytest.raises(ValueError, match=r"^release: 2 of 3 permits are taken, got 3 back$"):
            semaphore.release(3)

        assert semaphore.stats()["free"] == 1

    def test_it_is_refused_also_while_others_wait(self, spawn: Spawn) -> None:
        """And they still wait."""
        semaphore = fl.Semaphore(3)
        semaphore.acquire(2)
        blocked = spawn(semaphore.acquire, 2)
        waiting(semaphore, 1)

        with pytest.raises(ValueError, match="2 of 3 permits are taken, got 3 back"):
            semaphore.release(3)

        assert semaphore.stats() == {"free": 1, "waiting": 1}
        semaphore.release(2)
        blocked.join()

    def test_the_end_of_a_block_that_gave_back_too_much(self) -> None:
        """The block says so."""
        semaphore = fl.Semaphore(1)
        with pytest.raises(ValueError, match=r"^with: 0 of 1 permits are taken, got 1 back$"), semaphore:
            semaphore.release()

    def test_unbounded_it_grows(self, spawn: Spawn) -> None:
        """For permits that are made: one signals to another how much there is."""
        semaphore = fl.Semaphore(0, bounded=False)
        blocked = spawn(semaphore.acquire, 5)
        waiting(semaphore, 1)

        semaphore.release(7)

        blocked.join()
        assert repr(semaphore) == "<Semaphore 2 free, 0 waiting>"

    def test_also_without_a_bound_there_is_an_end(self) -> None:
        """The counter never wraps."""
        semaphore = fl.Semaphore(2**63 - 1, bounded=False)
        with pytest.raises(ValueError, match=r"less than 2\*\*63 permits, got 1 beside 9223372036854775807"):
            semaphore.release()
        assert semaphore.try_acquire(2**63 - 1)

    @pytest.mark.parametrize("call", ["acquire", "try_acquire", "permits", "acquire_async"])
    def test_a_request_that_could_never_be_served_is_refused(self, call: str) -> None:
        """It would wait for ever; without a bound it need not."""
        with pytest.raises(ValueError, match=rf"^{call}: the semaphore has 3 permits in all, 4 would never be free$"):
            getattr(fl.Semaphore(3), call)(4)
        assert not fl.Semaphore(3, bounded=False).try_acquire(4)

    @pytest.mark.parametrize("call", ["acquire", "try_acquire", "permits", "acquire_async", "release"])
    @pytest.mark.parametrize(
        ("wrong", "kind"),
        [(0, ValueError), (-1, ValueError), (2**70, ValueError)]
        + [(wrong, TypeError) for wrong in (True, 1.0, "1", None)],
    )
    def test_a_wrong_number_is_refused(self, call: str, wrong: object, kind: type[Exception]) -> None:
        """With the rule and the value."""
        semaphore = fl.Semaphore(3)
        with pytest.raises(kind, match="n must be") as caught:
            getattr(semaphore, call)(wrong)

        assert repr(wrong) in str(caught.value)
        assert semaphore.stats() == {"free": 3, "waiting": 0}

    @pytest.mark.parametrize("wrong", [-1, True, 1.5, None, 2**63])
    def test_a_wrong_size_is_refused(self, wrong: int) -> None:
        """Likewise."""
        with pytest.raises((TypeError, ValueError), match="n must be"):
            fl.Semaphore(wrong)

    def test_none_at_all_is_refused_unless_some_can_be_made(self) -> None:
        """Nobody could ever take any."""
        with pytest.raises(ValueError, match=r"got 0: no permit would ever be free; bounded=False"):
            fl.Semaphore(0)

    def test_it_cannot_be_pickled(self) -> None:
        """A copy would have permits of its own."""
        with pytest.raises(TypeError, match="a Semaphore cannot be pickled"):
            pickle.dumps(fl.Semaphore(1))


def test_repr_tells_what_is_free_and_who_waits(spawn: Spawn) -> None:
    """For whoever looks at a program that stands still."""
    semaphore = fl.Semaphore(2)
    assert repr(semaphore) == "<Semaphore 2 of 2 free, 0 waiting>"
    semaphore.acquire(2)
    blocked = spawn(semaphore.acquire)
    waiting(semaphore, 1)
    assert repr(semaphore) == "<Semaphore 0 of 2 free, 1 waiting>"
    semaphore.release(2)
    blocked.join()


def test_it_can_be_referred_to_weakly() -> None:
    """For registries."""
    semaphore = fl.Semaphore(1)
    assert weakref.ref(semaphore)() is semaphore


@pytest.mark.stress
@pytest.mark.guarantee("semaphore", "both builds")
@pytest.mark.usefixtures("quick_switches")
def test_permits_are_neither_lost_nor_made(stress_seconds: float, spawn: Spawn) -> None:
    """Random requests of all kinds, most of which run out of time; there are never more inside than permits."""
    total, end = 5, time.monotonic() + stress_seconds
    semaphore, taken = fl.Semaphore(total), fl.AtomicInt(0)

    def work(seed: int) -> int:
        chance, count = random.Random(seed), 0  # noqa: S311 - a repeatable choice, no secret
        while count == 0 or time.monotonic() < end:
            n = chance.randint(1, total)
            timeout = chance.choice([0, 1e-5, 1e-3])
            ways: list[Callable[[], object]] = [
                lambda n=n, timeout=timeout: semaphore.acquire(n, timeout),  # type: ignore[misc]  # a default
                lambda n=n, timeout=timeout: fl.select(semaphore.permits(n), fl.never(), timeout=timeout),  # type: ignore[misc]
            ]
            with contextlib.suppress(fl.Timeout):
                chance.choice(ways)()
                assert taken.fetch_add(n) + n <= total
                taken.add(-n)
                semaphore.release(n)
                count += 1
        return count

    threads = [spawn(work, seed) for seed in range(4)]

    assert all(thread.join(stress_seconds + BOUND) > 0 for thread in threads)
    assert semaphore.stats() == {"free": total, "waiting": 0}
