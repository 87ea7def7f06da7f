"""`ThreadPool.par`: helpers that are tasks of a pool. And `progress`, which shows how far a run of `par` is."""

import importlib.util
import threading
from typing import Any

import pytest

import fearless as fl
from fearless import _progress
from tests.plugins.threads import Spawn
from tests.support.until import BOUND, until


class TestPool:
    def test_its_workers_help_the_caller(self) -> None:
        """Both have an item each at the same time, and no other thread is there."""
        meeting = threading.Barrier(2, timeout=BOUND)
        with fl.ThreadPool(2, name="helpers") as pool:
            names = pool.par([0, 1]).map(lambda _: meeting.wait() >= 0 and threading.current_thread().name).collect()
        assert sorted(names) == sorted([threading.current_thread().name, "helpers_0"])

    @pytest.mark.parametrize("backlog", [None, 0, 1])
    def test_a_busy_pool_holds_nobody_up(self, backlog: int | None) -> None:
        """The caller does it all, and the helpers that never began are gone."""
        gate = threading.Event()
        with fl.ThreadPool(1, backlog=backlog) as pool:
            busy = pool.submit(gate.wait, BOUND)
            until(busy.running, "the pool busy")
            assert pool.par(range(1000), workers=3).map(abs).sum() == sum(range(1000))
            assert not busy.done()
            gate.set()

    def test_inside_a_task_of_the_same_pool(self) -> None:
        """Also when all workers do that at once."""
        meeting = threading.Barrier(2, timeout=BOUND)

        def task(number: int) -> int:
            meeting.wait()
            return sum(pool.par(range(number)).map(abs).collect())

        with fl.ThreadPool(2, backlog=2) as pool:
            assert list(pool.map(task, [100, 200])) == [sum(range(100)), sum(range(200))]

    def test_its_failures_and_those_of_the_run(self) -> None:
        """As they are: the pool does not get to know of a stage's, and refuses work after its end."""
        with fl.ThreadPool(2) as pool:
            chain = pool.par(range(-50, 50)).map(lambda n: 1 // n)
            with pytest.raises(ZeroDivisionError):
                chain.collect()
            assert pool.submit(abs, -1).result() == 1
        with pytest.raises(RuntimeError, match="the pool is shut down"):
            chain.collect()

    def test_the_scope_around_stops_the_helpers(self, spawn: Spawn) -> None:
        """Though tasks of a pool are outside every scope otherwise."""
        tx, rx = fl.channel(None)
        scopes: list[fl.Scope] = []
        waiting = fl.Latch(2)

        def work(_: int) -> object:
            waiting.arrive()
            return rx.recv()

        def run() -> str:
            with fl.scope() as scope:
                scopes.append(scope)
                pool.par(range(2)).for_each(work)
            return "left"

        with fl.ThreadPool(2) as pool:
            running = spawn(run)
            waiting.wait(BOUND)
            scopes[0].cancel()
            assert running.join() == "left"
        tx.close()
        rx.close()


class Drawings:
    """In place of a library that draws: keeps what it was to show."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the place of all that there are."""
        self.total: int | None = -1
        self.shown: list[int] = []
        self.closed = 0
        monkeypatch.setattr(_progress, "_DRAW", {"math": self.draw})  # a module that is there

    def draw(self, total: int | None) -> Any:
        """Begin a bar."""
        self.total = total
        return self.shown.append, self.close

    def close(self) -> None:
        """End it."""
        self.closed += 1


class TestProgress:
    def test_it_counts_items_and_knows_their_number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where they have one; the last drawing is complete, and there is not one for each chunk."""
        drawings = Drawings(monkeypatch)
        monkeypatch.setattr(_progress, "_PAUSE", float("inf"))
        for items, total in ((range(500), 500), (iter(range(500)), None)):
            assert fl.par(items, workers=2, chunk=1, progress=True).filter(lambda n: n > 400).count() == 99
            assert drawings.total == total
            assert drawings.shown == [500]
            drawings.shown.clear()
        assert [*fl.par(range(500), workers=2, chunk=1, progress=True)] == list(range(500))
        assert (drawings.shown, drawings.closed) == ([500], 3)

    def test_a_failure_puts_it_away_where_it_stood(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One worker has done four chunks before."""
        drawings = Drawings(monkeypatch)
        with pytest.raises(ZeroDivisionError):
            fl.par(range(-4, 5), workers=1, schedule="dynamic", progress=True).map(lambda n: 1 // n).collect()
        assert (drawings.shown[-1], drawings.closed) == (4, 1)

    def test_one_that_cannot_be_drawn_is_put_away_all_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As when standard error is closed. Nor does it need a number that nobody can give."""
        drawings = Drawings(monkeypatch)
        assert fl.par(range(10**30), workers=1, progress=True).any(bool)
        assert (drawings.total, drawings.closed) == (None, 1)

        def refuse(_: int) -> None:
            raise BrokenPipeError

        monkeypatch.setattr(_progress, "_DRAW", {"math": lambda _total: (refuse, drawings.close)})
        for run in (fl.par(range(5), progress=True).count, lambda: list(fl.par(range(5), progress=True))):
            with pytest.raises(BrokenPipeError):
                run()
        assert drawings.closed == 3

    @pytest.mark.parametrize("name", ["rich", "tqdm"])
    def test_each_library_draws_on_standard_error(
        self, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """And nothing anywhere without `progress`."""
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
        monkeypatch.setattr(_progress, "_DRAW", {name: _progress._DRAW[name]})
        fl.par(range(50), workers=2).for_each(abs)
        assert capsys.readouterr() == ("", "")
        fl.par(range(50), workers=2, progress=True).for_each(abs)
        shown = capsys.readouterr()
        assert "100%" in shown.err
        assert shown.out == ""

    def test_without_a_library_it_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Before anything runs."""
        monkeypatch.setattr(_progress, "_DRAW", {"no_such_module": _progress._DRAW["tqdm"]})
        with pytest.raises(ImportError, match=r"^progress=True needs rich or tqdm, and neither is installed$"):
            fl.par([1], progress=True)
