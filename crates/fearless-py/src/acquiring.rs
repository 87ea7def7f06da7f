//! What an async acquisition returns at once: to be awaited, or used in `async with`.
//!
//! Not here: what is acquired; each type brings an [`Ends`].

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use pyo3::{
    PyTraverseError, PyVisit,
    prelude::*,
    types::{PyIterator, PyTuple},
};

use crate::{
    operation::{Face, Operation},
    python,
    source::Source,
    waits::Waiting,
};

/// How the block of an `async with` ends its acquisition.
pub(crate) trait Ends: Send + Sync {
    /// Ends acquisition `number`, unless it has ended; `error` is what leaves the block, or `None`.
    fn end(&self, number: u64, error: &Bound<'_, PyAny>) -> PyResult<()>;

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError>;
}

/// What the operation and its block tell each other.
#[derive(Debug, Default)]
pub(crate) struct Entered {
    /// Whether it is the operation of a block, which ends the acquisition.
    pub(crate) of_block: AtomicBool,
    /// The acquisition.
    pub(crate) number: AtomicU64,
}

/// An acquisition that is awaited.
///
/// Thread safety: externally synchronized; it belongs to the task that awaits it.
#[pyclass(frozen, name = "_Acquiring", generic, module = "fearless._core")]
pub(crate) struct Acquiring {
    operation: Py<Operation>,
    entered: Arc<Entered>,
    ends: Box<dyn Ends>,
}

impl Acquiring {
    pub(crate) fn new(
        py: Python<'_>,
        name: &'static str,
        operation: Box<dyn Waiting>,
        entered: Arc<Entered>,
        ends: Box<dyn Ends>,
    ) -> PyResult<Acquiring> {
        let operation = Operation::new(Face::Object(name), vec![Source::Object(operation)], None);
        Ok(Acquiring { operation: Py::new(py, operation)?, entered, ends })
    }
}

#[pymethods]
impl Acquiring {
    fn __await__(&self, py: Python<'_>) -> Py<Operation> {
        self.operation.clone_ref(py)
    }

    fn __aenter__(&self, py: Python<'_>) -> Py<Operation> {
        self.entered.of_block.store(true, Ordering::Relaxed);
        self.operation.clone_ref(py)
    }

    fn __aexit__(
        &self,
        _kind: &Bound<'_, PyAny>,
        error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<Done> {
        self.ends.end(self.entered.number.load(Ordering::Relaxed), error)?;
        Ok(Done)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        python::repr(self.operation.bind(py))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.operation)?;
        self.ends.traverse(&visit)
    }
}

/// An awaitable that is done.
#[pyclass(frozen, name = "_Done", module = "fearless._core")]
pub(crate) struct Done;

#[pymethods]
impl Done {
    #[allow(clippy::unused_self, reason = "a method of Python's")]
    fn __await__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        PyTuple::empty(py).try_iter()
    }
}
