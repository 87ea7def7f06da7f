"""Condition variables: telling nobody, and a hand-over between two threads, beside `threading.Condition`.

Not here: channels, which most programs want instead (`bench_channel.py`).
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from itertools import repeat
from typing import Any

from benchmarks.harness import Body, Shape, empty
from fearless import Condvar, Mutex


class _Flag:
    turn = 0


def standard_notify(_stack: ExitStack) -> Body:
    """Notify with the lock held."""
    condition = threading.Condition()

    def body(count: int) -> None:
        for _ in repeat(None, count):
            with condition:
                condition.notify()

    return body


def our_notify(_stack: ExitStack) -> Body:
    """Notify with the mutex held."""
    mutex, condvar = Mutex(0), Condvar()
    notify = condvar.notify_one

    def body(count: int) -> None:
        for _ in repeat(None, count):
            with mutex:
                notify()

    return body


def standard_turns(_stack: ExitStack) -> Body:
    """Two threads take turns."""
    condition, flag = threading.Condition(), _Flag()

    def side(mine: int, count: int) -> None:
        for _ in repeat(None, count):
            with condition:
                while flag.turn != mine:
                    condition.wait()
                flag.turn = 1 - mine
                condition.notify()

    def body(count: int) -> None:
        other = threading.Thread(target=side, args=(1, count))
        other.start()
        side(0, count)
        other.join()

    return body


def our_turns(_stack: ExitStack) -> Body:
    """Two threads take turns."""
    mutex, condvar = Mutex(0), Condvar()

    def side(mine: int, count: int) -> None:
        def is_others(turn: Any) -> bool:
            return bool(turn != mine)

        for _ in repeat(None, count):
            with mutex as guard:
                condvar.wait_while(guard, is_others)
                guard.value = 1 - mine
                condvar.notify_one()

    def body(count: int) -> None:
        other = threading.Thread(target=side, args=(1, count))
        other.start()
        side(0, count)
        other.join()

    return body


def shapes() -> list[Shape]:
    """The shapes of this file."""
    notify = Shape("condvar/notify", "a notification that nobody waits for, with the lock held")
    notify.alone("threading.Condition", standard_notify)
    notify.add("empty loop", empty())
    notify.alone("Condvar", our_notify)
    turns = Shape("condvar/turns", "two threads that take turns, a turn of each")
    turns.alone("threading.Condition", standard_turns)
    turns.alone("Condvar", our_turns)
    return [notify, turns]
