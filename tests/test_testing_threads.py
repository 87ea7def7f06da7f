"""`fearless.testing.no_leftover_threads`: threads left behind, where they were started, and the fixture."""

import _thread
import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import pytest

import fearless as fl
from fearless.testing import LeftoverThreads, no_leftover_threads, wait_until_blocked
from tests.support.until import BOUND, until


def test_a_thread_that_was_left_behind_is_named() -> None:
    """With what it waits for; one that ends in time is none, nor is one that was there before."""
    go = fl.Event()

    def leave_one() -> None:
        with no_leftover_threads(timeout=0):
            tasks.append(fl.options(name="leaky").spawn(stay))
            wait_until_blocked(tasks[0], BOUND)

    def stay() -> None:
        go.wait()

    tasks: list[fl.Task[None]] = []
    with pytest.raises(LeftoverThreads, match=r"'leaky': waits in event, in stay \(test_testing_threads.py:\d+\)"):
        leave_one()
    with no_leftover_threads(timeout=BOUND):
        brief = fl.spawn(go.wait)
        go.set()
    assert brief.done()
    tasks[0].join(BOUND)


def test_threads_that_cannot_be_joined_are_waited_for_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of other makers, which Python knows only from a call, and those that another thread is just starting."""
    ended, go = fl.Event(), fl.Event()

    def foreign() -> None:
        threading.current_thread()
        ended.set()
        go.wait(BOUND)

    with no_leftover_threads(timeout=BOUND):
        _thread.start_new_thread(foreign, ())
        ended.wait(BOUND)
        go.set()

    go.clear()
    ended.clear()
    idents = list[int]()

    def leave_one() -> None:
        with no_leftover_threads(timeout=0.01):
            idents.append(_thread.start_new_thread(foreign, ()))
            ended.wait(BOUND)

    with pytest.raises(LeftoverThreads, match="Dummy-"):
        leave_one()
    go.set()
    until(lambda: idents[0] not in sys._current_frames())
    with no_leftover_threads(timeout=0):
        pass  # Python still lists it

    starting = [[threading.Thread(target=int)], []]
    with no_leftover_threads(timeout=BOUND):
        monkeypatch.setattr(threading, "enumerate", lambda: starting.pop(0))
    assert not starting


def _use(pool: ThreadPoolExecutor) -> None:
    with no_leftover_threads(daemon=True, timeout=0):
        pool.submit(int).result(BOUND)


def test_daemons_and_workers_stay_only_if_asked() -> None:
    """Workers are those of our pools and of the standard library's."""
    go = fl.Event()
    ours, theirs = fl.ThreadPool(1), ThreadPoolExecutor(1)
    with no_leftover_threads(daemon=True, pools=True, timeout=0):
        daemon = fl.options(name="demon", daemon=True).spawn(go.wait)
        ours.submit(int).result(BOUND)
        theirs.submit(int).result(BOUND)
    ours.shutdown()
    theirs.shutdown()
    with (
        ThreadPoolExecutor(1) as new,
        pytest.raises(LeftoverThreads, match=r"ThreadPoolExecutor.*; started in _use \("),
    ):
        _use(new)
    go.set()
    daemon.join(BOUND)


def test_it_tells_where_each_was_started() -> None:
    """By the line that asked for it, not by ours or by the standard library's; also where blocks are nested."""
    go, ours, stock = fl.Event(), fl.ThreadPool(1), ThreadPoolExecutor(1)
    untouched = threading.Thread.start

    def start_all() -> None:
        threads.append(threading.Thread(target=go.wait, name="plain"))
        threads[0].start()
        fl.options(name="spawned").spawn(go.wait)
        for pool in (ours, stock):
            pool.submit(go.wait)

    def leave_all() -> None:
        with no_leftover_threads(timeout=0):
            with no_leftover_threads(timeout=0):
                pass
            start_all()

    threads = list[threading.Thread]()
    with pytest.raises(LeftoverThreads) as caught:
        leave_all()
    go.set()
    ours.shutdown()
    stock.shutdown()
    threads[0].join(BOUND)

    line = start_all.__code__.co_firstlineno
    places = re.findall(
        r"^  '(\w+).*; started in start_all \(test_testing_threads\.py:(\d+)\)$", str(caught.value), re.MULTILINE
    )
    assert len(places) == 4
    assert {(name, int(number) - line) for name, number in places} == {
        ("plain", 2),
        ("spawned", 3),
        ("ThreadPool", 5),
        ("ThreadPoolExecutor", 5),
    }
    assert threading.Thread.start is untouched


def test_others_may_wrap_the_start_of_threads_meanwhile() -> None:
    """And put back what they found later: nothing is lost, and nobody goes round in a circle."""
    untouched = threading.Thread.start
    with mock.patch.object(threading.Thread, "start", untouched):
        with no_leftover_threads():
            ours = threading.Thread.start

            def theirs(thread: threading.Thread) -> None:
                ours(thread)

            patch = mock.patch.object(threading.Thread, "start", theirs)
            patch.start()
        with no_leftover_threads():
            assert fl.spawn(pow, 2, 5).join(BOUND) == 32
        patch.stop()
        assert fl.spawn(pow, 2, 5).join(BOUND) == 32


def test_the_fixture_fails_a_test_that_leaves_a_thread(pytester: pytest.Pytester) -> None:
    """It comes by the entry point; the marker says what may stay, and the others pass."""
    pytester.makepyfile("""
        import threading
        import fearless as fl
        import pytest

        go = fl.Event()

        def test_clean(no_leftover_threads):
            with fl.scope() as scope:
                scope.spawn(int)

        @pytest.mark.leftover_threads(timeout=0)
        def test_leaky(no_leftover_threads):
            fl.options(name="leaky", daemon=True).spawn(go.wait)

        @pytest.mark.leftover_threads(daemon=True, timeout=0)
        def test_allowed(no_leftover_threads):
            fl.options(name="allowed", daemon=True).spawn(go.wait)

        def test_last():
            go.set()
    """)

    result = pytester.runpytest_inprocess("--strict-markers", "-p", "no:cacheprovider")

    result.assert_outcomes(passed=4, errors=1)
    result.stdout.fnmatch_lines(["*LeftoverThreads: threads were left behind:*", "*'leaky' (daemon): *"])
