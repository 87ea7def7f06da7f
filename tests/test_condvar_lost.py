"""Condition variables: no notification is lost on a way that few programs take, and no error hides another.

Not here: the ways that all take (`test_condvar.py`).
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.loops import run_asyncio, until_async
from tests.support.until import BOUND, until, waiting


class Interrupted(BaseException):
    """What the signal handler of these tests raises."""


def wait_in_vain(condvar: fl.Condvar, guard: fl.Guard[list[int]]) -> None:
    """Wait for 10 ms, and again where nobody has taken the lock meanwhile: a busy machine lets a thread wait."""
    for _ in range(1000):
        with contextlib.suppress(fl.Timeout):
            condvar.wait(guard, 0.01)


@contextmanager
def a_handler_that_raises() -> Iterator[None]:
    """SIGUSR1 raises `Interrupted` on the main thread."""

    def handler(*_: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


class TestWhileTheLockIsTakenAgain:
    @pytest.mark.guarantee("condvar", "Ctrl-C")
    def test_a_signal_is_not_hidden_by_a_timeout(
        self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar, spawn: Spawn
    ) -> None:
        """Time was up, and then a handler raised: that is what the call raises, with the timeout as its context."""
        main, raised = threading.get_ident(), threading.Event()

        def hold() -> None:
            with mutex:  # free once the main thread waits
                until(lambda: waiting(mutex) == 1)
                signal.pthread_kill(main, signal.SIGUSR1)
                raised.wait(BOUND)

        with a_handler_that_raises():
            guard = mutex.lock()
            holder = spawn(hold)
            until(lambda: waiting(mutex) == 1)
            with pytest.raises(Interrupted) as caught:
                wait_in_vain(condvar, guard)
            raised.set()
            holder.join(BOUND)

        assert isinstance(caught.value.__context__, fl.Timeout)
        assert not mutex.locked()

    @pytest.mark.guarantee("condvar", "Ctrl-C")
    def test_a_signal_passes_the_notification_on(
        self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar, spawn: Spawn
    ) -> None:
        """The main thread was told, but does not return from its wait: the next in the queue does."""
        main, raised = threading.get_ident(), threading.Event()

        def wait() -> None:
            with mutex as guard:
                condvar.wait(guard, BOUND)

        def tell() -> None:
            until(lambda: waiting(condvar) == 1)
            second = spawn(wait)
            until(lambda: waiting(condvar) == 2)
            with mutex:
                condvar.notify_one()
                until(lambda: waiting(mutex) == 1)
                signal.pthread_kill(main, signal.SIGUSR1)
                raised.wait(BOUND)
            second.join(BOUND)

        with a_handler_that_raises():
            guard = mutex.lock()
            teller = spawn(tell)
            with pytest.raises(Interrupted):
                condvar.wait(guard)
            raised.set()
            teller.join(BOUND)

    @pytest.mark.guarantee("condvar", "cancel")
    def test_a_task_that_is_cancelled_passes_the_notification_on(
        self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar
    ) -> None:
        """It was told, and would act on that with the lock, which it waits for."""
        told = []

        async def wait(name: str) -> None:
            async with mutex.lock_async() as guard:
                await condvar.wait_async(guard)
                told.append(name)

        async def main() -> None:
            first = asyncio.create_task(wait("first"))
            await until_async(run_asyncio, lambda: waiting(condvar) == 1)
            second = asyncio.create_task(wait("second"))
            await until_async(run_asyncio, lambda: waiting(condvar) == 2)
            async with mutex.lock_async():
                condvar.notify_one()
                await until_async(run_asyncio, lambda: waiting(mutex) == 1)
                first.cancel()
            await second

        run_asyncio(main)

        assert told == ["second"]


class TestLoops:
    @pytest.mark.parametrize("how", ["notify_one", "notify_all"])
    @pytest.mark.guarantee("condvar", "async")
    def test_a_loop_that_runs_again_finds_what_it_was_told(
        self, how: str, mutex: fl.Mutex[list[int]], condvar: fl.Condvar
    ) -> None:
        """It stood still when the notification came, and nobody else waited whom it could have been passed on to."""
        loop = asyncio.new_event_loop()

        async def wait() -> int:
            async with mutex.lock_async() as guard:
                await condvar.wait_while_async(guard, lambda items: not items)
                return guard.value.pop()

        try:
            task = loop.create_task(wait())
            loop.run_until_complete(until_async(run_asyncio, lambda: waiting(condvar) == 1))
            with mutex as guard:
                guard.value.append(7)
                getattr(condvar, how)()
            assert loop.run_until_complete(asyncio.wait_for(task, BOUND)) == 7
        finally:
            loop.close()

    def test_a_notification_that_was_passed_on_reaches_the_thread_behind(
        self, mutex: fl.Mutex[list[int]], condvar: fl.Condvar, spawn: Spawn
    ) -> None:
        """The task of the loop that stands still was first; when the loop runs again its wait ends too."""
        loop = asyncio.new_event_loop()

        async def wait() -> None:
            async with mutex.lock_async() as guard:
                await condvar.wait_async(guard)

        def wait_behind() -> None:
            with mutex as guard:
                condvar.wait(guard, BOUND)

        try:
            task = loop.create_task(wait())
            loop.run_until_complete(until_async(run_asyncio, lambda: waiting(condvar) == 1))
            behind = spawn(wait_behind)
            until(lambda: waiting(condvar) == 2)
            condvar.notify_one()
            behind.join(BOUND)
            loop.run_until_complete(asyncio.wait_for(task, BOUND))
        finally:
            loop.close()


@pytest.mark.guarantee("condvar", "async")
def test_a_task_does_not_wait_with_the_guard_of_its_thread(mutex: fl.Mutex[list[int]], condvar: fl.Condvar) -> None:
    """It could not get the lock back while another task of the thread has it; so it is refused before it lets go."""

    async def main() -> None:
        with mutex as guard:
            with pytest.raises(TypeError, match="take it with lock_async"):
                await condvar.wait_async(guard)
            guard.value.append(1)

    run_asyncio(main)
    assert mutex.copy() == [1]
