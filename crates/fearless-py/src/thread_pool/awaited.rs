//! `submit_async`: waiting for room as a coroutine.
//!
//! Not here: the wait itself (`operation.rs`), and who is let in.

use fearless_core::{
    select,
    sync::Arc,
    thread_pool::{self as core, Submit, Submitting},
    waiter::Waiter,
};
use pyo3::{PyTraverseError, PyVisit, prelude::*};

use super::{Queue, ThreadPool, worker};
use crate::{
    crossing, errors,
    hooks::Hooks,
    operation::{Face, Operation},
    source::Source,
    task::Task,
    waits::{Gives, Object, Of, Waits},
};

impl Object for Queue {
    type Core = core::ThreadPool<Py<Task>>;

    fn core(&self) -> &core::ThreadPool<Py<Task>> {
        &self.core
    }

    fn hooks(&self) -> &Hooks {
        &self.hooks
    }
}

/// A submission. One that was not accepted cancels its task in the end, which closes what was moved into the call.
struct Submission {
    source: Submitting<Of<Queue>, Py<Task>>,
    pool: Py<ThreadPool>,
    task: Py<Task>,
    is_accepted: bool,
}

impl ThreadPool {
    /// The call that waits for room for `task`.
    pub(super) fn submitting(slf: &Bound<'_, ThreadPool>, task: &Bound<'_, Task>) -> PyResult<Operation> {
        let py = slf.py();
        let queue = slf.get()._queue()?.bind(py);
        let is_mine = queue.get().is_mine();
        task.get().belongs_to(queue.get().number, if is_mine { worker::run() } else { 0 });
        let submission = Submission {
            source: Submitting::new(Of::new(queue), crossing::reference(task), is_mine),
            pool: slf.clone().unbind(),
            task: task.clone().unbind(),
            is_accepted: false,
        };
        Ok(Operation::new(Face::Object("submit_async"), vec![Source::Object(Waits::boxed(submission))], None))
    }
}

impl select::Source for Submission {
    fn attempt(&mut self) -> bool {
        self.source.attempt()
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        self.source.enlist(waiter, operation)
    }

    fn act(&mut self) -> bool {
        self.source.act()
    }

    fn withdraw(&mut self) -> bool {
        self.source.withdraw()
    }
}

impl Gives for Submission {
    type Object = Queue;

    fn holder(&self) -> &Of<Queue> {
        &self.source.holder
    }

    fn outcome(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self.source.outcome.take() {
            Some(Submit::Queued(_)) => {}
            Some(Submit::Start) => ThreadPool::start_worker(self.pool.bind(py))?,
            _ => return Err(self.source.holder.get().refusal()),
        }
        self.is_accepted = true;
        Ok(self.task.clone_ref(py).into_any())
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.source.task)?;
        visit.call(&self.pool)?;
        visit.call(&self.task)
    }
}

impl Drop for Submission {
    fn drop(&mut self) {
        if !self.is_accepted {
            errors::in_drop(|py| {
                let task = self.task.bind(py);
                if let Err(error) = Task::abandon(task) {
                    error.write_unraisable(py, Some(task));
                }
            });
        }
    }
}
