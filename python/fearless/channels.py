"""Channels: data moves from task to task, and with it the right to use it.

Holds `merge`; the types are native, and this module is where users find them. Not here: stages that are joined by
channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar, overload

from fearless._native import (
    Owned,
    Receiver,
    Selected,
    Sender,
    Sending,
    Timer,
    after,
    channel,
    never,
    select,
    select_async,
    tick,
    try_select,
)

__all__ = [
    "Owned",
    "Receiver",
    "Selected",
    "Sender",
    "Sending",
    "Timer",
    "after",
    "channel",
    "merge",
    "never",
    "select",
    "select_async",
    "tick",
    "try_select",
]

_T = TypeVar("_T")


@overload
def merge(*receivers: Receiver[_T]) -> Iterator[_T]: ...
@overload
def merge(*receivers: Receiver[_T] | Timer) -> Iterator[_T | float]: ...
def merge(*receivers: Receiver[_T] | Timer) -> Iterator[_T | float]:
    """Iterate over what several receivers get, as it comes, until all of them have ended.

    Items of one receiver keep their order. Receivers that are ready together take turns at random.

    Blocks: until an item comes, at each step; a cancellation point; Ctrl-C gets through.
    Raises: `ValueError` if there are no receivers or if one is given twice, at the first step.
    """
    left = list(receivers)
    select_from = select if left else None
    if select_from is None:
        raise ValueError("merge needs at least one receiver")
    while left:
        chosen = select_from(*left)
        if chosen.closed:
            del left[chosen.index]
        else:
            yield chosen.value
