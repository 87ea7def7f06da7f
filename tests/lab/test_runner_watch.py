"""The watched run: what it counts, and that it runs every item once."""

from __future__ import annotations

import sys
import threading
import warnings
from collections import Counter
from typing import Any

import pytest

from fearless.lab import gil, watch
from fearless.lab.job import Job


def job(**methods: Any) -> Job:
    """A job that is given its items."""
    return Job(type("Source", (), {"work": lambda _, item: item, **methods})(), name="source")


@pytest.mark.parametrize("blocks", [5, 1000])
def test_every_item_is_worked_on_and_entered_once(blocks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when there are so many that they are timed in blocks."""
    monkeypatch.setattr(watch, "TIMED_BLOCKS", blocks)
    worked: Counter[int] = Counter()
    entered: Counter[int] = Counter()
    merged: list[int] = []

    def work(_: object, item: int) -> int:
        worked[item] += 1
        return item

    def update(_: object, state: list[int], part: int) -> None:
        entered[part] += 1
        state.append(part)

    counting = job(
        work=work,
        start=lambda _: [],
        update=update,
        merge=lambda _, state, other: merged.extend(state + other),
    )

    profile = watch.watch(counting, range(12), "3.13")

    assert worked == entered == Counter(range(12))
    assert merged == list(range(12))
    assert profile.items == 12
    assert profile.python == "3.13"


def test_a_single_item_can_be_watched() -> None:
    """There is nothing to merge, and no variation."""
    profile = watch.watch(job(), [1], "3.13")

    assert (profile.items, profile.merge_seconds, profile.work_cv) == (1, 0.0, 0.0)


def test_waiting_is_told_from_work() -> None:
    """A wait takes no CPU time, and is no time without a CPU either."""
    never = threading.Event()

    profile = watch.watch(job(work=lambda _, __: never.wait(0.05)), range(3), "3.13")

    assert profile.seconds >= 0.15
    assert profile.cpu_seconds < profile.seconds
    assert profile.blocked_seconds is None or profile.blocked_seconds > 0.05


def test_reading_the_clocks_is_no_waiting() -> None:
    """A job of a few microseconds has not waited for a share of them."""
    assert watch._blocked(0.00002, 5.0, 5.0) == 0.0
    assert watch._blocked(0.03, 5.0, 5.01) == pytest.approx(0.02)
    assert watch._blocked(0.03, None, 5.01) is None


def test_a_free_threaded_build_has_no_gil_to_release() -> None:
    """With a GIL the share of free samples lies between nothing and all, if the run was long enough for any."""
    never = threading.Event()

    profile = watch.watch(job(work=lambda _, __: never.wait(0.05)), range(3), "3.13")

    if gil.free_threaded():
        assert profile.gil_released is None
    else:
        assert profile.gil_released is None or 0.0 <= profile.gil_released <= 1.0


def test_what_the_watch_itself_causes_is_no_waiting() -> None:
    """A thread that was made to hand over the GIL waits until the one that samples it has a core."""
    samples = watch._GilSamples()
    interval = sys.getswitchinterval()
    samples._late = [0.001] * 20 + [interval + 0.01, interval + 0.02, 0.001]
    samples._idle = 20

    assert samples.caused() == 0.0  # it always had one
    samples._ready = 0.025
    assert samples.caused() == pytest.approx(0.025)
    samples._ready = 1.0
    assert samples.caused() == pytest.approx(0.03)


def test_where_a_free_gil_comes_as_late_as_a_held_one_nobody_knows_which_it_was() -> None:
    """So late does everything run on a busy machine."""
    samples = watch._GilSamples()
    samples._late = [0.0001] * 20 + [0.0001, 0.006] * 20
    samples._idle = 20

    assert samples.share() == 0.5
    samples._late[15:20] = [0.02] * 5
    assert samples.share() is None


def test_the_import_that_turned_the_gil_on_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the warning that CPython gives; other warnings go on as before."""
    others: list[str] = []
    monkeypatch.setattr(warnings, "showwarning", lambda message, *_: others.append(str(message)))
    with warnings.catch_warnings():
        culprit = gil.Culprit()
        warnings.simplefilter("always")
        warnings.warn("something else", UserWarning, stacklevel=1)
        warnings.warn(
            "The global interpreter lock (GIL) has been enabled to load module 'old_extension', which has not declared",
            RuntimeWarning,
            stacklevel=1,
        )

    assert culprit.name == "old_extension"
    assert others == ["something else"]


def test_the_lock_is_watched_where_it_is_held() -> None:
    """The hold is the update, the gap is the work before it, whichever item it is for."""
    never = threading.Event()
    slow = job(
        work=lambda _, item: never.wait(0.02) or item,
        start=lambda _: [],
        update=lambda _, state, __: never.wait(0.005) and state,
    )

    found = watch.watch_lock(slow, range(5))

    assert found is not None
    hold, gap = found
    assert 0.004 < hold < gap
    assert gap > 0.015


def test_the_lock_is_watched_for_a_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """At least two items are worked on, or there would be nothing between two holds."""
    monkeypatch.setattr(watch, "LOCKED_SECONDS", 0.0)
    worked: list[int] = []

    found = watch.watch_lock(
        job(work=lambda _, item: worked.append(item), start=lambda _: [], update=lambda _, state, __: state), range(9)
    )

    assert found is not None
    assert len(worked) == 2


def test_without_updates_no_lock_is_held() -> None:
    """`mutex` does not fit such a workload."""
    assert watch.watch_lock(job(), [1, 2]) is None
