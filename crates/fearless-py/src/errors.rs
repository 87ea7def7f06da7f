//! The exceptions of `fearless.errors`, made from Rust.
//!
//! Each takes a text that names the rule and the value seen. An error that rejects an item carries it as `.item`.

use std::ffi::CStr;

use pyo3::{exceptions::PyResourceWarning, ffi, import_exception, prelude::*, types::PyType};

import_exception!(fearless.errors, Closed);
import_exception!(fearless.errors, DeadlockError);
import_exception!(fearless.errors, Empty);
import_exception!(fearless.errors, Full);
import_exception!(fearless.errors, GuardReleased);
import_exception!(fearless.errors, MovedError);
import_exception!(fearless.errors, PoisonError);
import_exception!(fearless.errors, Timeout);

use crate::scope::Scope;

/// Hands the rejected item back with the error.
pub(crate) fn with_item(py: Python<'_>, error: PyErr, item: Py<PyAny>) -> PyErr {
    match error.value(py).setattr("item", item) {
        Ok(()) => error,
        Err(error) => error,
    }
}

/// The `Timeout` of `call`, which waited for `what`.
pub(crate) fn timeout(call: &str, what: &str) -> PyErr {
    Timeout::new_err(format!("{call}: {what} within the timeout"))
}

/// The `Cancelled` that belongs to `scope`.
pub(crate) fn cancelled(py: Python<'_>, scope: Scope) -> PyErr {
    let make = || {
        let class = py.import("fearless.errors")?.getattr("Cancelled")?.cast_into::<PyType>()?;
        class.call_method1("_of", (scope,))
    };
    match make() {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

/// Tells that an object was dropped while it still had to be ended. For `Drop`: keeps the exception that is being
/// raised, and never raises.
pub(crate) fn warn_dropped(text: &CStr) {
    Python::try_attach(|py| {
        let saved = Saved::take();
        if let Err(error) = PyErr::warn(py, &py.get_type::<PyResourceWarning>(), text, 1) {
            error.write_unraisable(py, None);
        }
        saved.restore();
    });
}

/// The exception in flight, set aside.
struct Saved([*mut ffi::PyObject; 3]);

impl Saved {
    /// `PyErr::take` would not do: it resumes the panic when the exception is one.
    #[allow(deprecated, reason = "the one pair that exists in every supported version")]
    fn take() -> Saved {
        let mut parts = [std::ptr::null_mut(); 3];
        let [kind, value, traceback] = &mut parts;
        // SAFETY: called attached; the three places are writable and get owned references or null.
        unsafe { ffi::PyErr_Fetch(kind, value, traceback) };
        Saved(parts)
    }

    #[allow(deprecated, reason = "the one pair that exists in every supported version")]
    fn restore(self) {
        let [kind, value, traceback] = self.0;
        // SAFETY: called attached; the references are those of `take`, given back once.
        unsafe { ffi::PyErr_Restore(kind, value, traceback) };
    }
}
