"""Leaving scopes by force: a second Ctrl-C. Not here: the first alone (`test_scope.py`)."""

from collections.abc import Callable, Iterator

import pytest

from tests.programs import scopes_ctrl_c as programs
from tests.support.process import Series

POLICIES = ("cancel", "collect", "first")


@pytest.fixture(scope="module")
def series() -> Iterator[Series]:
    """One interpreter for all."""
    made = Series()
    yield made
    made.close()


@pytest.mark.guarantee("scope", "Ctrl-C")
@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        *((programs.one_scope, (policy,)) for policy in POLICIES),
        (programs.in_the_block, ()),
        (programs.nested, ()),
        (programs.nested_in_trio, ()),
        (programs.nested_in_turn, ()),
        *((programs.in_a_task_of_a_pool, (policy,)) for policy in POLICIES),
    ],
)
def test_the_second_leaves_at_once(program: Callable[..., None], arguments: tuple[str, ...], series: Series) -> None:
    """After it no thread stays that could end; see the programs."""
    series.succeed(program, *arguments)
