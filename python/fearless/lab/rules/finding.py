"""What a rule finds, and the numbers that the rules go by. Holds no rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Rules whose numbers were fitted on two cores: every sentence that rests on one is marked.
PROVISIONAL = frozenset({"R6", "R7", "R8", "R15"})

SHORT_JOB = 500e-6  # seconds, R1
NO_WAITING = 0.05  # share of the job: less counts as no waiting, R0 and R1
LITTLE_PARALLELISM = 1.2  # R0
MUCH_RELEASED = 1 / 3  # of the work, R0: more than a single run can mistake
DISPATCHES = 100  # R2
MOST_WORKERS = 256  # R3: threads beyond cost more memory and switching than their waits give back
OVERHEAD = 0.05  # R4, R11: what dispatch may cost of the work
CHUNKS_EACH = 8  # R4: chunks for each worker, so that the last ones even out
UNEVEN = 1.0  # R4: coefficient of variation
CONTENDED_THREADS = 4  # R6
CONTENTION = 3.0  # R6: times the uncontended cost
LIGHT_LOAD, HEAVY_LOAD = 0.3, 0.8  # R7
MOSTLY_READ = 0.9  # R8
LONG_HOLD = 500e-9  # seconds, R8
RWLOCK_GAIN = 1.2  # R8
ALMOST_ONLY_READ = 0.99  # R9
MANY_LOCKS = 2  # R10: needed together; beyond, one owner is easier to get right
LEAST_CAPACITY = 128  # R10
BATCHES = (8, 16, 32, 64)  # R11
USL_POINTS = 6  # R13
WORTH_IT = 1.10  # R14
AS_GOOD = 1.10  # R15
MIN_ROUNDS = 5  # R16
SURE = 0.90  # R16, share of resamples
LONGEST_RUN = 32  # R16 looks no further than a run this many times as long
NOT_COUNTED = 0.05  # more than this above what is possible is no error of measurement
ENOUGH = 0.85  # of what effective cores and Amdahl's law allow

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found: a sentence, the facts behind it, and what follows from it."""

    rule: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    rules_out: Mapping[str, str] = field(default_factory=dict)  # pattern to reason
    settles_for: str | None = None  # a pattern that needs no comparison


@dataclass(frozen=True, slots=True)
class Choice:
    """What R15 and R16 make of the contenders."""

    key: Key | None  # None: cannot tell
    confidence: float
    finding: Finding
