"""The page of the matrix is what the tests say today. Not here: how it is made (`tests/matrix.py`)."""

import pytest

from tests.matrix import PAGE, Cells, collect, page
from tests.plugins.guarantee import GUARANTEES, TYPES


def test_the_committed_page_is_up_to_date() -> None:
    """It is remade by `python -m tests.matrix`."""
    assert PAGE.read_text(encoding="utf-8") == page(collect()), "remake the page: python -m tests.matrix"


def test_a_cell_without_a_test_is_printed_as_empty() -> None:
    """And one with a test says yes and names it."""
    cells: Cells = {kind: {promise: [] for promise in GUARANTEES} for kind in TYPES}
    cells["mutex"]["fork"] = ["test_x.py::test_y"]
    text = page(cells)

    assert "| [`mutex`](mutex.md) |  |  |  | yes |  |  |  | – |  |" in text
    assert "| [`par`](par.md) |  |  |  |  |  |  |  |  |  |" in text
    assert "- fork\n    - `test_x.py::test_y`" in text


def test_what_is_about_nothing_is_shown_by_no_test() -> None:
    """A dash hides no test."""
    cells: Cells = {kind: {promise: [] for promise in GUARANTEES} for kind in TYPES}
    cells["mutex"]["select"] = ["test_x.py::test_y"]

    with pytest.raises(RuntimeError, match=r"\(mutex, select\) is said to be about nothing"):
        page(cells)


def test_a_marker_outside_the_matrix_is_refused(pytester: pytest.Pytester) -> None:
    """A misspelt promise must not vanish."""
    pytester.makeconftest('pytest_plugins = ["tests.plugins.guarantee"]')
    pytester.makepyfile('import pytest\n@pytest.mark.guarantee("mutex", "frok")\ndef test_it():\n    pass\n')

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no cell (mutex, frok) in the matrix"])
