"""What holds for every call that can block, whatever its type."""

import math
import time
from collections.abc import Iterator

import pytest
from _pytest.mark import ParameterSet

import fearless as fl
from tests.generic import programs
from tests.plugins.threads import Spawn
from tests.support.blocking import Situation, blocking_callables
from tests.support.process import Series, execute, succeed
from tests.support.recipes import RECIPES, SITUATIONS
from tests.support.until import LATE

ALL = list(SITUATIONS.values())
TIMED = [situation for situation in ALL if situation.takes_timeout]
WOKEN = [situation for situation in TIMED if situation.can_be_released]
RELEASED = [situation for situation in ALL if situation.can_be_released]
POINTS = [situation for situation in ALL if situation.cancellation_point]
READY = [situation for situation in POINTS if situation.can_be_ready]
LOCKS = [situation for situation in ALL if not situation.cancellation_point]


def cells(promise: str, situations: list[type[Situation]]) -> list[ParameterSet]:
    """Situations, each marked with the cell of the matrix that a test with it fills."""
    return [
        pytest.param(situation, id=situation.__name__, marks=pytest.mark.guarantee(situation.kind, promise))
        for situation in situations
    ]


@pytest.fixture
def situation(request: pytest.FixtureRequest) -> Iterator[Situation]:
    """Bring the situation about that the parameter names."""
    made: Situation = request.param()
    yield made
    made.close()


def test_every_blocking_call_has_a_situation() -> None:
    """The list of calls comes from docstrings, so a new one cannot be forgotten here."""
    assert blocking_callables() == set(RECIPES)


@pytest.fixture(scope="module")
def series() -> Iterator[Series]:
    """One interpreter for what leaves nothing behind."""
    made = Series()
    yield made
    made.close()


@pytest.mark.parametrize("kind", cells("Ctrl-C", ALL))
def test_ctrl_c_ends_a_blocked_call(kind: type[Situation], series: Series) -> None:
    """KeyboardInterrupt comes at once, nothing has been done, and the object is as good as before."""
    late = float(series.succeed(programs.interrupt, kind.__name__))

    assert late < LATE


@pytest.mark.parametrize("kind", cells("Ctrl-C", RELEASED))
def test_a_signal_whose_handler_returns_disturbs_nothing(kind: type[Situation], series: Series) -> None:
    """The call keeps its place and goes on waiting, however often signals come."""
    series.succeed(programs.interrupt_without_effect, kind.__name__)


@pytest.mark.parametrize("kind", cells("exit", ALL))
def test_the_process_ends_while_a_daemon_thread_is_blocked(kind: type[Situation]) -> None:
    """With code 0 and without a word on standard error."""
    succeed(programs.exit_while_blocked, kind.__name__)


@pytest.mark.guarantee("channel", "exit")
@pytest.mark.guarantee("mutex", "exit")
@pytest.mark.guarantee("rwlock", "exit")
@pytest.mark.parametrize("attempt", range(5))
def test_the_process_ends_while_daemon_threads_are_busy(attempt: int) -> None:
    """A thread that comes back from a wait while the interpreter ends is stopped there, in frames of ours."""
    del attempt
    succeed(programs.exit_while_busy)


@pytest.mark.guarantee("channel", "exit")
@pytest.mark.guarantee("mutex", "exit")
@pytest.mark.guarantee("rwlock", "exit")
@pytest.mark.parametrize("options", [(), ("-X", "dev"), ("-W", "error")])
def test_the_process_ends_with_everything_open(options: tuple[str, ...]) -> None:
    """Held locks, queued items and open ends are let go of with the interpreter, at most with warnings."""
    ended = execute(programs.exit_while_holding, options=options)

    assert ended.code == 0, ended.errors
    assert options or not ended.errors


@pytest.mark.parametrize("situation", cells("timeout", TIMED), indirect=True)
class TestTimeout:
    def test_expiry_raises_timeout_and_has_done_nothing(self, situation: Situation) -> None:
        """The clock is read only to see that the call did not give up early."""
        begun = time.monotonic()
        with pytest.raises(fl.Timeout) as caught:
            situation.call(0.02)

        assert time.monotonic() - begun >= 0.02
        assert isinstance(caught.value, TimeoutError)
        assert isinstance(caught.value, fl.FearlessError)
        situation.check_nothing_happened()
        situation.check_usable()

    def test_zero_tries_once(self, situation: Situation) -> None:
        """It fails at once when the call would have to wait, and succeeds when it need not."""
        with pytest.raises(fl.Timeout):
            situation.call(0)
        situation.check_nothing_happened()

        if situation.can_be_ready:
            situation.make_ready()
            situation.call(0)

    @pytest.mark.parametrize("wrong", [-1, -0.001, -math.inf, math.nan])
    def test_a_wrong_timeout_is_refused_with_rule_and_value(self, situation: Situation, wrong: float) -> None:
        """It is refused whether or not the call would have to wait."""
        for ready in (False, True) if situation.can_be_ready else (False,):
            if ready:
                situation.make_ready()
            with pytest.raises(ValueError, match=rf"timeout must be None or a number of seconds >= 0, got {wrong}$"):
                situation.call(wrong)
            situation.check_nothing_happened()

    def test_a_timeout_that_is_no_number_is_a_type_error(self, situation: Situation) -> None:
        """A text of digits is no number."""
        with pytest.raises(TypeError, match=r"timeout must be None or a number of seconds >= 0, got '1'$"):
            situation.call("1")  # type: ignore[arg-type]  # that is the point
        situation.check_nothing_happened()


@pytest.mark.parametrize("situation", cells("timeout", WOKEN), indirect=True)
@pytest.mark.parametrize("timeout", [None, math.inf, 1e300, 10**400, 3600])
def test_none_and_more_than_the_clock_holds_wait(situation: Situation, timeout: float | None, spawn: Spawn) -> None:
    """The call goes ahead once it can."""
    blocked = spawn(situation.call, timeout)
    situation.await_blocked(blocked.ident)

    situation.release()

    blocked.join()


def in_scope(situation: Situation, scopes: list[fl.Scope]) -> str:
    """Make the call in a scope that the caller can cancel, and tell how it ended."""
    outcome = "returned"
    with fl.scope() as scope:
        scopes.append(scope)
        try:
            situation.call()
        except fl.Cancelled:
            outcome = "cancelled"
            raise
    return outcome


@pytest.mark.parametrize("situation", cells("cancel", POINTS), indirect=True)
class TestCancel:
    def test_a_blocked_call_is_woken(self, situation: Situation, spawn: Spawn) -> None:
        """It raises Cancelled, which its scope swallows, and has done nothing."""
        scopes: list[fl.Scope] = []
        blocked = spawn(in_scope, situation, scopes)
        situation.await_blocked(blocked.ident)

        scopes[0].cancel()

        assert blocked.join() == "cancelled"
        if situation.undoes:
            situation.check_nothing_happened()
        situation.check_usable()

    def test_a_call_in_a_cancelled_scope_does_not_begin(self, situation: Situation) -> None:
        """Level-triggered: it would have to wait, and does not."""
        outcome = []
        with fl.scope() as scope:
            scope.cancel()
            for _ in range(2):
                with pytest.raises(fl.Cancelled):
                    situation.call()
                outcome.append("cancelled")

        assert len(outcome) == 2
        if situation.undoes:
            situation.check_nothing_happened()
        situation.check_usable()


@pytest.mark.parametrize("situation", cells("cancel", READY), indirect=True)
def test_also_a_call_that_need_not_wait_is_refused_in_a_cancelled_scope(situation: Situation) -> None:
    """Whether a call is refused must not depend on what others have done meanwhile."""
    situation.make_ready()
    with fl.scope() as scope:
        scope.cancel()
        with pytest.raises(fl.Cancelled):
            situation.call()

    situation.check_nothing_happened()
    situation.check_usable()


@pytest.mark.parametrize("situation", cells("cancel", LOCKS), indirect=True)
class TestLocksAreNoCancellationPoints:
    def test_a_blocked_call_is_not_woken(self, situation: Situation, spawn: Spawn) -> None:
        """It still waits after the cancellation, and goes ahead with the lock."""
        scopes: list[fl.Scope] = []
        blocked = spawn(in_scope, situation, scopes)
        situation.await_blocked(blocked.ident)

        scopes[0].cancel()

        assert situation.is_blocked(blocked.ident)
        situation.release()
        assert blocked.join() == "returned"

    def test_a_call_in_a_cancelled_scope_goes_ahead(self, situation: Situation) -> None:
        """So that `finally` can clean up."""
        situation.make_ready()
        with fl.scope() as scope:
            scope.cancel()
            situation.call()
