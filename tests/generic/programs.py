"""Programs about blocking calls, each run in a process of its own by the tests beside it.

Not here: pytest, which these programs do not need.
"""

import os
import signal
import sys
import threading
import time

from tests.support.recipes import SITUATIONS
from tests.support.threads import start


def interrupt(name: str) -> None:
    """Ctrl-C in the main thread, blocked in a call; print how many seconds later it was over."""
    situation = SITUATIONS[name]()
    main = threading.main_thread().ident
    sent: list[float] = []

    def poke() -> None:
        situation.await_blocked(main)
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    poker = start(poke)
    try:
        situation.call()
    except KeyboardInterrupt:
        late = time.monotonic() - sent[0]
    else:
        sys.exit("the call returned instead of raising KeyboardInterrupt")
    poker.join()
    if situation.undoes:
        situation.check_nothing_happened()
    situation.check_usable()
    situation.close()
    print(late)  # noqa: T201 - the result of the program


def interrupt_without_effect(name: str) -> None:
    """Signals whose handler returns reach a blocked main thread, and the call goes on."""
    situation = SITUATIONS[name]()
    main = threading.main_thread().ident
    handled: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: handled.append(number))

    def poke() -> None:
        for count in range(1, 4):
            situation.await_blocked(main)
            os.kill(os.getpid(), signal.SIGINT)
            while len(handled) < count:
                threading.Event().wait(0.001)
        situation.await_blocked(main)
        situation.release()

    poker = start(poke)
    situation.call()
    poker.join()
    situation.close()


def exit_while_blocked(name: str) -> None:
    """End the process while a daemon thread is blocked; tasks of pools and scopes can end only after that."""
    situation = SITUATIONS[name]()

    def call() -> None:
        try:
            situation.call()
        except* RuntimeError:
            pass  # a pool closes at exit, and says so to who still submits

    blocked = threading.Thread(target=call, daemon=True)
    blocked.start()
    situation.await_blocked(blocked.ident)
    if situation.keeps_process:

        def release() -> None:
            threading.main_thread().join()
            situation.release()

        threading.Thread(target=release).start()
