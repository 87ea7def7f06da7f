//! `await task`: waiting for a task's end as a coroutine of asyncio or trio.
//!
//! The task keeps what waits for it, as every object does (`hooks.rs`); among its rare content, since most tasks are never
//! awaited. A worker whose loop waits for a task of its pool is noted there as a thread that joins is.
//!
//! Not here: the wait itself (`operation.rs`).

use std::ops::Deref;

use fearless_core::{
    sync::Arc,
    task::{self as core, Ending},
    waiter::{Claim, Waiter},
};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyRuntimeError, PyStopIteration},
    prelude::*,
};

use super::{Content, Task};
use crate::{
    operation::{Face, Operation},
    scope,
    source::Source,
    thread_pool::worker::Stall,
    waits::Waiting,
};

/// Keeps a task for an operation of the core.
struct Of(Py<Task>);

impl Deref for Of {
    type Target = core::Task<Content>;

    fn deref(&self) -> &core::Task<Content> {
        &self.0.get().core
    }
}

/// What the wait is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    /// `await task`.
    Outcome,
    /// The end of a scope, which raises what tasks have raised in its own way. Shielded, once it is stopped.
    Scope { is_shielded: bool },
}

/// The wait, and the hook that keeps its coroutine alive.
struct Awaits {
    source: Ending<Of>,
    purpose: For,
    /// The scope of the coroutine has a deadline: its wait ends by itself.
    is_bounded: bool,
    /// The note with the pool, while a worker's loop waits; and the waiter that the pool may refuse.
    stall: Option<(Stall, Arc<Waiter>)>,
    was_refused: bool,
    /// While it is not with the task.
    hook: Option<Py<PyAny>>,
    /// Its key, while it is.
    kept: Option<usize>,
}

impl Task {
    /// The call that waits.
    pub(super) fn awaiting(slf: &Bound<'_, Task>) -> Operation {
        Task::waiting(slf, For::Outcome, "await task")
    }

    /// The call that waits for the end of a task of a scope, as part of the scope's end.
    pub(crate) fn ending(slf: &Bound<'_, Task>, is_shielded: bool) -> Operation {
        Task::waiting(slf, For::Scope { is_shielded }, "scope")
    }

    fn waiting(slf: &Bound<'_, Task>, purpose: For, call: &'static str) -> Operation {
        let source = Ending::new(Of(slf.clone().unbind()));
        let waits =
            Awaits { source, purpose, is_bounded: false, stall: None, was_refused: false, hook: None, kept: None };
        Operation::new(Face::Object(call), vec![Source::Object(Box::new(waits))], None)
    }
}

impl Awaits {
    fn take_hook(&mut self) {
        if let Some(key) = self.kept.take() {
            self.hook = self.source.holder.with(|content| content.rare.as_mut()?.hooks.as_mut()?.remove(&key));
        }
    }
}

impl fearless_core::select::Source for Awaits {
    fn attempt(&mut self) -> bool {
        self.source.attempt()
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        let waits = self.source.enlist(waiter, operation);
        if waits && let Some(hook) = self.hook.take() {
            let key = hook.as_ptr().addr();
            // A call waits for a task once, so nothing is displaced here.
            self.source.holder.with(|content| content.rare().hooks.get_or_insert_default().insert(key, hook));
            self.kept = Some(key);
        }
        if waits && !self.is_bounded {
            let is_firm = self.purpose == For::Scope { is_shielded: true };
            let task = self.source.holder.0.get();
            let stall = Python::attach(|py| task.stall(py, waiter, is_firm));
            self.stall = stall.map(|stall| (stall, Arc::clone(waiter)));
        }
        waits
    }

    fn act(&mut self) -> bool {
        self.withdraw();
        self.attempt()
    }

    /// A wait that was refused has come to an end, too.
    fn withdraw(&mut self) -> bool {
        self.take_hook();
        if let Some((stall, waiter)) = self.stall.take() {
            drop(stall);
            self.was_refused = waiter.claimed() == Some(Claim::Refused);
        }
        self.source.withdraw();
        self.was_refused
    }
}

impl Waiting for Awaits {
    fn address(&self) -> usize {
        self.source.holder.0.as_ptr().addr()
    }

    fn is_point(&self) -> bool {
        self.purpose != For::Scope { is_shielded: true }
    }

    fn begin(&mut self, py: Python<'_>) -> PyResult<()> {
        let task = self.source.holder.0.get();
        if self.is_point() && scope::may_be_inside_task() {
            self.is_bounded = scope::current_of_task(py)?.is_some_and(|scope| scope.deadline().is_some());
        }
        if task.is_done() { Ok(()) } else { task.refuse_deadlock("await") }
    }

    fn outcome(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        if self.was_refused {
            return Err(Stall::refusal("await"));
        }
        if self.purpose != For::Outcome {
            return Ok(py.None());
        }
        Task::settled(self.source.holder.0.bind(py)).map_err(|error| {
            if !error.is_instance_of::<PyStopIteration>(py) {
                return error;
            }
            // Out of an awaitable it would be a result.
            let outside = PyRuntimeError::new_err("the task raised StopIteration");
            outside.set_cause(py, Some(error));
            outside
        })
    }

    fn set_hook(&mut self, hook: Option<Py<PyAny>>) -> Option<Py<PyAny>> {
        std::mem::replace(&mut self.hook, hook)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.source.holder.0)?;
        visit.call(&self.hook)
    }
}
