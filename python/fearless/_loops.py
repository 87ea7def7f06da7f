"""What a waiting coroutine needs of its event loop: to be parked, to be woken from any thread, to let others run.

One object for each running loop, of asyncio or trio; and which scope each task is in. Neither library is imported here:
who awaits has loaded it.
Not here: what is waited for, and who is woken; the native `_Operation` and `LoopQueue` know.
"""

from __future__ import annotations

import sys
import types
import weakref
from collections.abc import Awaitable, Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

from fearless._native import LoopQueue, in_event_loop

if TYPE_CHECKING:
    import asyncio

    from fearless._core import Scope, _Operation

# From the outside in. A scope is taken out wherever it stands: an asynchronous generator that waits in the middle of a
# block may end after the block that it was begun in, and in another task.
_scopes: weakref.WeakKeyDictionary[object, list[Scope]] = weakref.WeakKeyDictionary()
_loops: weakref.WeakKeyDictionary[Any, AsyncioLoop | TrioRun] = weakref.WeakKeyDictionary()


def _loaded(name: str) -> Any:
    """The module, if somebody has imported it. Not by `get`, in which free-threaded 3.13 locks all modules."""
    return sys.modules[name] if name in sys.modules else None  # noqa: SIM401  # see above


def refuse(call: str) -> None:
    """Refuse a ``call`` that waits on the thread of a running event loop. Raises: `RuntimeError`."""
    if in_event_loop():
        raise RuntimeError(f"{call} would stop the running event loop; use a worker thread")


def current() -> AsyncioLoop | TrioRun:
    """The loop that runs on this thread. Raises: `RuntimeError` if there is none."""
    trio = _loaded("trio.lowlevel")
    if trio is not None and trio.in_trio_task():
        token = trio.current_trio_token()
        found = _loops.get(token)
        return found if found is not None else _loops.setdefault(token, TrioRun(token))
    events = _loaded("asyncio.events")
    loop = events._get_running_loop() if events is not None else None  # noqa: SLF001  # asks without raising
    if loop is None:
        raise RuntimeError(
            "an async call of fearless has to be awaited in a task of asyncio or trio; no loop runs here"
        )
    found = _loops.get(loop)
    return found if found is not None else _loops.setdefault(loop, AsyncioLoop(loop))


def current_task() -> object | None:
    """The task that runs on this thread, or None."""
    trio = _loaded("trio.lowlevel")
    if trio is not None and trio.in_trio_task():
        task: object = trio.current_task()
        return task
    asyncio = _loaded("asyncio.tasks")
    loop = sys.modules["asyncio.events"]._get_running_loop() if asyncio is not None else None  # noqa: SLF001  # asks without raising
    if asyncio is None or loop is None:
        return None
    found: object | None = asyncio.current_task(loop)
    return found


def task_scope() -> Scope | None:
    """The native scope of the task that runs on this thread, or None. For the native half."""
    task = current_task()
    try:
        return None if task is None else _scopes[task][-1]
    except (KeyError, IndexError):
        return None


class Place:
    """A task's place in the tree of scopes: what `async with scope()` enters and leaves.

    Thread safety: externally synchronized; it belongs to the task.
    """

    def __init__(self, task: object) -> None:
        """Remember ``task`` without keeping it alive."""
        self._task = weakref.ref(task)

    def enter(self, scope: Scope) -> None:
        """Put the task into a scope."""
        task = self._task()
        if task is not None:
            _scopes.setdefault(task, []).append(scope)

    def leave(self, scope: Scope) -> None:
        """Take the task out of the scope; whichever task does it."""
        task = self._task()
        scopes = None if task is None else _scopes.get(task)
        if task is None or scopes is None:
            return
        if scope in scopes:
            place = scopes.index(scope)
            # A cancellation of those inside may be that of this scope, and would meet nobody to end at.
            scopes[place:] = [inner for inner in scopes[place + 1 :] if not inner.stopped]
        if not scopes:
            _scopes.pop(task, None)


def place() -> Place:
    """The place of the task that runs on this thread. Raises: `RuntimeError` if there is none."""
    task = current_task()
    if task is None:
        raise RuntimeError("`async with scope()` belongs to a task of asyncio or trio; none runs here")
    return Place(task)


class AsyncioLoop:
    """A loop of asyncio.

    Thread safety: `post` may be called by any thread; everything else belongs to the thread of the loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Serve ``loop`` without keeping it alive."""
        self._loop = weakref.ref(loop)
        self.cancelled: type[BaseException] = sys.modules["asyncio"].CancelledError
        self.queue = LoopQueue(self)

    def check(self) -> None:
        """Nothing to check: a cancelled task of asyncio learns of it when it next waits."""

    def pause(self) -> Iterator[object]:
        """What to iterate to let others run once."""
        return _one_turn()

    def park(self, _operation: _Operation, seconds: float | None) -> tuple[Iterator[Any], asyncio.Future[None]]:
        """What to iterate to wait, for ``seconds`` at most, and what `run` wakes."""
        loop = self._loop()
        if loop is None:
            raise RuntimeError("the event loop is gone")
        future: asyncio.Future[None] = loop.create_future()
        if seconds is not None:
            timer = loop.call_later(seconds, _wake, future)
            future.add_done_callback(lambda _: timer.cancel())
        return iter(future.__await__()), future

    async def shield(self, call: Callable[[], Awaitable[object]]) -> None:
        """Await what `call` returns, again as often as it is cancelled; the cancellation goes on afterwards."""
        cancelled = None
        while True:
            try:
                await call()
            except sys.modules["asyncio"].CancelledError as error:
                cancelled = error
            else:
                break
        try:
            if cancelled is not None:
                raise cancelled
        finally:
            del cancelled  # a traceback holds this frame, which is not to hold the exception

    def post(self) -> bool:
        """Have `run` called on the loop; False if it may never be."""
        loop = self._loop()
        if loop is None or loop.is_closed():
            return False
        running = sys.modules["asyncio.events"]._get_running_loop()  # noqa: SLF001  # asks without raising
        try:
            (loop.call_soon if running is loop else loop.call_soon_threadsafe)(self.run)
        except RuntimeError:  # closed meanwhile
            return False
        return loop.is_running()

    def run(self) -> None:
        """Wake all that were claimed since."""
        for future in self.queue.drain():
            _wake(future)


class _Parked:
    """A waiting task of trio, until it is woken or gives up."""

    __slots__ = ("task",)

    def __init__(self, task: Any) -> None:
        self.task = task


class TrioRun:
    """A run of trio.

    Thread safety: `post` may be called by any thread; everything else belongs to the thread of the run.
    """

    def __init__(self, token: Any) -> None:
        """Serve the run of ``token`` without keeping it alive."""
        self._token = weakref.ref(token)
        self._trio = sys.modules["trio"]
        self.cancelled: type[BaseException] = self._trio.Cancelled
        self.queue = LoopQueue(self)

    def check(self) -> Iterator[object]:
        """What to iterate to raise if the task was cancelled."""
        return iter(self._trio.lowlevel.checkpoint_if_cancelled().__await__())

    def pause(self) -> Iterator[object]:
        """What to iterate to let others run once, and to raise if the task was cancelled."""
        return iter(self._trio.lowlevel.checkpoint().__await__())

    def park(self, operation: _Operation, seconds: float | None) -> tuple[Iterator[Any], _Parked]:
        """What to iterate to wait, for ``seconds`` at most, and what `run` wakes."""
        parked = _Parked(self._trio.lowlevel.current_task())
        return iter(self._wait(operation, parked, seconds).__await__()), parked

    async def _wait(self, operation: _Operation, parked: _Parked, seconds: float | None) -> None:
        abort = self._trio.lowlevel.Abort

        def give_up(_raise_cancel: object) -> Any:
            if not operation._may_give_up():  # noqa: SLF001  # ours
                return abort.FAILED
            parked.task = None
            return abort.SUCCEEDED

        if seconds is None:
            await self._trio.lowlevel.wait_task_rescheduled(give_up)
        else:
            with self._trio.move_on_after(seconds):
                await self._trio.lowlevel.wait_task_rescheduled(give_up)

    async def shield(self, call: Callable[[], Awaitable[object]]) -> None:
        """Await what `call` returns; a cancellation waits until it is done."""
        with self._trio.CancelScope(shield=True):
            await call()

    def post(self) -> bool:
        """Have `run` called on the loop; False if it may never be."""
        token = self._token()
        if token is None:
            return False
        try:
            token.run_sync_soon(self.run)
        except self._trio.RunFinishedError:
            return False
        return True

    def run(self) -> None:
        """Wake all that were claimed since."""
        for parked in self.queue.drain():
            task, parked.task = parked.task, None
            if task is not None:
                self._trio.lowlevel.reschedule(task)


@types.coroutine
def _one_turn() -> Generator[None, None, None]:
    yield


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
