"""Programs about signals that meet a condition, each run in a process of its own (`tests/test_compat_condition.py`).

Not here: pytest, which these programs do not need.
"""

import os
import signal
from collections.abc import Callable

from fearless import compat
from tests.support.threads import start
from tests.support.until import BOUND, until


def interrupted(call: Callable[[], object]) -> None:
    """Assert that a call ends by Ctrl-C."""
    try:
        call()
    except KeyboardInterrupt:
        return
    raise AssertionError("KeyboardInterrupt was not raised")


def lock_is_taken_back_first(kind: str) -> None:
    """Ctrl-C strikes twice, in the wait and while the lock is taken back; it is raised once the lock is held."""
    lock = getattr(compat, kind)()
    condition = compat.Condition(lock)
    steps: list[str] = []

    def handle(_number: int, _frame: object) -> None:
        steps.append("struck")
        raise KeyboardInterrupt

    def strike() -> None:
        until(lambda: condition._waiting() == 1)
        with lock:
            for count in (1, 2):
                os.kill(os.getpid(), signal.SIGINT)
                until(lambda count=count: len(steps) == count)  # type: ignore[misc]
            until(lambda: lock.stats()["waiting"] == 1)
            steps.append("let go")

    signal.signal(signal.SIGINT, handle)
    other = start(strike)
    with condition:
        interrupted(condition.wait)
        steps.append("raised")
        assert condition._is_owned()
    other.join()
    assert steps == ["struck", "struck", "let go", "raised"]
    assert not lock.locked()
    assert condition._waiting() == 0


def notice_is_passed_on() -> None:
    """The main thread is notified and struck at once; the next that waits gets the notice."""
    condition = compat.Condition()

    def second() -> bool:
        with condition:
            return condition.wait(BOUND)

    def strike() -> bool:
        until(lambda: condition._waiting() == 1)
        waiter = start(second)
        until(lambda: condition._waiting() == 2)
        with condition:
            condition.notify()
            os.kill(os.getpid(), signal.SIGINT)
        return waiter.join()

    other = start(strike)
    with condition:
        interrupted(condition.wait)
    assert other.join() is True


def barrier_waits_for_one_more() -> None:
    """Ctrl-C takes the main thread out of the round; it can come again, and the numbers are still all different."""
    barrier = compat.Barrier(3)
    left = compat.Event()
    numbers = []

    def strike() -> int:
        until(lambda: barrier.n_waiting == 1)
        first = start(barrier.wait)
        until(lambda: barrier.n_waiting == 2)
        os.kill(os.getpid(), signal.SIGINT)
        assert left.wait(BOUND)
        second = start(barrier.wait)
        numbers.append(first.join())
        return second.join()

    other = start(strike)
    interrupted(barrier.wait)
    left.set()
    numbers.append(barrier.wait(BOUND))
    numbers.append(other.join())
    assert sorted(numbers) == [0, 1, 2]
    assert not barrier.broken
