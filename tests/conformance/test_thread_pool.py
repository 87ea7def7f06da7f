"""CPython's own suites for executors, on `ThreadPool` and `Task`.

A case that is set to `None` is left out; the line says why.
"""

import pytest

from tests.conformance.stock import Ours, suite

pool = suite("test_thread_pool")
wait = suite("test_wait")
completed = suite("test_as_completed")
init = suite("test_init")
shutdown = suite("test_shutdown")


class TestExecutor(Ours, pool.ThreadPoolExecutorTest):  # type: ignore[name-defined,misc]
    """Submitting, mapping, references that are not kept, workers that are used again."""

    @pytest.mark.filterwarnings("ignore:Exception ignored in. 'a task failed:pytest.PytestUnraisableExceptionWarning")
    def test_hang_global_shutdown_lock(self) -> None:
        """Its last task submits to a pool that is shut down, and nobody asks what became of it: we report that."""
        super().test_hang_global_shutdown_lock()


class TestWait(Ours, wait.ThreadPoolWaitTests):  # type: ignore[name-defined,misc]
    """`concurrent.futures.wait`."""


class TestAsCompleted(Ours, completed.ThreadPoolAsCompletedTest):  # type: ignore[name-defined,misc]
    """`concurrent.futures.as_completed`."""


class TestInitializer(Ours, init.ThreadPoolInitializerTest):  # type: ignore[name-defined,misc]
    """An initializer runs in every worker."""


class TestFailingInitializer(Ours, init.ThreadPoolFailingInitializerTest):  # type: ignore[name-defined,misc]
    """A failing initializer breaks the pool."""


class TestShutdown(Ours, shutdown.ThreadPoolShutdownTest):  # type: ignore[name-defined,misc]
    """Shutting down, dropping the pool, and the end of the interpreter."""

    test_thread_names_default = None  # our threads are named after ThreadPool; tests/test_thread_pool.py has the case
