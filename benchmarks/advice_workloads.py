"""Synthetic workloads whose best pattern is known: each stands for one place in the space of facts.

Holds the workloads, and for each the rule that ought to speak with the GIL and without. Work is a counted number of
turns, so a missing core shows; a wait is a wait, and no work. Not here: measuring (`advice.py`).

Axes: the cost of an item, how many there are, their variation, what is shared, how long it is held, whether states
join, waiting, whether the work lets go of the GIL. Which build runs it is the axis GIL. Two axes have facts and no
workload: the share of reads, as no pattern reads a shared state yet, and tasks that wait for tasks, as items do not.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fearless import workload

BLOCK = bytes(1 << 20)  # hashing as much lets go of the GIL
NEVER = threading.Event()


def spin(turns: int) -> int:
    """Count ``turns``; 25 to 50 of them take a microsecond."""
    total = 0
    for turn in range(turns):
        total ^= turn
    return total


class Base:
    """Items that are numbers of turns."""

    size = 1000
    turns = 100
    heavy = 0  # this many items are ``times`` as dear
    times = 1
    place = "even"  # where these are: even, first, last

    def items(self) -> list[int]:
        """Turns for each item."""
        step = max(1, self.size // max(1, self.heavy))
        dear = {
            "even": range(0, step * self.heavy, step),
            "first": range(self.heavy),
            "last": range(self.size - self.heavy, self.size),
        }[self.place]
        return [self.turns * (self.times if number in dear else 1) for number in range(self.size)]

    def work(self, item: int) -> Any:
        """Turns, and one bit of their sum."""
        return spin(item) & 1


@workload
class Apart(Base):
    """Shares nothing."""


@workload
class Count(Base):
    """Adds to one total."""

    def start(self) -> int:
        """Nothing."""
        return 0


@workload
class Tally(Base):
    """Adds to sixteen totals, each part to two."""

    def work(self, item: int) -> dict[int, int]:
        """Turns, and what to add."""
        spin(item)
        return {item % 16: 1, 3: 1}

    def start(self) -> dict[int, int]:
        """No total."""
        return dict.fromkeys(range(16), 0)


@workload
class Join(Base):
    """States that join: a count for each key."""

    keys_of_item = 4
    hold = 0

    def work(self, item: int) -> list[int]:
        """Turns, and keys."""
        spin(item)
        return [item % 97 + key for key in range(self.keys_of_item)]

    def start(self) -> dict[int, int]:
        """No key."""
        return {}

    def update(self, state: dict[int, int], part: list[int]) -> None:
        """Count the keys."""
        spin(self.hold)
        for key in part:
            state[key] = state.get(key, 0) + 1

    def merge(self, state: dict[int, int], other: dict[int, int]) -> None:
        """Add up."""
        for key, count in other.items():
            state[key] = state.get(key, 0) + count


@workload
class Shared(Base):
    """One state that cannot be joined from parts; an update takes ``hold`` turns."""

    hold = 0

    def start(self) -> list[int]:
        """A checksum and a count."""
        return [0, 0]

    def update(self, state: list[int], part: int) -> None:
        """Take a part in."""
        spin(self.hold)
        state[0] ^= part
        state[1] += 1


@workload
class Chain(Base):
    """Every item needs the state that the one before it left: all the work is in the update."""

    def work(self, item: int) -> int:
        """Nothing to do yet."""
        return item

    def start(self) -> list[int]:
        """The first state."""
        return [1]

    def update(self, state: list[int], part: int) -> None:
        """Go on from the state."""
        state[0] = spin(part) ^ state[0] + 1

    def check(self, state: list[int]) -> bool:
        """Any order will do for measuring."""
        return len(state) == 1


@workload
class Hash:
    """Hashes ``blocks`` megabytes an item, which lets go of the GIL, between ``turns`` that do not."""

    size = 40
    blocks = 2
    turns = 0

    def items(self) -> list[int]:
        """Numbers."""
        return list(range(self.size))

    def work(self, item: int) -> int:
        """One byte of the digest."""
        digest = hashlib.sha256(bytes([item % 256]))
        for _ in range(self.blocks):
            digest.update(BLOCK)
        spin(self.turns)
        return digest.digest()[0]


@workload
class HashShared(Hash):
    """The same into one state behind a lock."""

    hold = 0

    def start(self) -> list[int]:
        """A checksum and a count."""
        return [0, 0]

    def update(self, state: list[int], part: int) -> None:
        """Take a part in."""
        spin(self.hold)
        state[0] ^= part
        state[1] += 1


@workload
class Wait(Base):
    """Waits ``milliseconds`` for each item, as for an answer, and then works."""

    size = 40
    milliseconds = 5.0

    def work(self, item: int) -> int:
        """Wait and turn."""
        NEVER.wait(self.milliseconds / 1000)
        return spin(item) & 1


@workload
class WaitCount(Wait):
    """The same, added up."""

    def start(self) -> int:
        """Nothing."""
        return 0


@dataclass(frozen=True, slots=True)
class Case:
    """A workload, what its author knows beside the measurement, and the rule that ought to speak."""

    name: str
    workload: str  # a class of this file
    args: Mapping[str, str]
    gil: str  # the rule with the GIL
    free: str  # and without
    known: Mapping[str, Any] = field(default_factory=dict)  # fields of Facts that no measurement gives
    workers: tuple[int, ...] = (2,)


def case(  # noqa: PLR0913  # a table: all but the first three are named
    name: str,
    kind: str,
    args: str,
    *,
    gil: str = "R0",
    free: str = "R5",
    workers: tuple[int, ...] = (2,),
    **known: Any,
) -> Case:
    """A row of the table below; ``args`` as in ``size=8 turns=100``."""
    pairs = dict(pair.split("=") for pair in args.split())
    return Case(name, kind, pairs, gil, free, {"shape": SHAPES[kind], **known}, workers)


SHAPES = {
    "Apart": "none",
    "Count": "counter",
    "Tally": "counter",
    "Join": "map",
    "Shared": "cell",
    "Chain": "cell",
    "Hash": "none",
    "HashShared": "cell",
    "Wait": "none",
    "WaitCount": "counter",
}
MANY = (2, 16)

CASES: tuple[Case, ...] = (
    # The cost of an item, and how many there are.
    case("job-of-10-us", "Apart", "size=20 turns=10", gil="R1", free="R1"),
    case("job-of-200-us", "Apart", "size=100 turns=60", gil="R1", free="R1"),
    case("job-of-4-items", "Apart", "size=4 turns=2000", gil="R1", free="R1"),
    case("items-of-1-us", "Apart", "size=120000 turns=25"),
    case("items-of-10-us", "Apart", "size=16000 turns=250"),
    case("items-of-100-us", "Apart", "size=1600 turns=2500"),
    case("items-of-5-ms", "Apart", "size=32 turns=125000"),
    case("two-items", "Apart", "size=2 turns=2000000"),
    case("a-second", "Apart", "size=64 turns=700000", gil="R18"),
    # Their variation.
    case("last-tenth-dear", "Apart", "size=1000 turns=1200 heavy=100 times=20 place=last"),
    case("first-tenth-dear", "Apart", "size=1000 turns=1200 heavy=100 times=20 place=first"),
    case("dear-ones-between", "Apart", "size=2000 turns=600 heavy=20 times=150"),
    case("one-is-half-the-job", "Apart", "size=1000 turns=2000 heavy=1 times=1000 place=last"),
    # Totals.
    case("count-of-100-us", "Count", "size=100 turns=25", gil="R1", free="R1"),
    case("count-small-items", "Count", "size=100000 turns=25"),
    case("count-large-items", "Count", "size=400 turns=10000"),
    case("tally", "Tally", "size=20000 turns=150"),
    # States that join.
    case("join-cheap", "Join", "size=4000 turns=1000"),
    case("join-dear-updates", "Join", "size=4000 turns=500 hold=500"),
    # One state: how long it is held.
    case("shared-of-100-us", "Shared", "size=50 turns=40 hold=2", gil="R1", free="R1"),
    case("shared-held-1-percent", "Shared", "size=2000 turns=2000 hold=20", free="R7"),
    case("shared-held-10-percent", "Shared", "size=2000 turns=1800 hold=200", free="R7"),
    case("shared-held-30-percent", "Shared", "size=2000 turns=1400 hold=600", free="R7"),
    case("shared-held-80-percent", "Shared", "size=2000 turns=400 hold=1600", free="R7"),
    case("shared-skewed", "Shared", "size=1000 turns=1200 hold=60 heavy=100 times=20 place=last", free="R7"),
    case("chain", "Chain", "size=2000 turns=2000", free="R7"),
    # Work that lets go of the GIL, all or half of it.
    case("hash", "Hash", "size=64", gil="R5"),
    case("hash-half", "Hash", "size=64 blocks=1 turns=20000", gil="R5"),
    case("hash-shared", "HashShared", "size=64 hold=20", gil="R7", free="R7"),
    # Waiting.
    case("wait", "Wait", "size=40 turns=100 milliseconds=5", gil="R3", free="R3", workers=MANY),
    case("wait-count", "WaitCount", "size=40 turns=100 milliseconds=5", gil="R3", free="R3", workers=MANY),
    case("wait-a-little-work", "Wait", "size=96 turns=10000 milliseconds=3", gil="R3", free="R3", workers=MANY),
)


def chosen(names: Iterable[str]) -> list[Case]:
    """The cases of these names; all if none is given. Raises: `SystemExit` naming the known ones."""
    wanted, known = list(names), {one.name: one for one in CASES}
    for name in wanted:
        if name not in known:
            raise SystemExit(f"no workload {name!r}; there are {', '.join(known)}")
    return [known[name] for name in wanted] if wanted else list(CASES)
