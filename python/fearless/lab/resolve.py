"""From what the user names to a job: ``word-index``, ``job.py``, ``job.py:Name``, ``package.module:Name``.

Holds the search, the parameters and the errors. The same target gives the same job in every process.
"""

from __future__ import annotations

import functools
import glob
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from fearless import _workload
from fearless.lab import memory, workloads
from fearless.lab._errors import WorkloadError, user_traceback
from fearless.lab.job import FunctionSource, Job

TRUE, FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True, slots=True)
class Target:
    """What to run: a name, ``--arg`` values as text, and the pattern of ``--items`` for a plain function."""

    name: str
    args: Mapping[str, str] = field(default_factory=dict)
    items: str | None = None

    @property
    def built_in(self) -> bool:
        """True if the name is that of a workload that comes with the lab."""
        return self.name in workloads.NAMES


def resolve(target: Target) -> Job:
    """The job that ``target`` names. Raises: `WorkloadError` with what is wrong and what is known."""
    found = _find(target.name)
    name = target.name if target.built_in else getattr(found, "__qualname__", target.name)
    reload = functools.partial(_reload, target)
    if isinstance(found, type):
        if target.items is not None:
            raise WorkloadError(f"--items is for a plain function; {name} is a workload and has items() of its own")
        return Job(_instance(found, target.args), name=name, reload=reload)
    if target.args:
        raise WorkloadError(f"--arg sets class attributes of a workload; {name} is a plain function")
    return Job(FunctionSource(found, _paths(target.items, name)), name=name, reload=reload)


def source_of(target: Target) -> str:
    """Where the workload comes from, for the record: "built-in", or the file or module."""
    return "built-in" if target.built_in else target.name.rpartition(":")[0] or target.name


def _reload(target: Target) -> tuple[Callable[..., Job], tuple[Any, ...]]:
    return _load_again, (target.name, tuple(target.args.items()), target.items)


@functools.cache
def _load_again(name: str, args: tuple[tuple[str, str], ...], items: str | None) -> Job:
    """The job in a worker process; loaded once, whatever the number of messages that carry it."""
    memory.report_at_exit()
    return resolve(Target(name, dict(args), items))


def _find(name: str) -> Any:
    """The class or function that ``name`` names."""
    if name in workloads.NAMES:
        return workloads.load(name)
    place, colon, attribute = name.rpartition(":") if ":" in name[2:] else (name, "", "")
    if place.endswith(".py"):
        module = _import_file(Path(place))
    elif colon:
        module = _import_module(place)
    else:
        known = ", ".join(workloads.NAMES)
        raise WorkloadError(f"there is no workload {name!r}; known: {known}; or name a file: path/to/job.py:Name")
    return _named(module, place, attribute) if attribute else _only(module, place)


def _only(module: ModuleType, place: str) -> Any:
    """The one workload of ``module``."""
    found = _workloads_of(module)
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise WorkloadError(f"{place} has {len(found)} workloads; name one: {_choices(place, found)}")
    others = _functions_of(module)
    hint = f"; a plain function will do with --items: {_choices(place, others)}" if others else ""
    raise WorkloadError(f"{place} has no workload: no class is marked with @workload{hint}")


def _named(module: ModuleType, place: str, attribute: str) -> Any:
    known = {**_workloads_of(module), **_functions_of(module)}
    found = getattr(module, attribute, None)
    if found is None:
        listed = f"it has {', '.join(known)}" if known else "it has no workload and no function"
        raise WorkloadError(f"{place} has no {attribute!r}; {listed}")
    if _workload.is_workload(found) or (callable(found) and not isinstance(found, type)):
        return found
    if isinstance(found, type):
        raise WorkloadError(
            f"{place}:{attribute} is a class that is not marked with @workload (from fearless import workload)"
        )
    raise WorkloadError(f"{place}:{attribute} must be a workload or a function, got {found!r}")


def _workloads_of(module: ModuleType) -> dict[str, Any]:
    return {
        name: one
        for name, one in vars(module).items()
        if _workload.is_workload(one) and one.__module__ == module.__name__
    }


def _functions_of(module: ModuleType) -> dict[str, Any]:
    found = {name: one for name, one in vars(module).items() if inspect.isfunction(one) and not name.startswith("_")}
    return {name: one for name, one in found.items() if one.__module__ == module.__name__}


def _choices(place: str, found: Mapping[str, Any]) -> str:
    return ", ".join(f"{place}:{name}" for name in found)


def _import_file(path: Path) -> ModuleType:
    """Import the file as ``python path`` would: its folder comes first on the path."""
    if not path.is_file():
        raise WorkloadError(f"there is no file {path}")
    folder, name = str(path.resolve().parent), path.stem
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(name if name not in sys.modules else f"{name}_workload", path)
    if spec is None or spec.loader is None:
        raise WorkloadError(f"{path} cannot be loaded as a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # before it runs, so that what it defines can be pickled
    return _guarded(str(path), lambda: _executed(spec.loader, module))


def _executed(loader: Any, module: ModuleType) -> ModuleType:
    loader.exec_module(module)
    return module


def _import_module(name: str) -> ModuleType:
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    return _guarded(name, lambda: importlib.import_module(name))


def _guarded(place: str, load: Callable[[], ModuleType]) -> ModuleType:
    """What ``load`` gives; what the user's code raises is shown as the user's own traceback."""
    try:
        return load()
    except (KeyboardInterrupt, WorkloadError):
        raise
    except BaseException as error:  # noqa: BLE001  # also SystemExit: the file is the user's
        raise WorkloadError(f"{place} does not import", user_traceback(error)) from None


def _instance(cls: type, args: Mapping[str, str]) -> object:
    known = _workload.parameters(cls)
    values = {}
    for name, text in args.items():
        if name not in known:
            listed = ", ".join(known) or "none"
            raise WorkloadError(f"workload {cls.__qualname__} has no parameter {name!r}; it has: {listed}")
        values[name] = _parsed(name, text, known[name])
    try:
        instance: object = cls()
    except Exception as error:  # noqa: BLE001  # the constructor is the user's
        raise WorkloadError(f"workload {cls.__qualname__} cannot be made", user_traceback(error)) from None
    for name, value in values.items():
        setattr(instance, name, value)
    return instance


def _parsed(name: str, text: str, default: Any) -> Any:
    """``text`` as a value of the type of ``default``."""
    kind = type(default)
    try:
        if kind is bool:
            return _truth(text)
        return text if default is None or kind is str else kind(text)
    except (TypeError, ValueError):
        raise WorkloadError(f"--arg {name} must be {_article(kind)}, got {text!r}") from None


def _truth(text: str) -> bool:
    if text.lower() in TRUE | FALSE:
        return text.lower() in TRUE
    raise ValueError(text)


def _article(kind: type) -> str:
    return {bool: "true or false", int: "a whole number", float: "a number"}.get(kind, f"a {kind.__name__}")


def _paths(pattern: str | None, name: str) -> list[str]:
    """The paths that match ``pattern``, as strings, sorted."""
    if pattern is None:
        raise WorkloadError(f"{name} is a plain function: give its items with --items, as in --items 'src/**/*.py'")
    paths = sorted(path for path in glob.glob(pattern, recursive=True) if Path(path).is_file())  # noqa: PTH207  # relative
    if not paths:
        raise WorkloadError(f"--items {pattern!r} matches no file")
    return paths
