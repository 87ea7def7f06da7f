"""`par` over arrays of NumPy: rows and slices are views of the array, and nothing is copied.

Not here: `par` over the sequences of Python (`test_par.py`).
"""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

import fearless as fl

np: Any = pytest.importorskip("numpy", reason="there is no wheel of NumPy for this interpreter")


@pytest.mark.parametrize("options", [{}, {"chunk": 7}, {"schedule": "static"}, {"workers": 1}], ids=str)
def test_items_of_an_array_come_in_order_and_add_up(options: dict[str, Any]) -> None:
    """As numbers of NumPy; sums, extremes and counts are its own. Floats come out as they went in."""
    numbers = np.random.default_rng(5).integers(-(10**12), 10**12, 1000)
    run = fl.par(numbers, workers=3) if not options else fl.par(numbers, **options)

    assert run.sum() == numbers.sum()
    assert (run.min(), run.max(), run.count()) == (numbers.min(), numbers.max(), 1000)
    assert run.filter(lambda n: n % 2 == 0).map(int).collect() == numbers[numbers % 2 == 0].tolist()
    assert type(run.collect()[0]) is np.int64
    floats = np.linspace(0.0, 1.0, 100)
    assert np.array_equal(fl.par(floats, **options).map(np.sqrt).collect(), np.sqrt(floats))


def test_a_table_gives_rows_that_are_views() -> None:
    """What a stage writes into one is in the table, and no row has memory of its own."""
    table = np.arange(3000).reshape(1000, 3)
    before = table.copy()

    def double(row: Any) -> int:
        row *= 2
        assert np.shares_memory(row, table)
        return int(row.sum())

    sums = fl.par(table, workers=3).map(double).collect()

    assert np.array_equal(table, 2 * before)
    assert sums == table.sum(axis=1).tolist()


def test_slices_are_views_and_their_parts_join() -> None:
    """The way to work on an array in pieces: NumPy's own loops, which let go of the GIL, on each."""
    values = np.arange(10_000, dtype=np.float64)
    pieces = [values[start : start + 1024] for start in range(0, values.size, 1024)]
    halves = fl.par(pieces, workers=3, chunk=1).map(lambda piece: piece / 2).collect()

    fl.par(pieces, workers=3, chunk=1).for_each(lambda piece: np.sqrt(piece, out=piece))

    assert np.array_equal(values, np.sqrt(np.arange(10_000)))
    assert np.array_equal(np.concatenate(halves), np.arange(10_000) / 2)


def test_an_endless_source_of_arrays_is_read_a_bounded_way_ahead() -> None:
    """Results come in order, and the source is not drained."""
    made = fl.AtomicInt(0)

    def endless() -> Iterator[Any]:
        for number in itertools.count():
            made.add(1)
            yield np.full(100, number)

    sums = iter(fl.par(endless(), workers=2).map(lambda array: int(array.sum())))
    assert list(itertools.islice(sums, 50)) == [100 * number for number in range(50)]
    sums.close()  # type: ignore[attr-defined]  # it is a generator
    assert made.load() < 5000
