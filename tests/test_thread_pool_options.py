"""`ThreadPool.options`: a time for each task, counted from its beginning, and a name.

Not here: `submit` without options (`test_thread_pool.py`).
"""

import time

import pytest

import fearless as fl
from tests.support.blocking import Gate
from tests.support.until import BOUND


@pytest.mark.guarantee("thread_pool", "timeout")
def test_a_task_that_waits_too_long_fails_with_timeout() -> None:
    """In whatever it waits, nested scopes and its own tasks included; the worker is as good as before."""
    with fl.ThreadPool(1) as pool:

        def nested() -> None:
            with fl.scope():
                fl.sleep(3600)

        limited = pool.options(timeout=0.01, name="limited")
        for task in (
            limited.submit(fl.sleep, 3600),
            limited.submit(nested),
            limited.submit(fl.Event().wait, timeout=99),
        ):
            with pytest.raises(fl.Timeout, match=r"^the task ran out of its 0.01 s$"):
                task.result(BOUND)
            assert (task.name, task.cancelled()) == ("limited", False)
        assert pool.submit(fl.sleep, 0.02).result(BOUND) is None  # outside every scope again


def test_the_time_begins_with_the_call() -> None:
    """Not in the queue; and a call that ends by itself has its own outcome, late or not."""
    gate = Gate()
    with fl.ThreadPool(1) as pool:
        pool.submit(gate)
        assert gate.entered.wait(BOUND)
        queued = pool.options(timeout=60).submit(fl.checkpoint)
        impatient = pool.options(timeout=0).submit(int, "12", base=3)
        wrong = pool.options(timeout=60).submit(int, "x")
        began = time.monotonic()
        fl.sleep(0.01)
        gate.open.set()
        assert queued.result(BOUND) is None
        assert time.monotonic() - began >= 0.01
        assert impatient.result(BOUND) == 5
        assert type(wrong.exception(BOUND)) is ValueError


def test_what_is_moved_into_the_call_is_closed_with_it() -> None:
    """Also when it is refused."""
    with fl.ThreadPool(1) as pool:
        for timeout in (None, 60):
            options = pool.options(timeout=timeout)
            tx, rx = fl.channel(1)
            with rx:
                options.submit(lambda tx: tx.send(1), tx.move()).result(BOUND)
                assert list(rx) == [1]
            tx, rx = fl.channel(1)
            with rx:
                with pytest.raises(TypeError, match="fn must be callable, got None"):
                    options.submit(None, tx.move())  # type: ignore[arg-type]  # that is the point
                assert list(rx) == []
        with pytest.raises(ValueError, match=r"^timeout must be None or a number of seconds >= 0, got -1$"):
            pool.options(timeout=-1)
        with pytest.raises(TypeError, match=r"^timeout must be None or a number of seconds >= 0, got 'soon'$"):
            pool.options(timeout="soon")  # type: ignore[arg-type]  # that is the point
