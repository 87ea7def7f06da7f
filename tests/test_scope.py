"""`scope`: joining, cancelling, nesting. Not here: what a block raises when things fail (`test_scope_failures.py`)."""

import fearless as fl


def test_leaving_the_block_joins_every_task() -> None:
    """Outcomes are there at once afterwards."""
    with fl.scope() as scope:
        tasks = [scope.spawn(pow, 2, power) for power in range(4)]

    assert [task.result(0) for task in tasks] == [1, 2, 4, 8]
