"""The rules that need no measured run, each on facts whose answer is known: R2 to R4, R6 to R13, and R18 foretold.

Not here: R0, R1, R5 and those on measured runs (`test_rules.py`), and how all of them together answer
(`test_advice.py`).
"""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

import pytest

from fearless.lab import costs, rules
from fearless.lab.facts import Facts

KNOWN = Facts("", (), items=10_000, cpu_per_item=1e-5, gil=False, cores=2.0, shape="none")
LOCKED = replace(KNOWN, shape="map", state="update", hold=1e-6)
READ = replace(LOCKED, cpu_per_item=1e-6, hold=1e-5, reads=0.95, cores=8.0)


def facts(base: Facts = KNOWN, **changes: Any) -> Facts:
    """``base`` with changes."""
    return replace(base, **changes)


def test_each_rule_has_its_number_reason_and_source() -> None:
    """R0 to R18, one function each; a docstring tells why and where that comes from."""
    assert list(rules.RULES) == [f"R{number}" for number in range(19)]
    for number, rule in rules.RULES.items():
        text = inspect.getdoc(rule) or ""
        assert rule.__name__ == number.lower()
        assert len(text.partition("\n")[0]) > 40, number
        assert "Source:" in text, number


@pytest.mark.parametrize(("items", "out"), [(10, {"executor"}), (1000, set()), (0.1, {"pool", "executor"})])
def test_r2_refuses_a_pattern_that_the_job_is_not_worth(items: float, out: set[str]) -> None:
    """A hundred dispatches are the least that the job must be worth."""
    found = rules.r2(facts(items=1, cpu_per_item=items * 1e-4), {"pool": 2e-6, "executor": 2e-5})

    assert set(found.rules_out if found else ()) == out
    assert (found.settles_for if found else None) == ("serial" if len(out) == 2 else None)


def test_r2_is_silent_without_facts() -> None:
    """Nothing is made up."""
    assert rules.r2(Facts("", ()), {"pool": 1e-6}) is None


@pytest.mark.parametrize(
    ("changes", "workers"),
    [
        ({"cores": 1.95}, 2),
        ({"cores": 8.0}, 8),
        ({"gil": True, "released": 0.0}, 1),
        ({"gil": True, "released": 0.5}, 2),
        ({"wait_per_item": 9e-5}, 20),
        ({"wait_per_item": 9e-5, "gil": True, "released": 0.0}, 10),
        ({"wait_per_item": 1.0}, 256),
        ({"wait_per_item": 1.0, "items": 30}, 30),
        ({"wait_per_item": 0.1, "rate": 40.0}, 5),
        ({"items": 1}, 1),
    ],
)
def test_r3_counts_workers(changes: dict[str, Any], workers: int) -> None:
    """What can compute at once, and more while they wait: bounded by 256, the items and the rate."""
    found = rules.r3(facts(**changes))

    assert found is not None
    assert found.facts["workers"] == workers
    assert f"{workers} worker" in found.text


@pytest.mark.parametrize(
    ("changes", "chunk"),
    [
        ({}, 4),
        ({"cpu_per_item": 1e-6}, 40),
        ({"cpu_per_item": 1e-3}, 1),
        ({"cpu_per_item": 1e-6, "items": 160}, 10),
        ({"cpu_per_item": 1e-6, "items": 3}, 1),
        ({"cpu_per_item": 1e-6, "dispatch": {"chunk": 5e-7}}, 10),
        ({"cpu_per_item": 1e-6, "aim": "latency"}, 1),
    ],
)
def test_r4_sizes_a_chunk(changes: dict[str, Any], chunk: int) -> None:
    """Twenty times the dispatch, as long as every worker gets eight."""
    found = rules.r4(facts(**changes), "par", 2)

    assert found is not None
    assert found.facts["chunk"] == chunk


def test_r4_asks_for_guided_chunks_where_items_differ() -> None:
    """Beyond a coefficient of variation of one."""
    uneven, even = rules.r4(facts(item_cv=1.5), "par", 2), rules.r4(facts(item_cv=0.5), "par", 2)

    assert uneven is not None
    assert even is not None
    assert "guided" in uneven.text
    assert "guided" not in even.text
    assert rules.r4(facts(), "pool", 2) is None
    assert (alone := rules.r4(facts(item_cv=1.5), "pool", 2)) is not None
    assert "each is taken alone" in alone.text


def test_r6_shards_only_what_is_contended() -> None:
    """Four threads, and three times what an addition costs alone."""
    counter = facts(shape="counter", state="add")
    dear = {"atomic": 4e-7}

    assert "sharded" in _out(rules.r6(counter, 8))
    assert "sharded" in _out(rules.r6(replace(counter, dispatch=dear), 2))
    assert "sharded" not in _out(rules.r6(replace(counter, dispatch=dear), 8))
    assert set(_out(rules.r6(LOCKED, 2))) == {"atomic", "sharded"}
    assert rules.r6(Facts("", ()), 2) is None


@pytest.mark.parametrize(
    ("hold", "load", "text"),
    [(1e-6, 0.18, "one mutex is enough"), (3e-6, 0.46, "moved out of it"), (1e-5, 1.0, "workers queue")],
)
def test_r7_reads_the_load_of_the_lock(hold: float, load: float, text: str) -> None:
    """Workers times S / (S + T)."""
    found = rules.r7(facts(LOCKED, hold=hold), 2)

    assert found is not None
    assert found.facts["load"] == pytest.approx(load, abs=0.01)
    assert text in found.text
    assert ("mutex" in found.rules_out) == (load > 0.8)


def test_r7_takes_a_measured_gap_before_one_that_follows_from_the_items() -> None:
    """What the items take outside is a stand-in."""
    assert rules.lock_load(facts(LOCKED, gap=1e-6), 2) == pytest.approx(1.0)


def test_r7_leaves_the_lock_where_no_task_can_own_the_state() -> None:
    """There is nothing to move to, but it names the workers that are of use."""
    found = rules.r7(facts(LOCKED, hold=1e-5, one_owner=False), 8)

    assert found is not None
    assert found.rules_out == {}
    assert found.facts["useful_workers"] == 2


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"reads": 0.8}, "from 90 % reads, and the share of reads is 80 %"),
        ({"reads": None}, "the share of reads is not known"),
        ({"gil": True, "released": 0.0}, "while the GIL lets one of them run"),
        ({"hold": 1e-7}, "from holds of 500 ns"),
        ({"hold": None}, "the hold is not known"),
        ({"cpu_per_item": 1e-3}, "loaded above 0.3"),
        ({"replaced": True}, "take a reference"),
        ({"cores": 1.1}, "less than 1.2x"),
    ],
)
def test_r8_names_the_condition_that_does_not_hold(changes: dict[str, Any], reason: str) -> None:
    """Each of them alone rules the lock for readers out."""
    found = rules.r8(facts(READ, **changes), 8)

    assert found is not None
    assert reason in found.rules_out["rwlock"]
    assert found.settles_for is None


def test_r8_settles_for_the_rwlock_when_all_hold() -> None:
    """And says by how much it is predicted to win."""
    found = rules.r8(READ, 8)

    assert found is not None
    assert found.settles_for == "rwlock"
    assert f"predicted to give {rules.rwlock_gain(READ, 8):.2f}x" in found.text
    assert rules.r8(KNOWN, 8) is None


def test_r9_wants_reads_and_whole_replacement() -> None:
    """One without the other is not enough."""
    both, reads = facts(LOCKED, reads=0.99, replaced=True), facts(LOCKED, reads=0.99)

    assert (found := rules.r9(both)) is not None
    assert found.settles_for == "snapshot"
    assert "snapshot" in _out(rules.r9(reads))


def test_r10_gives_a_channel_to_what_moves_on_and_to_many_locks() -> None:
    """Two locks can be taken in order; three are one owner's."""
    assert (moves := rules.r10(facts(handed_on=True))) is not None
    assert moves.settles_for == "channel"
    assert (many := rules.r10(facts(LOCKED, locks=3))) is not None
    assert (many.settles_for, set(many.rules_out)) == ("channel", {"mutex", "rwlock"})
    assert rules.r10(facts(LOCKED, locks=2)) is None


@pytest.mark.parametrize(
    ("changes", "workers", "slots"),
    [({}, 2, 128), ({}, 100, 200), ({"rate": 1e5, "wait_per_item": 0.01}, 2, 1001)],
)
def test_r10_sizes_a_channel(changes: dict[str, Any], workers: int, slots: int) -> None:
    """128, twice the workers, or what comes while an item is served."""
    assert rules.r10_capacity(facts(**changes), workers).facts["capacity"] == slots


@pytest.mark.parametrize(("work", "batch"), [(1e-6, 8), (3e-7, 32), (1e-8, 64), (1e-4, None)])
def test_r11_batches_messages_that_cost_more_than_5_percent(work: float, batch: int | None) -> None:
    """The smallest batch that brings it below, 64 at the most."""
    found = rules.r11(facts(cpu_per_item=work))

    assert (found.facts["batch"] if found else None) == batch


def test_r11_does_not_batch_what_may_not_be() -> None:
    """And says so where nobody told."""
    assert rules.r11(facts(cpu_per_item=1e-6, batchable=False)) is None
    assert (found := rules.r11(facts(cpu_per_item=1e-6))) is not None
    assert found.text.endswith("if several may travel as one")


def test_r12_keeps_dependent_tasks_out_of_pools_that_would_stand_still() -> None:
    """They would wait for what cannot start; the pool of the toolkit runs it within the wait."""
    assert set(_out(rules.r12(facts(dependent=True)))) == {"executor", "processes", "par"}
    assert rules.r12(facts(dependent=False)) is None


def test_r13_predicts_beyond_the_measured_cores_only() -> None:
    """With an interval, and the word."""
    found = rules.r13(LOCKED, "mutex", 8)

    assert found is not None
    assert "predicted" in found.text
    low, high = found.facts["interval"]
    assert low <= found.facts["speedup"] <= high
    assert rules.r13(LOCKED, "mutex", 2) is None


def test_r13_says_nothing_of_work_that_waits() -> None:
    """More cores do not shorten a wait."""
    assert rules.r13(replace(LOCKED, waiting=0.4), "mutex", 8) is not None
    assert rules.r13(replace(LOCKED, waiting=0.6), "mutex", 8) is None


def test_r13_fits_the_scalability_law_to_six_counts_or_more() -> None:
    """From figures that follow the law its two parameters come back; from five counts nothing does."""
    speedups = {n: n / (1 + 0.05 * (n - 1) + 0.001 * n * (n - 1)) for n in (1, 2, 4, 8, 12, 16, 24)}
    fitted = rules.usl(speedups)

    assert fitted == pytest.approx((0.05, 0.001))
    assert rules.usl({n: speedups[n] for n in (1, 2, 4, 8, 12, 16)}) is None
    assert (found := rules.r13_fitted("mutex", speedups)) is not None
    assert "beyond 31 workers more are predicted to lose" in found.text


def test_r18_foretells_what_processes_cost() -> None:
    """Start and transfer as measured."""
    found = rules.r18_predicted(facts(transfer=3e-5, dispatch={"process": 0.05}), 2)

    assert found.facts["transfer"] == 3e-5
    assert "30.0 us to move an item" in found.text


def test_a_lock_passes_no_more_than_its_holds_allow() -> None:
    """One worker never waits; many are bounded by the hold."""
    assert costs.passes(1, 1e-6, 9e-6) == pytest.approx(1e5)
    assert costs.passes(64, 1e-6, 9e-6) <= 1e6
    assert costs.passes(2, 1e-6, 9e-6) > 1.9e5


def _out(finding: rules.Finding | None) -> dict[str, str]:
    return dict(finding.rules_out) if finding else {}
