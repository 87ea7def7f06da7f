//! What attached threads share for moments: plain memory where the GIL makes them take turns, a lock elsewhere.
//!
//! An uncontended lock still costs two locked instructions an access, which on a GIL build buy nothing: a quarter of a send
//! or a receive. Not here: any waiting; the lock of the free-threaded build is held for a few instructions.

use fearless_core::sync::Locks;
use pyo3::Python;

/// The locks of containers that only attached threads use (a container of Python objects has no other users), and that
/// run no Python while they are locked.
pub(crate) struct Attached;

impl Locks for Attached {
    #[cfg(Py_GIL_DISABLED)]
    type Of<T> = fearless_core::sync::Mutex<T>;
    #[cfg(not(Py_GIL_DISABLED))]
    type Of<T> = turn::Turn<T>;
}

#[cfg(not(Py_GIL_DISABLED))]
mod turn {
    use std::{
        cell::{Cell, UnsafeCell},
        marker::PhantomData,
        ops::{Deref, DerefMut},
    };

    use fearless_core::sync::Lock;

    /// A lock whose key is the GIL: attached threads take turns, and a turn cannot end while it is locked.
    pub(crate) struct Turn<T> {
        is_locked: Cell<bool>,
        inside: UnsafeCell<T>,
    }

    // SAFETY: only attached threads lock it (`Attached` says so), and those of a GIL build exclude each other. Should one run
    // Python while it has the lock, and so let another in, that one panics in `lock`.
    unsafe impl<T: Send> Sync for Turn<T> {}

    /// Holds the lock; for the thread that locked.
    pub(crate) struct Key<'a, T> {
        turn: &'a Turn<T>,
        stays: PhantomData<*const ()>,
    }

    impl<T> Lock<T> for Turn<T> {
        type Guard<'a>
            = Key<'a, T>
        where
            T: 'a;

        fn new(content: T) -> Turn<T> {
            Turn { is_locked: Cell::new(false), inside: UnsafeCell::new(content) }
        }

        #[inline]
        fn lock(&self) -> Key<'_, T> {
            debug_assert!(is_attached(), "a container of Python objects is used by a detached thread");
            assert!(!self.is_locked.replace(true), "a container of Python objects is used while it is locked");
            Key { turn: self, stays: PhantomData }
        }
    }

    fn is_attached() -> bool {
        // SAFETY: asks for the state of the calling thread, and may be called at any time.
        unsafe { pyo3::ffi::PyGILState_Check() == 1 }
    }

    impl<T> Deref for Key<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            // SAFETY: `is_locked` lets one key exist at a time.
            unsafe { &*self.turn.inside.get() }
        }
    }

    impl<T> DerefMut for Key<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            // SAFETY: as above, and this borrow of the key is exclusive.
            unsafe { &mut *self.turn.inside.get() }
        }
    }

    impl<T> Drop for Key<'_, T> {
        fn drop(&mut self) {
            self.turn.is_locked.set(false);
        }
    }
}

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
