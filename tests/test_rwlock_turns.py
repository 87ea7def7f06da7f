"""Who comes first at a rwlock: phases of readers and writers, preferences, and that nobody starves.

Not here: exclusion (`test_rwlock.py`); every interleaving (`crates/fearless-core/tests/model_rwlock.rs`).
"""

import threading
import time
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.threads import Holder, Spawned, start
from tests.support.until import BOUND, until, waiting

PATIENCE = 0.001  # seconds after which a waiter is handed the lock
pytestmark = pytest.mark.guarantee("rwlock", "both builds")


def hold(rw: "fl.RwLock[Any]", how: str) -> Holder:
    """Return when another thread holds the lock: `how` is read, write or upgradable."""
    return Holder(getattr(rw, how), lambda guard: guard.release())


def acquisitions(rw: "fl.RwLock[Any]") -> int:
    """How often the lock was taken."""
    stats = rw.stats()
    return stats["reads"] + stats["writes"]


def enqueue(spawn: Spawn, rw: "fl.RwLock[list[str]]", *names: str) -> list[Spawned[None]]:
    """Let threads wait in this order, until the last has waited for long enough to be handed the lock.

    Each notes its name, which begins with what it wants, and reads or writes until all of its kind have.
    """
    readers = threading.Barrier(sum(name.startswith("read") for name in names))

    def take(name: str) -> None:
        with getattr(rw, name.split(maxsplit=1)[0])() as guard:
            guard.value.append(name)
            if name.startswith("read"):
                readers.wait(BOUND)

    threads = []
    for count, name in enumerate(names, 1):
        threads.append(spawn(take, name))
        until(lambda count=count: waiting(rw) == count)  # type: ignore[misc]
    enqueued = time.monotonic()
    until(lambda: time.monotonic() > enqueued + PATIENCE)
    return threads


class TestPhases:
    @pytest.mark.parametrize(
        ("prefer", "order"),
        [
            ("fair", ["read", "read", "write a", "write b"]),
            ("readers", ["read", "read", "write a", "write b"]),
            ("writers", ["write a", "write b", "read", "read"]),
        ],
    )
    def test_when_a_writer_leaves_the_readers_that_waited_enter(
        self, prefer: Any, order: list[str], spawn: Spawn
    ) -> None:
        """All at once, also those behind a writer; writers come in the order in which they came."""
        rw: fl.RwLock[list[str]] = fl.RwLock([], prefer=prefer)
        with rw.write():
            threads = enqueue(spawn, rw, "write a", "read", "write b", "read")
        for thread in threads:
            thread.join()
        assert rw.copy() == order

    @pytest.mark.parametrize(
        ("prefer", "order"),
        [
            ("fair", ["write a", "read", "read", "write b"]),
            ("writers", ["write a", "write b", "read", "read"]),
        ],
    )
    def test_when_the_readers_leave_a_writer_enters(self, prefer: Any, order: list[str], spawn: Spawn) -> None:
        """And then the readers that it kept out, before the next writer; preferred readers are never kept out."""
        rw: fl.RwLock[list[str]] = fl.RwLock([], prefer=prefer)
        with rw.read():
            threads = enqueue(spawn, rw, "write a", "read", "write b", "read")
        for thread in threads:
            thread.join()
        assert rw.copy() == order

    @pytest.mark.parametrize(("prefer", "enters"), [("fair", False), ("readers", True), ("writers", False)])
    def test_a_reader_beside_a_writer_that_waits(self, prefer: Any, enters: object, spawn: Spawn) -> None:
        """It queues behind the writer, however it comes, unless readers are preferred."""
        rw = fl.RwLock(1, prefer=prefer)
        holder = hold(rw, "read")
        writer = spawn(rw.replace, 2)
        until(lambda: waiting(rw) == 1)

        for attempt in (rw.try_read, rw.try_upgradable):
            guard = attempt()
            assert (guard is not None) is enters
            if guard is not None:
                guard.release()
        if not enters:
            with pytest.raises(fl.Timeout):
                rw.read(0)
            with pytest.raises(fl.Timeout):
                rw.read(0.001)
        holder.let_go()
        assert writer.join() == 1

    @pytest.mark.guarantee("rwlock", "timeout")
    @pytest.mark.parametrize("prefer", ["fair", "writers"])
    def test_readers_behind_a_writer_that_gives_up_enter(self, prefer: Any, spawn: Spawn) -> None:
        """Though nobody has left the lock."""
        rw = fl.RwLock(1, prefer=prefer)
        with rw.read():
            writer = spawn(rw.write, 0.05)
            until(lambda: waiting(rw) == 1)
            readers = [spawn(rw.copy) for _ in range(2)]
            with pytest.raises(fl.Timeout):
                writer.join()
            assert [reader.join() for reader in readers] == [1, 1]


class TestNobodyStarves:
    @pytest.mark.parametrize(
        ("waits", "comes"),
        [
            ("read", "write"),
            ("upgradable", "write"),
            ("write", "write"),
            ("write", "read"),
            ("upgradable", "upgradable"),
        ],
    )
    def test_a_barging_thread_cannot_keep_a_waiter_out(self, waits: str, comes: str, spawn: Spawn) -> None:
        """The lock is handed over after 64 acquisitions that passed the waiter by, at the latest."""
        rw = fl.RwLock(0)

        def take() -> int:
            with getattr(rw, waits)():
                return acquisitions(rw)

        for _ in range(40):
            with getattr(rw, comes)():
                here = acquisitions(rw)
                waiter = spawn(take)
                until(lambda: waiting(rw) == 1)
            while not waiter.ended.is_set():
                with getattr(rw, comes)():
                    pass
            # One more: who comes next may have read while the waiter looks.
            assert waiter.join() - here <= 66

    @pytest.mark.parametrize("prefer", ["fair", "writers"])
    def test_readers_that_relieve_each_other_do_not_starve_a_writer(self, prefer: Any, spawn: Spawn) -> None:
        """There is a reader at every moment, as far as the lock lets them."""
        rw = fl.RwLock(0, prefer=prefer)
        over = threading.Event()
        entered = [0, 0]

        def is_relieved(number: int) -> bool:
            return entered[1 - number] >= entered[number] + (number == 1)

        def read(number: int) -> None:
            """Stay until the other has come, or cannot."""
            while not over.is_set():
                with rw.read():
                    entered[number] += 1
                    until(lambda: is_relieved(number) or waiting(rw) > 0 or over.is_set())

        readers = [spawn(read, 0), spawn(read, 1)]
        until(lambda: min(entered) > 10)

        assert rw.replace(1) == 0
        over.set()
        for reader in readers:
            reader.join()

    def test_writers_do_not_starve_a_reader_and_a_reader_no_writer(self, spawn: Spawn) -> None:
        """Four threads that never pause; each gets its share of turns."""
        rw = fl.RwLock(0)
        shares = [0] * 4

        def work(number: int) -> None:
            while min(shares) < 50:
                with getattr(rw, "read" if number % 2 else "write")():
                    shares[number] += 1

        for thread in [spawn(work, number) for number in range(4)]:
            thread.join()


def test_a_thread_that_waits_is_not_kept_from_what_is_free() -> None:
    """A waiter that times out leaves nothing behind that holds others up."""
    rw = fl.RwLock(0)
    for held, tried in [("read", "write"), ("write", "read"), ("upgradable", "upgradable")]:
        holder = hold(rw, held)
        with pytest.raises(fl.Timeout):
            getattr(rw, tried)(0.001)
        holder.let_go()
        for how in ("read", "upgradable", "write"):
            start(lambda how=how: getattr(rw, how)(0).release()).join()  # type: ignore[misc]
    assert waiting(rw) == 0
