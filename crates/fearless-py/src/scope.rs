//! `_core.Scope`: the native half of a scope. Which scope a thread is in, cancelling, and joining the tasks.
//!
//! Not here: what leaving a `with` block raises; `fearless._scope` decides that.

use std::{
    cell::{Cell, RefCell},
    time::Instant,
};

use fearless_core::{
    scope as core,
    sync::Arc,
    waiter::{Claim, Waiter},
};
use pyo3::prelude::*;

use crate::wait::{self, Ended, Kind, Patience};

thread_local! {
    static CURRENT: RefCell<Option<Arc<core::Scope>>> = const { RefCell::new(None) };
    /// Whether `CURRENT` has a scope: every send and receive asks, and most threads have none.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Whether `look` is true of the scope of the calling thread. `look` must not run Python.
#[inline]
pub(crate) fn is_current(look: impl FnOnce(&Arc<core::Scope>) -> bool) -> bool {
    IS_INSIDE.get() && is_of_current(look)
}

/// Borrows rather than clones: all threads of a scope would meet on its reference count.
#[inline(never)]
fn is_of_current(look: impl FnOnce(&Arc<core::Scope>) -> bool) -> bool {
    CURRENT.try_with(|current| current.borrow().as_ref().is_some_and(look)).unwrap_or(false)
}

/// The scope of the calling thread.
pub(crate) fn current() -> Option<Arc<core::Scope>> {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

fn replace(scope: Option<Arc<core::Scope>>) -> Option<Arc<core::Scope>> {
    CURRENT
        .try_with(|current| {
            IS_INSIDE.set(scope.is_some());
            current.replace(scope)
        })
        .ok()
        .flatten()
}

/// While it lives, the calling thread is in the given scope.
pub(crate) struct Entered {
    outside: Option<Arc<core::Scope>>,
}

impl Entered {
    /// `None` is outside every scope.
    pub(crate) fn enter(scope: Option<Arc<core::Scope>>) -> Entered {
        Entered { outside: replace(scope) }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        replace(self.outside.take());
    }
}

/// A node of the cancellation tree.
///
/// Thread safety: internally synchronized; `enter` and `exit` belong to the thread that owns the `with` block.
#[pyclass(frozen, module = "fearless._core")]
pub(crate) struct Scope {
    core: Arc<core::Scope>,
    /// Where its owner was before, and is again afterwards.
    outside: Option<Arc<core::Scope>>,
}

impl Scope {
    /// Another handle of a scope; it cannot be left by it.
    pub(crate) fn of(core: Arc<core::Scope>) -> Scope {
        Scope { core, outside: None }
    }

    pub(crate) fn core(&self) -> &Arc<core::Scope> {
        &self.core
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
        let deadline = match Patience::from_timeout(timeout)? {
            Patience::Forever => None,
            Patience::Until(until) => Some(until),
            Patience::Once => Some(Instant::now()),
        };
        let outside = current();
        let core = core::Scope::new(outside.clone().filter(|_| !shield), deadline);
        replace(Some(Arc::clone(&core)));
        Ok(Scope { core, outside })
    }

    /// What tells open scopes apart.
    #[getter]
    fn key(&self) -> usize {
        key(&self.core)
    }

    /// The key of the scope of the calling thread; 0 outside every scope.
    #[staticmethod]
    fn current_key() -> usize {
        current().as_ref().map_or(0, key)
    }

    /// Leave the scope: the thread is again in the one around it.
    fn exit(&self) {
        self.core.leave();
        replace(self.outside.clone());
    }

    /// Cancel every wait inside, now and later.
    fn cancel(&self) {
        self.core.cancel().wake();
    }

    /// Cancel it because its time is over.
    fn expire(&self) {
        self.core.expire().wake();
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

    /// A task begins in the scope.
    fn task_started(&self) {
        self.core.task_started();
    }

    /// A task of the scope has ended.
    fn task_ended(&self) {
        self.core.task_ended().wake();
    }

    /// Wait until every task has ended: true. False if the scope is stopped, unless that is `known`: the caller then
    /// cancels the tasks that have not begun, and comes again.
    ///
    /// Blocks: until the last task ends; shielded from cancellation; Ctrl-C gets through.
    fn join(&self, py: Python<'_>, known: bool) -> PyResult<bool> {
        let waiter = Waiter::new();
        let Some(ticket) = self.core.join(&waiter) else { return Ok(true) };
        let patience = match self.core.deadline() {
            Some(deadline) if !known => Patience::Until(deadline),
            _ => Patience::Forever,
        };
        if !known {
            self.core.attach(&waiter); // claims it at once if the scope is stopped already
        }
        let ended = wait::wait(py, &waiter, Kind::Scope, patience);
        if !known {
            self.core.detach(&waiter);
        }
        self.core.leave_join(ticket);
        match ended {
            Ended::Ready(_) => Ok(true),
            Ended::Failed(Claim::Cancelled, _) => Ok(false),
            Ended::TimedOut => {
                wait::expire(&self.core);
                Ok(false)
            }
            Ended::Failed(_, error) => Err(error),
        }
    }
}
