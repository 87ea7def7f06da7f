//! `Lazy`: a value that is made when it is first asked for, over `once_cell.rs`. Not here: any algorithm.

use pyo3::{PyTraverseError, PyVisit, exceptions::PyTypeError, prelude::*};

use crate::{
    cell::Cell,
    errors,
    once_cell::{OnceCell, initialize_async},
    python,
    wait::Patience,
};

/// A value that `function()` makes when it is first asked for.
///
/// Several may ask at once: one makes it, the others wait. When that one fails its error is raised where it was asked, and the
/// next tries.
///
/// Thread safety: internally synchronized; any thread may call any method.
///
/// Example:
///     >>> import fearless as fl
///     >>> words = fl.Lazy(lambda: "one two three".split())
///     >>> words
///     <Lazy empty>
///     >>> words.get()
///     ['one', 'two', 'three']
#[pyclass(frozen, generic, weakref, module = "fearless")]
pub(crate) struct Lazy {
    cell: Py<OnceCell>,
    /// Until the value is there.
    function: Cell<Option<Py<PyAny>>>,
}

impl Lazy {
    /// What makes the value; `None` once it is made.
    fn function<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.function.with(py, |function| function.as_ref().map(|function| function.bind(py).clone()))
    }
}

#[pymethods]
impl Lazy {
    #[new]
    fn new(function: &Bound<'_, PyAny>) -> PyResult<Lazy> {
        if !function.is_callable() {
            return Err(PyTypeError::new_err(format!(
                "Lazy takes a function to call, got {}",
                python::repr(function)?
            )));
        }
        let py = function.py();
        Ok(Lazy { cell: Py::new(py, OnceCell::empty())?, function: Cell::new(Some(function.clone().unbind())) })
    }

    /// Return the value, after making it if it is not there yet.
    ///
    /// Blocks: while another thread or task makes it; a cancellation point; Ctrl-C gets through.
    /// Raises: what the function raises, and then the value is still to be made; `Timeout` after `timeout` seconds of
    /// waiting; `DeadlockError` if it is this thread that makes it; `ValueError` if `timeout` is negative or NaN.
    #[pyo3(signature = (timeout=None))]
    fn get(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        let patience = Patience::from_timeout(timeout)?;
        let make = || match self.function(py) {
            Some(function) => python::call0(&function).map(Bound::unbind),
            None => Ok(py.None()), // cleared by the collector
        };
        let (value, is_first) = self.cell.get().get_or(py, "get", patience, make)?;
        if is_first {
            let function = self.function.with(py, Option::take);
            drop(function);
        }
        Ok(value)
    }

    /// As `get`, for a task; the function may be a coroutine function then.
    fn get_async<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        if self.cell.get().is_done() {
            // A task may have made it, which could not drop the function.
            let function = self.function.with(py, Option::take);
            drop(function);
        }
        let function = self.function(py).unwrap_or_else(|| py.None().into_bound(py));
        initialize_async(self.cell.bind(py), &function, "get_async")
    }

    /// Whether the value is there.
    #[getter]
    fn is_set(&self) -> bool {
        self.cell.get().is_done()
    }

    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        Err(errors::not_picklable("a Lazy"))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<Lazy {}>", self.cell.get().standing(py)?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.cell)?;
        self.function.visit(|function| visit.call(function))
    }

    fn __clear__(&self, py: Python<'_>) {
        let function = self.function.with(py, Option::take);
        drop(function);
    }
}
