"""What would change the answer: which fact, crossing which number, leads the rules to another pattern.

Found by running the rules again, a fact at a time. Holds no threshold of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from fearless.lab import wording
from fearless.lab.facts import Facts

Answer = Callable[[Facts], str]

FARTHEST = 1e4  # a fact that must change by more than this changes nothing
STEPS = 9  # of the search between two factors of ten
MOST = 5  # sentences
AMOUNTS: Mapping[str, str] = {
    "cpu_per_item": "an item that computes {}",
    "wait_per_item": "an item that waits {}",
    "hold": "a lock held {}",
}
SWITCHES: Mapping[str, tuple[str, str]] = {
    "gil": ("with the GIL on", "with the GIL off"),
    "dependent": ("if tasks wait for tasks", "if no task waits for another"),
    "handed_on": ("if items move on from task to task", "if items stay where they are"),
    "coroutines": ("if what it waits for can be awaited", "if what it waits for cannot be awaited"),
    "replaced": ("if writers replace the whole value", "if writers change it in place"),
}


def changes(facts: Facts, now: str, answer: Answer) -> tuple[str, ...]:
    """A sentence for each change of one fact that leads to another pattern than ``now``, the nearest first."""
    found = [*_numbers(facts, now, answer), *_switches(facts, now, answer)]
    return tuple(text for _, text in sorted(found, key=lambda pair: pair[0])[:MOST])


def _numbers(facts: Facts, now: str, answer: Answer) -> Iterator[tuple[float, str]]:
    for name, form in AMOUNTS.items():
        value = getattr(facts, name)
        if not value:
            continue
        for up in (False, True):
            found = _crossing(value, now, _when(facts, name, answer), up=up)
            if found is not None:
                edge, other = found
                side = "above" if up else "below"
                limit = form.format(f"{side} {wording.seconds(edge)}")
                yield abs(math.log(edge / value)), f"{limit} would make it {other} (now {wording.seconds(value)})"
    yield from _items(facts, now, answer)
    yield from _reads(facts, now, answer)
    yield from _cores(facts, now, answer)


def _when(facts: Facts, name: str, answer: Answer) -> Callable[[float], str]:
    return lambda new: answer(_changed(facts, name, new))


def _items(facts: Facts, now: str, answer: Answer) -> Iterator[tuple[float, str]]:
    if facts.items is None:
        return
    for up in (False, True):
        found = _crossing(float(facts.items), now, lambda new: answer(replace(facts, items=max(1, round(new)))), up=up)
        if found is not None and round(found[0]) > 1:
            edge, other = found
            count = round(edge)
            text = f"{'more' if up else 'fewer'} than about {count:,} items would make it {other} (now {facts.items:,})"
            yield abs(math.log(edge / facts.items)), text


def _reads(facts: Facts, now: str, answer: Answer) -> Iterator[tuple[float, str]]:
    if facts.shape in {None, "none"}:
        return
    for share in (0.9, 0.99, 0.5):
        other = answer(replace(facts, reads=share)) if share != facts.reads else now
        if other != now:
            known = "not known" if facts.reads is None else wording.percent(facts.reads)
            yield 1.0, f"a share of reads of {wording.percent(share)} would make it {other} (now {known})"
            return


def _cores(facts: Facts, now: str, answer: Answer) -> Iterator[tuple[float, str]]:
    if facts.cores is None:
        return
    for cores in (1.0, 4.0, 8.0, 16.0, 64.0):
        if abs(cores - facts.cores) < 1:
            continue
        other = answer(replace(facts, cores=cores))
        if other != now:
            text = f"{wording.counted(int(cores), 'core')} would make it {other} (predicted; now {facts.cores:.3g})"
            yield abs(math.log(cores / facts.cores)), text
            return


def _switches(facts: Facts, now: str, answer: Answer) -> Iterator[tuple[float, str]]:
    for name, (on, off) in SWITCHES.items():
        value = getattr(facts, name)
        if facts.shape == "none" and name == "replaced":
            continue
        other = answer(_changed(facts, name, not value))
        if other != now:
            yield 2.0, f"{off if value else on} it would be {other}"
    joins = {"update": "merge", "merge": "update"}.get(facts.state)
    if joins is not None and (other := answer(replace(facts, state=joins))) != now:
        yield 2.0, f"if partial results could {'not ' if joins == 'update' else ''}be joined it would be {other}"


def _changed(facts: Facts, name: str, value: float | bool) -> Facts:  # noqa: FBT001  # whatever the fact takes
    """One fact changed, and what follows from it: a share of waiting that was measured holds no longer."""
    if name == "wait_per_item" or name == "cpu_per_item":  # noqa: PLR1714  # two facts, not a set
        kept = facts.wait if name == "cpu_per_item" else None
        facts = replace(facts, waiting=None, wait_per_item=kept)
    if name == "gil" and value and facts.released is None:
        facts = replace(facts, released=0.0)
    return replace(facts, **{name: value})  # type: ignore[arg-type]  # of the field's type


def _crossing(value: float, now: str, answer: Callable[[float], str], *, up: bool) -> tuple[float, str] | None:
    """Where the answer changes first, going up or down by factors of ten, and to what."""
    inside, factor = value, 10.0 if up else 0.1
    outside = value
    for _ in range(round(math.log10(FARTHEST))):
        outside *= factor
        if answer(outside) != now:
            break
        inside = outside
    else:
        return None
    for _ in range(STEPS):
        middle = math.sqrt(inside * outside)
        inside, outside = (middle, outside) if answer(middle) == now else (inside, middle)
    return outside, answer(outside)
