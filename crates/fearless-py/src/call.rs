//! A call that another thread will make: function, arguments, the context variables it sees, the handles moved into it.
//!
//! Not here: who makes it, and what becomes of the outcome.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyRuntimeError, PyTypeError},
    ffi,
    prelude::*,
    types::{PyDict, PyTuple},
};

use crate::{crossing, owned, python, receiver::Receiver, sender::Sender};

/// A function with its arguments.
pub(crate) struct Call {
    function: Py<PyAny>,
    args: Py<PyTuple>,
    kwargs: Option<Py<PyDict>>,
    /// The context variables that it sees; without, there are none.
    context: Option<Py<PyAny>>,
}

impl Call {
    /// The call, to be made in a copy of the context variables of this moment.
    ///
    /// Raises `TypeError` if `function` is not callable, and then closes what was moved into the call.
    pub(crate) fn new(
        function: &Bound<'_, PyAny>,
        args: &Bound<'_, PyTuple>,
        kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Call> {
        let py = function.py();
        let handed_on = owned::hand_on_all(args, "spawn")?;
        let args = handed_on.as_ref().unwrap_or(args);
        let call = Call {
            function: crossing::reference(function),
            args: crossing::reference(args),
            kwargs: kwargs.map(crossing::reference),
            context: context_to_hand_on(py)?,
        };
        if function.is_callable() {
            return Ok(call);
        }
        call.close_moved(py);
        Err(PyTypeError::new_err(format!("fn must be callable, got {}", python::repr(function)?)))
    }

    /// Makes the call. A panic inside it becomes an error.
    pub(crate) fn make(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let context = match &self.context {
            Some(context) => context.bind(py).clone(),
            None => new_context(py)?,
        };
        enter_context(&context)?;
        let kwargs = self.kwargs.as_ref().map(|kwargs| kwargs.bind(py));
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            python::call(self.function.bind(py), self.args.bind(py), kwargs).map(Bound::unbind)
        }));
        if let Err(error) = exit_context(&context) {
            error.write_unraisable(py, Some(self.function.bind(py)));
        }
        outcome.unwrap_or_else(|panic| Err(panicked(&*panic)))
    }

    /// Closes every argument that was moved into the call: it has ended, or never will begin.
    pub(crate) fn close_moved(&self, py: Python<'_>) {
        self.args.bind(py).iter().for_each(|argument| close_if_moved(&argument));
        if let Some(kwargs) = &self.kwargs {
            kwargs.bind(py).values().iter().for_each(|argument| close_if_moved(&argument));
        }
    }

    pub(crate) fn visit(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.function)?;
        visit.call(&self.args)?;
        visit.call(&self.kwargs)?;
        visit.call(&self.context)
    }
}

fn close_if_moved(argument: &Bound<'_, PyAny>) {
    if let Ok(sender) = argument.cast_exact::<Sender>() {
        sender.get()._close_if_moved(argument.py());
    } else if let Ok(receiver) = argument.cast_exact::<Receiver>() {
        receiver.get()._close_if_moved(argument.py());
    }
}

fn panicked(panic: &(dyn Any + Send)) -> PyErr {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
    PyRuntimeError::new_err(format!("native code panicked: {text}"))
}

/// A copy of the context variables of this moment; `None` without any, where no thread has to drop what another made.
fn context_to_hand_on(py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
    // SAFETY: attached, by `py`; takes nothing, returns a new reference or null.
    let context = unsafe { ffi::PyContext_CopyCurrent() };
    // SAFETY: the reference is new and ours, or null with an exception set.
    let context = unsafe { Bound::from_owned_ptr_or_err(py, context) }?;
    let is_needed = !cfg!(Py_GIL_DISABLED) || context.len()? > 0;
    Ok(is_needed.then(|| context.unbind()))
}

fn new_context(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    // SAFETY: attached, by `py`; takes nothing, returns a new reference or null.
    let context = unsafe { ffi::PyContext_New() };
    // SAFETY: the reference is new and ours, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(py, context) }
}

fn enter_context(context: &Bound<'_, PyAny>) -> PyResult<()> {
    // SAFETY: attached, by `context`, which one of the two above made.
    let failed = unsafe { ffi::PyContext_Enter(context.as_ptr()) } != 0;
    if failed { Err(PyErr::fetch(context.py())) } else { Ok(()) }
}

fn exit_context(context: &Bound<'_, PyAny>) -> PyResult<()> {
    // SAFETY: attached, by `context`, which one of the two above made and this thread entered.
    let failed = unsafe { ffi::PyContext_Exit(context.as_ptr()) } != 0;
    if failed { Err(PyErr::fetch(context.py())) } else { Ok(()) }
}

/// Panic. For the tests: a panic in native code has to come out as an exception.
#[pyfunction]
pub(crate) fn _panic(text: String) {
    std::panic::panic_any(text);
}
