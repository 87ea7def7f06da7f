"""``scope.options(...)``: a ``spawn`` with options. Not here: what it does; ``_scope_tasks.py`` does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from fearless import threads
    from fearless._scope_tasks import ScopeTasks
    from fearless.threads import Task

__all__ = ["ScopeOptions"]

P = ParamSpec("P")
T = TypeVar("T")


class ScopeOptions:
    """A ``spawn`` with options; see ``Scope.options``.

    Thread safety: immutable.
    """

    def __init__(self, scope: ScopeTasks, options: threads.Options) -> None:
        """Bind ``options`` to ``scope``."""
        self._scope = scope
        self._options = options

    def spawn(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Task[T]:
        """Run ``function(*args, **kwargs)`` in a thread of its own; see ``Scope.spawn``."""
        return self._scope._start(self._options, function, args, kwargs)  # noqa: SLF001 - one class in two parts
