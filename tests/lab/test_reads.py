"""Work that looks at the state: what every pattern makes of it, what is counted, and what the rules then say."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fearless.lab import catalog, dispatch, explain, facts, watch
from fearless.lab.catalog import Pattern
from fearless.lab.job import Job
from fearless.lab.record import Record
from tests.lab import synthetic, tiny

READERS = [name for name in catalog.PATTERNS if not isinstance(catalog.fit(name, "merge", reads=True), str)]
ONE_STATE = [name for name in READERS if not isinstance(catalog.fit(name, "update", reads=True), str)]
TOGETHER = ("rwlock", "snapshot")  # readers look at the state at the same time


class Cache:
    """Squares, each of which is computed when it is asked for and not there."""

    def items(self) -> list[int]:
        return [number * number % 7 for number in range(60)]

    def start(self) -> dict[int, int]:
        return {}

    def read(self, state: dict[int, int], item: int) -> tuple[int, bool]:
        return item, item in state

    def work(self, seen: tuple[int, bool]) -> tuple[int, int] | None:
        item, known = seen
        return None if known else (item, item * item)

    def update(self, state: dict[int, int], part: tuple[int, int]) -> None:
        state[part[0]] = part[1]


class Joined(Cache):
    """The same, and two caches join."""

    def merge(self, state: dict[int, int], other: dict[int, int]) -> dict[int, int]:
        return state | other


def fitted(pattern: str, of: Job) -> Pattern:
    """The pattern, which must fit."""
    found = catalog.fit_job(pattern, of)
    assert isinstance(found, Pattern), found
    return found


def result(pattern: str, source: object, items: Sequence[Any] | None = None, workers: int = 2) -> Any:
    """What the pattern makes of it."""
    of = Job(source, name="cache")
    return fitted(pattern, of).load()(of, of.items() if items is None else items, workers)


def test_these_patterns_have_a_state_to_look_at() -> None:
    """With one state it is behind a lock, owned, or replaced; where states join, each worker has one of its own."""
    assert READERS == ["serial", "par", "threads", "mutex", "channel", "rwlock", "snapshot"]
    assert ONE_STATE == ["serial", "mutex", "channel", "rwlock", "snapshot"]


@pytest.mark.parametrize("pattern", [name for name in catalog.PATTERNS if name not in READERS])
def test_the_others_say_why_they_have_none(pattern: str) -> None:
    """They would otherwise hand out items before anything is there to look at."""
    found = catalog.fit(pattern, "update", reads=True)

    assert isinstance(found, str)
    assert found.startswith("needs ")


@pytest.mark.parametrize("pattern", TOGETHER)
def test_what_is_for_readers_needs_a_read(pattern: str) -> None:
    """Without it, every access is an update, and a mutex does."""
    for state in catalog.STATES:
        assert catalog.fit(pattern, state) == "needs read(self, state, item), which many may do at once"


@pytest.mark.parametrize("pattern", READERS)
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_result_is_the_serial_one(pattern: str, workers: int) -> None:
    """Also when there are fewer items than workers."""
    expected = {number: number * number for number in (0, 1, 2, 4)}

    assert result(pattern, Joined(), workers=workers) == expected
    assert result(pattern, Joined(), [3], workers) == {3: 9}


@pytest.mark.parametrize("pattern", READERS)
def test_what_changes_nothing_is_no_update(pattern: str) -> None:
    """A part that is None is not taken in; one that is false is."""
    taken: list[int] = []  # with one worker: a snapshot's that is overtaken takes its part in again

    class Odd(Joined):
        def work(self, seen: Any) -> Any:
            return seen[0] % 2 or None

        def update(self, _state: dict[int, int], part: Any) -> None:
            taken.append(part)

    result(pattern, Odd(), range(10), 1)

    assert taken == [1] * 5

    class Falsy(Joined):
        def work(self, _seen: Any) -> Any:
            return 0

        def update(self, _state: dict[int, int], part: Any) -> None:
            taken.append(part)

    taken.clear()
    result(pattern, Falsy(), range(10), 1)
    assert taken == [0] * 10


@pytest.mark.parametrize("pattern", READERS)
@pytest.mark.parametrize("method", ["read", "work", "update"])
def test_an_error_reaches_the_caller(pattern: str, method: str) -> None:
    """As itself, or as the one member of a group; nobody is left waiting."""

    def broken(*_: object) -> Any:
        raise ValueError(method)

    source = type("Broken", (Joined,), {method: broken})()
    with pytest.raises((ValueError, ExceptionGroup)) as caught:
        result(pattern, source, [3] * 20)

    error: BaseException = caught.value
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    assert str(error) == method


@pytest.mark.parametrize("pattern", TOGETHER)
def test_readers_look_at_the_state_at_the_same_time(pattern: str) -> None:
    """Each of two waits in its read for the other; behind a mutex they would never meet."""
    both = threading.Barrier(2)

    class Meeting(Cache):
        def read(self, _state: dict[int, int], item: int) -> tuple[int, bool]:
            both.wait(10.0)
            return item, False

    assert result(pattern, Meeting(), [1, 2]) == {1: 1, 2: 4}


def test_a_snapshot_is_never_changed() -> None:
    """A reader that still looks at the old value sees it as it was, while a writer puts another in its place."""
    looking, written = threading.Event(), threading.Event()
    seen: list[tuple[dict[int, int], dict[int, int]]] = []

    class Slow(Cache):
        def read(self, state: dict[int, int], item: int) -> tuple[int, bool]:
            if item == 1:
                before = dict(state)
                looking.set()
                assert written.wait(10.0)
                seen.append((before, dict(state)))
            else:
                assert looking.wait(10.0)
            return item, False

        def update(self, state: dict[int, int], part: tuple[int, int]) -> None:
            super().update(state, part)
            if part[0] == 2:
                written.set()

    assert result("snapshot", Slow(), [1, 2]) == {1: 1, 2: 4}
    ((before, after),) = seen
    assert before == after == {}


def test_the_owner_looks_at_the_state_alone() -> None:
    """One thread reads and updates, so neither needs a lock; others work."""
    owners, workers = set(), set()

    class Owned(Cache):
        def read(self, state: dict[int, int], item: int) -> tuple[int, bool]:
            owners.add(threading.get_ident())
            return super().read(state, item)

        def work(self, seen: tuple[int, bool]) -> tuple[int, int] | None:
            workers.add(threading.get_ident())
            return super().work(seen)

        def update(self, state: dict[int, int], part: tuple[int, int]) -> None:
            owners.add(threading.get_ident())
            super().update(state, part)

    result("channel", Owned())

    assert owners == {threading.get_ident()}
    assert workers.isdisjoint(owners)


def test_an_owner_in_front_of_slow_workers_waits_and_loses_nothing() -> None:
    """More changes than there are slots on the way to the workers come back while it sends."""
    assert len(result("channel", Cache(), range(2_000), 3)) == 2_000


def test_the_cards_say_what_is_shared() -> None:
    """And count what was written for it: a read of the job's own is no coordination."""
    cards = {name: fitted(name, Job(Cache(), name="cache")).card for name in ONE_STATE}

    assert {name: card.shared for name, card in cards.items()} == {
        "serial": "nothing",
        "mutex": "one lock",
        "channel": "one owner",
        "rwlock": "one lock",
        "snapshot": "a bare atomic",
    }
    assert cards["serial"].coordination_calls == 0
    assert cards["rwlock"].coordination_calls == 6  # RwLock, read, write, par, for_each, read
    assert not [card for card in cards.values() if card.staged or len(card.keep_in_mind.split()) != 5]
    assert not [name for name, card in cards.items() if card.update_in_parts]


def test_the_share_of_reads_is_counted() -> None:
    """Of the accesses to the state: 60 items look, and four of them find nothing."""
    profile = watch.watch(Job(Cache(), name="cache"), Cache().items(), "3.13")

    assert profile.reads == pytest.approx(60 / 64)
    assert profile.replaced is False


def test_a_state_that_every_update_replaces_is_known() -> None:
    """The update gives a new object and leaves the old one alone."""

    class Replacing(Cache):
        def update(self, state: dict[int, int], part: tuple[int, int]) -> dict[int, int]:  # type: ignore[override]
            return {**state, part[0]: part[1]}

    assert watch.watch(Job(Replacing(), name="cache"), [1, 2, 1], "3.13").replaced is True


def test_without_reads_there_is_no_share_of_them() -> None:
    """Nor is anything replaced where parts are added."""
    plain = {"work": lambda _, item: item, "start": lambda _: [], "update": lambda _, state, part: state.append(part)}
    adding = {"work": lambda _, item: item, "start": lambda _: 0}

    one, other = (watch.watch(Job(type("S", (), it)(), name="s"), [1, 2], "3.13") for it in (plain, adding))

    assert (one.reads, one.replaced) == (None, False)
    assert (other.reads, other.replaced) == (None, None)


def test_a_watched_run_sees_what_the_items_before_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Items are not timed in blocks, nor is the run cut in two, or they would miss what is there."""
    monkeypatch.setattr(watch, "TIMED_BLOCKS", 5)
    missed: Counter[int] = Counter()

    class Counted(Cache):
        def update(self, state: dict[int, int], part: tuple[int, int]) -> None:
            missed[part[0]] += 1
            super().update(state, part)

    watch.watch(Job(Counted(), name="cache"), Cache().items(), "3.13")

    assert missed == Counter({0: 1, 1: 1, 2: 1, 4: 1})


def test_the_lock_is_held_for_reads_too() -> None:
    """The mean hold is over all accesses; these wait in the read alone."""
    never = threading.Event()

    class Slow(Cache):
        def read(self, state: dict[int, int], item: int) -> tuple[int, bool]:
            never.wait(0.02)
            return super().read(state, item)

    found = watch.watch_lock(Job(Slow(), name="cache"), [1, 1, 1, 1])

    assert found is not None
    assert found[0] > 0.008  # four reads and one update


@pytest.mark.parametrize("kind", [Cache, Joined])
def test_what_a_pattern_costs_is_a_read(kind: type[Cache], monkeypatch: pytest.MonkeyPatch) -> None:
    """With a state of the same kind; the user's work is not run for it."""
    monkeypatch.setattr(dispatch, "SAMPLE_SECONDS", 0.0002)
    monkeypatch.setattr(dispatch, "TRIES", 1)
    worked: list[Any] = []
    of = Job(type("Unworked", (kind,), {"work": lambda _, seen: worked.append(seen)})(), name="cache")
    names = [name for name in READERS if name != "serial" and not isinstance(catalog.fit_job(name, of), str)]

    found = dispatch.measure(of, names, 2)

    assert worked == []
    assert found.keys() == {*names, dispatch.CHUNK, dispatch.THREAD}
    assert all(seconds >= 0.0 for seconds in found.values())


def looked_at(patterns: Sequence[str], **changes: Any) -> Record:
    """A record of a workload whose items look at its state, with equal speeds for all but serial."""
    speeds = {("serial", 1): 1.0, **{(name, 2): 1.8 for name in patterns}}
    found = synthetic.record(synthetic.runs(speeds), profiles=[synthetic.profile(**{**LOOKED, **changes})])
    return replace(found, workload=replace(found.workload, state="update", methods=("items", "read", "work", "start")))


LOOKED: dict[str, Any] = {
    "hold_seconds": 50e-6,
    "gap_seconds": 50e-6,
    "reads": 0.95,
    "replaced": False,
    "dispatch": {"mutex": 2e-7, "rwlock": 4e-7, "snapshot": 1e-7},
}


def said(record: Record, rule: str) -> str:
    """What the verdict says by a rule."""
    (verdict,) = explain.decided(record).verdicts
    return explain.finding_text(verdict, rule)


def test_the_facts_are_the_measured_ones() -> None:
    """Share, hold and gap come from the profile, and from nowhere else."""
    known = facts.from_record(looked_at(["mutex", "rwlock"]), "3.13t")

    assert (known.reads, known.replaced, known.hold, known.gap) == (0.95, False, 50e-6, 50e-6)
    plain = facts.from_record(synthetic.record(synthetic.runs({("serial", 1): 1.0})), "3.13t")
    assert (plain.reads, plain.replaced) == (None, None)


def test_r8_speaks_where_a_rwlock_ran() -> None:
    """With what it is predicted to gain, or which condition does not hold."""
    both = ["mutex", "rwlock"]
    gains = "95 % of accesses read, for 50.0 us each, so readers that run together are predicted to give 1.7"

    assert gains in said(looked_at(both, gap_seconds=5e-6), "R8")
    assert "pays from holds of 500 ns, and the hold is" in said(looked_at(both, hold_seconds=2e-7), "R8")
    assert "pays from 90 % reads, and the share of reads is 50 %" in said(looked_at(both, reads=0.5), "R8")
    assert said(looked_at(["mutex"]), "R8") == ""


def test_r9_speaks_where_a_snapshot_ran() -> None:
    """It asks for more than R8: 99 % reads, and updates that replace the value."""
    both = ["mutex", "snapshot"]

    assert "snapshot is for a value that is read 99 %" in said(looked_at(both), "R9")
    assert "99 % reads of a value that is replaced" in said(looked_at(both, reads=0.991, replaced=True), "R9")
    assert said(looked_at(["mutex"], reads=0.991, replaced=True), "R9") == ""


CACHE = """
from fearless import workload


@workload
class Cache:
    def items(self):
        return [number % 3 for number in range(50)]

    def start(self):
        return {}

    def read(self, state, item):
        return item, item in state

    def work(self, seen):
        return None if seen[1] else (seen[0], 1)

    def update(self, state, part):
        state[part[0]] = part[1]
"""


def test_a_comparison_runs_what_reads(tmp_path: Path) -> None:
    """In processes of their own, with equal results; the record has the share of reads and what is refused."""
    ran = ["serial", "mutex", "rwlock", "snapshot"]
    record = tiny.measured(tiny.write(tmp_path, CACHE), [*ran, "pool"])

    assert {run.pattern: run.equal for run in record.runs} == dict.fromkeys(ran, True)
    assert record.profiles[0].reads == pytest.approx(50 / 53)
    assert [one.pattern for one in record.refused] == ["pool"]
    assert {"mutex", "rwlock", "snapshot"} <= record.profiles[0].dispatch.keys()
