//! Who holds a lock: the calling thread, or the task that acquired it by await.
//!
//! A task is told by the address of its object, which whoever holds for it keeps alive. Not here: what a holder may do;
//! see `fearless_core::owner`.

use fearless_core::owner::Owner;
use pyo3::{PyTraverseError, PyVisit, exceptions::PyRuntimeError, prelude::*};

use crate::{kept::Kept, python, thread};

/// A holder, with the task that it stands for.
pub(crate) struct Holder {
    pub(crate) owner: Owner,
    task: Option<Py<PyAny>>,
}

impl Holder {
    /// The calling thread.
    pub(crate) fn thread() -> Holder {
        Holder { owner: thread::owner(), task: None }
    }

    /// The task that runs on this thread. Raises: `RuntimeError` if none does.
    pub(crate) fn task(py: Python<'_>, call: &str) -> PyResult<Holder> {
        let holder = Holder::caller(py)?;
        if holder.task.is_none() {
            return Err(PyRuntimeError::new_err(format!("{call} has to be awaited in a task of asyncio or trio")));
        }
        Ok(holder)
    }

    /// The task that runs on this thread; the thread if none does.
    pub(crate) fn caller(py: Python<'_>) -> PyResult<Holder> {
        let task = current_task(py)?;
        if task.is_none() {
            return Ok(Holder::thread());
        }
        let owner = Owner { thread: thread::ident(), task: task.as_ptr().addr() as u64 };
        Ok(Holder { owner, task: Some(task.unbind()) })
    }

    /// The same holder, for another of its acquisitions.
    pub(crate) fn clone_ref(&self, py: Python<'_>) -> Holder {
        Holder { owner: self.owner, task: self.task.as_ref().map(|task| task.clone_ref(py)) }
    }

    /// Whether it is the caller.
    pub(crate) fn is_caller(&self, py: Python<'_>) -> PyResult<bool> {
        if self.owner.thread != thread::ident() {
            return Ok(false);
        }
        match &self.task {
            None => Ok(true),
            Some(task) => Ok(current_task(py)?.is(task)),
        }
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.task)
    }
}

/// The task that runs on this thread, or `None`.
fn current_task(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static CURRENT: Kept<PyAny> = Kept::new();
    python::call0(CURRENT.get(py, || python::import(py, "fearless._loops")?.getattr("current_task"))?)
}
