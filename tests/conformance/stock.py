"""Puts our classes in the place of the stock ones inside CPython's own suites.

Holds: what the suites for `concurrent.futures` and those for asyncio need. Not here: the cases, which are imported from
the interpreter's `test` package and subclassed, never copied.
"""

import importlib
import importlib.util
import logging
import sys
import types
import unittest
from collections.abc import Callable
from concurrent import futures
from typing import Any, ClassVar
from unittest import mock

import pytest

import fearless as fl

PACKAGE = "test.test_concurrent_futures"
ASYNCIO = "test.test_asyncio"


def suite(name: str, package: str = PACKAGE) -> types.ModuleType:
    """Import a module of the interpreter's own suite; skip where the interpreter comes without it."""
    if importlib.util.find_spec("test") is None or importlib.util.find_spec(package) is None:
        reason = f"{sys.executable} comes without CPython's own {package}; CI asks that two interpreters have it"
        pytest.skip(reason, allow_module_level=True)
    whole = importlib.import_module(package)
    return importlib.import_module(f"{package}.{name}") if hasattr(whole, "__path__") else whole


def only(case: type, word: str) -> type:
    """Return the suite with those cases alone that have the word in their name."""
    names = unittest.TestLoader().getTestCaseNames(case)
    taken = [name for name in names if word in name]
    assert taken, f"{case.__name__} has no case about {word}"
    return type(case.__name__, (case,), dict.fromkeys(set(names) - set(taken)))


class Future(fl.Task[Any]):
    """A task under the name that the suites expect in a `repr`."""

    __slots__ = ()


class ThreadPoolExecutor(fl.ThreadPool):
    """A `ThreadPool` under the parameters and the private names of the stock executor."""

    def __init__(
        self,
        max_workers: int | None = None,
        thread_name_prefix: str = "",
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
    ) -> None:
        """Translate the parameters, and the one message that the suites compare."""
        if max_workers is not None and max_workers <= 0:
            with pytest.raises(ValueError, match="workers must be >= 1"):
                fl.ThreadPool(max_workers)
            raise ValueError("max_workers must be greater than 0")
        super().__init__(max_workers, name=thread_name_prefix or None, initializer=initializer, initargs=initargs)

    @property
    def _max_workers(self) -> int:
        return self.workers

    @property
    def _broken(self) -> bool:
        return self._queue.broken


class _Futures(types.ModuleType):
    """The module `concurrent.futures` with our executor in it."""

    ThreadPoolExecutor = ThreadPoolExecutor
    Future = Future

    def __getattr__(self, name: str) -> Any:
        return getattr(futures, name)


class Ours(unittest.TestCase):
    """First base of a subclass of a suite: while it runs, the suite's modules see our classes."""

    executor_type: ClassVar[type] = ThreadPoolExecutor

    @classmethod
    def setUpClass(cls) -> None:
        """Replace the names, and have the thread that ends pools at exit before anybody counts threads."""
        with fl.ThreadPool(1) as pool:
            pool.submit(int).result()
        modules = [module for name, module in sys.modules.items() if name.startswith(PACKAGE)]
        replace(cls, modules, {"Future": Future, "futures": _Futures("futures")})
        base = suite("util")
        samples = {name: sample(base, name) for name in dir(base) if name.endswith("_FUTURE")}
        replace(cls, modules, {**samples, "assert_python_ok": run_with_ours(modules)})
        log_to_stderr(cls)
        super().setUpClass()


class OursInAsyncio(unittest.TestCase):
    """The same for suites of asyncio: while it runs, asyncio itself makes pools and tasks of ours, too."""

    @classmethod
    def setUpClass(cls) -> None:
        """Replace `concurrent`, by which the suites, and what makes pools and futures, come to the classes."""
        makers = (ASYNCIO, "asyncio.base_events", "asyncio.tasks")  # others compare with what they are given
        modules = [module for name, module in sys.modules.items() if name.startswith(makers)]
        replace(cls, modules, {"concurrent": types.SimpleNamespace(futures=_Futures("futures"))})
        super().setUpClass()


def replace(case: type[unittest.TestCase], modules: list[types.ModuleType], values: dict[str, object]) -> None:
    """Give names of modules other values until the tests of `case` are over."""
    for module in modules:
        for name in values.keys() & vars(module).keys():
            patch = mock.patch.object(module, name, values[name])
            patch.start()
            case.addClassCleanup(patch.stop)


def log_to_stderr(case: type[unittest.TestCase]) -> None:
    """Log as where nobody has set logging up; pytest has, and the suites look at standard error."""
    logger, handler = logging.getLogger("concurrent.futures"), logging.lastResort
    assert handler is not None
    logger.addHandler(handler)
    case.addClassCleanup(logger.removeHandler, handler)


def sample(base: types.ModuleType, name: str) -> object:
    """Make one of ours in the state of a sample future of the suites."""
    stock = getattr(base, name)
    return base.create_future(state=stock._state, exception=stock._exception, result=stock._result)


def run_with_ours(modules: list[types.ModuleType]) -> Callable[..., object]:
    """Return an `assert_python_ok` whose programs import our pool in the place of the stock executor."""
    (stock, *_) = [module.assert_python_ok for module in modules if hasattr(module, "assert_python_ok")] or [None]
    line = "from concurrent.futures import ThreadPoolExecutor"

    def run(*arguments: str, **variables: str) -> object:
        adapted = [argument.replace(line, PROGRAM_LINE) for argument in arguments]
        assert any(line in argument for argument in arguments), "the suite's programs changed"
        return stock(*adapted, **variables)

    return run


PROGRAM_LINE = """from fearless import ThreadPool
            class ThreadPoolExecutor(ThreadPool):
                def __init__(self, max_workers=None): super().__init__(max_workers)"""
