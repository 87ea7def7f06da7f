"""Facts that cannot be: impossible values, and pairs that cannot hold together. Decides nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from fearless.lab.facts import AIMS, SHAPES, Facts

SHARES = ("reads", "released", "waiting", "serial_share")
AMOUNTS = ("cpu_per_item", "wait_per_item", "hold", "gap", "rate", "transfer", "item_cv")
STATES = ("none", "add", "merge", "update")


def contradictions(facts: Facts) -> list[str]:
    """A sentence for each fact that is impossible, and for each pair that contradict each other, naming both."""
    return [*_impossible(facts), *_about_nothing_shared(facts), *_pairs(facts)]


def _impossible(facts: Facts) -> Iterator[str]:
    for name in SHARES:
        value = getattr(facts, name)
        if value is not None and not 0 <= value <= 1:
            yield f"{name} must be a share from 0 to 1, got {value}"
    for name in AMOUNTS:
        value = getattr(facts, name)
        if value is not None and not value >= 0:
            yield f"{name} must be >= 0, got {value}"
    for name, least in (("items", 1), ("cores", 1), ("locks", 0)):
        value = getattr(facts, name)
        if value is not None and not value >= least:
            yield f"{name} must be >= {least}, got {value}"
    yield from _not_a_choice(facts)


def _not_a_choice(facts: Facts) -> Iterator[str]:
    for name, value, known in (("aim", facts.aim, AIMS), ("state", facts.state, STATES)):
        if value not in known:
            yield f"{name} must be one of {', '.join(known)}, got {value!r}"
    if facts.shape is not None and facts.shape not in SHAPES:
        yield f"shape must be one of {', '.join(SHAPES)}, got {facts.shape!r}"


def _about_nothing_shared(facts: Facts) -> Iterator[str]:
    """What cannot be said of a state that is not there."""
    if facts.shape != "none":
        return
    if facts.state != "none":
        yield f"shape is none, so nothing is shared, but state is {facts.state}: parts go into a state"
    about = {
        "hold": "a lock is held",
        "reads": "a shared state is read",
        "locks": "locks are needed",
        "replaced": "a shared value is replaced",
    }
    for name, what in about.items():
        if getattr(facts, name):
            yield f"shape is none, so nothing is shared, but {name} is {getattr(facts, name)}: {what}"


def _pairs(facts: Facts) -> Iterator[str]:
    if facts.shape == "counter" and facts.state == "update":
        yield "shape is counter, whose parts are added up, but state is update: parts cannot be joined"
    if facts.gil is False and facts.gil_enabled_by:
        yield f"gil is False, but gil_enabled_by is {facts.gil_enabled_by}: an import turned it on"
    if facts.one_owner is False and facts.handed_on:
        yield "one_owner is False, no task can own the data, but handed_on is True: what is handed on has an owner"
    if facts.items is not None and facts.cpu_per_item == 0 and facts.wait_per_item == 0 and not facts.hold:
        yield "cpu_per_item is 0 and wait_per_item is 0: the items neither compute nor wait, so there is no job"
    if facts.replaced and facts.shape == "counter":
        yield "shape is counter, which is added to, but replaced is True: writers replace the whole value"
    if facts.locks is not None and facts.locks > 1 and facts.shape == "counter":
        yield f"shape is counter, which needs one place, but locks is {facts.locks}: several are needed together"
    if facts.waiting is not None and facts.wait_per_item == 0 and facts.waiting > 0:
        yield f"wait_per_item is 0, but waiting is {facts.waiting}: a share of the serial run was waiting"
