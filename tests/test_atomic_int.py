"""`AtomicInt`: no lost update, no wrap, identity. Not here: forks and memory (`tests/generic`)."""

import fearless as fl


def test_it_starts_at_zero_or_at_its_value() -> None:
    """And `load`, `int` and `repr` show it."""
    assert (fl.AtomicInt().load(), int(fl.AtomicInt(-7)), repr(fl.AtomicInt(3))) == (0, -7, "<AtomicInt 3>")
