"""`Mutex` and its guard: exclusion, methods, poison, fairness. Not here: blocking calls in general (`tests/generic`)."""

import fearless as fl


def test_a_guard_reads_and_writes_the_value() -> None:
    """And the mutex is free after the block."""
    mutex = fl.Mutex(1)
    with mutex as guard:
        guard.value = guard.value + 1

    assert (mutex.copy(), mutex.locked()) == (2, False)
