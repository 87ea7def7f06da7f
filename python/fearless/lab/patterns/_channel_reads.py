"""The owner of the state looks at it for each item and sends on what it saw; what there is to change comes back.

The rest of the pattern `channel` is in its own file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import fearless as fl
from fearless.lab.job import Item, Job, Part, Result

SHARED = "one owner"
KEEP_IN_MIND = "close every sender when done"
UPDATE = "one at a time"
ORDERED = False
OWNER = True  # a thread beside the workers


def fold_reads(job: Job, items: Sequence[Item], workers: int) -> Result:
    """One state. The owner takes in what came back before it sends, so that no worker waits for it for long."""
    tx, rx = fl.channel(workers)
    back, changes = fl.channel(128)
    state = job.start()

    def handle(rx: fl.Receiver[Any], back: fl.Sender[Part]) -> None:
        for seen in rx:
            part = job.work(seen)
            if part is not None:
                back.send(part)

    with fl.scope() as scope, changes, tx:
        for _ in range(workers):
            scope.spawn(handle, rx.clone().move(), back.clone().move())
        rx.close()
        back.close()
        for item in items:
            for part in changes.drain():
                state = job.update(state, part)
            tx.send(job.read(state, item))
        tx.close()
        for part in changes:
            state = job.update(state, part)
    return state
