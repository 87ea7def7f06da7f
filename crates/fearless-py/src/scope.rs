//! `_core.Scope`: the native half of a scope. Which scope a thread or a task is in, cancelling, and joining the tasks.
//!
//! A thread has its scopes in a thread-local (`scope/inside.rs`), a task of an event loop in a map of `_loops.py`.
//!
//! Not here: what leaving a `with` block raises; `fearless._scope` decides that.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use fearless_core::{
    scope as core, select,
    sync::Arc,
    waiter::{Claim, Waiter},
};
use pyo3::{PyTraverseError, PyVisit, prelude::*};

use crate::{
    hooks::Hooks,
    kept::Kept,
    loop_queue,
    operation::{Face, Operation},
    python,
    source::Source,
    task::Task,
    wait::{self, Ended, Kind, Patience},
    waits::{Gives, Object, Of, Waits},
};

pub(crate) mod block;
mod hold;
mod inside;

use hold::Hold;
pub(crate) use inside::{Entered, has_tasks, is_of_thread, may_be_inside, of_thread};
use inside::{put_has_tasks, put_in, take_out};

/// How many scopes of tasks are open, in all threads. Only then a task is asked for its scope, which runs Python.
static OPEN: AtomicUsize = AtomicUsize::new(0);

/// As `may_be_inside`, for a coroutine, whose loop may have moved to this thread.
#[inline]
pub(crate) fn may_be_inside_task() -> bool {
    may_be_inside() || OPEN.load(Ordering::Acquire) > 0
}

/// The scope of the caller: that of the task which runs on this thread, or else of the thread itself.
pub(crate) fn current(py: Python<'_>) -> PyResult<Option<Arc<core::Scope>>> {
    if has_tasks() {
        if OPEN.load(Ordering::Acquire) == 0 {
            put_has_tasks(false);
        } else if let Some(scope) = of_task(py)? {
            return Ok(Some(scope));
        }
    }
    Ok(of_thread())
}

/// The same for a coroutine.
pub(crate) fn current_of_task(py: Python<'_>) -> PyResult<Option<Arc<core::Scope>>> {
    if !has_tasks() && OPEN.load(Ordering::Acquire) > 0 {
        put_has_tasks(true);
    }
    current(py)
}

fn of_task(py: Python<'_>) -> PyResult<Option<Arc<core::Scope>>> {
    static TASK_SCOPE: Kept<PyAny> = Kept::new();
    let found = python::call0(TASK_SCOPE.get(py, || python::import(py, "fearless._loops")?.getattr("task_scope"))?)?;
    Ok(found.extract::<Option<Bound<'_, Scope>>>()?.map(|scope| Arc::clone(&scope.get().core)))
}

/// A node of the cancellation tree.
///
/// Thread safety: internally synchronized; `enter` and `exit` belong to the thread that owns the `with` block.
#[pyclass(frozen, module = "fearless._core")]
pub(crate) struct Scope {
    core: Arc<core::Scope>,
    block: Block,
    hooks: Hooks,
}

/// Who is in a scope by way of this handle.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Block {
    /// Nobody: it is only known.
    None,
    Thread,
    Task,
}

impl Object for Scope {
    type Core = core::Scope;

    fn core(&self) -> &core::Scope {
        &self.core
    }

    fn hooks(&self) -> &Hooks {
        &self.hooks
    }
}

impl Scope {
    /// Another handle of a scope; it cannot be left by it.
    pub(crate) fn of(core: Arc<core::Scope>) -> Scope {
        Scope { core, block: Block::None, hooks: Hooks::default() }
    }

    pub(crate) fn core(&self) -> &Arc<core::Scope> {
        &self.core
    }
}

impl Scope {
    fn inside(
        outside: Option<Arc<core::Scope>>,
        timeout: Option<&Bound<'_, PyAny>>,
        shield: bool,
        block: Block,
    ) -> PyResult<Scope> {
        let deadline = match Patience::from_timeout(timeout)? {
            Patience::Forever => None,
            Patience::Until(until) => Some(until),
            Patience::Once => Some(Instant::now()),
        };
        let core = core::Scope::enter(outside.as_ref(), deadline, shield);
        Ok(Scope { core, block, hooks: Hooks::default() })
    }
}

fn key(core: &Arc<core::Scope>) -> usize {
    Arc::as_ptr(core).addr()
}

#[pymethods]
impl Scope {
    /// A scope inside that of the calling thread, which becomes the thread's scope. One with a `shield` is in no other.
    #[staticmethod]
    #[pyo3(signature = (timeout=None, *, shield=false))]
    fn enter(timeout: Option<&Bound<'_, PyAny>>, shield: bool) -> PyResult<Scope> {
        let scope = Scope::inside(of_thread(), timeout, shield, Block::Thread)?;
        put_in(Arc::clone(&scope.core));
        Ok(scope)
    }

    /// A scope inside that of the task that runs on this thread, for `_loops.py` to give to the task.
    #[staticmethod]
    #[pyo3(signature = (timeout=None, *, shield=false))]
    fn enter_task(py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>, shield: bool) -> PyResult<Scope> {
        let scope = Scope::inside(current_of_task(py)?, timeout, shield, Block::Task)?;
        OPEN.fetch_add(1, Ordering::AcqRel);
        put_has_tasks(true);
        Ok(scope)
    }

    /// What tells open scopes apart.
    #[getter]
    fn key(&self) -> usize {
        key(&self.core)
    }

    /// The keys of the scope of the caller and of those around it, from the inside out.
    #[staticmethod]
    fn current_keys(py: Python<'_>) -> PyResult<Vec<usize>> {
        let innermost = current(py)?;
        Ok(std::iter::successors(innermost.as_ref(), |scope| scope.parent()).map(key).collect())
    }

    /// Leave the scope: its thread, or its task, is in it no more. Again is harmless.
    pub(crate) fn exit(&self) {
        if self.block == Block::None || !self.core.leave() {
            return;
        }
        if self.block == Block::Thread {
            drop(take_out(&self.core));
        } else {
            OPEN.fetch_sub(1, Ordering::AcqRel);
        }
    }

    /// Cancel every wait inside, now and later.
    pub(crate) fn cancel(&self, py: Python<'_>) {
        loop_queue::wake(py, self.core.cancel());
    }

    /// Cancel it because its time is over.
    fn expire(&self, py: Python<'_>) {
        loop_queue::wake(py, self.core.expire());
    }

    /// Whether `cancel` was called on this scope itself.
    #[getter]
    fn cancelled(&self) -> bool {
        self.core.is_cancelled()
    }

    /// Whether this scope, or one around it, is cancelled.
    #[getter]
    fn stopped(&self) -> bool {
        self.core.is_stopped()
    }

    /// Whether its time ran out.
    #[getter]
    fn timed_out(&self) -> bool {
        self.core.is_timed_out()
    }

    /// The seconds to the earliest deadline, of this scope or one around it; `None` without any.
    #[getter]
    fn remaining(&self) -> Option<f64> {
        let deadline = self.core.deadline()?;
        Some(deadline.saturating_duration_since(Instant::now()).as_secs_f64())
    }

    /// Tasks that have not ended.
    #[getter]
    fn running(&self) -> usize {
        self.core.running()
    }

    /// Whether `other` is a handle of the same scope.
    fn is_same(&self, other: &Scope) -> bool {
        Arc::ptr_eq(&self.core, &other.core)
    }

    /// Keep the block from being left until a `with` block of what this returns has ended, or that was dropped.
    fn hold(&self) -> Hold {
        Hold::new(core::Counted::new(Arc::clone(&self.core)))
    }

    /// Count `task`, which has not begun, as one of the scope, until it has ended and its callbacks were called.
    fn count(&self, task: &Bound<'_, Task>) {
        task.get().count_in(&self.core);
    }

    /// Count it no more. For its first callback: the others may take long.
    #[staticmethod]
    fn count_out(py: Python<'_>, task: &Bound<'_, Task>) {
        task.get().count_out(py);
    }

    /// A thread begins in the scope.
    fn task_started(&self) {
        self.core.task_started();
    }

    /// A thread of the scope has ended.
    fn task_ended(&self, py: Python<'_>) {
        loop_queue::wake(py, self.core.task_ended());
    }

    /// Have who waits for the end of the tasks, now or next, come back at once, to look at them again.
    fn look_again(&self, py: Python<'_>) {
        loop_queue::wake(py, self.core.look_again());
    }

    /// Wait until every task has ended or there is news, as a coroutine, or for the end of `task` alone, of the pool that this
    /// thread works for: it knows of the wait, and may refuse it. It is a cancellation point unless it is to be a `shield`.
    #[pyo3(signature = (task=None, *, shield))]
    fn join_async(slf: &Bound<'_, Self>, task: Option<&Bound<'_, Task>>, shield: bool) -> Operation {
        if let Some(task) = task {
            return Task::ending(task, shield);
        }
        let joining = Joining { core: core::Joining::new(Of::new(slf)), shield };
        Operation::new(Face::Object("scope"), vec![Source::Object(Waits::boxed(joining))], None)
    }

    /// Wait until every task has ended or there is news: true. False if the scope is stopped, unless that is `known`: the caller then
    /// cancels the tasks that have not begun, and comes again. With `task`, one that another worker of the caller's pool
    /// runs, its end is enough: the pool knows of that wait.
    ///
    /// Blocks: until the last task ends; shielded from cancellation; Ctrl-C gets through.
    #[pyo3(signature = (known, task=None))]
    fn join(&self, py: Python<'_>, known: bool, task: Option<&Bound<'_, Task>>) -> PyResult<bool> {
        let waiter = Waiter::new();
        let Some(place) = self.core.join(&waiter) else { return Ok(true) };
        let beside = task.map(|task| (task.get(), task.get().enlist(&waiter)));
        if matches!(beside, Some((_, None))) {
            self.core.leave_join(place);
            return Ok(true);
        }
        // One with a deadline ends by itself.
        let is_bounded = !known && self.core.deadline().is_some();
        let stall = task.filter(|_| !is_bounded).map(|task| task.get().stall(py, &waiter, true));
        let ended = if known {
            wait::wait(py, &waiter, Kind::Scope, Patience::Forever)
        } else {
            wait::wait_inside(py, &waiter, Kind::Scope, &self.core)
        };
        drop(stall);
        self.core.leave_join(place);
        if let Some((task, Some(ticket))) = beside {
            task.leave(ticket);
        }
        match ended {
            Ended::Ready(_) => Ok(true),
            Ended::Failed(Claim::Cancelled, _) | Ended::TimedOut => Ok(false),
            Ended::Failed(_, error) => Err(error),
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.hooks.traverse(&visit)
    }

    fn __clear__(&self) {
        self.hooks.clear();
    }
}

impl Drop for Scope {
    /// A signal handler can raise after a block was entered, and before anybody can leave it.
    fn drop(&mut self) {
        if self.block != Block::None {
            self.exit();
        }
    }
}

/// The wait of `join_async`.
struct Joining {
    core: core::Joining<Of<Scope>>,
    shield: bool,
}

impl select::Source for Joining {
    fn attempt(&mut self) -> bool {
        self.core.attempt()
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        self.core.enlist(waiter, operation)
    }

    fn act(&mut self) -> bool {
        self.core.act()
    }

    fn withdraw(&mut self) -> bool {
        self.core.withdraw()
    }
}

impl Gives for Joining {
    type Object = Scope;

    fn holder(&self) -> &Of<Scope> {
        &self.core.holder
    }

    fn is_point(&self) -> bool {
        !self.shield
    }

    fn outcome(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(py.None())
    }
}
