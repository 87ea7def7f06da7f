"""What a job fills in: adding where there is no update, and states that methods change in place."""

from __future__ import annotations

from typing import Any

import pytest

from fearless.lab._errors import WorkloadError
from fearless.lab.job import Job


def job(**methods: Any) -> Job:
    """A job over three items."""
    base = {"items": lambda _: [1, 2, 3], "work": lambda _, item: item}
    return Job(type("Source", (), {**base, **methods})(), name="source")


def test_ints_are_added() -> None:
    """A state that is an int and has no update."""
    adding = job(start=lambda _: 0)

    assert (adding.state, adding.update(10, 5), adding.merge(1, 2)) == ("add", 15, 3)


def test_dicts_of_ints_are_added_by_key() -> None:
    """In place, as the one owner may."""
    adding = job(start=lambda _: {"a": 0, "b": 0})
    state = adding.start()

    assert adding.update(state, {"a": 2}) is state
    assert adding.merge(state, {"a": 1, "b": 1}) == {"a": 3, "b": 1}


def test_a_key_that_start_does_not_have_is_named() -> None:
    """The keys stay the same: an atomic exists for each before the work begins."""
    adding = job(start=lambda _: {"a": 0})

    with pytest.raises(WorkloadError, match=r"the key 'z', which start\(\) does not have; it has \['a'\]"):
        adding.update(adding.start(), {"z": 1})


@pytest.mark.parametrize("state", [[], 1.5, True, {"a": "x"}, None])
def test_other_states_need_an_update(state: object) -> None:
    """It is not clear how they would be added."""
    with pytest.raises(WorkloadError, match=r"must have update\(self, state, part\)"):
        job(start=lambda _: state)


@pytest.mark.parametrize("state", [5, {"a": 0, "b": 1}])
def test_totals_start_at_zero(state: object) -> None:
    """Every worker starts there, so anything else would be counted once for each."""
    with pytest.raises(WorkloadError, match="must start at 0"):
        job(start=lambda _: state)


def test_a_method_may_change_the_state_or_return_a_new_one() -> None:
    """None means that it was changed in place."""
    in_place = job(start=lambda _: [], update=lambda _, state, part: state.append(part))
    anew = job(start=lambda _: (), update=lambda _, state, part: (*state, part))

    assert in_place.update([1], 2) == [1, 2]
    assert anew.update((1,), 2) == (1, 2)


def test_the_kind_of_state_follows_from_the_methods() -> None:
    """It decides which patterns can run the job."""
    update = {"start": lambda _: [], "update": lambda _, _state, _part: None}

    assert job().state == "none"
    assert job(**update).state == "update"
    assert job(**update, merge=lambda _, _state, _other: None).state == "merge"


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (lambda _, _state: None, None),
        (lambda _, _state: True, None),
        (lambda _, _state: False, "check() returned False"),
    ],
)
def test_a_check_says_no_by_false(check: Any, said: str | None) -> None:
    """Anything else but an assertion is a yes."""
    assert job(check=check).check([]) == said


def test_a_check_says_no_by_assert() -> None:
    """With its own words."""

    def check(_: object, state: list[int]) -> None:
        raise AssertionError(f"{len(state)} were counted")

    assert job(check=check).check([]) == "check() failed: 0 were counted"
