"""Several mutexes at once: order, all or nothing, errors. Not here: one mutex (`test_mutex.py`)."""

import asyncio
import gc
import itertools
import threading
import weakref

import pytest

import fearless as fl
from fearless import _lock_all
from fearless.mutexes import LockAll
from tests.plugins.threads import Spawn
from tests.support.loops import Run, gather, run_asyncio, turn, until_async
from tests.support.until import BOUND, until, waiting


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


class TestOneForManyBlocks:
    """What `lock_all` returns is kept, and entered by several."""

    @pytest.mark.guarantee("mutex", "both builds")
    def test_a_block_that_released_early_leaves_the_next_ones_alone(self, spawn: Spawn) -> None:
        """Its end ends its own acquisitions, not those of the thread that has them since."""
        mutex = fl.Mutex(0)
        block = fl.lock_all(mutex)
        entered, left = threading.Event(), threading.Event()

        def enter() -> bool:
            with block:
                entered.set()
                left.wait(BOUND)
                return mutex.locked()

        with block as (guard,):
            other = spawn(enter)
            until(lambda: waiting(mutex) == 1)
            guard.release()
            entered.wait(BOUND)
        left.set()

        assert other.join(BOUND)

    @pytest.mark.guarantee("mutex", "both builds")
    def test_blocks_that_wait_inside_end_in_any_order(self, spawn: Spawn) -> None:
        """The first comes back from its wait and leaves while the second, which came later, waits."""
        mutex, condvar = fl.Mutex(0), fl.Condvar()
        block = fl.lock_all(mutex)

        def enter() -> None:
            with block as (guard,):
                condvar.notify_one()
                condvar.wait(guard, BOUND)

        with block as (guard,):
            other = spawn(enter)
            condvar.wait(guard, BOUND)

        with mutex.lock(BOUND):
            condvar.notify_one()
        other.join(BOUND)
        assert not mutex.locked()

    def test_tasks_of_one_thread_have_blocks_of_their_own(self) -> None:
        """The same between tasks."""
        mutex = fl.Mutex(0)
        block = fl.lock_all(mutex)

        async def enter() -> bool:
            async with block:
                await turn(run_asyncio)
                return mutex.locked()

        async def main() -> bool:
            async with block as (guard,):
                other = asyncio.create_task(enter())
                await until_async(run_asyncio, lambda: waiting(mutex) == 1)
                guard.release()
                await until_async(run_asyncio, mutex.locked)
            return await other

        assert run_asyncio(main)

    def test_a_block_may_end_in_another_thread(self, spawn: Spawn) -> None:
        """As that of an async generator may, whose last step is another task's."""
        mutex = fl.Mutex(0)
        block = fl.lock_all(mutex)

        block.__enter__()
        spawn(lambda: block.__exit__(None, None, None)).join(BOUND)

        assert not mutex.locked()


def test_an_error_in_the_last_step_of_entering_leaves_nothing_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C may come when a task has taken all already. Whoever catches it can enter the same block again."""
    mutexes = [fl.Mutex(0), fl.Mutex(1)]
    block = fl.lock_all(*mutexes)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    async def enter() -> None:
        async with block:
            pass

    with monkeypatch.context() as patch:
        patch.setattr(_lock_all, "in_order", interrupt)
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(enter())

    assert not any(mutex.locked() for mutex in mutexes)
    with block:
        assert all(mutex.locked() for mutex in mutexes)


def test_a_block_that_nobody_entered_is_not_left() -> None:
    """Nor twice."""
    block = fl.lock_all(fl.Mutex(0))
    with block:
        pass

    with pytest.raises(RuntimeError, match="lock_all: a block was left that nobody has entered"):
        block.__exit__(None, None, None)


@pytest.mark.guarantee("mutex", "GC")
def test_a_cycle_through_an_entered_block_is_collected() -> None:
    """The block has the guards, these the mutex, and its value the block."""
    mutex: fl.Mutex[object] = fl.Mutex(None)
    block = fl.lock_all(mutex)
    (guard,) = block.__enter__()
    guard.value = block
    gone = weakref.ref(mutex)

    del mutex, block, guard
    with pytest.warns(ResourceWarning, match="a Guard was dropped without release"):
        gc.collect()
    assert gone() is None


def test_a_block_that_is_not_entered_poisons_nothing(spawn: Spawn) -> None:
    """One could be taken and the other not: the values are as they were."""
    mutexes = [fl.Mutex(number, poison=True) for number in range(2)]
    entered, left = threading.Event(), threading.Event()
    last = max(mutexes, key=id)  # taken after the other

    def hold() -> None:
        with last:
            entered.set()
            left.wait(BOUND)

    holder = spawn(hold)
    entered.wait(BOUND)
    with pytest.raises(fl.Timeout):
        fl.lock_all(*mutexes, timeout=0.01).__enter__()
    left.set()
    holder.join(BOUND)

    assert not any(mutex.is_poisoned for mutex in mutexes)
