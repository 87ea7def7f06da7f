"""The face of `queue.Queue` and of `queue.SimpleQueue` over a channel, for CPython's own suites.

Not here: the cases, and anything that a program should use; a channel's own methods are plainer.
"""

import queue
import threading
from typing import Any

import fearless as fl


class SimpleQueue:
    """An unbounded channel as a `queue.SimpleQueue`."""

    def __init__(self) -> None:
        """Make the channel."""
        self.tx, self.rx = fl.channel(None)

    def put(self, item: object, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002 - queue's own
        """Never wait, as there is always room."""
        del block, timeout
        self.tx.send(item)

    put_nowait = put

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: FBT001, FBT002 - queue's own
        """Translate the errors."""
        try:
            return self.rx.recv(timeout if block else 0)
        except fl.Timeout:
            raise queue.Empty from None

    def get_nowait(self) -> Any:
        """Get without a wait."""
        return self.rx.try_recv()

    def qsize(self) -> int:
        """Count the items."""
        return len(self.rx)

    def empty(self) -> bool:
        """Whether there are none."""
        return self.rx.is_empty


class Queue:
    """A channel as a `queue.Queue`; a select lets a blocked put see the shutdown."""

    def __init__(self, maxsize: int = 0) -> None:
        """Make the channel, and one that ends with the shutdown."""
        self.maxsize = maxsize
        self.tx, self.rx = fl.channel(maxsize if maxsize > 0 else None)
        self.stop, self.stopped = fl.channel(0)
        self.unfinished_tasks = 0
        self.is_shutdown = False
        self.all_tasks_done = threading.Condition()

    def put(self, item: object, block: bool = True, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002 - queue's own
        """Send, or see the shutdown."""
        with self.all_tasks_done:
            self.refuse_after_shutdown()
            self.unfinished_tasks += 1
        try:
            chosen = fl.select(self.tx.sending(item), self.stopped, timeout=timeout if block else 0)
        except BaseException as error:
            self.finish(1)
            if isinstance(error, fl.Timeout):
                raise queue.Full from None
            if isinstance(error, fl.Closed):
                self.refuse_after_shutdown()
            raise
        if chosen.index == 1:
            self.finish(1)
            self.refuse_after_shutdown()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: FBT001, FBT002 - queue's own
        """Receive; what was there before the shutdown still comes."""
        try:
            return self.rx.recv(timeout if block else 0)
        except fl.Timeout:
            raise queue.Empty from None
        except fl.Closed:
            self.refuse_after_shutdown()
            raise

    def put_nowait(self, item: object) -> None:
        """Put without a wait."""
        self.put(item, block=False)

    def get_nowait(self) -> Any:
        """Get without a wait."""
        return self.get(block=False)

    def qsize(self) -> int:
        """Count the items."""
        return len(self.rx)

    def empty(self) -> bool:
        """Whether there are none."""
        return self.rx.is_empty

    def full(self) -> bool:
        """Whether there is no room."""
        return self.rx.is_full

    def task_done(self) -> None:
        """Count down."""
        with self.all_tasks_done:
            if self.unfinished_tasks == 0:
                raise ValueError("task_done() called too many times")
        self.finish(1)

    def join(self) -> None:
        """Wait for the count to reach zero."""
        with self.all_tasks_done:
            self.all_tasks_done.wait_for(lambda: self.unfinished_tasks == 0)

    def shutdown(self, immediate: bool = False) -> None:  # noqa: FBT001, FBT002 - queue's own
        """Close both channels; `immediate` also drops what is there."""
        with self.all_tasks_done:
            self.is_shutdown = True
        self.stop.close()
        self.tx.close()
        if immediate:
            self.finish(len(self.rx.drain()))

    def finish(self, tasks: int) -> None:
        """Take tasks off the count."""
        with self.all_tasks_done:
            self.unfinished_tasks = max(0, self.unfinished_tasks - tasks)
            self.all_tasks_done.notify_all()

    def refuse_after_shutdown(self) -> None:
        """Raise what the standard queue raises."""
        if self.is_shutdown:
            raise queue.ShutDown  # type: ignore[attr-defined]  # came with 3.13
