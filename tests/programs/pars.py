"""Programs about `par`, each run in a process of its own by `tests/test_par.py`.

Not here: pytest, which these programs do not need.
"""

import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

import fearless as fl
from tests.programs.tasks import in_child
from tests.support.threads import start
from tests.support.until import BOUND, blocked, until


def interrupt(stage: str) -> None:
    """Ctrl-C in the middle of a run; print how many seconds later it was over."""
    threads = threading.active_count()
    seen = fl.AtomicInt(0)
    sent: list[float] = []

    def count(number: int) -> int:
        seen.add(1)
        return number

    def poke() -> None:
        until(lambda: seen.load() > 1000, "a run under way")
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    function = {"python": count, "native": seen.add}[stage]
    poker = start(poke)
    try:
        fl.par(range(1, 10**12), workers=2, chunk=10**9).for_each(function)
    except KeyboardInterrupt:
        late = time.monotonic() - sent[0]
    else:
        sys.exit("the run ended instead of raising KeyboardInterrupt")
    poker.join()
    ended = seen.load()
    until(lambda: threading.active_count() == threads, "the workers gone")
    assert seen.load() == ended, "a worker went on"
    print(late)  # noqa: T201 - the result of the program


def interrupt_twice(call: str) -> None:
    """The first Ctrl-C ends the wait of the main thread, the second its wait for a worker that heeds nothing."""
    main, gate, others = threading.get_ident(), threading.Event(), fl.AtomicInt(0)

    def stay(_: int = 0) -> None:
        if threading.get_ident() == main:
            fl.Event().wait()
        others.add(1)
        assert gate.wait(BOUND)

    def poke() -> None:
        until(lambda: others.load() == 1 and blocked(main, "event"), "both at work")
        os.kill(os.getpid(), signal.SIGINT)
        until(lambda: blocked(main) and not blocked(main, "event"), "the other worker waited for")
        os.kill(os.getpid(), signal.SIGINT)

    calls: dict[str, Callable[[], object]] = {
        "invoke": lambda: fl.invoke(stay, stay),
        "nested": lambda: fl.invoke(lambda: fl.invoke(stay, stay)),
        "par": lambda: fl.par(range(2), workers=2, chunk=1).for_each(stay),
    }
    poker = start(poke)
    try:
        calls[call]()
    except KeyboardInterrupt as interrupt:
        notes = list[str](interrupt.__notes__)
    else:
        sys.exit("the run ended instead of raising KeyboardInterrupt")
    poker.join()
    assert not gate.is_set()
    assert notes[0] == "left a scope while 1 of its functions ran", notes
    assert "of its tasks ran, in: fearless-" in notes[1], notes
    assert fl.current_scope() is None
    gate.set()
    assert fl.par(range(100), workers=2).sum() == 4950


def fork_inside_a_run() -> None:
    """A run in the child of a fork that a stage made, and one in the child of an idle process."""

    def run() -> None:
        assert fl.par(range(1000), workers=3).map(abs).collect() == list(range(1000))

    run()
    in_child(run)

    def fork_once(number: int) -> int:
        if number == 7:
            in_child(run)
        return number

    assert fl.par(range(100), workers=2).map(fork_once).collect() == list(range(100))


def interrupted_everywhere() -> None:
    """Ctrl-C at each call, in turn, that our code makes on the main thread; print how many there are.

    It comes as the interpreter lets it come: when a function is entered, or a call has returned.
    """
    ours = ("_crew.py", "_run.py", "parallel.py")
    threads = threading.active_count()

    def run() -> tuple[object, ...]:
        return fl.invoke(lambda: fl.par(range(3), workers=2, chunk=1).map(abs).sum(), lambda: 1, lambda: 2)

    for number in itertools.count():
        left = number

        def interrupt(frame: FrameType, event: str, _argument: object) -> None:
            nonlocal left
            if event != "c_call" and frame.f_code.co_filename.endswith(ours):
                left -= 1
                if left == -1:
                    raise KeyboardInterrupt

        sys.setprofile(interrupt)
        try:
            result = run()
        except KeyboardInterrupt:
            result = ()
        finally:
            sys.setprofile(None)
        assert result == (() if left < 0 else (3, 1, 2)), f"at call {number}: {result}"
        assert fl.current_scope() is None, f"at call {number} a scope stays entered"
        until(lambda: threading.active_count() == threads, "the workers gone")
        if left >= 0:
            print(number)  # noqa: T201 - the result of the program
            return


def at_every_depth() -> None:
    """Runs that begin so many calls below the recursion limit: each succeeds, or says that it met the limit."""
    threads = threading.active_count()

    def nested() -> object:
        return fl.par(range(2), workers=2, chunk=1).map(lambda _: fl.par(range(2), workers=2).map(abs).sum()).collect()

    def forked() -> object:
        return [*fl.invoke(lambda: fl.invoke(int, int)[0], lambda: fl.invoke(lambda: 1, int)[0])]

    def below(levels: int, call: Callable[[], object]) -> object:
        return below(levels - 1, call) if levels else call()

    ended = {"result": 0, "limit": 0}
    limit = sys.getrecursionlimit()
    for call, result in ((nested, [1, 1]), (forked, [0, 1])):
        for levels in range(limit - 110, limit):
            try:
                found = below(levels, call)
            except RecursionError:
                ended["limit"] += 1
            else:
                assert found == result, f"{found} at {levels}"
                ended["result"] += 1
            assert fl.current_scope() is None, f"a scope stays entered at {levels}"
            until(lambda: threading.active_count() == threads, "the workers gone")
    assert min(ended.values()) > 20, ended


def fork_and_go_on() -> None:
    """A child that goes on with its parent's call is told that what others have begun will never end there."""
    begun, forked = threading.Event(), threading.Event()
    parent = os.getpid()
    child = [0]

    def fork() -> int:
        assert begun.wait(BOUND)
        child[0] = os.fork()
        if child[0]:
            forked.set()
        return 1

    def other() -> int:
        begun.set()
        assert forked.wait(BOUND)
        return 2

    code = 1
    try:
        assert fl.invoke(fork, other) == (1, 2)
    except RuntimeError as error:
        code = 0 if "forked child" in str(error) else 1
    finally:
        if os.getpid() != parent:
            os._exit(code)
    _, status = os.waitpid(child[0], 0)
    assert os.waitstatus_to_exitcode(status) == 0, "the child went on"


def exit_from_a_stage() -> None:
    """`SystemExit` on any worker leaves bare."""

    def leave(number: int) -> None:
        if number == 500:
            sys.exit(7)

    fl.par(range(1000), workers=2).for_each(leave)


def no_threads_to_be_had() -> None:
    """The calling thread does all the work."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    threading.Thread.start = refuse  # type: ignore[assignment,method-assign]
    assert fl.par(range(1000), workers=4).map(abs).collect() == list(range(1000))


def blocked_elsewhere() -> None:
    """A failure wakes the workers that wait inside an item."""
    tx, rx = fl.channel(None)
    waiting = threading.Event()

    def work(number: int) -> object:
        if number == 0:
            waiting.set()
            return rx.recv()
        assert waiting.wait(BOUND)
        raise ValueError(number)

    try:
        fl.par([0, 1], workers=2).for_each(work)
    except ValueError as error:
        print(error)  # noqa: T201 - the result of the program
    tx.close()
    rx.close()


def iterators_left_unfinished() -> None:
    """They keep neither the process, nor a forked child in which their workers are missing."""
    kept = iter(fl.par(itertools.count(), workers=2, chunk=1).map(abs))
    assert next(kept) == 0

    def go_on() -> None:
        try:
            list(itertools.islice(kept, 1000))
        except RuntimeError as error:
            assert "forked child" in str(error)  # noqa: PT017 - no pytest here
            return
        sys.exit("the iteration went on without workers")

    if hasattr(os, "fork"):
        in_child(go_on)
    sys.modules["kept"] = kept  # type: ignore[assignment]  # until the very end


def an_unfinished_iterator_in_a_module() -> None:
    """Without a GIL it goes when the names of our modules have gone."""
    kept = iter(fl.par(itertools.count(), workers=2, chunk=1).map(abs))
    assert next(kept) == 0
    vars(sys.modules["__main__"])["kept"] = kept


def exit_from_an_iteration() -> None:
    """`SystemExit` on a worker comes out where its results would."""

    def leave(number: int) -> int:
        if number == 500:
            sys.exit(7)
        return number

    for number in fl.par(range(10**6), workers=2).map(leave):
        assert number < 500
