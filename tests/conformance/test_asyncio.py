"""CPython's own cases for asyncio with threads, where every thread is of a `ThreadPool` and every future a `Task`.

Holds: `run_in_executor`, `set_default_executor`, `to_thread`, `wrap_future`, `run_coroutine_threadsafe`. Of each suite
only the cases that come to an executor or to a `concurrent.futures.Future` are taken.
"""

import asyncio
from typing import Any

from tests.conformance.stock import ASYNCIO, OursInAsyncio, only, suite

events: Any = suite("test_events", ASYNCIO)
base: Any = suite("test_base_events", ASYNCIO)
futures: Any = suite("test_futures", ASYNCIO)
tasks: Any = suite("test_tasks", ASYNCIO)
threads: Any = suite("test_threads", ASYNCIO)


class TestLoop(OursInAsyncio, only(events.EventLoopTestsMixin, "executor"), events.test_utils.TestCase):  # type: ignore[misc]
    """A loop whose own executor is a pool."""

    def create_event_loop(self) -> asyncio.AbstractEventLoop:
        """Make the loop that each case is run on."""
        return asyncio.SelectorEventLoop()


class TestDefaultExecutor(OursInAsyncio, only(base.BaseEventLoopTests, "executor")):  # type: ignore[misc]
    """It is set and shut down."""


class TestWrapFuture(OursInAsyncio, only(futures.CFutureTests, "wrap_future")):  # type: ignore[misc]
    """A task becomes a future of asyncio's, which cancels it; with the C implementation."""


class TestWrapFutureInPython(OursInAsyncio, only(futures.PyFutureTests, "wrap_future")):  # type: ignore[misc]
    """The same with the other implementation."""


class TestRunCoroutine(OursInAsyncio, tasks.RunCoroutineThreadsafeTests):  # type: ignore[misc]
    """A thread waits for a coroutine; what it waits with is a task, which the loop ends."""


class TestToThread(OursInAsyncio, threads.ToThreadTests):  # type: ignore[misc]
    """With arguments, context variables and errors."""
