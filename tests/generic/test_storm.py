"""A storm of SIGALRM around locks, channels and scopes. The programs are in `programs_storm.py`."""

import signal

import pytest

from tests.generic import programs_storm as programs
from tests.support.process import succeed

pytestmark = [
    pytest.mark.stress,
    pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timer"),
]


@pytest.fixture
def seconds(stress_seconds: float) -> float:
    """How long each storm lasts: there are many, so a part of what a stress test gets."""
    return min(stress_seconds / 3, 20.0)


@pytest.mark.guarantee("mutex", "Ctrl-C")
def test_no_acquisition_is_leaked(seconds: float) -> None:
    """However `with mutex as guard` is struck, the mutex is free afterwards."""
    succeed(programs.mutex_with, seconds)


@pytest.mark.guarantee("mutex", "Ctrl-C")
def test_no_acquisition_is_leaked_under_contention(seconds: float) -> None:
    """Also while the struck thread waits for the lock."""
    succeed(programs.mutex_contended, seconds)


@pytest.mark.guarantee("compat", "Ctrl-C")
@pytest.mark.parametrize("kind", ["Lock", "RLock", "wait", "threading"])
def test_no_lock_of_compat_is_leaked(seconds: float, kind: str) -> None:
    """Another thread takes it, too, and wakes who waits."""
    succeed(programs.compat_block, seconds, kind)


@pytest.mark.guarantee("rwlock", "Ctrl-C")
def test_no_acquisition_of_a_rwlock_is_leaked(seconds: float) -> None:
    """Reading, writing, upgraded or downgraded, waiting or not."""
    succeed(programs.rwlock_guards, seconds)


@pytest.mark.guarantee("channel", "Ctrl-C")
@pytest.mark.parametrize("capacity", ["0", "1", "64"])
def test_a_struck_send_has_sent_once_or_not_at_all(seconds: float, capacity: str) -> None:
    """The consumer runs on another thread and sees every item that was noted as sent."""
    succeed(programs.sends, seconds, capacity)


@pytest.mark.guarantee("channel", "Ctrl-C")
@pytest.mark.parametrize("capacity", ["0", "1", "64"])
def test_other_threads_exchange_undisturbed(seconds: float, capacity: str) -> None:
    """Only the main thread is struck, and its waiter leaves no trace."""
    succeed(programs.receives_elsewhere, seconds, capacity)


@pytest.mark.guarantee("channel", "Ctrl-C")
def test_a_struck_receive_loses_at_most_what_a_statement_loses(seconds: float) -> None:
    """Nothing comes twice or out of order, and no more is lost than there were strikes."""
    succeed(programs.receives, seconds)


@pytest.mark.guarantee("channel", "Ctrl-C")
@pytest.mark.guarantee("task", "Ctrl-C")
def test_a_handler_that_does_not_raise_disturbs_nothing(seconds: float) -> None:
    """Round trips, locks and tasks while signals come."""
    succeed(programs.calm, seconds)


@pytest.mark.guarantee("scope", "Ctrl-C")
def test_a_struck_block_of_a_scope_is_left_when_its_tasks_have_ended(seconds: float) -> None:
    """Wherever it is struck, the thread is in no scope afterwards."""
    succeed(programs.scopes, seconds)


def test_a_strike_while_a_text_is_made_is_not_lost(seconds: float) -> None:
    """Of objects whose text has that of another in it."""
    succeed(programs.reprs, seconds)
