"""Several mutexes at once: order, all or nothing, errors. Not here: one mutex (`test_mutex.py`)."""

import itertools

import pytest

import fearless as fl
from fearless.mutexes import LockAll
from tests.plugins.threads import Spawn
from tests.support.loops import Run, gather, turn
from tests.support.until import BOUND


@pytest.mark.guarantee("mutex", "both builds")
def test_no_order_of_arguments_makes_two_threads_wait_for_each_other(spawn: Spawn) -> None:
    """Six threads take three mutexes in each order there is; every transfer counts."""
    accounts = [fl.Mutex(100) for _ in range(3)]

    def transfer(order: tuple[int, ...]) -> None:
        for _ in range(300):
            with fl.lock_all(*(accounts[number] for number in order)) as guards:
                for guard, change in zip(guards, (-2, 1, 1), strict=True):
                    guard.value += change

    threads = [spawn(transfer, order) for order in itertools.permutations(range(3))]
    for thread in threads:
        thread.join(BOUND)

    assert [account.copy() for account in accounts] == [100] * 3


def test_the_guards_come_in_the_order_of_the_arguments() -> None:
    """Whatever the order of the taking."""
    mutexes = [fl.Mutex(number) for number in range(8)]

    with fl.lock_all(*reversed(mutexes)) as guards:
        assert [guard.value for guard in guards] == list(reversed(range(8)))
        assert all(mutex.locked() for mutex in mutexes)

    assert not any(mutex.locked() for mutex in mutexes)


@pytest.mark.parametrize("held", range(3))
@pytest.mark.guarantee("mutex", "timeout")
def test_a_timeout_leaves_none_of_them_held(held: int, spawn: Spawn) -> None:
    """Those that were free are free again."""
    mutexes = [fl.Mutex(number) for number in range(3)]

    def try_it() -> None:
        with pytest.raises(fl.Timeout, match=f"lock_all: mutex {held} was not released"):
            fl.lock_all(*mutexes, timeout=0.01).__enter__()

    with mutexes[held]:
        spawn(try_it).join(BOUND)
        assert [mutex.locked() for mutex in mutexes].count(True) == 1


def test_what_this_thread_holds_is_refused_and_nothing_is_taken() -> None:
    """It would wait for itself."""
    a, b = fl.Mutex(0), fl.Mutex(0)

    with a:
        with pytest.raises(fl.DeadlockError):
            fl.lock_all(a, b).__enter__()
        assert not b.locked()


def test_an_error_that_leaves_the_block_poisons() -> None:
    """Each that can be."""
    a, b = fl.Mutex(0, poison=True), fl.Mutex(0)

    with pytest.raises(ZeroDivisionError), fl.lock_all(a, b):
        raise ZeroDivisionError

    assert (a.is_poisoned, b.is_poisoned) == (True, False)
    with pytest.raises(fl.PoisonError):
        fl.lock_all(a, b).__enter__()
    assert not b.locked()


def test_a_block_can_be_entered_again() -> None:
    """It holds no state of its own between the blocks."""
    a = fl.Mutex(0)
    both = fl.lock_all(a, fl.Mutex(0))

    for _ in range(2):
        with both as guards:
            guards[0].value += 1

    assert a.copy() == 2
    assert repr(both).startswith("lock_all(<Mutex unlocked, 0 waiting>")


def test_wrong_arguments_are_refused_before_anything_is_taken() -> None:
    """The same mutex twice, and what is no mutex."""
    a, b = fl.Mutex(0), fl.Mutex(0)

    with pytest.raises(ValueError, match="each mutex once, got the same as arguments 0 and 2"):
        fl.lock_all(a, b, a)
    with pytest.raises(TypeError, match="lock_all takes mutexes, got 3"):
        fl.lock_all(a, 3)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="timeout must be None or a number of seconds >= 0, got -1"):
        fl.lock_all(a, timeout=-1)
    none: LockAll[tuple[fl.Guard[int], ...]] = fl.lock_all()
    with none as guards:
        assert guards == ()


@pytest.mark.guarantee("mutex", "async")
def test_tasks_take_several(run: Run) -> None:
    """A block that gives way in its middle is alone with all of them."""
    a, b = fl.Mutex(0), fl.Mutex(0)

    async def forwards() -> None:
        for _ in range(30):
            async with fl.lock_all(a, b) as (one, two):
                before = one.value, two.value
                await turn(run)
                one.value, two.value = before[0] + 1, before[1] + 1

    async def backwards() -> None:
        for _ in range(30):
            async with fl.lock_all(b, a) as (two, one):
                before = one.value, two.value
                await turn(run)
                one.value, two.value = before[0] + 1, before[1] + 1

    run(lambda: gather(run, forwards, backwards, forwards))

    assert (a.copy(), b.copy()) == (90, 90)
