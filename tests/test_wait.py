"""The waiting door: `sleep`, `checkpoint`, its clock, its warning. Not here: the calls that wait (`tests/generic`)."""

import pytest

import fearless as fl


def test_a_checkpoint_raises_only_in_a_cancelled_scope() -> None:
    """Outside every scope it does nothing."""
    fl.checkpoint()
    with fl.scope() as scope:
        fl.checkpoint()
        scope.cancel()
        with pytest.raises(fl.Cancelled):
            fl.checkpoint()
