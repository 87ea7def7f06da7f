"""What is promised about a fork, type by type. The programs are in `programs_fork*.py`."""

import os
from collections.abc import Callable, Iterator

import pytest

from tests.generic import programs_fork as programs
from tests.generic import programs_fork_compat as compat
from tests.generic import programs_fork_coordination as coordination
from tests.generic import programs_fork_hammer as hammer
from tests.generic import programs_fork_mutex as mutexes
from tests.generic import programs_fork_rwlock as programs_rwlock
from tests.generic import programs_fork_select as selects
from tests.support.process import Series, succeed
from tests.support.recipes import SITUATIONS

pytestmark = [
    pytest.mark.fork,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
]

PROGRAMS = [
    ("channel", programs.channel_items_are_copied),
    ("channel", programs.channel_forgets_vanished_receivers),
    ("channel", programs.channel_forgets_vanished_senders),
    ("channel", programs.channel_works_between_threads_of_the_child),
    ("channel", selects.select_forgets_vanished_threads),
    ("channel", selects.select_offered_at_a_rendezvous),
    ("channel", selects.select_works_between_threads_of_the_child),
    ("channel", selects.select_of_a_timer_made_before),
    ("channel", selects.asyncio_in_a_vanished_thread),
    ("channel", selects.trio_in_a_vanished_thread),
    ("channel", selects.fork_in_a_coroutine),
    ("channel", selects.fork_between_notice_and_turn),
    ("channel", selects.fork_beside_busy_asyncio),
    ("channel", selects.fork_beside_busy_trio),
    ("mutex", mutexes.mutex_free),
    ("mutex", mutexes.mutex_held_by_the_forking_thread),
    ("mutex", mutexes.mutex_held_by_a_vanished_thread),
    ("mutex", mutexes.mutex_held_by_a_vanished_thread_looked_into),
    ("mutex", mutexes.mutex_healed_in_a_grandchild),
    ("semaphore", coordination.semaphore_forgets_vanished_waiters),
    ("semaphore", coordination.semaphore_keeps_what_vanished_threads_hold),
    ("event", coordination.event_is_copied),
    ("latch", coordination.latch_is_copied),
    ("barrier", coordination.barrier_begins_anew),
    ("barrier", coordination.barrier_whose_action_forks),
    ("atomic_bool", programs.atomics),
    ("atomic_float", programs.atomics),
    ("atomic_int", programs.atomics),
    ("atomic_ref", programs.atomics),
    ("atomic_int", programs.atomic_forgets_vanished_waiters),
    ("sharded_counter", programs.sharded_counter),
    ("rwlock", programs_rwlock.read_by_vanished_threads),
    ("rwlock", programs_rwlock.read_by_the_forking_thread),
    ("rwlock", programs_rwlock.written_by_the_forking_thread),
    ("rwlock", programs_rwlock.written_by_a_vanished_thread),
    ("rwlock", programs_rwlock.written_by_a_vanished_thread_looked_into),
    ("compat", compat.locks_stay_locked),
    ("compat", compat.locks_can_be_reset),
    ("compat", compat.rlock_of_the_forking_thread),
    ("compat", compat.waiters_are_forgotten),
    ("task", programs.task_done),
    ("task", programs.task_running_in_a_vanished_thread),
    ("scope", programs.scope_with_vanished_tasks),
    ("scope", programs.scope_cancelled_in_the_child),
    ("thread_pool", programs.thread_pool_restarts_empty),
    ("par", programs.par),
]


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(program, id=program.__name__, marks=pytest.mark.guarantee(kind, "fork"))
        for kind, program in PROGRAMS
    ],
)
def test_a_forked_child_finds_what_is_promised(program: Callable[[], None]) -> None:
    """Each program asserts in the child and in the parent."""
    succeed(program)


@pytest.fixture(scope="module")
def series() -> Iterator[Series]:
    """One interpreter for forks that leave nothing behind but a blocked thread."""
    made = Series()
    yield made
    made.close()


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.guarantee(case.kind, "fork")) for name, case in SITUATIONS.items()],
)
def test_a_fork_beside_a_blocked_call_disturbs_neither_process(name: str, series: Series) -> None:
    """The blocked thread goes on in the parent; the child can make and use what it likes."""
    series.succeed(programs.blocked_elsewhere, name)


@pytest.mark.guarantee("channel", "both builds")
@pytest.mark.guarantee("mutex", "both builds")
@pytest.mark.guarantee("compat", "both builds")
@pytest.mark.guarantee("rwlock", "both builds")
@pytest.mark.guarantee("thread_pool", "both builds")
def test_no_inner_lock_is_left_locked_in_a_child(stress_seconds: float) -> None:
    """Forks at random moments of threads that use everything."""
    succeed(hammer.hammer, str(int(30 * stress_seconds)))
