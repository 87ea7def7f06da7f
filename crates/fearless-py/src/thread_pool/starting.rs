//! Having a worker started, and what becomes of the tasks when that fails.
//!
//! A signal handler can raise at any line of Python, also before there is a thread and after it has begun. So what decides
//! whether there is a worker is a list with one *place*, which is taken once: by the worker when it begins, or here.
//!
//! Not here: the thread, which `fearless.pools` starts.

use pyo3::{
    exceptions::{PyIndexError, PyRuntimeError},
    prelude::*,
    types::PyList,
};

use super::{Queue, ThreadPool};
use crate::{kept::name, loop_queue, python};

impl ThreadPool {
    /// Has one more worker started, for the task that was just queued.
    #[cold]
    pub(super) fn start_worker(slf: &Bound<'_, ThreadPool>) -> PyResult<()> {
        let py = slf.py();
        let place = PyList::new(py, [py.None()])?;
        let Err(error) = python::method_with(slf, name!(py, "_start_worker")?, &place) else { return Ok(()) };
        match python::method0(&place, name!(py, "pop")?) {
            Ok(_) => {}
            Err(taken) if taken.is_instance_of::<PyIndexError>(py) => return Err(error), // a signal handler's, and the worker runs
            Err(failure) => return Err(failure),
        }
        let is_stranded = slf.get()._queue()?.get().not_started(py, &error)?;
        if is_stranded || !error.is_instance_of::<PyRuntimeError>(py) {
            return Err(error);
        }
        Ok(()) // there are other workers, who will do
    }
}

impl Queue {
    /// A worker that was to be started does not exist. If it was to be the only one, all tasks fail; whether that happened.
    fn not_started(&self, py: Python<'_>, error: &PyErr) -> PyResult<bool> {
        let (stranded, wakes) = self.core.not_started();
        loop_queue::wake(py, wakes);
        let is_stranded = !stranded.is_empty();
        let text = format!("no thread could be started to run the task: {}", python::str(error.value(py))?);
        Queue::fail_all(py, stranded, || PyRuntimeError::new_err(text.clone())).map(|()| is_stranded)
    }
}
