//! Shortcuts for the hottest methods: a C function of one argument or none, the least that the interpreter can call.
//!
//! PyO3 reads arguments by name and keeps books on every call, which takes longer than an atomic operation. A shortcut does
//! the usual case, in which nothing can go wrong, and leaves any other to the method of PyO3 that it stands before. It does
//! nothing that those books are kept for: it makes no error, drops no object and does not panic.
//!
//! Not here: what the methods do; each class brings its own [`Shortcut`]s.

use std::{
    ffi::{CString, c_int},
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
};

use pyo3::{
    Borrowed, PyClass, PyTypeInfo, exceptions::PySystemError, ffi, panic::PanicException, prelude::*,
    pyclass::boolean_struct::True, types::PyType,
};

use crate::{kept::Kept, watched::Watched};

/// A method by its shortest way.
pub(crate) trait Shortcut {
    type Class: PyClass<Frozen = True> + Sync;
    type Answer: Answer;
    const NAME: &'static str;
    /// The argument's name, if it takes one.
    const ARGUMENT: Option<&'static str>;

    /// What it does, if this is the usual case; otherwise it has done nothing. Runs no Python and drops no object.
    fn take(py: Python<'_>, this: &Self::Class, argument: Argument<'_>) -> Option<Self::Answer>;

    /// Those to tell of the change, if it is one.
    fn watched(this: &Self::Class) -> Option<&Watched>;

    /// Keeps the method that it stands before.
    fn before() -> &'static Kept<PyAny>;
}

/// What a shortcut was given: its argument, or nothing.
#[derive(Clone, Copy)]
pub(crate) struct Argument<'a> {
    given: Option<Borrowed<'a, 'a, PyAny>>,
}

impl Argument<'_> {
    /// A whole number that fits 64 bits.
    pub(crate) fn int(self) -> Option<i64> {
        let given = self.given?.as_ptr();
        // SAFETY: a borrowed object, alive for the call.
        if unsafe { ffi::PyLong_CheckExact(given) } == 0 {
            return None;
        }
        let mut overflow: c_int = 0;
        // SAFETY: as above; of an exact int it runs no Python and raises nothing.
        let value = unsafe { ffi::PyLong_AsLongLongAndOverflow(given, &raw mut overflow) };
        (overflow == 0).then_some(value)
    }

    /// A float.
    pub(crate) fn float(self) -> Option<f64> {
        let given = self.given?.as_ptr();
        // SAFETY: a borrowed object, alive for the call.
        if unsafe { ffi::PyFloat_CheckExact(given) } == 0 {
            return None;
        }
        // SAFETY: as above; of an exact float it runs no Python and raises nothing.
        Some(unsafe { ffi::PyFloat_AsDouble(given) })
    }

    /// A reference of one's own.
    pub(crate) fn owned(self) -> Option<Py<PyAny>> {
        Some(self.given?.to_owned().unbind())
    }

    /// True or False.
    pub(crate) fn truth(self) -> Option<bool> {
        let given = self.given?.as_ptr();
        // SAFETY: the singletons live as long as the interpreter.
        let truth = unsafe { ffi::Py_True() };
        // SAFETY: as above.
        let falsehood = unsafe { ffi::Py_False() };
        if given == truth {
            return Some(true);
        }
        (given == falsehood).then_some(false)
    }
}

/// What a shortcut can return.
pub(crate) trait Answer {
    /// A new reference, or null with an exception set.
    fn into_new(self) -> *mut ffi::PyObject;
}

impl Answer for () {
    fn into_new(self) -> *mut ffi::PyObject {
        // SAFETY: called attached.
        let none = unsafe { ffi::Py_None() };
        // SAFETY: it lives as long as the interpreter.
        unsafe { ffi::Py_NewRef(none) }
    }
}

impl Answer for bool {
    fn into_new(self) -> *mut ffi::PyObject {
        // SAFETY: called attached.
        unsafe { ffi::PyBool_FromLong(self.into()) }
    }
}

impl Answer for i64 {
    fn into_new(self) -> *mut ffi::PyObject {
        // SAFETY: called attached.
        unsafe { ffi::PyLong_FromLongLong(self) }
    }
}

impl Answer for f64 {
    fn into_new(self) -> *mut ffi::PyObject {
        // SAFETY: called attached.
        unsafe { ffi::PyFloat_FromDouble(self) }
    }
}

/// A value that was displaced. The answer is None.
pub(crate) struct Displaced(pub(crate) Option<Py<PyAny>>);

impl Answer for Displaced {
    fn into_new(self) -> *mut ffi::PyObject {
        let value = self.0.map_or(ptr::null_mut(), Py::into_ptr);
        // SAFETY: called attached, with a reference that was owned, or null. A finalizer may come back here.
        unsafe { ffi::Py_XDECREF(value) };
        ().into_new()
    }
}

impl Answer for Py<PyAny> {
    fn into_new(self) -> *mut ffi::PyObject {
        self.into_ptr()
    }
}

/// The C function.
unsafe extern "C" fn call<S: Shortcut>(this: *mut ffi::PyObject, argument: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls a method attached.
    let py = unsafe { Python::assume_attached() };
    // SAFETY: and with an object that outlives the call. Its class was looked at by the method descriptor.
    let object = unsafe { Borrowed::from_ptr(py, this) };
    // SAFETY: see above.
    let class = unsafe { object.cast_unchecked::<S::Class>() };
    // SAFETY: null where the method takes no argument, else an object that outlives the call.
    let given = unsafe { Borrowed::from_ptr_or_opt(py, argument) };
    let this_one = class.get();
    let Some(answer) = S::take(py, this_one, Argument { given }) else {
        return leave_to_method::<S>(py, this, argument);
    };
    match S::watched(this_one) {
        Some(watched) if watched.core().is_watched() => {
            let told = tell(watched);
            let answer = answer.into_new();
            if told {
                return answer;
            }
            // SAFETY: called attached, with a new reference or null.
            unsafe { ffi::Py_XDECREF(answer) };
            ptr::null_mut()
        }
        _ => answer.into_new(),
    }
}

/// Tells those who wait; false with an exception set.
#[cold]
fn tell(watched: &Watched) -> bool {
    // In here PyO3 keeps its books.
    Python::attach(|py| {
        let told = catch_unwind(AssertUnwindSafe(|| watched.changed(py)));
        if told.is_err() {
            PanicException::new_err("a change was made, and telling those who wait for it failed").restore(py);
        }
        told.is_ok()
    })
}

#[cold]
fn leave_to_method<S: Shortcut>(
    py: Python<'_>,
    this: *mut ffi::PyObject,
    argument: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let Ok(method) = S::before().get(py, || Err(PySystemError::new_err("the shortcut was not installed"))) else {
        unreachable!("`install` has kept it")
    };
    let end = ptr::null_mut::<ffi::PyObject>();
    // SAFETY: called attached, with a callable and objects that outlive the call; a null argument ends the list early.
    unsafe { ffi::PyObject_CallFunctionObjArgs(method.as_ptr(), this, argument, end) }
}

/// Puts a shortcut before the method of its name. Called while the module is made.
pub(crate) fn install<S: Shortcut>(py: Python<'_>) -> PyResult<()> {
    let class: Bound<'_, PyType> = S::Class::type_object(py);
    let method = S::before().get(py, || class.getattr(S::NAME))?;
    let argument = S::ARGUMENT.map_or(String::new(), |argument| format!(", {argument}"));
    let documentation: String = method.getattr("__doc__")?.extract()?;
    let documentation = format!("{}($self{argument}, /)\n--\n\n{documentation}", S::NAME);
    let definition = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: CString::new(S::NAME)?.into_raw(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunction: call::<S> },
        ml_flags: if S::ARGUMENT.is_some() { ffi::METH_O } else { ffi::METH_NOARGS },
        ml_doc: CString::new(documentation)?.into_raw(),
    }));
    // SAFETY: the class is a type, and the definition is never freed.
    let descriptor = unsafe { ffi::PyDescr_NewMethod(class.as_ptr().cast(), definition) };
    // SAFETY: a new reference, or null with an exception set.
    let descriptor = unsafe { Bound::from_owned_ptr_or_err(py, descriptor) }?;
    class.setattr(S::NAME, descriptor)
}

/// Declares shortcuts of a class, and a function that installs them:
/// `CLASS, INSTALL: fn NAME(this, py, ARGUMENT) -> ANSWER, WATCHED, BODY; ...`.
macro_rules! shortcuts {
    ($class:ident, $install:ident: $(
        fn $name:ident($this:ident, $py:ident $(, $argument:ident)?) -> $answer:ty, $watched:expr, $body:expr;
    )*) => {
        pub(crate) fn $install(py: pyo3::Python<'_>) -> pyo3::PyResult<()> {
            $({
                struct This;

                impl $crate::shortcut::Shortcut for This {
                    type Class = $class;
                    type Answer = $answer;
                    const NAME: &'static str = stringify!($name);
                    const ARGUMENT: Option<&'static str> = $crate::shortcut::argument!($($argument)?);

                    #[inline]
                    fn take(
                        $py: pyo3::Python<'_>,
                        $this: &$class,
                        _argument: $crate::shortcut::Argument<'_>,
                    ) -> Option<$answer> {
                        $(let $argument = _argument;)?
                        $body
                    }

                    #[inline]
                    fn watched(this: &$class) -> Option<&$crate::watched::Watched> {
                        let watched: fn(&$class) -> Option<&$crate::watched::Watched> = $watched;
                        watched(this)
                    }

                    fn before() -> &'static $crate::kept::Kept<pyo3::PyAny> {
                        static BEFORE: $crate::kept::Kept<pyo3::PyAny> = $crate::kept::Kept::new();
                        &BEFORE
                    }
                }

                $crate::shortcut::install::<This>(py)?;
            })*
            Ok(())
        }
    };
}
pub(crate) use shortcuts;

/// The name of an argument, or none.
macro_rules! argument {
    () => {
        None
    };
    ($name:ident) => {
        Some(stringify!($name))
    };
}
pub(crate) use argument;
