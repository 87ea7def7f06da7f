"""How many and how large: R3, the workers, and R4, the chunk that one takes at a time. Picks no pattern."""

from __future__ import annotations

import math

from fearless.lab import costs, wording
from fearless.lab.facts import Facts
from fearless.lab.rules.finding import CHUNKS_EACH, MOST_WORKERS, NO_WAITING, OVERHEAD, UNEVEN, Finding


def workers(facts: Facts, most: int = MOST_WORKERS) -> int:
    """R3 as a number, ``most`` at the most."""
    computing = costs.parallelism(facts)
    if (facts.waiting_share or 0.0) < NO_WAITING or not facts.wait:
        wanted = math.ceil(max(1.0, computing) - 0.25)  # 1.95 effective cores are two, 2.1 as well
    else:
        work = max(facts.cpu_per_item or 0.0, facts.wait / most)
        wanted = math.ceil(computing * (1 + facts.wait / work))
        if facts.rate is not None:
            wanted = min(wanted, max(2, math.ceil(facts.rate * (work + facts.wait))))
    return max(1, min(wanted, most, facts.items or most))


def r3(facts: Facts, pattern: str = "") -> Finding | None:
    """As many workers as can compute at once; more only for as long as some of them wait.

    For work that computes: the usable parallelism. For work that waits w of every t: cores * (1 + w / t), no more than
    256, than there are items, or than Little's law needs for the rate at which they come. Coroutines have one core.

    Source: Java Concurrency in Practice, chapter 8.2; Little, "A proof for the queuing formula L = lambda W", 1961.
    """
    if facts.cores is None:
        return None
    facts, noun = costs.own(facts, pattern), "coroutine" if pattern == "asyncio" else "worker"
    count = workers(facts, costs.MOST_COROUTINES if pattern == "asyncio" else MOST_WORKERS)
    known = {"workers": count, "cores": facts.cores, "wait": facts.wait, "rate": facts.rate}
    text = f"{wording.counted(count, noun)}, as {costs.parallelism(facts):.2f} can compute at once"
    if (facts.waiting_share or 0.0) >= NO_WAITING and facts.wait:
        work = wording.seconds(facts.cpu_per_item or 0.0)
        text += f" and each item waits {wording.seconds(facts.wait)} for {work} of work"
    return Finding("R3", text, known)


def r3_on_a_loop(facts: Facts) -> Finding | None:
    """R3 for coroutines: they are many workers on one thread, so they pay where the work waits and can be awaited.

    Source: as R3, with one core.
    """
    known = {"coroutines": facts.coroutines, "wait": facts.wait}
    if not facts.coroutines:
        return Finding("R3", "", known, rules_out={"asyncio": "needs the work written as coroutines"})
    if not facts.wait or (facts.waiting_share or 0.0) < NO_WAITING:
        reason = "computes on one thread, and there is no waiting in which another coroutine could go on"
        return Finding("R3", "", known, rules_out={"asyncio": reason})
    return None


def chunk(facts: Facts, pattern: str, count: int) -> int | None:
    """R4 as a number; ``None`` if the pattern takes no chunks or the facts do not tell."""
    if pattern not in {"par", "mutex", "channel", "atomic", "processes"} or facts.items is None:
        return None
    if facts.cpu_per_item is None:
        return None
    cost, item = costs.chunk(facts), facts.cpu_per_item + (facts.wait or 0.0)
    most = max(1, facts.items // (CHUNKS_EACH * count))
    wanted = math.ceil(cost / (OVERHEAD * item)) if item > 0 else most
    return 1 if facts.aim == "latency" else max(1, min(wanted, most))


def r4(facts: Facts, pattern: str, count: int) -> Finding | None:
    """Chunks so long that dispatch costs at most 5 %, and so short that each worker gets eight of them.

    That is 20 * o / t items, with o for a chunk, at most n / (8 * workers). Where the items differ by more than their
    mean, guided chunks, which get smaller towards the end; or a future for each item, if that is cheap beside it, as
    nobody knows whether the dear ones come first.

    Source: the guided self-scheduling of Polychronopoulos and Kuck, 1987, and eight chunks a worker as joblib and
    oneTBB aim for.
    """
    size = chunk(facts, pattern, count)
    if pattern in costs.BY_FUTURES and (facts.item_cv or 0.0) > UNEVEN:
        text = (
            "items differ by more than their mean, and a first chunk could hold all the dear ones: each is taken alone"
        )
        return Finding("R4", text, {"item_cv": facts.item_cv})
    if size is None:
        return None
    text = f"chunks of {wording.counted(size, 'item')} keep dispatch below {wording.percent(OVERHEAD)} of the work"
    if facts.aim == "latency":
        text = "chunks of one item, as in a longer one an item's result waits for the rest"
    if (facts.item_cv or 0.0) > UNEVEN:
        text += "; guided, since the items differ by more than their mean"
    known = {"chunk": size, "items": facts.items, "cpu_per_item": facts.cpu_per_item, "item_cv": facts.item_cv}
    return Finding("R4", text, known)
