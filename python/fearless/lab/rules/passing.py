"""Handing data on, and waiting for each other: R10 channels and their capacity, R11 batches, R12 tasks that wait.

Reads facts and decides about no measured figure.
"""

from __future__ import annotations

import math

from fearless.lab import costs, wording
from fearless.lab.facts import Facts
from fearless.lab.rules.finding import BATCHES, LEAST_CAPACITY, MANY_LOCKS, OVERHEAD, Finding


def r10(facts: Facts) -> Finding | None:
    """Data that moves on belongs in a channel; so does a change that needs more than two locks at once.

    What was handed on has one owner at a time, so nothing guards it. Many locks have an order to keep, or deadlock; one
    owner of all of them has none.

    Source: Hoare, "Communicating sequential processes", 1978; measured: 128 slots cost 20 to 170 ns a message, no
    slots 5 to 17 us.
    """
    many = (facts.locks or 0) > MANY_LOCKS
    if many:
        text = f"{facts.locks} locks are needed together, so one owner behind a channel is easier to get right"
        out = dict.fromkeys(("mutex", "rwlock"), f"{facts.locks} locks at once have an order to keep, or deadlock")
        return Finding(
            "R10", text, {"locks": facts.locks}, rules_out=out, settles_for=None if facts.joins else "channel"
        )
    if facts.handed_on:
        text = "each item moves on from task to task and has one owner at a time"
        return Finding("R10", text, {"handed_on": True}, settles_for="channel")
    return None


def capacity(facts: Facts, workers: int) -> int:
    """R10: slots of a channel: 128, twice the workers, or what arrives while an item is served; the most of them."""
    served = (facts.rate or 0.0) * ((facts.cpu_per_item or 0.0) + (facts.wait or 0.0))
    return max(LEAST_CAPACITY, 2 * workers, math.ceil(served))


def r10_capacity(facts: Facts, workers: int) -> Finding:
    """R10 for the size of a channel: no slots only where the rendezvous itself is meant.

    Source: Little's law for what arrives while one is served; measured: an unbuffered channel costs 5 to 17 us.
    """
    slots = capacity(facts, workers)
    text = f"{slots} slots: 0 or 1 would make each message wait for its receiver"
    return Finding("R10", text, {"capacity": slots, "workers": workers, "rate": facts.rate})


def r11(facts: Facts) -> Finding | None:
    """A channel that costs over 5 % of the work wants batches, of 8 to 64 messages.

    Source: measured, ten times less for a message at 64 in a batch.
    """
    if facts.cpu_per_item is None or facts.batchable is False:
        return None
    cost, work = costs.dispatch(facts)["channel"], facts.cpu_per_item + (facts.hold or 0.0)
    if cost <= OVERHEAD * (work + cost):
        return None
    size = next((one for one in BATCHES if cost / one <= OVERHEAD * work), BATCHES[-1])
    share = wording.percent(cost / (work + cost))
    text = f"a message costs {wording.seconds(cost)}, {share} of all: send {size} at a time"
    if facts.batchable is None:
        text += ", if several may travel as one"
    return Finding("R11", text, {"channel_seconds": cost, "batch": size})


def r12(facts: Facts) -> Finding | None:
    """Tasks that wait for tasks which they start: in a full pool all workers may wait for what none is left to run.

    A scope has a thread for each of them. A worker of the toolkit's pool runs such a task itself, if nobody has begun
    it. Other pools have to be larger than the tasks are deep, and somebody has to know how deep that is.

    Source: Java Concurrency in Practice, chapter 8.1, thread starvation deadlock.
    """
    if not facts.dependent:
        return None
    text = "tasks wait for tasks that they start, so each needs a thread, or a pool whose workers run those themselves"
    reason = "all its workers may wait for tasks that none is left to run, unless it is larger than the tasks are deep"
    out = dict.fromkeys(("executor", "processes"), reason)
    out["par"] = "takes its items from a list that is complete before it begins, and here tasks start others"
    return Finding("R12", text, {"dependent": True}, rules_out=out)
