"""Work that is a coroutine, too: the pattern `asyncio`, where it fits, and what the rules and `choose` say of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from fearless.lab import advice, catalog, choosing, costs, dispatch, rules
from fearless.lab.catalog import Pattern
from fearless.lab.facts import Candidate, Facts
from fearless.lab.job import Job

SOON = 20.0  # seconds: the bound of a wait that ends at once
WAITS: dict[str, Any] = {
    "items": 20_000,
    "cpu_per_item": 5e-5,
    "wait_per_item": 0.1,
    "gil": True,
    "cores": 2.0,
    "shape": "none",
    "released": 0.0,
}


def entry(of: Job) -> Any:
    """The function of the pattern that runs the job."""
    found = catalog.fit_job("asyncio", of)
    assert isinstance(found, Pattern), found
    return found.load()


class Meeting:
    """Each item waits until as many as there are workers wait with it; then all go through."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.inside = self.most = 0
        self.gate = asyncio.Event()

    def work(self, item: int) -> int:
        """Only there because a workload needs it."""
        return item

    async def work_async(self, item: int) -> int:
        """The item, once all have met."""
        self.inside += 1
        self.most = max(self.most, self.inside)
        if self.inside == self.workers:
            self.gate.set()
        await asyncio.wait_for(self.gate.wait(), SOON)
        await asyncio.sleep(0)
        self.inside -= 1
        return item


class Summed(Meeting):
    """The same, into one total that every item reads and changes."""

    def start(self) -> list[int]:
        """Nothing yet."""
        return [0, 0]

    def update(self, state: list[int], part: int) -> list[int]:
        """A new state, so that one which was overtaken would be lost."""
        return [state[0] + part, state[1] + 1]


@pytest.mark.parametrize("kind", [Meeting, Summed])
def test_as_many_wait_at_once_as_there_are_workers(kind: type[Meeting]) -> None:
    """No fewer, or they would never meet, and no more; nothing is lost, and parts are in order."""
    source = kind(3)

    found = entry(Job(source, name="meeting"))(Job(source, name="meeting"), range(40), 3)

    assert source.most == 3
    assert found == ([780, 40] if kind is Summed else list(range(40)))


def test_it_needs_the_work_as_a_coroutine() -> None:
    """The reason names the method; the idle work that measures the pattern has one, too."""
    without = Job(type("Source", (), {"work": lambda _, item: item})(), name="source")

    assert catalog.fit_job("asyncio", without) == "needs work_async(self, item), the work as a coroutine"
    assert dispatch.measure(Job(Meeting(1), name="meeting"), ["asyncio"], 2)["asyncio"] > 0.0


def test_an_item_that_looks_at_the_state_can_wait_too() -> None:
    """A part that is None changes nothing."""

    class Reading(Meeting):
        def start(self) -> dict[int, int]:
            return {}

        def read(self, state: dict[int, int], item: int) -> int | None:
            return None if item in state else item

        async def work_async(self, item: int | None) -> int | None:  # type: ignore[override]  # of what was seen
            await asyncio.sleep(0)
            return item

        def update(self, state: dict[int, int], part: int) -> None:
            state[part] = state.get(part, 0) + 1

    of = Job(Reading(1), name="reading")

    assert entry(of)(of, [1, 2, 1, 2, 2], 1) == {1: 1, 2: 1}


def test_coroutines_are_open_only_to_work_that_waits_and_can_be_awaited() -> None:
    """Else the reason says which of both is missing."""
    asked = replace(Facts("", (), **WAITS), coroutines=True)

    def out(facts: Facts) -> str:
        return {one.pattern: one.text for one in advice.advise(facts).rejected}["asyncio"]

    assert advice.advise(asked).pattern == "asyncio"
    assert "written as coroutines" in out(replace(asked, coroutines=None))
    assert "no waiting" in out(replace(asked, wait_per_item=0.0))


def test_there_are_as_many_coroutines_as_find_work_on_one_core() -> None:
    """R3 with one core and without the limit of threads: 1 + w / t."""
    asked = replace(Facts("", (), **WAITS), coroutines=True)
    found = rules.r3(asked, "asyncio")

    assert found is not None
    assert found.text.startswith("2,001 coroutines, as 1.00 can compute at once and each item waits 100 ms")
    assert costs.predict(asked, 256)["asyncio"].workers == advice.advise(asked).workers == 2_001
    assert Candidate("asyncio", 8, {0: 1.0}).name == "asyncio with 8 coroutines"


def test_choose_writes_a_program_that_awaits() -> None:
    """After its question about the waiting, which is idle where there is none."""
    told = {"owner": "yes", "join": "list", "items": "20k", "item_cost": "50us", "gil": "on", "released": "none"}
    found = choosing.choose(**told, wait="100ms", coroutines="yes", cores="2")

    assert found.pattern == "asyncio"
    assert "await asyncio.sleep(0.002)" in (found.program or "")
    assert "use asyncio with 2,002 coroutines" in str(found)
    other = choosing.choose(**told, wait="100ms", coroutines="no", cores="2")
    assert other.pattern == "par"
    assert "if what it waits for can be awaited it would be asyncio" in other.advice.changes
