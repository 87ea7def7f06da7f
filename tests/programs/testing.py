"""Programs about `fearless.testing` that need a process of their own. Not here: pytest."""

import threading

import fearless as fl
from fearless.testing import wait_until_blocked
from tests.support import forks
from tests.support.threads import start
from tests.support.until import BOUND


def blocked_in_a_child() -> None:
    """Fork while a thread is blocked: the child does not see it any more, but sees its own."""
    event = fl.Event()
    waiter = start(event.wait)
    wait_until_blocked(waiter.thread, BOUND)
    ident = waiter.ident
    assert ident is not None

    def child() -> None:
        try:
            wait_until_blocked(ident, 0)
        except fl.Timeout:
            pass
        else:
            raise AssertionError("a thread of the parent passes for blocked")
        mine, main = fl.Event(), threading.get_ident()

        def let_go() -> None:
            wait_until_blocked(main, BOUND)
            mine.set()

        helper = start(let_go)
        mine.wait(BOUND)
        helper.join()

    forks.in_child(child)
    event.set()
    waiter.join()
    print("seen")  # noqa: T201 - the result of the program
