"""Calls that wait for tasks, scopes, pools or time. Not here: what is asserted of them (`tests/generic/`)."""

import fearless as fl
from tests.support.blocking import Gate, Situation
from tests.support.until import blocked_receivers, in_join, until


class Sleep(Situation):
    """An hour of sleep."""

    kind = "scope"
    can_be_ready = False
    can_be_released = False

    def call(self, timeout: float | None = None) -> object:
        del timeout
        fl.sleep(3600.0)
        return None


class Result(Situation):
    """`result` of a task that has not ended."""

    kind = "task"
    takes_timeout = True

    def __init__(self) -> None:
        super().__init__()
        self.task: fl.Task[str] = fl.Task()
        self.done = False

    def call(self, timeout: float | None = None) -> object:
        return self.task.result(timeout)

    def check_nothing_happened(self) -> None:
        assert (self.task.done(), self.task.cancelled()) == (self.done, False)

    def make_ready(self) -> None:
        self.task.set_result("done")
        self.done = True

    def check_usable(self) -> None:
        if not self.done:
            self.make_ready()
        assert self.task.result(0) == "done"


class Join(Result):
    """`join` of a task that has not ended."""

    def call(self, timeout: float | None = None) -> object:
        return self.task.join(timeout)


class Exception_(Result):  # noqa: N801 - after the method it calls
    """`exception` of a task that has not ended."""

    def call(self, timeout: float | None = None) -> object:
        return self.task.exception(timeout)


class ScopeExit(Situation):
    """The end of a scope's block while one of its tasks is blocked."""

    kind = "scope"
    keeps_process = True
    undoes = False
    can_be_ready = False

    def __init__(self) -> None:
        super().__init__()
        self.tx, self.rx = fl.channel(None)

    def call(self, timeout: float | None = None) -> object:
        del timeout
        with fl.scope() as scope:
            scope.spawn(self.rx.recv)
        return None

    def is_blocked(self, ident: int | None) -> bool:
        return blocked_receivers(self.rx) == 1 and in_join(ident)

    def check_nothing_happened(self) -> None:
        assert blocked_receivers(self.rx) == 0, "the task did not end with its scope"

    def release(self) -> None:
        self.tx.send("end")

    def close(self) -> None:
        self.tx.close()
        self.rx.close()


class Submit(Situation):
    """`submit` to a pool whose only worker is busy and whose backlog is full."""

    kind = "thread_pool"
    keeps_process = True

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate()
        self.ran: list[str] = []
        self.pool = fl.ThreadPool(1, backlog=1)
        self.pool.submit(self.gate)
        until(self.gate.entered.is_set, "the worker busy")
        self.filler = self.pool.submit(self.ran.append, "filler")

    def call(self, timeout: float | None = None) -> object:
        del timeout
        return self.pool.submit(self.ran.append, "submitted")

    def check_nothing_happened(self) -> None:
        assert "submitted" not in self.ran

    def make_ready(self) -> None:
        self.gate.open.set()
        self.filler.result(30.0)

    def check_usable(self) -> None:
        self.gate.open.set()
        assert self.pool.submit(pow, 2, 5).result(30.0) == 32
        self.check_nothing_happened()

    def close(self) -> None:
        self.gate.open.set()
        self.pool.shutdown()


class SubmitWithOptions(Submit):
    """The same with a time for the call."""

    def call(self, timeout: float | None = None) -> object:
        del timeout
        return self.pool.options(timeout=30.0).submit(self.ran.append, "submitted")


class ScopeSubmit(Submit):
    """`submit` of a scope, to the same pool."""

    def call(self, timeout: float | None = None) -> object:
        del timeout
        with fl.scope() as scope:
            self._submit(scope)
        return None

    def _submit(self, scope: fl.Scope) -> None:
        scope.submit(self.pool, self.ran.append, "submitted")


class Map(Submit):
    """`map` over more items than the backlog takes."""

    def call(self, timeout: float | None = None) -> object:
        del timeout
        return self.pool.map(self.ran.append, ["submitted"] * 3)


class Shutdown(Submit):
    """`shutdown` while a task runs."""

    undoes = False

    def call(self, timeout: float | None = None) -> object:
        del timeout
        self.pool.shutdown()
        return None

    def check_usable(self) -> None:
        self.gate.open.set()
        self.pool.shutdown()
        assert self.ran == ["filler"]
