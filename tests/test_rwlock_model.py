"""A rwlock against a plain model, driven by hypothesis: every sequence of calls of three threads that need not wait.

Not here: threads that wait.
"""

import contextlib
import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import fearless as fl
from tests.support.until import BOUND

ACTORS = strategies.integers(0, 2)
WAYS = strategies.sampled_from(["try", 0, 0.001])


class Actor:
    """A thread that does what it is told, one thing after the other."""

    def __init__(self) -> None:
        """Start it."""
        self._todo: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[object, Exception | None]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while (todo := self._todo.get()) is not None:
            try:
                self._done.put((todo(), None))
            except Exception as error:  # noqa: BLE001 - `do` raises it
                self._done.put((None, error))
            del todo

    def do(self, todo: Callable[[], object]) -> Any:
        """Have it done, and return what it gave or raise what it raised."""
        self._todo.put(todo)
        result, error = self._done.get(timeout=BOUND)
        if error is not None:
            raise error
        return result

    def end(self) -> None:
        """Have it end."""
        self._todo.put(None)
        self._thread.join(BOUND)


def read(guard: Any) -> object:
    """Use a guard."""
    return guard.value


def write(guard: Any) -> None:
    """Use a guard that writes."""
    guard.value += 1


class Model(RuleBasedStateMachine):
    """The model says of each actor which guards it has. Nobody ever waits, so preferences do not matter."""

    @initialize(prefer=strategies.sampled_from(["fair", "readers", "writers"]))
    def start(self, prefer: Any) -> None:
        """Make the lock and its users."""
        self.rw = fl.RwLock(0, prefer=prefer)
        self.value = 0
        self.actors = [Actor() for _ in range(3)]
        self.guards: list[list[tuple[str, Any]]] = [[], [], []]
        self.dead: list[Any] = []

    def kinds(self, but: int | None = None) -> list[str]:
        """What is held, by all or by all but one."""
        return [kind for actor, guards in enumerate(self.guards) if actor != but for kind, _ in guards]

    def is_free_for(self, kind: str) -> bool:
        """Whether a guard of that kind can be given."""
        held = self.kinds()
        if kind == "write":
            return not held
        return "write" not in held and not (kind == "upgradable" and "upgradable" in held)

    @rule(actor=ACTORS, kind=strategies.sampled_from(["read", "upgradable", "write"]), way=WAYS)
    def take(self, actor: int, kind: str, way: float | str) -> None:
        """Take the lock without waiting for long."""

        def attempt() -> Any:
            return getattr(self.rw, f"try_{kind}")() if way == "try" else getattr(self.rw, kind)(way)

        if self.guards[actor]:
            if way == "try":
                assert self.actors[actor].do(attempt) is None
            else:
                with pytest.raises(fl.DeadlockError):
                    self.actors[actor].do(attempt)
        elif self.is_free_for(kind):
            self.guards[actor].append((kind, self.actors[actor].do(attempt)))
        elif way == "try":
            assert self.actors[actor].do(attempt) is None
        else:
            with pytest.raises(fl.Timeout):
                self.actors[actor].do(attempt)

    @rule(actor=ACTORS, other=ACTORS)
    def release(self, actor: int, other: int) -> None:
        """Any thread may release; again is harmless."""
        if self.guards[actor]:
            _, guard = self.guards[actor].pop()
            self.actors[other].do(guard.release)
            self.dead.append(guard)

    @rule(actor=ACTORS)
    def clone(self, actor: int) -> None:
        """One more guard that reads."""
        for kind, guard in self.guards[actor][:1]:
            if kind == "read":
                self.guards[actor].append(("read", self.actors[actor].do(guard.clone)))

    @rule(actor=ACTORS)
    def downgrade(self, actor: int) -> None:
        """Whoever may write becomes a reader."""
        for kind, guard in self.guards[actor][:1]:
            if kind != "read":
                self.guards[actor] = [("read", self.actors[actor].do(guard.downgrade))]
                self.dead.append(guard)

    @rule(actor=ACTORS, way=WAYS)
    def upgrade(self, actor: int, way: float | str) -> None:
        """Goes well if nobody else holds the lock."""
        for kind, guard in self.guards[actor][:1]:
            if kind != "upgradable":
                continue

            def attempt(guard: Any = guard) -> Any:
                return guard.try_upgrade() if way == "try" else guard.upgrade(way)

            if not self.kinds(but=actor):
                self.guards[actor] = [("write", self.actors[actor].do(attempt))]
                self.dead.append(guard)
            elif way == "try":
                assert self.actors[actor].do(attempt) is None
            else:
                with pytest.raises(fl.Timeout):
                    self.actors[actor].do(attempt)

    @rule(actor=ACTORS)
    def use(self, actor: int) -> None:
        """Every guard reads, and the one that writes writes."""
        for kind, guard in self.guards[actor]:
            assert self.actors[actor].do(partial(read, guard)) == self.value
            if kind == "write":
                self.value += 1
                self.actors[actor].do(partial(write, guard))

    @rule(actor=ACTORS, owner=ACTORS)
    def misuse(self, actor: int, owner: int) -> None:
        """Another's guard, and one that is dead, give nothing and end nothing."""
        strangers = [guard for _, guard in self.guards[owner]] if actor != owner else []
        for guard in self.dead[-2:] + strangers:
            with pytest.raises(fl.GuardReleased):
                self.actors[actor].do(partial(read, guard))
        for guard in self.dead[-2:]:
            self.actors[actor].do(guard.release)

    @precondition(lambda self: hasattr(self, "rw"))
    @invariant()
    def as_many_hold_it(self) -> None:
        """Model and lock agree on who is there."""
        held = self.kinds()
        readers = len(held) - ("write" in held)
        stats = self.rw.stats()
        assert (stats["readers"], stats["waiting"], self.rw.locked()) == (readers, 0, bool(held))
        assert ("written by" in repr(self.rw)) == ("write" in held)

    def teardown(self) -> None:
        """Let everything go."""
        with contextlib.suppress(AttributeError):  # nothing was made
            for actor, guards in zip(self.actors, self.guards, strict=True):
                for _, guard in guards:
                    guard.release()
                actor.end()


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
