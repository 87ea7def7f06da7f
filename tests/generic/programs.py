"""Programs about blocking calls, each run in a process of its own by the tests beside it.

Not here: pytest, which these programs do not need.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

import fearless as fl
from tests.support.recipes import SITUATIONS
from tests.support.threads import start
from tests.support.until import until, waiting

KEPT: list[object] = []  # until the interpreter ends


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


def exit_while_busy() -> None:
    """End the process while daemon threads send, receive, lock, wait and sleep without a pause."""
    tx, rx = fl.channel(0)
    idle_tx, idle_rx = fl.channel(1)
    mutex, rw = fl.Mutex(0), fl.RwLock(0)
    rounds = fl.AtomicInt(0)

    def lock() -> None:
        with mutex as guard:
            guard.value += 1

    def read_and_write() -> None:
        with rw.read() as reader:
            assert reader.value >= 0
        with rw.upgradable() as guard, guard.upgrade() as writer:
            writer.value += 1

    def try_in_vain() -> None:
        with contextlib.suppress(fl.Timeout):
            idle_rx.recv(1e-4)

    def again(use: Callable[[], object]) -> None:
        while True:
            use()
            rounds.add(1)

    uses: list[Callable[[], object]] = [lambda: tx.send(1), rx.recv, lock, lock, try_in_vain, lambda: fl.sleep(1e-4)]
    uses += [read_and_write, read_and_write]
    try_in_vain()  # what is imported late is there before the threads are
    fl.sleep(0)
    for use in uses:
        threading.Thread(target=again, args=[use], daemon=True).start()
    until(lambda: rounds.load() > 500)
    KEPT.extend([tx, rx, idle_tx, idle_rx])


def exit_while_holding() -> None:
    """End the process with locks held, other threads waiting for them, items queued and ends open."""
    mutex, rw = fl.Mutex(0), fl.RwLock(0)
    guard, reader = mutex.lock(), rw.read()
    tx, rx = fl.channel(None)
    tx.send([tx, rx, guard])
    for call in (mutex.lock, rw.write):
        threading.Thread(target=call, daemon=True).start()
    until(lambda: waiting(mutex) == waiting(rw) == 1)
    KEPT.extend([guard, reader, reader.clone(), tx, rx])
