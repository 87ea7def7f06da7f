//! `AtomicRef` over `fearless_core::atomic_ref`: the lock around it, identity, garbage collection.
//!
//! What is displaced is dropped after the lock. Not here: the steps themselves, and waiting (`watched.rs`).

use fearless_core::atomic_ref as core;
use pyo3::{PyTraverseError, PyVisit, exceptions::PyTypeError, prelude::*, types::PyDict};

use crate::{
    cell::Cell,
    operation::Operation,
    python,
    shortcut::{Displaced, shortcuts},
    watched::{self, Atomic, Watched, watched},
};

/// A reference that threads share, and replace as a whole, without a lock of their own. Sequentially consistent.
///
/// Values are compared by identity, as by `is`: `compare_exchange` wants the very object that `load` gave. Equal numbers
/// and strings may be one object or two. What the reference leads to is not guarded: share what nobody changes, and
/// replace it.
///
/// Thread safety: every method is atomic.
#[pyclass(frozen, generic, weakref, module = "fearless")]
pub(crate) struct AtomicRef {
    core: Cell<core::AtomicRef<Py<PyAny>>>,
    watched: Watched,
}

watched!(AtomicRef);

impl Atomic for AtomicRef {
    fn now(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(self.load(py))
    }
}

impl AtomicRef {
    /// Sets `new` if the value is `current`; gives back what is to be dropped. What a collector has emptied is `None`.
    fn exchange(
        &self,
        py: Python<'_>,
        current: &Bound<'_, PyAny>,
        new: Py<PyAny>,
    ) -> Result<Option<Py<PyAny>>, Py<PyAny>> {
        let is_current = |value: Option<&Py<PyAny>>| value.map_or(current.is_none(), |value| value.is(current));
        let exchanged = self.core.with(py, |core| core.compare_exchange(is_current, new));
        if exchanged.is_ok() {
            self.watched.changed(py);
        }
        exchanged
    }
}

#[pymethods]
impl AtomicRef {
    /// An atomic that refers to `value`.
    #[new]
    fn new(value: Py<PyAny>) -> AtomicRef {
        AtomicRef { core: Cell::new(core::AtomicRef::new(value)), watched: Watched::default() }
    }

    /// Return the value.
    fn load(&self, py: Python<'_>) -> Py<PyAny> {
        // Inside the cell: nobody can have replaced and dropped what is cloned here.
        self.core.with(py, |core| core.get().map(|value| value.clone_ref(py))).unwrap_or_else(|| py.None())
    }

    /// Set the value.
    #[pyo3(signature = (value, /))]
    fn store(&self, py: Python<'_>, value: Py<PyAny>) {
        let before = self.core.with(py, |core| core.swap(value));
        self.watched.changed(py);
        drop(before);
    }

    /// Set the value and return the one before.
    #[pyo3(signature = (value, /))]
    fn swap(&self, py: Python<'_>, value: Py<PyAny>) -> Option<Py<PyAny>> {
        let before = self.core.with(py, |core| core.swap(value));
        self.watched.changed(py);
        before
    }

    /// Set `new` if the value is the object `current` itself; return whether it was.
    #[pyo3(signature = (current, new, /))]
    fn compare_exchange(&self, current: &Bound<'_, PyAny>, new: Py<PyAny>) -> bool {
        self.exchange(current.py(), current, new).is_ok()
    }

    /// Store `function(value)` and return it; calls again if another thread replaced the value meanwhile.
    #[pyo3(signature = (function, /))]
    fn update(&self, function: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let py = function.py();
        loop {
            // Held here, so that no other object can have its identity.
            let seen = self.load(py).into_bound(py);
            let new = python::call_with(function, &seen)?;
            if self.exchange(py, &seen, new.clone().unbind()).is_ok() {
                return Ok(new.unbind());
            }
        }
    }

    /// Wait until `predicate(value)` is true, and return that value.
    ///
    /// The predicate is called for the value now, and again after the value was replaced; not for each, if they follow
    /// each other fast. A change inside the value tells nobody.
    ///
    /// Blocks: until the predicate is true of the value; a cancellation point; Ctrl-C gets through.
    /// Raises: `Timeout` after `timeout` seconds, `ValueError` if `timeout` is negative or NaN, and what `predicate`
    /// raises.
    #[pyo3(signature = (predicate, timeout=None))]
    fn wait_until(&self, predicate: &Bound<'_, PyAny>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        watched::wait_until(self, predicate, timeout)
    }

    /// Wait for a value as a coroutine. See `wait_until`; the library has its own timeouts.
    fn wait_until_async(slf: &Bound<'_, Self>, predicate: Py<PyAny>) -> Operation {
        watched::wait_until_async(slf, predicate)
    }

    /// Return counts: `waiting`, the threads and tasks that wait for a value.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.watched.stats(py)
    }

    fn __bool__(&self) -> PyResult<bool> {
        Err(PyTypeError::new_err("an AtomicRef has no truth value; say `ref.load()`, or compare that with `is None`"))
    }

    /// Not the value's own, which may be long, or lead back here.
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let class = self.load(py).bind(py).get_type().name()?;
        Ok(format!("<AtomicRef of {class}{}>", self.watched.described()))
    }

    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        Err(watched::not_picklable("an AtomicRef", "ref.load()"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.core.visit(|core| core.get().map_or(Ok(()), |value| visit.call(value)))?;
        self.watched.hooks().traverse(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        let value = self.core.with(py, core::AtomicRef::empty);
        drop(value);
        self.watched.hooks().clear();
    }
}

shortcuts! { AtomicRef, install_shortcuts:
    fn load(this, py) -> Py<PyAny>, |_| None, this.core.with(py, |core| core.get().map(|value| value.clone_ref(py)));
    fn store(this, py, value) -> Displaced, |this| Some(&this.watched), {
        let value = value.owned()?;
        Some(Displaced(this.core.with(py, |core| core.swap(value))))
    };
}
