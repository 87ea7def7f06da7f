"""Pipelines: stages joined by bounded channels, each with workers of its own.

Holds `pipeline` and `stage`. A pipeline is a scope around its threads and the channels between them. Not here: the
channels, and how a scope ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from fearless._native import Receiver, Sender, channel
from fearless._scope import Scope, scope
from fearless.errors import Closed

__all__ = ["Pipeline", "Stage", "pipeline", "stage"]

CAPACITY = 128  # slots between two stages

Numbered = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class Stage:
    """A function and the number of threads that run it; see ``stage``.

    Thread safety: immutable; ``function`` is called by all its workers at once.
    """

    function: Callable[[Any], Any]
    workers: int = 1
    name: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        function: object = self.function
        if not callable(function):
            text = f"a stage must be a function or stage(function, ...), got {self.function!r}"
            raise TypeError(text)
        if self.workers < 1:
            text = f"workers must be >= 1, got {self.workers}"
            raise ValueError(text)


def stage(function: Callable[[Any], Any], *, workers: int = 1, name: str | None = None) -> Stage:
    """Return a stage of a pipeline that ``workers`` threads run; ``name`` is theirs, by default the function's.

    Raises: ``TypeError`` if ``function`` is not callable, ``ValueError`` if ``workers`` is less than 1.
    """
    own_name: str = getattr(function, "__name__", type(function).__name__)
    return Stage(function, workers, own_name if name is None else name)


def pipeline(
    source: Iterable[Any], /, *stages: Stage | Callable[[Any], Any], capacity: int = CAPACITY, ordered: bool = True
) -> Pipeline:
    """Pass every item of ``source`` through ``stages``, each in threads of its own.

    Use it in a ``with`` statement and iterate over what it gives. Between two stages wait ``capacity`` items at most,
    so a slow stage holds up those before it. ``ordered`` results come in the order of the source, however many workers
    a stage has; then a limited number of items is under way, those included whose results wait for their turn.

    When a stage or the source fails, everything stops, and leaving the block raises an ``ExceptionGroup``; a note in
    each failure names the stage and the item's number. Leaving the block early stops the stages, too.

    Raises: ``TypeError`` if a stage is not callable, ``ValueError`` if there are none or ``capacity`` is less than 1.

    Example:
        >>> import fearless as fl
        >>> with fl.pipeline(["3", "1", "2"], int, fl.stage(lambda n: n * n, workers=2)) as results:
        ...     print(list(results))
        [9, 1, 4]
    """
    if not stages:
        text = "a pipeline needs at least one stage"
        raise ValueError(text)
    if capacity < 1:
        text = f"capacity must be >= 1, got {capacity}"
        raise ValueError(text)
    return Pipeline(source, [one if isinstance(one, Stage) else stage(one) for one in stages], capacity, ordered)


class Pipeline:
    """What ``pipeline()`` returns: the block, and in it the iterator over the results.

    Thread safety: externally synchronized; the block and its iterator belong to one thread.
    """

    def __init__(self, source: Iterable[Any], stages: list[Stage], capacity: int, ordered: bool) -> None:  # noqa: FBT001 - called by `pipeline` alone
        """Prepare; threads start with the ``with`` block."""
        self._source, self._stages, self._capacity, self._ordered = source, stages, capacity, ordered
        self._scope = scope()
        self._results: Receiver[Numbered] | None = None
        self._permits: Sender[None] | None = None
        self._early: dict[int, Any] = {}  # results that wait for those before them
        self._next = 0

    def __enter__(self) -> Self:
        """Start the threads."""
        self._scope.__enter__()
        try:
            self._start(self._scope)
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """Stop the stages and join their threads, then raise what went wrong.

        Blocks: until the last thread ends; Ctrl-C gets through.
        """
        for end in (self._results, self._permits):
            if end is not None:
                end.close()
        return self._scope.__exit__(kind, error, traceback)

    def __iter__(self) -> Iterator[Any]:
        """The results can be iterated once."""
        return self

    def __next__(self) -> Any:
        """Return the next result.

        Blocks: until it comes; a cancellation point; Ctrl-C gets through.
        """
        if self._results is None:
            text = "a pipeline gives results inside its `with` block"
            raise RuntimeError(text)
        while self._ordered and self._next not in self._early:
            number, value = next(self._results)
            self._early[number] = value
        value = self._early.pop(self._next) if self._ordered else next(self._results)[1]
        self._next += 1
        if self._permits is not None:
            with suppress(Closed):  # the source has come to its end
                self._permits.try_send(None)
        return value

    def __repr__(self) -> str:
        """Show the stages."""
        names = " -> ".join(f"{one.name} x{one.workers}" for one in self._stages)
        return f"<Pipeline {names}, {self._next} results>"

    def _start(self, within: Scope) -> None:
        under_way = sum(one.workers + self._capacity for one in self._stages) + self._capacity
        self._permits, permits = channel(under_way)
        self._permits.send_many([None] * under_way)
        tx, rx = channel(self._capacity)
        within.options(name="source").spawn(_feed, self._source, tx.move(), permits.move())
        for number, one in enumerate(self._stages, start=1):
            tx, following = channel(self._capacity)
            for worker in range(one.workers):
                named = within.options(name=f"{one.name}-{worker + 1}")
                named.spawn(_work, one, number, rx.clone().move(), tx.clone().move())
            rx.close()
            tx.close()
            rx = following
        self._results = rx


def _feed(source: Iterable[Any], tx: Sender[Numbered], permits: Receiver[None]) -> None:
    """Number the items and send them, as long as there are permits for more."""
    items = enumerate(source)
    while True:
        try:
            numbered = next(items, None)
        except BaseException as error:
            error.add_note("in the source of a pipeline")
            raise
        if numbered is None:
            return
        try:
            permits.recv()
            tx.send(numbered)
        except Closed:  # nobody wants more
            return


def _work(one: Stage, place: int, rx: Receiver[Numbered], tx: Sender[Numbered]) -> None:
    """Call the function with what comes, and pass the result on."""
    for number, item in rx:
        try:
            result = one.function(item)
        except BaseException as error:
            error.add_note(f"in stage {place} of a pipeline, {one.name}, for item {number}")
            raise
        try:
            tx.send((number, result))
        except Closed:  # nobody wants more
            return
