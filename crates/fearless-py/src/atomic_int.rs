//! `AtomicInt` over `fearless_core::atomic_int`. Conversions only; waiting is in `watched.rs`.

use fearless_core::atomic_int as core;
use pyo3::{IntoPyObjectExt, PyTraverseError, PyVisit, exceptions::PyOverflowError, prelude::*, types::PyDict};

use crate::{
    operation::Operation,
    python,
    shortcut::shortcuts,
    watched::{self, Atomic, Watched, watched},
};

/// A 64-bit integer that threads share without a lock. Sequentially consistent; it never wraps.
///
/// Compares and hashes by identity: what `a == 5` found could be over before the answer is used. Say `a.load() == 5`
/// or `int(a)`; `bool(a)` reads it once, too. Each method is atomic; two in a row are not (`if a.load(): a.add(-1)` is a
/// race).
///
/// Thread safety: every method is atomic.
#[pyclass(frozen, weakref, module = "fearless")]
pub(crate) struct AtomicInt {
    core: core::AtomicInt,
    watched: Watched,
}

watched!(AtomicInt);

impl Atomic for AtomicInt {
    fn now(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.core.load().into_py_any(py)
    }
}

impl AtomicInt {
    /// Tells those who wait of the change that was made, unless it was refused.
    fn changed(
        &self,
        py: Python<'_>,
        outcome: Result<i64, core::Overflow>,
        operator: char,
        amount: i64,
    ) -> PyResult<i64> {
        match outcome {
            Ok(before) => {
                self.watched.changed(py);
                Ok(before)
            }
            Err(overflow) => Err(does_not_fit(&overflow, operator, amount)),
        }
    }

    /// Makes a change that cannot be refused.
    fn fetch(&self, operand: &Bound<'_, PyAny>, change: impl FnOnce(&core::AtomicInt, i64) -> i64) -> PyResult<i64> {
        let before = change(&self.core, number(operand)?);
        self.watched.changed(operand.py());
        Ok(before)
    }
}

#[pymethods]
impl AtomicInt {
    /// An atomic that starts at `value`.
    #[new]
    #[pyo3(signature = (value=None))]
    fn new(value: Option<&Bound<'_, PyAny>>) -> PyResult<AtomicInt> {
        Ok(AtomicInt { core: core::AtomicInt::new(value.map_or(Ok(0), number)?), watched: Watched::default() })
    }

    /// Return the value.
    fn load(&self) -> i64 {
        self.core.load()
    }

    /// Set the value.
    #[pyo3(signature = (value, /))]
    fn store(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.core.store(number(value)?);
        self.watched.changed(value.py());
        Ok(())
    }

    /// Set the value and return the one before.
    #[pyo3(signature = (value, /))]
    fn swap(&self, value: &Bound<'_, PyAny>) -> PyResult<i64> {
        self.fetch(value, core::AtomicInt::swap)
    }

    /// Set `new` if the value is `current`; return whether it was.
    #[pyo3(signature = (current, new, /))]
    fn compare_exchange(&self, current: &Bound<'_, PyAny>, new: &Bound<'_, PyAny>) -> PyResult<bool> {
        let was_current = self.core.compare_exchange(number(current)?, number(new)?).is_ok();
        if was_current {
            self.watched.changed(new.py());
        }
        Ok(was_current)
    }

    /// Add `amount`.
    ///
    /// Raises: `OverflowError` if the sum does not fit 64 bits; the value is then untouched.
    #[pyo3(signature = (amount, /))]
    fn add(&self, amount: &Bound<'_, PyAny>) -> PyResult<()> {
        self.fetch_add(amount).map(drop)
    }

    /// Subtract `amount`.
    ///
    /// Raises: `OverflowError` if the difference does not fit 64 bits; the value is then untouched.
    #[pyo3(signature = (amount, /))]
    fn sub(&self, amount: &Bound<'_, PyAny>) -> PyResult<()> {
        self.fetch_sub(amount).map(drop)
    }

    /// Add `amount` and return the value before.
    ///
    /// Raises: `OverflowError` if the sum does not fit 64 bits; the value is then untouched.
    #[pyo3(signature = (amount, /))]
    fn fetch_add(&self, amount: &Bound<'_, PyAny>) -> PyResult<i64> {
        let py = amount.py();
        let amount = number(amount)?;
        self.changed(py, self.core.fetch_add(amount), '+', amount)
    }

    /// Subtract `amount` and return the value before.
    ///
    /// Raises: `OverflowError` if the difference does not fit 64 bits; the value is then untouched.
    #[pyo3(signature = (amount, /))]
    fn fetch_sub(&self, amount: &Bound<'_, PyAny>) -> PyResult<i64> {
        let py = amount.py();
        let amount = number(amount)?;
        self.changed(py, self.core.fetch_sub(amount), '-', amount)
    }

    /// Set the value to `value & bits`; return the one before.
    #[pyo3(signature = (bits, /))]
    fn fetch_and(&self, bits: &Bound<'_, PyAny>) -> PyResult<i64> {
        self.fetch(bits, core::AtomicInt::fetch_and)
    }

    /// Set the value to `value | bits`; return the one before.
    #[pyo3(signature = (bits, /))]
    fn fetch_or(&self, bits: &Bound<'_, PyAny>) -> PyResult<i64> {
        self.fetch(bits, core::AtomicInt::fetch_or)
    }

    /// Set the value to `value ^ bits`; return the one before.
    #[pyo3(signature = (bits, /))]
    fn fetch_xor(&self, bits: &Bound<'_, PyAny>) -> PyResult<i64> {
        self.fetch(bits, core::AtomicInt::fetch_xor)
    }

    /// Set the value to `other` if that is less; return the one before.
    #[pyo3(signature = (other, /))]
    fn fetch_min(&self, other: &Bound<'_, PyAny>) -> PyResult<i64> {
        self.fetch(other, core::AtomicInt::fetch_min)
    }

    /// Set the value to `other` if that is greater; return the one before.
    #[pyo3(signature = (other, /))]
    fn fetch_max(&self, other: &Bound<'_, PyAny>) -> PyResult<i64> {
        self.fetch(other, core::AtomicInt::fetch_max)
    }

    /// Store `function(value)` and return it; calls again if another thread changed the value meanwhile.
    #[pyo3(signature = (function, /))]
    fn update(&self, function: &Bound<'_, PyAny>) -> PyResult<i64> {
        let py = function.py();
        let mut seen = self.core.load();
        loop {
            let new = number(&python::call_with(function, &seen.into_bound_py_any(py)?)?)?;
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

    fn __iadd__(&self, amount: &Bound<'_, PyAny>) -> PyResult<()> {
        self.add(amount)
    }

    fn __isub__(&self, amount: &Bound<'_, PyAny>) -> PyResult<()> {
        self.sub(amount)
    }

    fn __int__(&self) -> i64 {
        self.core.load()
    }

    fn __bool__(&self) -> bool {
        self.core.load() != 0
    }

    fn __repr__(&self) -> String {
        format!("<AtomicInt {}{}>", self.core.load(), self.watched.described())
    }

    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        Err(watched::not_picklable("an AtomicInt", "a.load()"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.watched.hooks().traverse(&visit)
    }

    fn __clear__(&self) {
        self.watched.hooks().clear();
    }
}

shortcuts! { AtomicInt, install_shortcuts:
    fn load(this, _py) -> i64, |_| None, Some(this.core.load());
    fn store(this, _py, value) -> (), |this| Some(&this.watched), {
        this.core.store(value.int()?);
        Some(())
    };
    fn add(this, _py, amount) -> (), |this| Some(&this.watched), this.core.fetch_add(amount.int()?).map(drop).ok();
    fn fetch_add(this, _py, amount) -> i64, |this| Some(&this.watched), this.core.fetch_add(amount.int()?).ok();
}

fn does_not_fit(overflow: &core::Overflow, operator: char, amount: i64) -> PyErr {
    PyOverflowError::new_err(format!(
        "an AtomicInt holds 64 bits: {} {operator} {amount} does not fit, the value is unchanged",
        overflow.value
    ))
}

fn number(value: &Bound<'_, PyAny>) -> PyResult<i64> {
    word(value, "an AtomicInt")
}

/// A number that fits what `holder` holds, or an error with the rule and the value.
pub(crate) fn word(value: &Bound<'_, PyAny>, holder: &str) -> PyResult<i64> {
    value.extract().map_err(|error: PyErr| {
        if error.is_instance_of::<PyOverflowError>(value.py()) {
            match python::str(value) {
                Ok(value) => {
                    PyOverflowError::new_err(format!("{holder} holds 64 bits: -2**63 <= value < 2**63, got {value}"))
                }
                Err(error) => error,
            }
        } else {
            error
        }
    })
}
