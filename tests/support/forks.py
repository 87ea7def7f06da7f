"""Forks for programs of tests: what happens in the child, with a bound, and what the parent hears of it.

Not here: pytest; POSIX is taken for granted.
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable

from tests.support.until import BOUND, until

CHILD_BOUND = 25  # seconds after which the kernel ends a child that hangs; less than BOUND, for the message


def in_child(body: Callable[[], object]) -> None:
    """Fork, run the body in the child, and return when it has ended well; else end the program."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(CHILD_BOUND)
        code = 1
        try:
            body()
            code = 0
        except BaseException:  # noqa: BLE001 - whatever it was, the parent has to hear of it
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    status: list[int] = []

    def ended() -> bool:
        found, code = os.waitpid(child, os.WNOHANG)
        if found:
            status.append(os.waitstatus_to_exitcode(code))
        return bool(status)

    until(ended, "the end of the child", BOUND)
    if status[0] == -signal.SIGALRM:
        sys.exit("the child hangs")
    if status[0] != 0:
        sys.exit(f"the child ended with {status[0]}")


def raises(kind: type[BaseException], call: Callable[[], object]) -> str:
    """Assert that a call raises, and return the text."""
    try:
        call()
    except kind as error:
        return str(error)
    raise AssertionError(f"{kind.__name__} was not raised")
