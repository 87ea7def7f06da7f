"""How a task initializes what is set once. Not here: who is to do it; the native `OnceCell` knows."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fearless._core import OnceCell


async def initialize(cell: OnceCell[Any], function: Callable[[], Any], call: str) -> Any:
    """Return the value of ``cell``, which ``function`` makes if nobody has; for ``call_async``, whether it did."""
    is_mine = await cell._begin()  # noqa: SLF001  # ours
    if is_mine:
        try:
            value = function()
            if inspect.isawaitable(value):
                value = await value
        except BaseException:
            cell._fail()  # noqa: SLF001  # ours
            raise
        cell._finish(None if call == "call_async" else value)  # noqa: SLF001  # ours
    return is_mine if call == "call_async" else cell.get()
