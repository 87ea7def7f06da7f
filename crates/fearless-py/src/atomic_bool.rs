//! `AtomicBool` over `fearless_core::atomic_bool`. Conversions only; waiting is in `watched.rs`.

use fearless_core::atomic_bool as core;
use pyo3::{IntoPyObjectExt, PyTraverseError, PyVisit, prelude::*, types::PyDict};

use crate::{
    operation::Operation,
    python,
    shortcut::shortcuts,
    watched::{self, Atomic, Watched, watched},
};

/// A flag that threads share without a lock. Sequentially consistent.
///
/// `bool(flag)`, and so `if flag:`, reads it once. It compares and hashes by identity: `flag == True` is false, say
/// `flag.load()`. Each method is atomic; two in a row are not (`if not flag: flag.store(True)` is a race, use `swap`).
///
/// Thread safety: every method is atomic.
#[pyclass(frozen, weakref, module = "fearless")]
pub(crate) struct AtomicBool {
    core: core::AtomicBool,
    watched: Watched,
}

watched!(AtomicBool);

impl Atomic for AtomicBool {
    fn now(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.core.load().into_py_any(py)
    }
}

#[pymethods]
impl AtomicBool {
    /// An atomic that starts at `value`.
    #[new]
    #[pyo3(signature = (value=false))]
    fn new(value: bool) -> AtomicBool {
        AtomicBool { core: core::AtomicBool::new(value), watched: Watched::default() }
    }

    /// Return the value.
    fn load(&self) -> bool {
        self.core.load()
    }

    /// Set the value.
    #[pyo3(signature = (value, /))]
    fn store(&self, py: Python<'_>, value: bool) {
        self.core.store(value);
        self.watched.changed(py);
    }

    /// Set the value and return the one before.
    #[pyo3(signature = (value, /))]
    fn swap(&self, py: Python<'_>, value: bool) -> bool {
        let before = self.core.swap(value);
        self.watched.changed(py);
        before
    }

    /// Set `new` if the value is `current`; return whether it was.
    #[pyo3(signature = (current, new, /))]
    fn compare_exchange(&self, py: Python<'_>, current: bool, new: bool) -> bool {
        let was_current = self.core.compare_exchange(current, new).is_ok();
        if was_current {
            self.watched.changed(py);
        }
        was_current
    }

    /// Set the value to `value and other`; return the one before.
    #[pyo3(signature = (other, /))]
    fn fetch_and(&self, py: Python<'_>, other: bool) -> bool {
        let before = self.core.fetch_and(other);
        self.watched.changed(py);
        before
    }

    /// Set the value to `value or other`; return the one before.
    #[pyo3(signature = (other, /))]
    fn fetch_or(&self, py: Python<'_>, other: bool) -> bool {
        let before = self.core.fetch_or(other);
        self.watched.changed(py);
        before
    }

    /// Set the value to whether it differs from `other`; return the one before.
    #[pyo3(signature = (other, /))]
    fn fetch_xor(&self, py: Python<'_>, other: bool) -> bool {
        let before = self.core.fetch_xor(other);
        self.watched.changed(py);
        before
    }

    /// Set the value to the other one, and return that.
    fn toggle(&self, py: Python<'_>) -> bool {
        !self.fetch_xor(py, true)
    }

    /// Store `function(value)` and return it; calls again if another thread changed the value meanwhile.
    #[pyo3(signature = (function, /))]
    fn update(&self, function: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = function.py();
        let mut seen = self.core.load();
        loop {
            let new = python::call_with(function, &seen.into_bound_py_any(py)?)?.extract()?;
            match self.core.compare_exchange(seen, new) {
                Ok(_) => {
                    self.watched.changed(py);
                    return Ok(new);
                }
                Err(now) => seen = now,
            }
        }
    }

    /// Wait until `predicate(value)` is true, and return that value.
    ///
    /// The predicate is called for the value now, and again after changes; not for each, if they follow each other fast.
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

    fn __bool__(&self) -> bool {
        self.core.load()
    }

    fn __repr__(&self) -> String {
        let value = if self.core.load() { "True" } else { "False" };
        format!("<AtomicBool {value}{}>", self.watched.described())
    }

    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        Err(watched::not_picklable("an AtomicBool", "flag.load()"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.watched.hooks().traverse(&visit)
    }

    fn __clear__(&self) {
        self.watched.hooks().clear();
    }
}

shortcuts! { AtomicBool, install_shortcuts:
    fn load(this, _py) -> bool, |_| None, Some(this.core.load());
    fn store(this, _py, value) -> (), |this| Some(&this.watched), {
        this.core.store(value.truth()?);
        Some(())
    };
    fn swap(this, _py, value) -> bool, |this| Some(&this.watched), Some(this.core.swap(value.truth()?));
}
