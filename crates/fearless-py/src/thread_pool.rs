//! `_core.ThreadPool`: submitting, and the loop of a worker, over the queue of `fearless_core::thread_pool`.
//!
//! The tasks belong to one private object, `PoolQueue`, which alone shows them to the collector. The handle of the
//! pool and its workers refer to it; when the handle is dropped, the queue closes and the workers end by themselves.
//!
//! Not here: starting threads, and the end of the process; `fearless.pools` does both.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

use fearless_core::{
    fork,
    thread_pool::{self as core, Next, Submit},
    waiter::Waiter,
};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::PyRuntimeError,
    prelude::*,
    types::{PyDict, PyTuple},
};

use crate::{
    call::Call,
    crossing, errors, event_loop,
    hooks::Hooks,
    loop_queue,
    operation::Operation,
    python,
    semaphore::Semaphore,
    task::Task,
    wait::{self, Kind, Patience},
};

mod awaited;
mod starting;
pub(crate) mod worker;

const BROKEN: &str = "an initializer of the pool failed; it runs no tasks";

/// What a pool and its workers share.
///
/// Thread safety: internally synchronized.
#[pyclass(frozen, weakref, name = "PoolQueue", module = "fearless._core")]
pub(crate) struct Queue {
    core: core::ThreadPool<Py<Task>>,
    /// What its tasks know it by.
    number: u32,
    /// An initializer failed.
    broken: AtomicBool,
    hooks: Hooks,
}

impl Queue {
    fn is_mine(&self) -> bool {
        worker::works_for(self)
    }

    fn refusal(&self) -> PyErr {
        if self.broken.load(Ordering::Acquire) {
            errors::BrokenThreadPool::new_err(BROKEN)
        } else {
            PyRuntimeError::new_err("cannot schedule new futures: the pool is shut down")
        }
    }

    /// Runs tasks until the pool has ended, or until a task forks: the child's pool knows nothing of this thread.
    fn serve(&self, py: Python<'_>) {
        let generation = fork::generation();
        let waiter = Waiter::new();
        let mut next = self.core.begin(&waiter);
        while generation == fork::generation() {
            next = match next {
                Next::Run(task, wakes) => {
                    loop_queue::wake(py, wakes);
                    worker::in_a_run(|| Task::run(task.bind(py)));
                    drop(task);
                    if generation != fork::generation() {
                        return; // before it takes a task, or a place among the idle, that is meant for the child's workers
                    }
                    self.core.next(&waiter)
                }
                Next::Look(wakes) => {
                    loop_queue::wake(py, wakes);
                    py.detach(|| self.core.look());
                    self.core.looked(&waiter)
                }
                Next::Wait(ticket, wakes) => {
                    loop_queue::wake(py, wakes);
                    self.core.resume(ticket, wait::wait(py, &waiter, Kind::Pool, Patience::Forever).claim(), &waiter)
                }
                Next::Leave(wakes) => return loop_queue::wake(py, wakes),
            };
        }
    }

    /// Each task fails with an error of its own: a shared one would gather the tracebacks of all who raise it.
    fn fail_all(py: Python<'_>, tasks: Vec<Py<Task>>, error: impl Fn() -> PyErr) -> PyResult<()> {
        let fail = |task: Py<Task>| Task::fail(task.bind(py), error().into_value(py).into_any());
        tasks.into_iter().map(fail).fold(Ok(()), Result::and)
    }
}

#[pymethods]
impl Queue {
    /// Call a worker's initializer on this thread, with what a task of the worker may do and is refused.
    fn prepare(slf: &Bound<'_, Self>, initializer: &Bound<'_, PyAny>, args: &Bound<'_, PyTuple>) -> PyResult<()> {
        let _works = worker::Works::begin(slf);
        worker::in_a_run(|| python::call(initializer, args, None)).map(drop)
    }

    /// Run tasks on this thread until the pool has ended.
    fn work(slf: &Bound<'_, Self>) {
        let works = worker::Works::begin(slf);
        slf.get().serve(slf.py());
        drop(works);
    }

    /// The initializer of a worker failed: the pool takes no tasks any more, and those it has fail.
    fn break_down(&self, py: Python<'_>) -> PyResult<()> {
        self.broken.store(true, Ordering::Release);
        let (tasks, wakes) = self.core.close(true);
        loop_queue::wake(py, wakes);
        let failed = Queue::fail_all(py, tasks, || errors::BrokenThreadPool::new_err(BROKEN));
        loop_queue::wake(py, self.core.not_started().1);
        failed
    }

    /// Take no more tasks; run, or with `cancel` cancel, what is queued.
    #[pyo3(signature = (*, cancel=false))]
    fn close(&self, py: Python<'_>, cancel: bool) -> PyResult<()> {
        let (tasks, wakes) = self.core.close(cancel);
        loop_queue::wake(py, wakes);
        tasks.into_iter().map(|task| Task::abandon(task.bind(py))).fold(Ok(()), Result::and)
    }

    /// Wait until the last worker has ended.
    ///
    /// Raises: `DeadlockError` on one of them.
    fn join(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_mine() {
            return Err(errors::DeadlockError::new_err("shutdown: a worker of the pool waits for its own end"));
        }
        wait::checkpoint(py)?;
        let waiter = Waiter::new();
        let Some(ticket) = self.core.join(&waiter) else { return Ok(()) };
        let ended = wait::wait(py, &waiter, Kind::Join, Patience::Forever);
        self.core.leave_join(ticket);
        match ended {
            wait::Ended::Failed(_, error) => Err(error),
            wait::Ended::Ready(_) | wait::Ended::TimedOut => Ok(()),
        }
    }

    /// Take a permit that comes with the end of a task of the pool, which knows of the wait if a worker of it calls.
    ///
    /// Raises: `DeadlockError` if all its workers would wait.
    fn await_end(&self, py: Python<'_>, ends: &Semaphore) -> PyResult<()> {
        ends.take_from_task(py, "result", |waiter| worker::Stall::unbounded(py, self.number, waiter))
    }

    /// How many submitters wait for room.
    #[getter]
    fn blocked(&self) -> usize {
        self.core.snapshot().blocked
    }

    /// How many coroutines were told of room and have not run yet.
    #[getter]
    fn promised(&self) -> usize {
        self.core.snapshot().promised
    }

    /// How many workers wait for tasks of the pool.
    #[getter]
    fn stalled(&self) -> usize {
        self.core.snapshot().stalled
    }

    #[getter]
    fn broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.core.visit(|task| visit.call(task))?;
        self.hooks.traverse(&visit)
    }

    fn __clear__(&self) {
        drop(self.core.clear());
        self.hooks.clear();
    }
}

/// The native half of `fearless.ThreadPool`.
///
/// Thread safety: internally synchronized; any thread may call any method.
#[pyclass(subclass, frozen, module = "fearless._core")]
pub(crate) struct ThreadPool {
    queue: OnceLock<Py<Queue>>,
}

#[pymethods]
impl ThreadPool {
    /// The arguments are those of the subclass, whose `__init__` calls `_open`.
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> ThreadPool {
        ThreadPool { queue: OnceLock::new() }
    }

    fn _open(&self, py: Python<'_>, workers: usize, backlog: Option<usize>) -> PyResult<()> {
        let core = core::ThreadPool::new(workers, backlog).with_looks(cfg!(Py_GIL_DISABLED));
        let queue = Py::new(
            py,
            Queue { core, number: worker::next_number(), broken: AtomicBool::new(false), hooks: Hooks::default() },
        )?;
        self.queue.set(queue).map_err(|_| PyRuntimeError::new_err("a ThreadPool is initialized once"))
    }

    /// The most workers there will be.
    #[getter]
    fn workers(&self) -> PyResult<usize> {
        Ok(self._queue()?.get().core.limit())
    }

    /// Return counts, all of the same moment: `workers` that are there, those of them that are `idle`, `running` tasks,
    /// tasks that are `queued`, submitters `waiting` for room, and tasks that workers have `done`, cancelled ones included;
    /// and `busy`, the share of their time, 0 to 1, that the workers were not idle.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let now = self._queue()?.get().core.snapshot();
        let stats = PyDict::new(py);
        stats.set_item("workers", now.workers)?;
        stats.set_item("idle", now.idle)?;
        stats.set_item("running", now.running)?;
        stats.set_item("queued", now.queued)?;
        stats.set_item("waiting", now.blocked)?;
        stats.set_item("done", now.done)?;
        stats.set_item("busy", now.busy)?;
        Ok(stats)
    }

    /// What the workers share with the pool.
    #[getter]
    fn _queue(&self) -> PyResult<&Py<Queue>> {
        self.queue.get().ok_or_else(|| PyRuntimeError::new_err("ThreadPool.__init__ was not called"))
    }

    /// Have `fn(*args, **kwargs)` called by a worker.
    ///
    /// Blocks: while `backlog` tasks are queued, unless a worker of this pool submits; a cancellation point; Ctrl-C
    /// gets through.
    /// Raises: `Full` instead of waiting in a thread that runs an event loop: await `submit_async` there; `RuntimeError` after `shutdown`, or when no thread can be started; `BrokenThreadPool` when an
    /// initializer has failed; `TypeError` if `fn` is not callable.
    #[pyo3(signature = (r#fn, /, *args, **kwargs))]
    fn submit<'py>(
        slf: &Bound<'py, Self>,
        r#fn: &Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, Task>> {
        let task = Task::make(slf.py(), Call::new(r#fn, args, kwargs)?, None, None)?;
        ThreadPool::submit_task(slf, &task)?;
        Ok(task)
    }

    /// Have `fn(*args, **kwargs)` called by a worker, as a coroutine of asyncio or trio that waits for room: it gives the
    /// task. Cancelled, it has submitted nothing.
    ///
    /// Raises: as `submit` does, `RuntimeError` and `BrokenThreadPool` where it is awaited.
    #[pyo3(signature = (r#fn, /, *args, **kwargs))]
    fn submit_async<'py>(
        slf: &Bound<'py, Self>,
        r#fn: &Bound<'py, PyAny>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Operation> {
        let task = Task::make(slf.py(), Call::new(r#fn, args, kwargs)?, None, None)?;
        ThreadPool::submitting(slf, &task)
    }

    /// Have a pending task run by a worker. It is cancelled if it is not accepted.
    fn _enqueue(slf: &Bound<'_, Self>, task: &Bound<'_, Task>) -> PyResult<()> {
        ThreadPool::submit_task(slf, task)
    }

    /// Have a pending task run by a worker if there is room for it now; whether there is. It is cancelled if not.
    fn _offer(slf: &Bound<'_, Self>, task: &Bound<'_, Task>) -> PyResult<bool> {
        let accepted = ThreadPool::offer(slf, task);
        if !matches!(accepted, Ok(true)) {
            Task::abandon(task)?;
        }
        accepted
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let core = &slf.get()._queue()?.get().core;
        let now = core.snapshot();
        let state = if now.closed { "shut down" } else { "open" };
        let name = slf.get_type().name()?;
        let (busy, limit) = (now.workers - now.idle.min(now.workers), core.limit());
        let backlog = core.backlog().map_or(String::new(), |backlog| format!(" of {backlog}"));
        Ok(format!("<{name} {state}, {busy} of {limit} workers busy, {}{backlog} queued>", now.queued))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(self.queue.get())
    }
}

impl ThreadPool {
    fn submit_task(slf: &Bound<'_, ThreadPool>, task: &Bound<'_, Task>) -> PyResult<()> {
        let accepted = ThreadPool::enqueue(slf, task);
        if accepted.is_err() {
            // Also closes what was moved into the call.
            Task::abandon(task)?;
        }
        accepted
    }

    fn enqueue(slf: &Bound<'_, ThreadPool>, task: &Bound<'_, Task>) -> PyResult<()> {
        let queue = slf.get()._queue()?.get();
        let is_mine = queue.is_mine();
        task.get().belongs_to(queue.number, if is_mine { worker::run() } else { 0 });
        let submitted = if is_mine || queue.core.backlog().is_none() {
            queue.core.submit_over(crossing::reference(task))
        } else {
            wait::checkpoint(slf.py())?;
            queue.core.try_submit(crossing::reference(task))
        };
        match submitted {
            Submit::Queued(wakes) => {
                wakes.wake();
                Ok(())
            }
            Submit::Start => ThreadPool::start_worker(slf),
            Submit::Full(task) => ThreadPool::enqueue_slowly(slf, task),
            Submit::Closed(_) | Submit::GaveUp(_) | Submit::Wait(_) => Err(queue.refusal()),
        }
    }

    fn offer(slf: &Bound<'_, ThreadPool>, task: &Bound<'_, Task>) -> PyResult<bool> {
        let queue = slf.get()._queue()?.get();
        task.get().belongs_to(queue.number, 0);
        match queue.core.try_submit(crossing::reference(task)) {
            Submit::Queued(wakes) => {
                wakes.wake();
                Ok(true)
            }
            Submit::Start => ThreadPool::start_worker(slf).map(|()| true),
            Submit::Full(_) => Ok(false),
            Submit::Closed(_) | Submit::GaveUp(_) | Submit::Wait(_) => Err(queue.refusal()),
        }
    }

    #[cold]
    fn enqueue_slowly(slf: &Bound<'_, ThreadPool>, task: Py<Task>) -> PyResult<()> {
        let py = slf.py();
        let queue = slf.get()._queue()?.get();
        if event_loop::is_running(py)? {
            let text = "submit: the backlog is full, and waiting for room would stop the event loop of this thread";
            return Err(errors::Full::new_err(format!("{text}; await pool.submit_async(...)")));
        }
        let waiter = Waiter::new();
        match queue.core.submit(task, &waiter) {
            Submit::Wait(ticket) => {
                let ended = wait::wait(py, &waiter, Kind::Pool, Patience::Forever);
                match queue.core.resume_submit(ticket, ended.claim()) {
                    Submit::Closed(_) => Err(queue.refusal()),
                    Submit::GaveUp(_) => Err(ended.error("submit", "there was no room")),
                    _ => Ok(()),
                }
            }
            Submit::Queued(wakes) => {
                wakes.wake();
                Ok(())
            }
            Submit::Start => ThreadPool::start_worker(slf),
            Submit::Full(_) | Submit::Closed(_) | Submit::GaveUp(_) => Err(queue.refusal()),
        }
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        if let Some(queue) = self.queue.get() {
            queue.get().core.close(false).1.wake();
            loop_queue::send_in_drop();
        }
    }
}
