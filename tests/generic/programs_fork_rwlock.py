"""Programs that fork while a rwlock is held: what the child may rely on, and what it is told.

Not here: pytest, which these programs do not need; POSIX is taken for granted.
"""

from collections.abc import Callable

import fearless as fl
from tests.support.forks import in_child, raises
from tests.support.threads import Holder, start
from tests.support.until import until, waiting


def read_by_vanished_threads() -> None:
    """Who read, upgradable or not, is forgotten with who waited; nothing can be half written."""
    rw = fl.RwLock(1)
    holders = [Holder(rw.read, lambda guard: guard.release()) for _ in range(2)]
    holders.append(Holder(rw.upgradable, lambda guard: guard.release()))
    writer = start(rw.replace, 5)
    until(lambda: waiting(rw) == 1)

    def child() -> None:
        assert (rw.locked(), waiting(rw), rw.is_poisoned) == (False, 0, False)
        with rw.upgradable() as guard, guard.upgrade() as upgraded:
            upgraded.value = 2
        assert rw.read_with(abs) == 2

    in_child(child)
    assert rw.stats()["readers"] == 3
    for holder in holders:
        holder.let_go()
    assert writer.join() == 1


def read_by_the_forking_thread() -> None:
    """It goes on reading in both processes, beside nobody else in the child; and can be upgraded there."""
    rw = fl.RwLock(1)
    beside = Holder(rw.read, lambda guard: guard.release())
    guard = rw.upgradable()

    def child() -> None:
        assert (guard.value, rw.stats()["readers"]) == (1, 1)
        raises(fl.DeadlockError, rw.read)
        writer = guard.upgrade(0)
        writer.value = 2
        other = start(rw.copy)
        until(lambda: waiting(rw) == 1)
        writer.release()
        assert other.join() == 2

    in_child(child)
    assert (guard.value, rw.stats()["readers"]) == (1, 2)
    guard.release()
    beside.let_go()


def written_by_the_forking_thread() -> None:
    """It stays held, by the same guard, in both processes."""
    rw = fl.RwLock(1)
    guard = rw.write()

    def child() -> None:
        guard.value = 2
        raises(fl.DeadlockError, rw.read)
        start(lambda: raises(fl.Timeout, lambda: rw.read(0.01))).join()
        assert not rw.is_poisoned
        with guard.downgrade():
            assert start(rw.copy).join() == 2

    in_child(child)
    assert guard.value == 1
    guard.release()


def written_by_a_vanished_thread() -> None:
    """Its value is in doubt, so every way in raises PoisonError until clear_poison()."""
    rw = fl.RwLock(1)
    guards: list[fl.WriteGuard[int]] = []
    holder = Holder(lambda: guards.append(rw.write()), lambda _: guards[0].release())
    reader = start(rw.copy)
    until(lambda: waiting(rw) == 1)

    def child() -> None:
        ways: list[Callable[[], object]] = [
            rw.read,
            rw.write,
            rw.upgradable,
            lambda: rw.read(0),
            lambda: rw.write(1.0),
            rw.try_read,
            rw.try_write,
            rw.try_upgradable,
            rw.copy,
            lambda: rw.replace(2),
            lambda: rw.update(abs),
            lambda: rw.read_with(abs),
            lambda: rw.write_with(abs),
        ]
        for way in ways:
            assert "fork" in raises(fl.PoisonError, way)
        guards.pop().release()  # not by a guard of a thread that is gone
        assert (rw.is_poisoned, waiting(rw), rw.locked()) == (True, 0, True)

        def grandchild() -> None:
            assert "fork" in raises(fl.PoisonError, rw.read)

        in_child(grandchild)
        rw.clear_poison()
        assert (rw.is_poisoned, rw.locked()) == (False, False)
        assert rw.update(lambda value: value + 1) == 2

    in_child(child)
    assert not rw.is_poisoned
    holder.let_go()
    assert reader.join() == 1


def written_by_a_vanished_thread_looked_into() -> None:
    """`poisoned=True` takes it over."""
    for way in ("read", "upgradable", "write"):
        rw = fl.RwLock(1)
        holder = Holder(rw.write, lambda guard: guard.release())

        def child(rw: "fl.RwLock[int]" = rw, way: str = way) -> None:
            with getattr(rw, way)(poisoned=True) as guard:
                assert guard.value == 1
            assert not rw.locked()

        in_child(child)
        holder.let_go()
