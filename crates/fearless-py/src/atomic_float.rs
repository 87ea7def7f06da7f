//! `AtomicFloat` over `fearless_core::atomic_float`. Conversions only; waiting is in `watched.rs`.

use fearless_core::atomic_float as core;
use pyo3::{IntoPyObjectExt, PyTraverseError, PyVisit, prelude::*, types::PyDict};

use crate::{
    operation::Operation,
    python,
    shortcut::shortcuts,
    watched::{self, Atomic, Watched, watched},
};

/// A float that threads share without a lock. Sequentially consistent.
///
/// Compares and hashes by identity: say `a.load() == 0.5`. `float(a)` and `bool(a)` read it once. Each method is atomic;
/// two in a row are not. The order of additions is that in which threads come, so the last digits of a sum may differ.
///
/// Thread safety: every method is atomic.
#[pyclass(frozen, weakref, module = "fearless")]
pub(crate) struct AtomicFloat {
    core: core::AtomicFloat,
    watched: Watched,
}

watched!(AtomicFloat);

impl Atomic for AtomicFloat {
    fn now(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.core.load().into_py_any(py)
    }
}

#[pymethods]
impl AtomicFloat {
    /// An atomic that starts at `value`.
    #[new]
    #[pyo3(signature = (value=0.0))]
    fn new(value: f64) -> AtomicFloat {
        AtomicFloat { core: core::AtomicFloat::new(value), watched: Watched::default() }
    }

    /// Return the value.
    fn load(&self) -> f64 {
        self.core.load()
    }

    /// Set the value.
    #[pyo3(signature = (value, /))]
    fn store(&self, py: Python<'_>, value: f64) {
        self.core.store(value);
        self.watched.changed(py);
    }

    /// Set the value and return the one before.
    #[pyo3(signature = (value, /))]
    fn swap(&self, py: Python<'_>, value: f64) -> f64 {
        let before = self.core.swap(value);
        self.watched.changed(py);
        before
    }

    /// Set `new` if the value is `current`; return whether it was. 0.0 is -0.0 here, and NaN is NaN.
    #[pyo3(signature = (current, new, /))]
    fn compare_exchange(&self, py: Python<'_>, current: f64, new: f64) -> bool {
        let was_current = self.core.compare_exchange(current, new).is_ok();
        if was_current {
            self.watched.changed(py);
        }
        was_current
    }

    /// Add `amount`. A sum that is too large is infinite, as for any float.
    #[pyo3(signature = (amount, /))]
    fn add(&self, py: Python<'_>, amount: f64) {
        self.fetch_add(py, amount);
    }

    /// Subtract `amount`.
    #[pyo3(signature = (amount, /))]
    fn sub(&self, py: Python<'_>, amount: f64) {
        self.fetch_sub(py, amount);
    }

    /// Add `amount` and return the value before.
    #[pyo3(signature = (amount, /))]
    fn fetch_add(&self, py: Python<'_>, amount: f64) -> f64 {
        let before = self.core.fetch_add(amount);
        self.watched.changed(py);
        before
    }

    /// Subtract `amount` and return the value before.
    #[pyo3(signature = (amount, /))]
    fn fetch_sub(&self, py: Python<'_>, amount: f64) -> f64 {
        let before = self.core.fetch_sub(amount);
        self.watched.changed(py);
        before
    }

    /// Set the value to `other` if that is less, or the value is NaN; return the one before.
    #[pyo3(signature = (other, /))]
    fn fetch_min(&self, py: Python<'_>, other: f64) -> f64 {
        let before = self.core.fetch_min(other);
        self.watched.changed(py);
        before
    }

    /// Set the value to `other` if that is greater, or the value is NaN; return the one before.
    #[pyo3(signature = (other, /))]
    fn fetch_max(&self, py: Python<'_>, other: f64) -> f64 {
        let before = self.core.fetch_max(other);
        self.watched.changed(py);
        before
    }

    /// Store `function(value)` and return it; calls again if another thread changed the value meanwhile.
    #[pyo3(signature = (function, /))]
    fn update(&self, function: &Bound<'_, PyAny>) -> PyResult<f64> {
        let py = function.py();
        let mut seen = self.core.load();
        loop {
            let new = python::call_with(function, &seen.into_bound_py_any(py)?)?.extract()?;
            match self.core.replace(seen, new) {
                Ok(()) => {
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

    fn __iadd__(&self, py: Python<'_>, amount: f64) {
        self.add(py, amount);
    }

    fn __isub__(&self, py: Python<'_>, amount: f64) {
        self.sub(py, amount);
    }

    fn __float__(&self) -> f64 {
        self.core.load()
    }

    fn __bool__(&self) -> bool {
        self.core.load() != 0.0
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let value = python::repr(&self.core.load().into_bound_py_any(py)?)?;
        Ok(format!("<AtomicFloat {value}{}>", self.watched.described()))
    }

    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        Err(watched::not_picklable("an AtomicFloat", "a.load()"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.watched.hooks().traverse(&visit)
    }

    fn __clear__(&self) {
        self.watched.hooks().clear();
    }
}

shortcuts! { AtomicFloat, install_shortcuts:
    fn load(this, _py) -> f64, |_| None, Some(this.core.load());
    fn store(this, _py, value) -> (), |this| Some(&this.watched), {
        this.core.store(value.float()?);
        Some(())
    };
    fn add(this, _py, amount) -> (), |this| Some(&this.watched), { this.core.fetch_add(amount.float()?); Some(()) };
}
