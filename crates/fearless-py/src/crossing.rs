//! References that another thread will drop.
//!
//! A free-threaded interpreter counts the references that an object's maker takes apart from those of all other threads.
//! Another thread that drops one of the maker's cannot count it down: it has the object queued with the maker, under a lock
//! that all of these meet at, and the maker is interrupted to do the counting. So a reference that is going to be dropped
//! elsewhere is counted with those of the others from the start, as if its dropper had taken it. With a GIL there is one count.
//!
//! An object that its maker gives away with its last reference is then nobody's, and whoever drops it frees it; else a result
//! would live until the worker that made it runs some Python again. Not here: when anything is dropped.

#[cfg(Py_GIL_DISABLED)]
use std::sync::atomic::Ordering::Relaxed;

use pyo3::prelude::*;

/// A further reference to `object`, for another thread to drop.
#[inline]
pub(crate) fn reference<T>(object: &Bound<'_, T>) -> Py<T> {
    #[cfg(Py_GIL_DISABLED)]
    if is_taken_as_other(object.as_any()) {
        // SAFETY: the reference has just been taken.
        let taken = unsafe { Bound::from_owned_ptr(object.py(), object.as_ptr()) };
        // SAFETY: it is the object that `object` refers to, which is a `T`.
        return unsafe { taken.cast_into_unchecked::<T>() }.unbind();
    }
    object.clone().unbind()
}

/// A reference that is given away, to be dropped by another thread.
#[inline]
pub(crate) fn give(py: Python<'_>, object: Py<PyAny>) -> Py<PyAny> {
    if cfg!(Py_GIL_DISABLED) { reference(object.bind(py)) } else { object }
}

/// Takes a reference as `Py_INCREF` does on a thread that did not make the object, unless nobody counts it.
#[cfg(Py_GIL_DISABLED)]
fn is_taken_as_other(object: &Bound<'_, PyAny>) -> bool {
    /// `1 << _Py_REF_SHARED_SHIFT`: in the two bits below, the maker says what it has done with its own count.
    const ONE: isize = 1 << 2;
    /// `_Py_IMMORTAL_REFCNT_LOCAL`.
    const IMMORTAL: u32 = u32::MAX;
    // SAFETY: `object` keeps it alive, and both counts are atomics, which any thread may use. No more than these is borrowed:
    // the fields beside them are the interpreter's to change meanwhile.
    let (local, shared) = unsafe { (&(*object.as_ptr()).ob_ref_local, &(*object.as_ptr()).ob_ref_shared) };
    let is_counted = local.load(Relaxed) != IMMORTAL;
    if is_counted {
        shared.fetch_add(ONE, Relaxed);
    }
    is_counted
}
