//! `_core.Task`: the native half of a task. Call, outcome and callbacks over the states of `fearless_core::task`.
//!
//! `fearless.Task` adds `concurrent.futures.Future` as a second base; everything that `Future` keeps in attributes is
//! kept here. The stock functions (`wait`, `as_completed`) reach for a future's condition and its list of waiters.
//! Those are made when somebody first asks for them, and the task is *shared* from then on: its state changes only
//! under that condition (`task/watch.rs`). A task that nobody watches never has one.
//!
//! Not here: what it holds (`task/content.rs`), making the call (`task/run.rs`), waiting for its end (`task/join.rs`),
//! threads, which Python starts, and the queue of a pool.

use std::{
    mem,
    sync::atomic::{AtomicU32, AtomicU64, Ordering},
};

use fearless_core::{
    fork, scope as scopes,
    sync::Arc,
    task::{self as core, State, Step},
};
use pyo3::{
    PyTraverseError, PyTypeInfo, PyVisit,
    exceptions::{PyRuntimeError, PyValueError},
    prelude::*,
    types::{PyDict, PyString, PyTuple, PyType},
};

use crate::{
    call::Call, errors, kept::Kept, loop_queue, operation::Operation, python, scope::Scope, thread_pool::worker,
};

mod awaited;
mod content;
mod join;
mod run;
mod shown;
mod unretrieved;
mod watch;

use content::Content;
use run::call_one;
use shown::{STATES, state_name};
pub(crate) use unretrieved::write_unraisable;
use watch::Held;

/// One call and its outcome.
///
/// Thread safety: internally synchronized; any thread may call any method.
#[pyclass(subclass, frozen, generic, module = "fearless._core")]
pub(crate) struct Task {
    core: core::Task<Content>,
    /// The thread that is in the call, or 0. Before it begins the run that submitted it, if a worker of its pool did; such
    /// a number is odd, as no thread's is.
    runner: AtomicU64,
    /// The fork generation in which the task was made, or begun.
    generation: AtomicU32,
    /// The number of its pool, or 0.
    pool: AtomicU32,
}

impl Task {
    /// A pending instance of `fearless.Task`.
    pub(crate) fn make<'py>(
        py: Python<'py>,
        call: Call,
        scope: Option<Arc<scopes::Scope>>,
        name: Option<Py<PyString>>,
    ) -> PyResult<Bound<'py, Task>> {
        let class = class(py)?.as_type_ptr();
        let none = PyTuple::empty(py);
        // SAFETY: a class that has been made stays readable, and its `tp_new` is that of `Task`, never null.
        let new = unsafe { (*class).tp_new };
        let new = new.ok_or_else(|| PyRuntimeError::new_err("fearless.Task cannot be made"))?;
        // SAFETY: called attached, with a class that has `Task` as its base and an empty tuple, as `type` would do;
        // `__init__`, which would only cost time, is left out.
        let made = unsafe { new(class, none.as_ptr(), std::ptr::null_mut()) };
        // SAFETY: a new reference or null with an exception set.
        let task = unsafe { Bound::from_owned_ptr_or_err(py, made) }?.cast_into::<Task>()?;
        task.get().core.with(|content| {
            content.call = Some(call);
            content.scope = scope;
            if name.is_some() {
                content.rare().name = name;
            }
        });
        Ok(task)
    }

    /// Says which pool will run the task, and which run of a worker submits it, if one does. Before it is queued.
    pub(crate) fn belongs_to(&self, pool: u32, run: u64) {
        self.pool.store(pool, Ordering::Relaxed);
        self.runner.store(run, Ordering::Relaxed);
    }

    /// Lets `scope` count the task until it has ended and its callbacks were called, or until `count_out`.
    pub(crate) fn count_in(&self, scope: &Arc<scopes::Scope>) {
        let counted = scopes::Counted::new(Arc::clone(scope));
        let before = self.core.with(|content| content.rare().counted.replace(counted));
        debug_assert!(before.is_none(), "a task belongs to one scope");
    }

    pub(crate) fn count_out(&self, py: Python<'_>) {
        if let Some(counted) = self.core.with(|content| content.rare.as_mut()?.counted.take()) {
            loop_queue::wake(py, counted.end());
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.core.state().is_done()
    }
}

/// The fork generation; what is left out comes after four billion forks.
#[expect(clippy::cast_possible_truncation, reason = "see above")]
fn generation() -> u32 {
    fork::generation() as u32
}

/// `fearless.Task`.
fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: Kept<PyType> = Kept::new();
    CLASS.get(py, || {
        let class = python::import(py, "fearless.threads")?.getattr("Task")?.cast_into::<PyType>()?;
        // What `Task::make` relies on.
        debug_assert!(class.is_subclass(&Task::type_object(py))?);
        Ok(class)
    })
}

#[pymethods]
impl Task {
    /// Takes what the `__init__` of a subclass takes, as the stock future does; our own refuses it.
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Task {
        Task {
            core: core::Task::new(Content::default()),
            runner: AtomicU64::new(0),
            generation: AtomicU32::new(generation()),
            pool: AtomicU32::new(0),
        }
    }

    /// Return what the call returned, or raise what it raised, with the traceback of its thread.
    ///
    /// Blocks: until the task is done; a cancellation point; Ctrl-C gets through.
    /// Raises: `Timeout` after `timeout` seconds; `concurrent.futures.CancelledError` if the task was cancelled;
    /// `DeadlockError` in the task itself, or if no worker were left to run it; `ValueError` if `timeout` is negative or
    /// NaN.
    #[pyo3(signature = (timeout=None))]
    fn result(slf: &Bound<'_, Self>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        Task::outcome(slf, timeout, "result")
    }

    /// The same as `result`, under the name that threads have for it.
    ///
    /// Blocks: until the task is done; a cancellation point; Ctrl-C gets through.
    /// Raises: `Timeout` after `timeout` seconds; `concurrent.futures.CancelledError` if the task was cancelled;
    /// `DeadlockError` in the task itself, or if no worker were left to run it; `ValueError` if `timeout` is negative or
    /// NaN.
    #[pyo3(signature = (timeout=None))]
    fn join(slf: &Bound<'_, Self>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        Task::outcome(slf, timeout, "join")
    }

    /// Return what the call raised, or `None`.
    ///
    /// Blocks: until the task is done; a cancellation point; Ctrl-C gets through.
    /// Raises: `Timeout` after `timeout` seconds; `concurrent.futures.CancelledError` if the task was cancelled;
    /// `DeadlockError` in the task itself, or if no worker were left to run it; `ValueError` if `timeout` is negative or
    /// NaN.
    #[pyo3(signature = (timeout=None))]
    fn exception(slf: &Bound<'_, Self>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Py<PyAny>>> {
        if Task::wait_done(slf, timeout, "exception")?.is_cancelled() {
            return Err(errors::CancelledError::new_err(""));
        }
        slf.get().retrieved(slf.py());
        Ok(slf.get().get_exception(slf.py()))
    }

    /// Cancel the task if it has not begun. Whether it is cancelled now.
    fn cancel(slf: &Bound<'_, Self>) -> PyResult<bool> {
        match Task::advance(slf, Step::Cancel, |content| content.end(None, None))? {
            Ok(remains) => Task::clean_up(slf, remains).map(|()| true),
            Err(state) => Ok(state.is_cancelled()),
        }
    }

    /// Whether the task was cancelled, or ended by the cancellation of its scope.
    fn cancelled(&self) -> bool {
        self.core.state().is_cancelled()
    }

    /// Whether a thread is in the call.
    fn running(&self) -> bool {
        self.core.state() == State::Running
    }

    /// Wait for the end as a coroutine of asyncio or trio: `await task` gives the result or raises. Cancelled, it leaves
    /// the task alone.
    fn __await__(slf: &Bound<'_, Self>) -> Operation {
        Task::awaiting(slf)
    }

    /// Whether the task has ended or was cancelled.
    fn done(&self) -> bool {
        self.is_done()
    }

    /// The name it was given; a spawned task has that of its thread.
    #[getter]
    fn name(&self, py: Python<'_>) -> Option<Py<PyString>> {
        self.core.with(|content| content.rare.as_ref()?.name.as_ref().map(|name| name.clone_ref(py)))
    }

    /// The thread that is in the call; `None` before and after. For `fearless.testing`.
    #[getter(_runner)]
    fn runner(&self) -> Option<u64> {
        Some(self.runner.load(Ordering::Acquire)).filter(|&runner| runner != 0 && !worker::is_run(runner))
    }

    #[setter(_name)]
    fn put_name(&self, name: Py<PyString>) {
        drop(self.core.with(|content| content.rare().name.replace(name)));
    }

    /// Call `fn(task)` when the task is done, on the thread that ends it; at once if it is done.
    #[pyo3(signature = (r#fn, /))]
    fn add_done_callback(slf: &Bound<'_, Self>, r#fn: Bound<'_, PyAny>) -> PyResult<()> {
        let core = &slf.get().core;
        let mut callback = Some(r#fn.clone().unbind());
        core.with(|content| {
            // The state is set under the same lock.
            if !core.state().is_done() {
                content.rare().callbacks.extend(callback.take());
            }
        });
        if callback.is_none() {
            return Ok(());
        }
        slf.get().retrieved(slf.py());
        call_one(slf, &r#fn)
    }

    /// Begin, or learn that the task was cancelled. For executors.
    fn set_running_or_notify_cancel(slf: &Bound<'_, Self>) -> PyResult<bool> {
        match Task::advance(slf, Step::Begin, |_| ())? {
            Ok(()) => Ok(true),
            Err(State::Cancelled) => Task::notify_cancelled(slf).map(|()| false),
            Err(_) => {
                let text = format!("a task begins once; this one is {}", python::repr(slf)?);
                Err(PyRuntimeError::new_err(text))
            }
        }
    }

    /// End the task with a result. For executors.
    fn set_result(slf: &Bound<'_, Self>, result: Py<PyAny>) -> PyResult<()> {
        let ended = Task::finish(slf, Some(result), None)?;
        Task::settle(slf, ended)
    }

    /// End the task with an exception. For executors.
    fn set_exception(slf: &Bound<'_, Self>, exception: Option<Py<PyAny>>) -> PyResult<()> {
        let ended = Task::finish(slf, None, exception)?;
        Task::settle(slf, ended)
    }

    /// Report no failure: somebody answers for it, now or when it comes.
    fn _disregard(&self, py: Python<'_>) {
        self.disregard(py);
    }

    /// Make the call on this thread.
    fn _run(slf: &Bound<'_, Self>) {
        Task::run(slf);
    }

    /// Make the call on this thread if nobody has begun it and this is a worker of its pool; for a scope, which joins its
    /// own tasks. Whether it was made.
    fn _run_here(slf: &Bound<'_, Self>) -> bool {
        Task::run_here(slf)
    }

    /// Make the call on this thread if nobody has begun it and the calling task submitted it to its own pool. Whether the
    /// task is done.
    fn _run_own(slf: &Bound<'_, Self>) -> bool {
        Task::run_own(slf)
    }

    /// Whether the task has not ended, is of the pool that this thread works for, and is not run by this thread.
    #[getter]
    fn _beside(&self) -> bool {
        self.is_beside()
    }

    /// Cancel a task that nobody will come by to run.
    fn _abandon(slf: &Bound<'_, Self>) -> PyResult<()> {
        Task::abandon(slf)
    }

    fn _invoke_callbacks(slf: &Bound<'_, Self>) -> PyResult<()> {
        let callbacks = slf.get().core.with(Content::take_callbacks);
        Task::call_back(slf, callbacks)
    }

    #[getter(_condition)]
    fn get_condition<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (condition, _) = self.watchers(py)?;
        self.retrieved(py);
        Ok(condition)
    }

    #[getter(_waiters)]
    fn get_waiters<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Task::waiters(slf)
    }

    /// A copy: a callback is added by `add_done_callback` only.
    #[getter(_done_callbacks)]
    fn get_done_callbacks(&self, py: Python<'_>) -> Vec<Py<PyAny>> {
        self.core.with(|content| {
            let rare = content.rare.iter();
            rare.flat_map(|rare| &rare.callbacks).map(|callback| callback.clone_ref(py)).collect()
        })
    }

    #[getter(_state)]
    fn get_state(&self) -> &'static str {
        state_name(self.core.state())
    }

    #[setter(_state)]
    fn set_state(&self, py: Python<'_>, state: &str) -> PyResult<()> {
        let next = STATES.into_iter().find(|&(_, name)| name == state);
        let (next, _) = next.ok_or_else(|| PyValueError::new_err(format!("a task is never {state:?}")))?;
        loop_queue::wake(py, self.core.force(next));
        Ok(())
    }

    #[getter(_result)]
    fn get_result(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.core.with(|content| content.result.as_ref().map(|result| result.clone_ref(py)))
    }

    #[setter(_result)]
    fn put_result(&self, result: Option<Py<PyAny>>) {
        drop(self.core.with(|content| mem::replace(&mut content.result, result)));
    }

    #[getter(_exception)]
    fn get_exception(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.core.with(|content| content.exception.as_ref().map(|exception| exception.clone_ref(py)))
    }

    #[setter(_exception)]
    fn put_exception(&self, exception: Option<Py<PyAny>>) {
        drop(self.core.with(|content| mem::replace(&mut content.exception, exception)));
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Task::show(slf)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.core.with(|content| {
            if let Some(call) = &content.call {
                call.visit(&visit)?;
            }
            visit.call(&content.result)?;
            visit.call(&content.exception)?;
            content.rare.as_ref().map_or(Ok(()), |rare| rare.visit(&visit))
        })
    }

    fn __clear__(&self) {
        drop(self.core.with(mem::take));
    }
}

/// Make a pending task, which enters `scope` when it runs; without one it runs outside every scope.
///
/// Raises: `TypeError` if `fn` is not callable.
#[pyfunction]
#[pyo3(signature = (r#fn, args, kwargs=None, *, scope=None, name=None))]
pub(crate) fn new_task<'py>(
    r#fn: &Bound<'py, PyAny>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
    scope: Option<&Bound<'py, Scope>>,
    name: Option<Py<PyString>>,
) -> PyResult<Bound<'py, Task>> {
    let call = Call::new(r#fn, args, kwargs)?;
    Task::make(r#fn.py(), call, scope.map(|scope| Arc::clone(scope.get().core())), name)
}
