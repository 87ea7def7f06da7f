//! `AtomicInt` over `fearless_core::atomic_int`. Conversions only.

use fearless_core::atomic_int as core;
use pyo3::{exceptions::PyOverflowError, prelude::*};

use crate::python;

/// A 64-bit integer that threads share without a lock. Sequentially consistent; it never wraps.
///
/// Compares and hashes by identity: what `a == 5` found could be over before the answer is used. Say `a.load() == 5`
/// or `int(a)`. Each method is atomic; two in a row are not (`if a.load(): a.add(-1)` is a race).
///
/// Thread safety: every method is atomic.
#[pyclass(frozen, weakref, module = "fearless")]
pub(crate) struct AtomicInt {
    core: core::AtomicInt,
}

#[pymethods]
impl AtomicInt {
    /// An atomic that starts at `value`.
    #[new]
    #[pyo3(signature = (value=None))]
    fn new(value: Option<&Bound<'_, PyAny>>) -> PyResult<AtomicInt> {
        Ok(AtomicInt { core: core::AtomicInt::new(value.map_or(Ok(0), word)?) })
    }

    /// Return the value.
    fn load(&self) -> i64 {
        self.core.load()
    }

    /// Set the value.
    fn store(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.core.store(word(value)?);
        Ok(())
    }

    /// Set the value and return the one before.
    fn swap(&self, value: &Bound<'_, PyAny>) -> PyResult<i64> {
        Ok(self.core.swap(word(value)?))
    }

    /// Set `new` if the value is `current`; return whether it was.
    fn compare_exchange(&self, current: &Bound<'_, PyAny>, new: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.core.compare_exchange(word(current)?, word(new)?).is_ok())
    }

    /// Add `amount`.
    ///
    /// Raises: `OverflowError` if the sum does not fit 64 bits; the value is then untouched.
    fn add(&self, amount: &Bound<'_, PyAny>) -> PyResult<()> {
        self.fetch_add(amount).map(drop)
    }

    /// Add `amount` and return the value before.
    ///
    /// Raises: `OverflowError` if the sum does not fit 64 bits; the value is then untouched.
    fn fetch_add(&self, amount: &Bound<'_, PyAny>) -> PyResult<i64> {
        let amount = word(amount)?;
        self.core.fetch_add(amount).map_err(|overflow| does_not_fit(&overflow, '+', amount))
    }

    /// Store `function(value)` and return it; calls again if another thread changed the value meanwhile.
    fn update(&self, function: &Bound<'_, PyAny>) -> PyResult<i64> {
        let mut seen = self.core.load();
        loop {
            let value = seen.into_pyobject(function.py())?.into_any();
            let new = word(&python::call_with(function, &value)?)?;
            match self.core.compare_exchange(seen, new) {
                Ok(_) => return Ok(new),
                Err(now) => seen = now,
            }
        }
    }

    fn __iadd__(&self, amount: &Bound<'_, PyAny>) -> PyResult<()> {
        self.add(amount)
    }

    fn __isub__(&self, amount: &Bound<'_, PyAny>) -> PyResult<()> {
        let amount = word(amount)?;
        self.core.fetch_sub(amount).map(drop).map_err(|overflow| does_not_fit(&overflow, '-', amount))
    }

    fn __int__(&self) -> i64 {
        self.core.load()
    }

    fn __repr__(&self) -> String {
        format!("<AtomicInt {}>", self.core.load())
    }
}

fn does_not_fit(overflow: &core::Overflow, operator: char, amount: i64) -> PyErr {
    PyOverflowError::new_err(format!(
        "an AtomicInt holds 64 bits: {} {operator} {amount} does not fit, the value is unchanged",
        overflow.value
    ))
}

/// A number that fits, or an error with the rule and the value.
fn word(value: &Bound<'_, PyAny>) -> PyResult<i64> {
    value.extract().map_err(|error: PyErr| {
        if error.is_instance_of::<PyOverflowError>(value.py()) {
            PyOverflowError::new_err(format!("an AtomicInt holds 64 bits: -2**63 <= value < 2**63, got {value}"))
        } else {
            error
        }
    })
}
