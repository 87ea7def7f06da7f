//! A place in the count of a scope for whoever adds to it from outside: the block is not left while he is at it.
//!
//! An object rather than two calls: a signal handler can raise between any two calls, and then it is dropped.
//!
//! Not here: the tasks, which are counted themselves.

use fearless_core::scope::Counted;
use pyo3::prelude::*;

use crate::loop_queue;

/// Counts as a task of its scope does, until it is dropped.
///
/// Thread safety: externally synchronized; it belongs to the call that made it.
#[pyclass(frozen, name = "_Hold", module = "fearless._core")]
pub(crate) struct Hold {
    counted: Option<Counted>,
}

impl Hold {
    pub(super) fn new(counted: Counted) -> Hold {
        Hold { counted: Some(counted) }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(counted) = self.counted.take() {
            counted.end().wake();
            loop_queue::send_in_drop();
        }
    }
}
