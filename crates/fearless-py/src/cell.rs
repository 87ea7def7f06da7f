//! A cell for what attached threads share for moments: a plain one where the GIL makes them take turns, a lock elsewhere.
//!
//! An uncontended lock still costs two locked instructions an access, which on a GIL build buy nothing. Not here: any
//! waiting; the lock of the free-threaded build is held for a few instructions.

use pyo3::Python;

/// Holds a `T` for attached threads.
pub(crate) struct Cell<T> {
    #[cfg(Py_GIL_DISABLED)]
    inside: std::sync::Mutex<T>,
    #[cfg(not(Py_GIL_DISABLED))]
    inside: std::cell::UnsafeCell<T>,
}

// SAFETY: the content is reached only through `with`, whose callers are attached (they have a `Python`), and attached
// threads of a GIL build exclude each other.
#[cfg(not(Py_GIL_DISABLED))]
unsafe impl<T: Send> Sync for Cell<T> {}

impl<T> Cell<T> {
    pub(crate) fn new(content: T) -> Cell<T> {
        Cell { inside: content.into() }
    }

    /// Calls `edit` with the content. It must not run Python (no call, no drop of an object) and not come back here:
    /// the GIL could change hands in it.
    #[cfg(Py_GIL_DISABLED)]
    pub(crate) fn with<R>(&self, _py: Python<'_>, edit: impl FnOnce(&mut T) -> R) -> R {
        edit(&mut self.inside.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Calls `edit` with the content. It must not run Python (no call, no drop of an object) and not come back here:
    /// the GIL could change hands in it.
    #[cfg(not(Py_GIL_DISABLED))]
    pub(crate) fn with<R>(&self, _py: Python<'_>, edit: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: `_py` proves that this thread holds the GIL, and `edit` neither gives it up nor calls `with` again
        // (see above), so this is the only reference.
        edit(unsafe { &mut *self.inside.get() })
    }

    /// The content, for its sole owner.
    pub(crate) fn get_mut(&mut self) -> &mut T {
        #[cfg(Py_GIL_DISABLED)]
        let content = self.inside.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        #[cfg(not(Py_GIL_DISABLED))]
        let content = self.inside.get_mut();
        content
    }

    /// Calls `look` with the content, for the collector, which has stopped every other thread.
    #[cfg(Py_GIL_DISABLED)]
    pub(crate) fn visit<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.inside.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Calls `look` with the content, for the collector, which holds the GIL.
    #[cfg(not(Py_GIL_DISABLED))]
    pub(crate) fn visit<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        // SAFETY: a collection runs on the thread that holds the GIL, and never inside `with`, which runs no Python.
        look(unsafe { &*self.inside.get() })
    }
}
