"""The decision rules: one function a rule, whose docstring is its reason and source. Here only their names.

A rule reads facts, never a clock or a workload. It returns a finding that names the facts it used, or ``None`` when it
has nothing to say; a finding without a sentence only rules patterns out. The order in which rules speak is for
`fearless.lab.explain`, after measurement, and `fearless.lab.advice`, before any.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fearless.lab.rules.choice import by_aim, r15, r15_aims, r15_finding, r15_workers, r16
from fearless.lab.rules.finding import (
    AS_GOOD,
    MANY_LOCKS,
    PROVISIONAL,
    SHORT_JOB,
    SURE,
    WORTH_IT,
    Choice,
    Finding,
    Key,
)
from fearless.lab.rules.parallel import gil_limit, r0, r1, r2, reached, usable_parallelism
from fearless.lab.rules.passing import capacity, r10, r10_capacity, r11, r12
from fearless.lab.rules.results import r14, r17, r18, r18_predicted
from fearless.lab.rules.scaling import r13, r13_fitted, usl
from fearless.lab.rules.sharing import lock_load, r5, r5_in_order, r5_one_state, r6, r7, r8, r9, rwlock_gain
from fearless.lab.rules.sizes import chunk, r3, r3_on_a_loop, r4, workers

__all__ = [
    "AS_GOOD",
    "MANY_LOCKS",
    "PROVISIONAL",
    "RULES",
    "SHORT_JOB",
    "SURE",
    "WORTH_IT",
    "Choice",
    "Finding",
    "Key",
    "by_aim",
    "capacity",
    "chunk",
    "gil_limit",
    "lock_load",
    "r0",
    "r1",
    "r2",
    "r3",
    "r3_on_a_loop",
    "r4",
    "r5",
    "r5_in_order",
    "r5_one_state",
    "r6",
    "r7",
    "r8",
    "r9",
    "r10",
    "r10_capacity",
    "r11",
    "r12",
    "r13",
    "r13_fitted",
    "r14",
    "r15",
    "r15_aims",
    "r15_finding",
    "r15_workers",
    "r16",
    "r17",
    "r18",
    "r18_predicted",
    "reached",
    "rwlock_gain",
    "usable_parallelism",
    "usl",
    "workers",
]

# By number, for whoever lists them: reason and source are in the docstring of each.
_IN_ORDER: tuple[Callable[..., Any], ...] = (
    *(r0, r1, r2, r3, r4, r5, r6, r7, r8, r9),
    *(r10, r11, r12, r13, r14, r15, r16, r17, r18),
)
RULES: Mapping[str, Callable[..., Any]] = {f"R{number}": rule for number, rule in enumerate(_IN_ORDER)}
