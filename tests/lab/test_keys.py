"""Work whose items say which entries of the state they touch: locks for each key, and mistakes about keys."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from fearless.lab import catalog, dispatch
from fearless.lab._errors import WorkloadError
from fearless.lab.catalog import Pattern
from fearless.lab.job import Job, State

ANY_PATTERN = ["serial", "mutex", "channel", "pool", "executor", "processes", "sharded"]


class Accounts:
    """Moves one from each letter to the next."""

    def items(self) -> list[str]:
        return ["ab", "bc", "ca", "ab"] * 5

    def start(self) -> dict[str, int]:
        return {"a": 0, "b": 0, "c": 0}

    def work(self, item: str) -> dict[str, int]:
        return {item[0]: -1, item[1]: 1}

    def keys(self, item: str) -> Any:
        return list(item)

    def update(self, state: dict[str, int], part: dict[str, int]) -> None:
        for key, amount in part.items():
            state[key] += amount


def job(kind: type[Accounts] = Accounts, **methods: Any) -> Job:
    """A job like `Accounts`, with other methods."""
    return Job(type("Source", (kind,), methods)(), name="accounts")


def result(pattern: str, of: Job, workers: int = 2) -> Any:
    """What the pattern makes of it."""
    found = catalog.fit_job(pattern, of)
    assert isinstance(found, Pattern), found
    return found.load()(of, of.items(), workers)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_locks_for_each_key_give_the_serial_result(workers: int) -> None:
    """Every key of the state is there at the end, also one that nobody touched."""
    of = job(start=lambda _: {"a": 0, "b": 0, "c": 0, "d": 7})

    assert result("sharded", of, workers) == result("serial", of) == {"a": -5, "b": 5, "c": 0, "d": 7}


def test_keys_open_one_more_pattern_and_close_none() -> None:
    """Who has no use for them does without."""
    fitting = [name for name in catalog.PATTERNS if isinstance(catalog.fit_job(name, job()), Pattern)]

    assert fitting == ANY_PATTERN
    assert catalog.fit("sharded", "update") == (
        "needs totals that nobody reads meanwhile, or keys(self, item), which say what an update touches"
    )


def test_the_card_has_several_locks() -> None:
    """Where totals are in shards it has none."""
    keyed, totals = catalog.fit_job("sharded", job()), catalog.fit("sharded", "add")
    assert isinstance(keyed, Pattern)
    assert isinstance(totals, Pattern)

    assert (keyed.card.shared, totals.card.shared) == ("several locks", "a bare atomic")
    assert [len(one.card.keep_in_mind.split()) for one in (keyed, totals)] == [5, 5]
    assert keyed.card.summary != totals.card.summary
    assert keyed.card.coordination_calls == 5  # Mutex, lock_all, par, for_each, with_lock


def test_items_with_other_keys_do_not_wait_for_each_other() -> None:
    """Each of two waits in its update for the other; behind one lock they would never meet."""
    both = threading.Barrier(2)

    class Meeting(Accounts):
        def items(self) -> list[str]:
            return ["ab", "cd"]

        def start(self) -> dict[str, int]:
            return dict.fromkeys("abcd", 0)

        def update(self, state: dict[str, int], part: dict[str, int]) -> None:
            both.wait(10.0)
            super().update(state, part)

    assert result("sharded", job(Meeting)) == {"a": -1, "b": 1, "c": -1, "d": 1}


def test_items_with_a_key_in_common_take_turns() -> None:
    """In whatever order they name their keys; nobody is in an update while another one with the key is."""
    inside: set[str] = set()
    met: list[set[str]] = []

    class Watched(Accounts):
        def items(self) -> list[str]:
            return ["ab", "ba", "bc", "cb"] * 50

        def update(self, state: dict[str, int], part: dict[str, int]) -> None:
            met.append(inside & part.keys())
            inside.update(part)
            super().update(state, part)
            inside.difference_update(part)

    assert result("sharded", job(Watched), 4) == {"a": 0, "b": 0, "c": 0}
    assert len(met) == 200
    assert not any(met)


def test_an_update_gets_the_entries_of_its_keys_alone() -> None:
    """It cannot reach what another worker may be changing; the error says where it could."""
    of = job(update=lambda _, state, __: state["c"])

    with pytest.raises((KeyError, ExceptionGroup)) as caught:
        result("sharded", of)

    error: BaseException = caught.value
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, KeyError)
    assert any(note.endswith("may be given what keys() named alone: ['a', 'b']") for note in error.__notes__)


def test_an_update_may_give_a_new_dict() -> None:
    """The entries of its keys are taken from it."""
    of = job(update=lambda _, state, part: {key: state[key] + amount for key, amount in part.items()})

    assert result("sharded", of) == {"a": -5, "b": 5, "c": 0}


def test_a_key_that_is_named_twice_is_one() -> None:
    """Its lock is taken once."""
    of = job(keys=lambda _, item: [*item, *item])

    assert of.keys("ab") == ("a", "b")
    assert result("sharded", of) == {"a": -5, "b": 5, "c": 0}


WRONG_KEYS = [
    (["x"], r"keys\(\) named 'x', which start\(\) does not have among its 3"),
    ("ab", r"keys\(\) must give keys of the state, as \[item.payer, item.payee\]; got 'ab'"),
    (5, r"keys\(\) must give keys of the state, .* got 5"),
]


@pytest.mark.parametrize(("given", "message"), WRONG_KEYS)
def test_keys_that_there_are_not_are_named(given: Any, message: str) -> None:
    """With the workload and the rule."""
    with pytest.raises(WorkloadError, match=f"workload accounts: {message}"):
        job(keys=lambda *_: given).keys("ab")


@pytest.mark.parametrize("state", [[0, 0], {}, 0])
def test_keys_need_a_state_that_has_them(state: Any) -> None:
    """All of them, from the start."""
    with pytest.raises(WorkloadError, match=r"start\(\) must give a dict with all of them; it gives"):
        job(start=lambda _: state)


@pytest.mark.parametrize("together", [1, 2])
def test_what_locks_cost_is_for_as_many_keys(together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the first item names; the keys are those of the state, and the user's work is not run."""
    monkeypatch.setattr(dispatch, "SAMPLE_SECONDS", 0.0002)
    monkeypatch.setattr(dispatch, "TRIES", 1)
    worked: list[Any] = []
    of = job(work=lambda _, item: worked.append(item), keys=lambda _, item: list(item)[:together])

    idle = dispatch._idle(of, len(of.keys("ab")))
    found = dispatch.measure(of, ["mutex", "sharded"], 2, of.items())

    assert idle.start() == dict.fromkeys("abc")
    assert [idle.keys(number) for number in (0, 1)] == ([("a",), ("b",)] if together == 1 else [("a", "b"), ("c", "a")])
    assert worked == []
    assert {"mutex", "sharded"} <= found.keys()


@pytest.mark.parametrize("state", [0, {"sum": 0, "count": 0}])
def test_totals_in_shards_start_where_the_state_does(state: Any) -> None:
    """One total, or one for each key."""
    one = state == 0
    work = (lambda _, item: item) if one else (lambda _, item: {"sum": item, "count": 1})
    of = Job(
        type("Totals", (), {"start": lambda _: state, "work": work, "items": lambda _: range(40)})(), name="totals"
    )
    kind: State = "add"

    assert of.state == kind
    assert result("sharded", of) == (780 if one else {"sum": 780, "count": 40})
