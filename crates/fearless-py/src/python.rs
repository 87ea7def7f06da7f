//! Calls of the user's functions, from which a thread may never come back.
//!
//! Before CPython 3.14 a daemon thread that asks for the GIL of an interpreter that is ending is ended by
//! `pthread_exit`, which unwinds its stack. That must not get to the frames around a call of ours, where it would be
//! taken for a panic and abort the process; so a guard in its way stops the thread for good, which is what later
//! versions do by themselves. Not here: calls that run no code of the user.

use std::mem;

use pyo3::{
    ffi,
    prelude::*,
    types::{PyDict, PyTuple},
};

use crate::wait;

// PyO3 declares these as functions that never unwind, and optimization across crates believes the declaration of any of them
// that PyO3 itself calls: the guards around it are gone then. So a function of which PyO3 makes no use.
unsafe extern "C-unwind" {
    fn PyObject_Call(
        callable: *mut ffi::PyObject,
        args: *mut ffi::PyObject,
        kwargs: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject;
    fn PyObject_CallFunctionObjArgs(callable: *mut ffi::PyObject, ...) -> *mut ffi::PyObject;
}

/// `function(*args, **kwargs)`.
pub(crate) fn call<'py>(
    function: &Bound<'py, PyAny>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let kwargs = kwargs.map_or(std::ptr::null_mut(), Bound::as_ptr);
    let last = LastFrame;
    // SAFETY: called attached, with a callable, a tuple, and a dict or null; all three outlive the call.
    let result = unsafe { PyObject_Call(function.as_ptr(), args.as_ptr(), kwargs) };
    mem::forget(last);
    // SAFETY: a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(function.py(), result) }
}

/// `function()`.
pub(crate) fn call0<'py>(function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    call(function, &PyTuple::empty(function.py()), None)
}

/// `function(argument)`.
pub(crate) fn call_with<'py>(
    function: &Bound<'py, PyAny>,
    argument: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let end = std::ptr::null_mut::<ffi::PyObject>();
    let last = LastFrame;
    // SAFETY: called attached; the arguments are objects that outlive the call, and a null ends them.
    let result = unsafe { PyObject_CallFunctionObjArgs(function.as_ptr(), argument.as_ptr(), end) };
    mem::forget(last);
    // SAFETY: a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(function.py(), result) }
}

/// Dropped only by an unwinding that has come out of the interpreter.
struct LastFrame;

impl Drop for LastFrame {
    fn drop(&mut self) {
        wait::for_ever();
    }
}
