//! A place in the count of a scope for whoever adds to it from outside: the block is not left while he is at it.
//!
//! An object rather than two calls: a signal handler can raise between any two calls, and then it is dropped. It is not left
//! to that alone: whoever looks at the frames of threads, as debuggers do, may keep the frame that had it.
//!
//! Not here: the tasks, which are counted themselves.

use std::sync::{Mutex, PoisonError};

use fearless_core::scope::Counted;
use pyo3::{prelude::*, types::PyTuple};

use crate::loop_queue;

/// Counts as a task of its scope does, until its `with` block ends or it is dropped.
///
/// Thread safety: internally synchronized.
#[pyclass(frozen, name = "_Hold", module = "fearless._core")]
pub(crate) struct Hold {
    counted: Mutex<Option<Counted>>,
}

impl Hold {
    pub(super) fn new(counted: Counted) -> Hold {
        Hold { counted: Mutex::new(Some(counted)) }
    }

    /// What has to be told of the end, if it has not ended before.
    fn end(&self) -> bool {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(counted) = counted else { return false };
        counted.end().wake();
        true
    }
}

#[pymethods]
impl Hold {
    fn __enter__(&self) {}

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, py: Python<'_>, _error: &Bound<'_, PyTuple>) {
        if self.end() {
            loop_queue::send(py);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.end() {
            loop_queue::send_in_drop();
        }
    }
}
