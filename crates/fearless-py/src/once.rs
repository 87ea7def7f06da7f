//! `Once`: a call that is made once, over `once_cell.rs`. Not here: any algorithm.

use pyo3::{PyTraverseError, PyVisit, prelude::*};

use crate::{
    errors,
    once_cell::{OnceCell, initialize_async},
    python,
    wait::Patience,
};

/// Something that is to be done once, whoever comes first.
///
/// Thread safety: internally synchronized; any thread may call any method.
///
/// Example:
///     >>> import fearless as fl
///     >>> once = fl.Once()
///     >>> once.call(lambda: print("connected"))
///     connected
///     True
///     >>> once.call(lambda: print("connected"))
///     False
#[pyclass(frozen, weakref, module = "fearless")]
pub(crate) struct Once {
    cell: Py<OnceCell>,
}

#[pymethods]
impl Once {
    #[new]
    fn new(py: Python<'_>) -> PyResult<Once> {
        Ok(Once { cell: Py::new(py, OnceCell::empty())? })
    }

    /// Call `function()` unless a call has succeeded before; whether this call was the one. Afterwards it is done.
    ///
    /// Blocks: while another thread or task is at it; a cancellation point; Ctrl-C gets through.
    /// Raises: what `function` raises, and then the next caller tries; `Timeout` after `timeout` seconds of waiting;
    /// `DeadlockError` if it is this thread that is at it; `ValueError` if `timeout` is negative or NaN.
    #[pyo3(signature = (function, timeout=None))]
    fn call(&self, py: Python<'_>, function: &Bound<'_, PyAny>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
        let patience = Patience::from_timeout(timeout)?;
        // What it returns is nobody's.
        let make = || python::call0(function).map(|_| py.None());
        self.cell.get().get_or(py, "call", patience, make).map(|(_, is_first)| is_first)
    }

    /// As `call`, for a task; `function` may be a coroutine function.
    fn call_async<'py>(&self, function: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        initialize_async(self.cell.bind(function.py()), function, "call_async")
    }

    /// Whether it is done.
    #[getter]
    fn is_done(&self) -> bool {
        self.cell.get().is_done()
    }

    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        Err(errors::not_picklable("a Once"))
    }

    fn __repr__(&self) -> String {
        let cell = self.cell.get();
        format!("<Once {}{}>", cell.progress("done", "running"), cell.queue()).replace("empty", "not done")
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.cell)
    }
}
