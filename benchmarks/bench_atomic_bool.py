"""`AtomicBool` as a flag that is looked at and set, beside `threading.Event` and the peers' flags.

Not here: waiting for a flag.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import repeat
from typing import Any

from benchmarks import peers
from benchmarks.harness import Body, Shape, empty
from fearless import AtomicBool


def asking(ask: Callable[[], object]) -> Body:
    """Ask whether it is set."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            ask()

    return body


def setting(store: Callable[[bool], object]) -> Body:
    """Set it."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            store(True)

    return body


def judging(flag: Any) -> Body:
    """Ask by `if`."""

    def body(count: int) -> None:
        for _ in repeat(None, count):
            if flag:
                pass

    return body


def add_peers(shape: Shape, name: str, body: Callable[[Any], Body], methods: dict[str, str]) -> None:
    """Let the peers contend that are there; `methods` says what each calls it."""
    if "ft_utils" in methods and (ft_utils := peers.find("ft_utils.concurrency")):
        shape.alone(
            f"ft_utils AtomicFlag{name}", lambda _: body(getattr(ft_utils.AtomicFlag(False), methods["ft_utils"]))
        )
    if cereggii := peers.find("cereggii"):
        shape.alone(
            f"cereggii AtomicBool{name}", lambda _: body(getattr(cereggii.AtomicBool(False), methods["cereggii"]))
        )
    if atomicx := peers.find("atomicx"):
        shape.alone(f"atomicx AtomicBool{name}", lambda _: body(getattr(atomicx.AtomicBool(False), methods["atomicx"])))


def shapes() -> list[Shape]:
    """The shapes of this file."""
    look = Shape("flag-look", "a look at the flag")
    look.alone("threading.Event.is_set()", lambda _: asking(threading.Event().is_set))
    look.alone("empty loop", lambda stack: empty(1)(stack)[0])
    look.alone("AtomicBool.load()", lambda _: asking(AtomicBool().load))
    look.alone("if AtomicBool:", lambda _: judging(AtomicBool()))
    add_peers(look, ".load()", asking, {"cereggii": "get", "atomicx": "load"})
    change = Shape("flag-set", "a store to the flag")
    change.alone("threading.Event.set()", lambda _: asking(threading.Event().set))
    change.alone("AtomicBool.store(True)", lambda _: setting(AtomicBool().store))
    add_peers(change, ".store(True)", setting, {"ft_utils": "set", "cereggii": "set", "atomicx": "store"})
    return [look, change]
