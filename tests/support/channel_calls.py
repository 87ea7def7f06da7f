"""Real ends and real calls that wait, as the machine of `tests/test_channel_model.py` keeps them beside its model.

Not here: the model (`plain_channel.py`), hypothesis.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import fearless as fl
from tests.support.plain_channel import PlainChannel, Waiter
from tests.support.threads import Spawned
from tests.support.until import BOUND


@dataclass(eq=False)
class End:
    """A real end, and the model's channel that it belongs to."""

    channel: PlainChannel
    handle: Any
    sends: bool
    calls: int = 0  # that wait on it

    @property
    def refusal(self) -> type[fl.FearlessError] | None:
        """What a call on it raises whatever the channel holds."""
        if not self.handle.is_closed:
            return None
        return fl.MovedError if " moved," in repr(self.handle) else fl.Closed


@dataclass(eq=False)
class Blocked:
    """A thread that waits in a call."""

    waiter: Waiter
    ends: list[End]
    thread: Spawned[Any]
    scope: list[fl.Scope] = field(default_factory=list)

    def join(self) -> Any:
        """Return what the call returned, or raise."""
        for end in self.ends:
            end.calls -= 1
        return self.thread.join(BOUND)


def wait_in(scopes: list[fl.Scope], call: Callable[[], Any]) -> Any:
    """Call in a scope that the caller can cancel; return the result or the error."""
    result: Any = "cancelled"
    with fl.scope() as scope:
        scopes.append(scope)
        try:
            result = call()
        except fl.FearlessError as error:
            result = error
    return result
