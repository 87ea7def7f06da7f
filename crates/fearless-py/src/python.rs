//! Calls of the user's functions, from which a thread may never come back.
//!
//! Before CPython 3.14 a daemon thread that asks for the GIL of an interpreter that is ending is ended by
//! `pthread_exit`, which unwinds its stack. That must not get to the frames around a call of ours, where it would be
//! taken for a panic and abort the process; so a guard in its way stops the thread for good, which is what later
//! versions do by themselves.
//!
//! The modules of this package that are written in Python are called in the same way, as any line of theirs can be the last.
//! Not here: calls that run no Python, and conversions and drops, which run it where the user's classes say so.

use std::{ffi::c_int, mem};

use pyo3::{
    ffi,
    prelude::*,
    types::{PyDict, PyIterator, PyString, PyTuple},
};

use crate::{kept::Kept, wait};

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

/// `object.name()`.
pub(crate) fn method0<'py>(object: &Bound<'py, PyAny>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    call0(&object.getattr(name)?)
}

/// `object.name(argument)`.
pub(crate) fn method_with<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
    argument: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    call_with(&object.getattr(name)?, argument)
}

/// A function of C that PyO3 calls, too, and so is declared as never unwinding: by an address that nobody knows anything of.
macro_rules! guarded {
    ($function:ident: ($($kind:ty),+) -> $result:ty, $($argument:expr),+) => {{
        let address = std::hint::black_box(ffi::$function as *const ());
        // SAFETY: the address of a function of this type. That it may unwind is true, and what the declaration leaves out.
        let function = unsafe { mem::transmute::<*const (), unsafe extern "C-unwind" fn($($kind),+) -> $result>(address) };
        let last = LastFrame;
        // SAFETY: called attached, by the proof that each argument is a `Bound`; all of them outlive the call.
        let result = unsafe { function($($argument.as_ptr()),+) };
        mem::forget(last);
        result
    }};
}

type Object = *mut ffi::PyObject;

/// `import name`: the first time, the module's code runs.
pub(crate) fn import<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    let name = PyString::new(py, name);
    let module = guarded!(PyImport_Import: (Object) -> Object, name);
    // SAFETY: a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(py, module) }
}

/// `copy.copy(object)`.
pub(crate) fn copy<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static COPY: Kept<PyAny> = Kept::new();
    let py = object.py();
    call_with(COPY.get(py, || import(py, "copy")?.getattr("copy"))?, object)
}

/// `operator.name(value, other)`. Kept, as is `copy`: an import locks all modules of a free-threaded interpreter.
pub(crate) fn operate<'py>(
    name: &str,
    value: &Bound<'py, PyAny>,
    other: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    static OPERATOR: Kept<PyAny> = Kept::new();
    let py = value.py();
    let operator = OPERATOR.get(py, || import(py, "operator"))?.getattr(name)?;
    call(&operator, &(value, other).into_pyobject(py)?, None)
}

/// `next(iterator)`; `None` at its end.
pub(crate) fn next<'py>(iterator: &Bound<'py, PyIterator>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = iterator.py();
    let item = guarded!(PyIter_Next: (Object) -> Object, iterator);
    // SAFETY: a new reference, or null, with an exception set unless it was the end.
    match unsafe { Bound::from_owned_ptr_or_opt(py, item) } {
        Some(item) => Ok(Some(item)),
        None => PyErr::take(py).map_or(Ok(None), Err),
    }
}

/// `iter(object)`.
pub(crate) fn iter<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let iterator = guarded!(PyObject_GetIter: (Object) -> Object, object);
    // SAFETY: a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(object.py(), iterator) }
}

/// `repr(object)`. Not by formatting what `Bound::repr` returns: that calls `str()`, which lets signal handlers run, and what
/// they raise ends there.
pub(crate) fn repr(object: &Bound<'_, PyAny>) -> PyResult<String> {
    let text = guarded!(PyObject_Repr: (Object) -> Object, object);
    text_of(object.py(), text)
}

/// `str(object)`, likewise.
pub(crate) fn str(object: &Bound<'_, PyAny>) -> PyResult<String> {
    let text = guarded!(PyObject_Str: (Object) -> Object, object);
    text_of(object.py(), text)
}

fn text_of(py: Python<'_>, text: Object) -> PyResult<String> {
    // SAFETY: a new reference, or null with an exception set.
    let text = unsafe { Bound::from_owned_ptr_or_err(py, text) }?;
    Ok(text.cast_into::<PyString>()?.to_string_lossy().into_owned())
}

/// `object[key]`.
pub(crate) fn get_item<'py>(object: &Bound<'py, PyAny>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let item = guarded!(PyObject_GetItem: (Object, Object) -> Object, object, key);
    // SAFETY: a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(object.py(), item) }
}

/// `object[key] = item`.
pub(crate) fn set_item(object: &Bound<'_, PyAny>, key: &Bound<'_, PyAny>, item: &Bound<'_, PyAny>) -> PyResult<()> {
    let status = guarded!(PyObject_SetItem: (Object, Object, Object) -> c_int, object, key, item);
    unless_failed(object.py(), status).map(drop)
}

/// `del object[key]`.
pub(crate) fn del_item(object: &Bound<'_, PyAny>, key: &Bound<'_, PyAny>) -> PyResult<()> {
    let status = guarded!(PyObject_DelItem: (Object, Object) -> c_int, object, key);
    unless_failed(object.py(), status).map(drop)
}

/// `item in object`.
pub(crate) fn contains(object: &Bound<'_, PyAny>, item: &Bound<'_, PyAny>) -> PyResult<bool> {
    let status = guarded!(PySequence_Contains: (Object, Object) -> c_int, object, item);
    unless_failed(object.py(), status).map(|status| status != 0)
}

/// `len(object)`.
pub(crate) fn len(object: &Bound<'_, PyAny>) -> PyResult<usize> {
    let size = guarded!(PyObject_Size: (Object) -> ffi::Py_ssize_t, object);
    unless_failed(object.py(), size).map(isize::unsigned_abs)
}

/// What a function returned, unless it was -1, which says that it raised.
fn unless_failed<T: From<i8> + PartialEq>(py: Python<'_>, status: T) -> PyResult<T> {
    if status == T::from(-1) { Err(PyErr::fetch(py)) } else { Ok(status) }
}

/// Dropped only by an unwinding that has come out of the interpreter.
struct LastFrame;

impl Drop for LastFrame {
    fn drop(&mut self) {
        wait::for_ever();
    }
}
