//! What keeps waiting coroutines alive: the object that they wait for.
//!
//! An event loop holds no strong reference to a task that waits. So the object has one, which the collector sees: as long as
//! somebody can still wake the task it lives, and when nobody can it is collected. Not here: channels, whose wait lists
//! do this themselves.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use pyo3::{PyTraverseError, PyVisit, prelude::*};

type Kept = Option<Box<HashMap<usize, Py<PyAny>>>>;

/// The operations that wait for one object, by address.
#[derive(Default)]
pub(crate) struct Hooks {
    /// Made for the first that waits. The lock is held for no more than the moving of a reference.
    kept: Mutex<Kept>,
}

impl Hooks {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps `operation`; the key to take it back with.
    pub(crate) fn keep(&self, operation: Py<PyAny>) -> usize {
        let key = operation.as_ptr().addr();
        // An operation waits for an object once, so nothing is displaced here.
        self.lock().get_or_insert_default().insert(key, operation);
        key
    }

    /// Takes an operation back.
    pub(crate) fn take(&self, key: usize) -> Option<Py<PyAny>> {
        let mut kept = self.lock();
        let operation = kept.as_mut()?.remove(&key);
        if kept.as_ref().is_some_and(|kept| kept.is_empty()) {
            *kept = None;
        }
        operation
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.lock().iter().flat_map(|kept| kept.values()).try_for_each(|operation| visit.call(operation))
    }

    /// Drops all, for the collector.
    pub(crate) fn clear(&self) {
        let kept = self.lock().take();
        drop(kept);
    }
}
