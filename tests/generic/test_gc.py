"""Garbage collection: no live object is ever finalized, and no dead cycle survives. And how small an idle mutex is.

Not here: the programs in which the collector never pauses (`programs_gc.py`).
"""

import gc
import sysconfig
import warnings
import weakref
from collections.abc import Callable, Iterator

import pytest

import fearless as fl
from tests.generic import programs_gc
from tests.generic.cycles import Cycles
from tests.generic.displacing import Displace, Displacing
from tests.plugins.threads import Spawn
from tests.support.items import Item, Marker
from tests.support.process import succeed
from tests.support.until import blocked_senders, until


@pytest.fixture
def _drops_ends() -> Iterator[None]:
    """Expect the warnings about ends and guards that are dropped, which is the point of the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


pytestmark = pytest.mark.usefixtures("_drops_ends")


@pytest.mark.guarantee("channel", "GC")
@pytest.mark.parametrize("capacity", ["None", "16", "1", "0"])
def test_no_item_on_its_way_through_a_channel_is_finalized(capacity: str) -> None:
    """A consumer and a collector run side by side; what the consumer gets is whole."""
    succeed(programs_gc.channel, capacity)


@pytest.mark.guarantee("mutex", "GC")
def test_no_value_of_a_mutex_is_finalized() -> None:
    """Two threads exchange the value while a collector runs."""
    succeed(programs_gc.mutex)


@pytest.mark.guarantee("atomic_ref", "GC")
def test_no_value_of_a_reference_is_finalized() -> None:
    """Two threads replace it, a third reads it, while a collector runs."""
    succeed(programs_gc.atomic_ref)


@pytest.mark.guarantee("rwlock", "GC")
def test_no_value_of_a_rwlock_is_finalized() -> None:
    """Two threads exchange the value and read it while a collector runs."""
    succeed(programs_gc.rwlock)


@pytest.mark.guarantee("thread_pool", "GC")
@pytest.mark.guarantee("task", "GC")
def test_no_argument_or_result_of_a_task_is_finalized() -> None:
    """A pool works while a collector runs."""
    succeed(programs_gc.pool)


@pytest.mark.guarantee("channel", "GC")
def test_an_item_also_held_elsewhere_survives_the_end_of_its_channel() -> None:
    """The ends are in a dead cycle; what is in the channel and in a local variable at once stays whole."""
    item = Item()
    tx, rx = fl.channel(None)
    gone = weakref.ref(tx)
    tx.send(item)
    tx.send([tx, rx])

    del tx, rx
    gc.collect()

    assert gone() is None
    item.check()


@pytest.mark.guarantee("channel", "GC")
def test_an_item_with_a_blocked_sender_is_counted_once(spawn: Spawn) -> None:
    """Collections while a sender is blocked with its item neither finalize nor clear it."""
    item = Item()
    tx, rx = fl.channel(0)
    sender = spawn(tx.send, item)
    until(lambda: blocked_senders(rx) == 1)

    for _ in range(3):
        gc.collect()
        item.check()

    assert rx.recv(5.0) is item
    sender.join()
    tx.close()
    rx.close()


CYCLES = [
    ("channel", Cycles.sender),
    ("channel", Cycles.receiver),
    ("channel", Cycles.iterator),
    ("channel", Cycles.clone_and_move),
    ("mutex", Cycles.mutex),
    ("mutex", Cycles.guard),
    ("mutex", Cycles.released_guard),
    ("atomic_ref", Cycles.atomic_ref),
    ("atomic_ref", Cycles.atomic_refs_in_a_ring),
    ("compat", Cycles.condition),
    ("compat", Cycles.barrier),
    ("rwlock", Cycles.rwlock),
    ("rwlock", Cycles.rwlock_guards),
    ("rwlock", Cycles.upgraded_guard),
    ("rwlock", Cycles.awaited_guard),
    ("task", Cycles.task_result),
    ("task", Cycles.task_callback),
    ("task", Cycles.task_exception),
    ("task", Cycles.spawned_task),
    ("thread_pool", Cycles.pool),
    ("scope", Cycles.scope),
]


@pytest.mark.parametrize(
    "tie",
    [pytest.param(tie, id=tie.__name__, marks=pytest.mark.guarantee(kind, "GC")) for kind, tie in CYCLES],
)
def test_a_dead_cycle_is_collected(tie: Callable[[Marker], None]) -> None:
    """Through each handle alone and through each container."""
    marker = Marker()
    gone = weakref.ref(marker)
    tie(marker)

    del marker
    until(lambda: gc.collect() >= 0 and gone() is None, "the cycle collected")


DISPLACING = [
    ("mutex", Displace.replace),
    ("mutex", Displace.set_value),
    ("mutex", Displace.in_place_operator),
    ("mutex", Displace.update),
    ("mutex", Displace.delete_item),
    ("mutex", Displace.drop_mutex),
    ("atomic_ref", Displace.store_to_ref),
    ("atomic_ref", Displace.swap_ref),
    ("atomic_ref", Displace.exchange_ref),
    ("atomic_ref", Displace.update_ref),
    ("atomic_ref", Displace.drop_ref),
    ("rwlock", Displace.replace_in_rwlock),
    ("rwlock", Displace.set_value_of_rwlock),
    ("rwlock", Displace.update_rwlock),
    ("rwlock", Displace.drop_rwlock),
    ("channel", Displace.receive_and_drop),
    ("channel", Displace.close_with_items_queued),
    ("channel", Displace.drop_with_items_queued),
    ("channel", Displace.drop_in_a_cycle),
    ("channel", Displace.send_to_a_closed_channel),
    ("channel", Displace.send_that_times_out),
    ("channel", Displace.send_that_is_cancelled),
    ("task", Displace.drop_result),
    ("task", Displace.drop_arguments),
    ("thread_pool", Displace.drop_cancelled_submission),
]


@pytest.mark.parametrize(
    "displace",
    [pytest.param(act, id=act.__name__, marks=pytest.mark.guarantee(kind, "GC")) for kind, act in DISPLACING],
)
def test_what_is_dropped_may_use_what_drops_it(displace: Callable[[Displacing], None]) -> None:
    """`__del__` runs outside every inner lock, so it may come back, and collect."""
    these = Displacing()

    displace(these)
    until(lambda: gc.collect() >= 0 and these.dropped > 0, "the item dropped")

    these.close()


def test_an_idle_mutex_is_small() -> None:
    """A million are to fit into 120 MB, and blocks come in 112 and 128 bytes. A GIL build adds 16 for the collector."""
    assert fl.Mutex.__basicsize__ <= (112 if sysconfig.get_config_var("Py_GIL_DISABLED") else 112 - 16)
