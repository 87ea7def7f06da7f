"""Fork-join on one crew of threads: ``invoke``, and what a run of ``par`` shares its chunks with.

Whoever forks offers all functions but the first, runs that one, and then runs what nobody has begun meanwhile. So it
waits only for what others have begun, and no depth of nesting needs more threads. While it waits, it may run what has
been forked inside the very call that it waits for, as that is part of it, and nothing else: a call that is foreign to
it could need a lock that it holds.

Each call that a worker has taken from another has a *branch*: the jobs that were forked inside and are on offer. Its
own worker takes them from the right, the newest; others from the left, where the largest are.

Not here: chunks (``_run.py``); pools, which outlive a call (``pools.py``).
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextvars import copy_context
from typing import Any, TypeAlias

from fearless import _loops, _native
from fearless._arguments import usable_cores
from fearless._recursion import has_room, require_room
from fearless._scope import Scope, scope
from fearless._scope_failures import LEAVES_BARE, LEFT
from fearless.errors import Cancelled
from fearless.threads import new_task

__all__ = ["invoke", "run_together"]

Function: TypeAlias = Callable[[], Any]


def invoke(*functions: Callable[[], Any]) -> tuple[Any, ...]:
    """Call the functions, in parallel where cores are free, and return what they return: fork-join.

    The calling thread runs the first and whatever nobody else has begun by then. Inside a function of ``invoke`` or a
    stage of ``par``, the workers are those of the call around it, so functions may fork again to any depth; otherwise a
    worker for each usable core but one is started on demand and ends with the call. A fork costs microseconds: stop
    forking where the rest takes less than about 20.

    The first failure cancels the scope that all the functions run in, and when they have ended it is raised as it is;
    of several, that of the first function, though Ctrl-C and ``SystemExit`` go first. Functions that nobody has begun
    never are.

    Blocks: until the last function has ended; a cancellation point; Ctrl-C gets through.
    Raises: what a function raised; ``TypeError`` if one is not callable; ``RuntimeError`` in a thread that runs an
    event loop.

    Example:
        >>> import fearless as fl
        >>> def total(numbers):
        ...     if len(numbers) < 1000:  # below this, forking costs more than it gains
        ...         return sum(numbers)
        ...     half = len(numbers) // 2
        ...     return sum(fl.invoke(lambda: total(numbers[:half]), lambda: total(numbers[half:])))
        >>> total(range(10_000))
        49995000
    """
    for function in functions:
        if not callable(function):
            raise TypeError(f"functions must be callable, got {function!r}")
    return tuple(run_together(functions, usable_cores())) if functions else ()


def run_together(functions: Sequence[Function], workers: int) -> list[Any]:
    """Fork ``functions`` on the crew of this thread, or on a new one of at most ``workers``; return the results."""
    worker = _local.worker
    if worker is not None:
        return worker.fork(functions)
    require_room()
    _loops.refuse("`invoke`")
    failure: BaseException | None = None
    threads = scope()
    crew = _Crew(workers, threads)
    try:
        with threads:
            worker = _local.worker = _Worker(crew)
            try:
                return worker.fork(functions)
            except (Cancelled, *LEAVES_BARE):
                raise
            except BaseException as error:  # noqa: BLE001 - raised below, where the scope makes no group of it
                failure = error
            finally:
                _local.worker = None
                try:
                    crew.close()
                except BaseException:  # a signal handler's; the scope joins the workers
                    crew.close()
                    raise
    except Cancelled:
        if failure is None:
            raise  # otherwise it gives way to the failure, as it does where a scope is left
    try:
        raise failure or RuntimeError("the functions were cancelled, and nobody has said why")
    finally:
        del failure, worker, crew  # the traceback holds this frame


class _Local(threading.local):
    worker: _Worker | None = None


_local = _Local()


def _after_fork() -> None:
    """Leave the crew, whose threads are the parent's."""
    _local.worker = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class _Branch(deque["_Job"]):
    """The jobs on offer that were forked inside one call. Only the very same branch is equal, as to a list of branches.

    Thread safety: as of a deque, whose single operations are atomic.
    """

    __slots__ = ("inside",)
    __eq__ = object.__eq__  # a deque is equal to another with the same jobs, as none
    __hash__ = object.__hash__  # type: ignore[assignment]  # a deque has none

    def __init__(self, inside: _Job | None = None) -> None:
        super().__init__()
        self.inside = inside  # the job whose call that is, if it is one


class _Job:
    """One forked function, and its outcome once another worker has run it.

    ``claims`` decides who runs it: who comes first. That is one atomic step, which a signal cannot cut in two.

    Thread safety: the claims are atomic; the rest is the claimant's until ``done`` is true.
    """

    __slots__ = ("awaited", "branch", "claims", "context", "done", "error", "function", "native", "owner", "result")

    def __init__(self, function: Function, native: _native.Scope, owner: _Worker) -> None:
        self.function = function
        self.native = native
        self.owner = owner
        self.context = copy_context()
        self.claims: list[_Worker] = []
        self.branch: _Branch | None = None  # while another worker runs it
        self.awaited = False  # its owner has nothing else to do, and would help
        self.done = False
        self.result: Any = None
        self.error: BaseException | None = None

    def is_claimed_by(self, worker: _Worker) -> bool:
        self.claims.append(worker)
        return self.claims[0] is worker

    def run(self) -> None:
        try:
            self.result = self.context.run(self.function)
        except BaseException as error:  # noqa: BLE001 - the owner raises it
            self.error = error
            self.native.cancel()


class _Crew:
    """The workers of one outermost call, and the branches on which they find jobs.

    Thread safety: internally synchronized. The lists are changed and copied by single operations.
    """

    def __init__(self, workers: int, threads: Scope) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self.missing = workers - 1  # those that may still be started; guarded by the lock
        self.workers: list[_Worker] = []
        self.idle: list[_Worker] = []
        self.branches: list[_Branch] = []
        self.closed = False
        self.process = os.getpid()

    def call_for(self, number: int) -> None:
        """Wake or start as many workers, if there are any."""
        for _ in range(number):
            try:
                worker = self.idle.pop()
            except IndexError:
                if not self._start():
                    return
            else:
                worker.wake()

    def close(self) -> None:
        """Let the workers end; all jobs are done. Again is harmless."""
        self.closed = True
        self.missing = 0
        # All, not the idle alone: what is raised between taking one off that list and waking it must not strand it.
        for worker in self.workers:
            worker.wake()

    def _start(self) -> bool:
        with self._lock:
            if not self.missing:
                return False
            self.missing -= 1
        try:
            self._threads.spawn(_Worker(self).serve)
        except RuntimeError:
            self.missing = 0  # the system gives no more threads; those there are do the work
            return False
        return True


class _Worker:
    """A thread of a crew: the calling one, or one that was started.

    Thread safety: ``wake`` may be called by any thread, the rest is the worker's own.
    """

    def __init__(self, crew: _Crew) -> None:
        self._crew = crew
        self._mine = _Branch()
        self._parked = _native.Lock()  # no cancellation point: what has begun is waited for in any case
        self._parked.acquire()
        crew.branches.append(self._mine)
        crew.workers.append(self)

    def wake(self) -> None:
        """End the wait of the worker, or the next one."""
        try:  # noqa: SIM105 - `suppress` is calls of Python, in the midst of which Ctrl-C and RecursionError come up
            self._parked.release()
        except RuntimeError:
            pass  # somebody else has, and it has not gone on yet

    def serve(self) -> None:
        """Run jobs until the crew is closed."""
        _local.worker = self
        crew = self._crew
        while not crew.closed:
            if self._run_any(tuple(crew.branches)):
                continue
            crew.idle.append(self)
            # Again: what was offered before this worker could be seen to be idle has woken nobody. No more than a look,
            # as whoever calls for a worker must not find one that is busy.
            if not any(tuple(crew.branches)) and not crew.closed:
                self._parked.acquire()
            with contextlib.suppress(ValueError):
                crew.idle.remove(self)

    def fork(self, functions: Sequence[Function]) -> list[Any]:
        """Run the functions, together with others; return the results, or raise the first failure."""
        _native.checkpoint()
        mine = self._mine
        native = _native.Scope.enter()
        jobs: list[_Job] = []
        results: list[Any] = []
        error: BaseException | None = None
        try:
            try:
                jobs += [_Job(function, native, self) for function in functions[:0:-1]]
                mine.extend(jobs)
                self._announce(len(jobs))
                results.append(functions[0]())
                for job in reversed(jobs):
                    if not job.is_claimed_by(self):
                        break
                    _drop(mine, job)
                    results.append(job.context.run(job.function))
            except BaseException as failure:  # noqa: BLE001 - raised below, once all have ended
                error = failure
                native.cancel()
            if error is None and len(results) == len(functions):
                return results
            return self._join(native, jobs, results, error)
        finally:
            native.exit()
            del error

    def _announce(self, number: int) -> None:
        """Let others know of as many new jobs."""
        crew, inside = self._crew, self._mine.inside
        if number and (crew.idle or crew.missing):
            crew.call_for(number)
        if inside is not None and inside.awaited:
            inside.awaited = False  # one wake-up is enough until it has looked
            inside.owner.wake()

    def _join(
        self, native: _native.Scope, jobs: list[_Job], results: list[Any], error: BaseException | None
    ) -> list[Any]:
        """Run what nobody has begun, unless there was a failure, and wait for the rest."""
        rest = jobs[::-1][max(len(results) - 1, 0) :]
        errors = [error]
        del error
        try:
            for job in rest:
                if not job.is_claimed_by(self):
                    continue
                _drop(self._mine, job)
                job.done = True
                if not native.stopped:
                    job.run()
        except BaseException as interrupt:  # noqa: BLE001 - as above
            errors.append(interrupt)
            native.cancel()
        begun = [job for job in rest if not job.is_claimed_by(self)]
        ctrl_c = next((error for error in errors if isinstance(error, KeyboardInterrupt)), None)
        errors.append(self._wait_for(native, begun, ctrl_c))
        del ctrl_c
        errors.extend(job.error for job in rest)
        for job in rest:
            job.error = None  # its traceback leads to the job
        try:
            _raise_first(native, errors)
        finally:
            errors.clear()
        return results + [job.result for job in rest]

    def _wait_for(self, native: _native.Scope, begun: list[_Job], first: BaseException | None) -> BaseException | None:
        """Wait until others have run these; return the first interrupt. A second one leaves at once, scopes as well."""
        if begun and os.getpid() != self._crew.process:
            raise RuntimeError("`invoke` and `par` cannot go on in a forked child: the other workers are the parent's")
        while True:
            try:
                while waited := [job for job in begun if not job.done]:
                    for job in waited:
                        job.awaited = True  # before the look: what is offered after it wakes this worker
                    if not has_room() or not self._run_any(job.branch for job in waited):
                        self._parked.acquire()
            except BaseException as error:
                if first is not None:
                    error.add_note(f"{LEFT} {sum(not job.done for job in begun)} of its functions ran")
                    raise
                first = error
                native.cancel()
            else:
                return first

    def _run_any(self, branches: Iterable[_Branch | None]) -> bool:
        """Run a job that another worker has on offer; false if there is none."""
        for branch in branches:
            while branch:
                try:
                    job = branch.popleft()
                except IndexError:
                    break
                if self._run(job):
                    return True
        return False

    def _run(self, job: _Job) -> bool:
        outside, inside = self._mine, _Branch(job)
        try:
            if not job.is_claimed_by(self):
                return False
            self._mine = job.branch = inside
            self._crew.branches.append(inside)
            new_task(job.run, (), {}, job.native)._run()  # noqa: SLF001 - enters the scope, unless that is stopped
        except BaseException as error:
            job.error = error  # a signal handler's: the job may not have run, and its owner must not take it for done
            raise
        finally:
            self._mine = outside
            if job.claims and job.claims[0] is self:
                job.branch = None  # it refers to the job
                job.done = True
                job.owner.wake()
                with contextlib.suppress(ValueError):
                    self._crew.branches.remove(inside)
        return True


def _drop(branch: _Branch, job: _Job) -> None:
    """Take a job off the branch, if it is still there: then it is the newest."""
    with contextlib.suppress(IndexError):
        if branch[-1] is job:
            branch.pop()


def _raise_first(native: _native.Scope, errors: list[BaseException | None]) -> None:
    """Raise an exit, or the first failure; without any, a cancellation that is not of ``native`` itself."""
    there = [error for error in errors if error is not None]
    failures = [error for error in there if not isinstance(error, Cancelled)]
    exits = [error for error in failures if isinstance(error, LEAVES_BARE)]  # Ctrl-C is not lost for a failure
    foreign = [error for error in there if isinstance(error, Cancelled) and not error._scope.is_same(native)]  # noqa: SLF001 - one mechanism
    first = next(iter(exits or failures or foreign), None)
    there.clear()
    failures.clear()
    exits.clear()
    foreign.clear()
    try:
        if first is not None:
            raise first
        if native.stopped:
            _native.checkpoint()
    finally:
        del first  # its traceback holds this frame
