"""Calls that wait for a rwlock which other threads hold. Not here: what is asserted of them (`tests/generic/`)."""

import fearless as fl
from tests.support.blocking import Situation
from tests.support.threads import Holder
from tests.support.until import waiting


class Read(Situation):
    """`read`, while another thread writes."""

    kind = "rwlock"
    cancellation_point = False
    takes_timeout = True

    def __init__(self) -> None:
        super().__init__()
        self.rw: fl.RwLock[object] = fl.RwLock(["value"])
        self.holder = self.hold()
        self.before = self.rw.stats()

    def hold(self) -> Holder:
        """Keep this call waiting."""
        return Holder(self.rw.write, lambda guard: guard.release())

    def call(self, timeout: float | None = None) -> object:
        self.rw.read(timeout).release()
        return None

    def is_blocked(self, ident: int | None) -> bool:
        del ident
        return waiting(self.rw) == 1

    def check_nothing_happened(self) -> None:
        now = self.rw.stats()
        assert (now["reads"], now["writes"], now["waiting"]) == (self.before["reads"], self.before["writes"], 0)

    def make_ready(self) -> None:
        self.holder.let_go()

    def check_usable(self) -> None:
        self.holder.let_go()
        with self.rw.write() as guard:
            assert guard.value == ["value"]
        with self.rw.read() as reader:
            assert reader.value == ["value"]
        assert not self.rw.locked()

    def close(self) -> None:
        self.holder.let_go()


class Write(Read):
    """`write`, while another thread reads."""

    def hold(self) -> Holder:
        return Holder(self.rw.read, lambda guard: guard.release())

    def call(self, timeout: float | None = None) -> object:
        self.rw.write(timeout).release()
        return None


class Upgradable(Read):
    """`upgradable`, while another thread has it."""

    def hold(self) -> Holder:
        return Holder(self.rw.upgradable, lambda guard: guard.release())

    def call(self, timeout: float | None = None) -> object:
        self.rw.upgradable(timeout).release()
        return None


class Upgrade(Write):
    """`upgrade`, while another thread reads."""

    def call(self, timeout: float | None = None) -> object:
        with self.rw.upgradable() as guard:
            guard.upgrade(timeout).release()
        return None

    def check_nothing_happened(self) -> None:
        now = self.rw.stats()
        assert (now["writes"], now["waiting"]) == (self.before["writes"], 0)
        assert now["readers"] <= 1


class ReadWith(Read):
    """`read_with`; its function is not called before the lock is held."""

    takes_timeout = False

    def call(self, timeout: float | None = None) -> object:
        del timeout
        return self.rw.read_with(repr)


class CopyValue(ReadWith):
    """`copy`."""

    def call(self, timeout: float | None = None) -> object:
        del timeout
        return self.rw.copy()


class WriteWith(Write):
    """`write_with`."""

    takes_timeout = False

    def call(self, timeout: float | None = None) -> object:
        del timeout
        return self.rw.write_with(repr)


class UpdateValue(WriteWith):
    """`update`."""

    def call(self, timeout: float | None = None) -> object:
        del timeout
        return self.rw.update(list)  # type: ignore[arg-type]  # the value is a list


class ReplaceValue(WriteWith):
    """`replace`."""

    def call(self, timeout: float | None = None) -> object:
        del timeout
        return self.rw.replace(["value"])
