//! The exceptions of `fearless.errors`, made from Rust.
//!
//! Each takes a text that names the rule and the value seen. An error that rejects an item carries it as `.item`.

use std::ffi::CStr;

use pyo3::{
    exceptions::{PyResourceWarning, PyTypeError},
    ffi,
    prelude::*,
    types::PyType,
};

use crate::{kept::Kept, python, scope::Scope};

/// Exception classes that are written in Python.
macro_rules! exceptions {
    ($($name:ident from $module:literal),+ $(,)?) => {$(
        pub(crate) struct $name;

        impl $name {
            fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
                static CLASS: Kept<PyType> = Kept::new();
                CLASS.get(py, || Ok(python::import(py, $module)?.getattr(stringify!($name))?.cast_into()?))
            }

            /// The exception with `text`. For attached callers.
            #[allow(dead_code, reason = "some are only recognized")]
            pub(crate) fn new_err(text: impl AsRef<str>) -> PyErr {
                Python::attach(|py| {
                    let made = $name::class(py).and_then(|class| match text.as_ref() {
                        "" => class.call0(),
                        text => class.call1((text,)),
                    });
                    made.map_or_else(|error| error, PyErr::from_value)
                })
            }

            /// Whether `error` is one.
            #[allow(dead_code, reason = "most are only raised")]
            pub(crate) fn is(py: Python<'_>, error: &PyErr) -> bool {
                $name::class(py).is_ok_and(|class| error.is_instance(py, class))
            }
        }
    )+};
}

exceptions! {
    BrokenBarrierError from "fearless.errors",
    BrokenThreadPool from "concurrent.futures.thread",
    Cancelled from "fearless.errors",
    CancelledError from "concurrent.futures",
    Closed from "fearless.errors",
    DeadlockError from "fearless.errors",
    Empty from "fearless.errors",
    Full from "fearless.errors",
    GuardReleased from "fearless.errors",
    InvalidStateError from "concurrent.futures",
    MovedError from "fearless.errors",
    PoisonError from "fearless.errors",
    Timeout from "fearless.errors",
}

/// Hands the rejected item back with the error.
pub(crate) fn with_item(py: Python<'_>, error: PyErr, item: Py<PyAny>) -> PyErr {
    match error.value(py).setattr("item", item) {
        Ok(()) => error,
        Err(error) => error,
    }
}

/// `error`, which came up while `before` was being handled.
pub(crate) fn after(py: Python<'_>, error: PyErr, before: &PyErr) -> PyErr {
    match error.value(py).setattr("__context__", before.value(py)) {
        Ok(()) => error,
        Err(error) => error,
    }
}

/// The `Timeout` of `call`, which waited for `what`.
pub(crate) fn timeout(call: &str, what: &str) -> PyErr {
    Timeout::new_err(format!("{call}: {what} within the timeout"))
}

/// Why `object` refuses to be pickled.
pub(crate) fn not_picklable(object: &str) -> PyErr {
    PyTypeError::new_err(format!("{object} cannot be pickled: it belongs to the threads of this process"))
}

/// The `Cancelled` that belongs to `scope`.
pub(crate) fn cancelled(py: Python<'_>, scope: Scope) -> PyErr {
    match Cancelled::class(py)
        .and_then(|class| python::call_with(&class.getattr("_of")?, Bound::new(py, scope)?.as_any()))
    {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

/// Tells that an object was dropped while it still had to be ended. For `Drop`: keeps the exception that is being
/// raised, and never raises.
pub(crate) fn warn_dropped(text: &CStr) {
    in_drop(|py| {
        if let Err(error) = PyErr::warn(py, &py.get_type::<PyResourceWarning>(), text, 1) {
            error.write_unraisable(py, None);
        }
    });
}

/// Calls Python in the middle of a drop: with the exception that is being raised set aside, and not at all where the
/// interpreter is ending.
pub(crate) fn in_drop(body: impl FnOnce(Python<'_>)) {
    Python::try_attach(|py| {
        let saved = Saved::take();
        body(py);
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
