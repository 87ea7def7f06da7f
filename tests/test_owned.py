"""`Owned`: one handle has the value, and each hand-over leaves the old one empty.

Not here: garbage collection of what is in flight (`tests/generic/`).
"""

import gc
import pickle
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import fearless as fl
from tests.plugins.threads import Spawn
from tests.support.items import Marker
from tests.support.until import BOUND


@pytest.fixture
def pair() -> "Iterator[tuple[fl.Sender[Any], fl.Receiver[Any]]]":
    """A channel for one item, closed afterwards."""
    tx, rx = fl.channel(1)
    with tx, rx:
        yield tx, rx


def unwrap(owned: "fl.Owned[str]") -> str:
    """Take the value out of a handle."""
    return owned.take()


def check_moved(owned: "fl.Owned[Any]") -> None:
    """Assert that a handle has no value and refuses to act."""
    assert (owned.is_moved, repr(owned)) == (True, "<Owned moved>")
    for use in (owned.take, owned.move):
        with pytest.raises(fl.MovedError, match="the value was handed on or taken"):
            use()


def test_take_unwraps_the_value_once() -> None:
    """And the handle is empty then."""
    value = object()
    owned = fl.Owned(value)

    assert (owned.is_moved, repr(owned)) == (False, "<Owned>")
    assert owned.take() is value
    check_moved(owned)


def test_move_gives_a_new_handle() -> None:
    """With the same value."""
    value = object()
    owned = fl.Owned(value)
    following = owned.move()

    check_moved(owned)
    assert following.take() is value


SENDS: dict[str, Callable[[Any, Any], object]] = {
    "send": lambda tx, item: tx.send(item),
    "try_send": lambda tx, item: tx.try_send(item),
    "force_send": lambda tx, item: tx.force_send(item),
    "send_many": lambda tx, item: tx.send_many([item]),
    "select": lambda tx, item: fl.select(tx.sending(item)),
    "try_select": lambda tx, item: fl.try_select(tx.sending(item)),
}


@pytest.mark.parametrize("send", SENDS.values(), ids=SENDS)
class TestSends:
    def test_hands_on(self, send: Any, pair: Any) -> None:
        """What is received is a handle of its own; the old one cannot be sent again."""
        tx, rx = pair
        owned = fl.Owned("value")
        send(tx, owned)

        check_moved(owned)
        received = rx.recv()
        assert received is not owned
        assert received.take() == "value"
        with pytest.raises(fl.MovedError):
            send(tx, owned)
        assert rx.is_empty

    def test_a_closed_channel_gives_it_back(self, send: Any, pair: Any) -> None:
        """The handle has its value again, and is what the error or the selection carries."""
        tx, rx = pair
        rx.close()
        owned = fl.Owned("value")
        try:
            selected = send(tx, owned)
            item = selected.value
            assert selected.closed
        except fl.Closed as error:
            item = error.item[0] if isinstance(error.item, list) else error.item

        assert item is owned
        assert owned.take() == "value"


FULL: dict[str, Callable[[Any, Any], object]] = {
    "send": lambda tx, item: tx.send(item, 0),
    "send_late": lambda tx, item: tx.send(item, 0.001),
    "send_many": lambda tx, item: tx.send_many([item], 0.001),
    "try_send": lambda tx, item: tx.try_send(item),
    "select": lambda tx, item: fl.select(tx.sending(item), timeout=0.001),
    "try_select": lambda tx, item: fl.try_select(tx.sending(item)),
}


@pytest.mark.parametrize("send", FULL.values(), ids=FULL)
def test_a_full_channel_gives_it_back(send: Any, pair: Any) -> None:
    """Whatever the call raises."""
    tx, _rx = pair
    tx.send("first")
    owned = fl.Owned("value")
    with pytest.raises((fl.Full, fl.Timeout, fl.Empty)):
        send(tx, owned)

    assert owned.take() == "value"


def test_a_batch_that_ends_early_gives_back_what_it_did_not_send(pair: Any) -> None:
    """And only that; plain items lie between."""
    tx, rx = pair
    handles = [fl.Owned(number) for number in range(3)]
    with pytest.raises(fl.Timeout):
        tx.send_many([handles[0], handles[1], "plain", handles[2]], 0.001)

    assert [owned.is_moved for owned in handles] == [True, False, False]
    assert rx.recv().take() == 0


def test_only_the_chosen_send_of_a_select_hands_on(pair: Any) -> None:
    """The others keep their value."""
    tx, rx = pair
    other_tx, other_rx = fl.channel(1)
    with other_tx, other_rx:
        first, second = fl.Owned("value"), fl.Owned("value")
        chosen = fl.select(tx.sending(first), other_tx.sending(second)).index

        assert [first.is_moved, second.is_moved] == [chosen == 0, chosen == 1]
        assert (rx, other_rx)[chosen].recv().take() == "value"


def test_a_select_that_is_refused_gives_all_back(pair: Any) -> None:
    """The wrong argument comes after one that was fine."""
    tx, _rx = pair
    owned = fl.Owned("value")
    cases: list[tuple[Any, type[Exception]]] = [("no channel", TypeError), (tx.sending("twice"), ValueError)]
    for wrong, error in cases:
        with pytest.raises(error):
            fl.select(tx.sending(owned), wrong)
        assert not owned.is_moved


def test_tasks_take_it_over() -> None:
    """By `spawn`, by `submit` and by a scope."""
    handles = [fl.Owned(text) for text in "abcd"]
    with fl.ThreadPool(1) as pool, fl.scope() as scope:
        tasks = [
            fl.spawn(unwrap, handles[0]),
            pool.submit(unwrap, handles[1]),
            scope.spawn(unwrap, handles[2]),
            scope.submit(pool, unwrap, handles[3]),
        ]
        assert [task.result(BOUND) for task in tasks] == list("abcd")

    for owned in handles:
        check_moved(owned)
        with pytest.raises(fl.MovedError):
            fl.spawn(unwrap, owned)


def test_a_refused_task_gives_back_what_it_was_given() -> None:
    """One of two handles is empty: the other keeps its value."""
    good, bad = fl.Owned("value"), fl.Owned("value")
    bad.take()
    with pytest.raises(fl.MovedError):
        fl.spawn(print, good, bad)

    assert not good.is_moved


def test_of_two_threads_that_take_one_wins(spawn: Spawn) -> None:
    """The other gets `MovedError`."""

    def attempt(owned: "fl.Owned[int]") -> int:
        try:
            return owned.take()
        except fl.MovedError:
            return 0

    for _ in range(50):
        owned = fl.Owned(1)
        assert sum(taker.join() for taker in [spawn(attempt, owned) for _ in range(2)]) == 1


def test_the_error_names_the_line_while_memory_is_traced() -> None:
    """And only then, as it costs too much otherwise."""
    tracemalloc.start()
    try:
        owned = fl.Owned("value")
        owned.take()
    finally:
        tracemalloc.stop()

    with pytest.raises(fl.MovedError, match=r"test_owned\.py:\d+$"):
        owned.take()


def test_a_handle_cannot_be_pickled() -> None:
    """Its copy would be a second owner."""
    with pytest.raises(TypeError, match="second owner: pickle what take"):
        pickle.dumps(fl.Owned("value"))


@pytest.mark.guarantee("channel", "GC")
def test_a_dead_cycle_through_a_handle_is_collected() -> None:
    """The value refers to its handle."""
    marker = Marker()
    gone = weakref.ref(marker)
    marker.holds.append(fl.Owned(marker))

    del marker
    gc.collect()

    assert gone() is None


def test_an_async_call_that_is_never_awaited_gives_it_back(pair: Any) -> None:
    """It was handed on when the call was made; nothing was sent."""
    tx, _ = pair
    for call in (tx.send_async, lambda owned: fl.select_async(tx.sending(owned))):
        owned = fl.Owned([1])
        operation = call(owned)
        assert owned.is_moved

        del operation
        gc.collect()

        assert owned.take() == [1]
