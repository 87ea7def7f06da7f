"""A signal handler that raises while a block is left, before any `try` of ours; each moment as often as it takes.

Here the moment is chosen; a storm of signals, which chooses it by chance, is in `tests/generic/test_storm.py`.
"""

import threading

import pytest

import fearless as fl
from tests.support.blocking import Gate

CTRL_C = pytest.mark.guarantee("scope", "Ctrl-C")


class Struck(KeyboardInterrupt):
    """What the handler raises."""


class Block(fl.Scope):
    """A scope of which the functions that leave it are struck at their beginning, so many times."""

    strikes = 1

    def _leave(self, error: BaseException | None, struck: BaseException | None) -> bool:
        if self.strikes:
            self.strikes -= 1
            raise Struck(self.strikes)
        return super()._leave(error, struck)


@CTRL_C
def test_the_first_cancels_and_the_join_goes_on() -> None:
    """It leaves bare, with the failure of the block as its context."""
    tasks, error = list[fl.Task[None]](), ValueError("own")
    with pytest.raises(Struck) as caught, Block() as scope:  # noqa: PT012 - the scope raises when its block is left
        tasks.append(scope.spawn(fl.sleep, 3600))
        raise error

    group = caught.value.__context__
    assert isinstance(group, ExceptionGroup)
    assert group.exceptions == (error,)
    assert tasks[0].cancelled()
    assert fl.current_scope() is None


@CTRL_C
@pytest.mark.parametrize("first", ["in the block", "at once"])
def test_a_second_leaves_at_once(first: str) -> None:
    """The tasks are cancelled, and the thread is in the scope no more."""
    gate, threads = Gate(), list[threading.Thread]()

    def stay() -> None:
        threads.append(threading.current_thread())
        gate()

    scope = Block()
    try:
        with pytest.raises(Struck, match="0"), scope:  # noqa: PT012 - the scope raises when its block is left
            task = scope.spawn(stay)
            gate.entered.wait()
            if first == "in the block":
                raise KeyboardInterrupt
            scope.strikes = 2
        assert not task.done()
        assert scope.cancelled
        assert fl.current_scope() is None
    finally:
        gate.open.set()
        threads[0].join()
