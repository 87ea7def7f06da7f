//! `Latch` over `fearless_core::latch`. Conversions only; the wait is in `gate.rs`.

use fearless_core::{
    gate::Gate,
    latch::{self as core, TooMany},
};
use pyo3::{PyTraverseError, PyVisit, exceptions::PyValueError, prelude::*, types::PyDict};

use crate::{counts::Count, errors, gate, hooks::Hooks, loop_queue, operation::Operation, wait::Kind, waits::Object};

/// A gate that opens after `n` arrivals and stays open.
///
/// Who arrives need not wait, and who waits need not arrive. `Latch(0)` is open. In a `select` a latch is ready once it is
/// open.
///
/// Thread safety: internally synchronized; any thread may call any method.
#[pyclass(frozen, weakref, module = "fearless")]
pub(crate) struct Latch {
    core: core::Latch,
    hooks: Hooks,
}

impl Object for Latch {
    type Core = Gate;

    fn core(&self) -> &Gate {
        self.core.gate()
    }

    fn hooks(&self) -> &Hooks {
        &self.hooks
    }
}

#[pymethods]
impl Latch {
    /// A latch that waits for `n` arrivals.
    ///
    /// Raises: `TypeError` if `n` is not a whole number, `ValueError` if it is negative.
    #[new]
    fn new(n: Count<0>) -> Latch {
        Latch { core: core::Latch::new(n.0), hooks: Hooks::default() }
    }

    /// Arrive, `n` times at once, and return how many arrivals are still to come. The last one lets all go on who wait.
    ///
    /// Raises: `ValueError` if fewer are to come; then nobody has arrived.
    #[pyo3(signature = (n=Count(1)), text_signature = "($self, n=1)")]
    fn arrive(&self, py: Python<'_>, n: Count<1>) -> PyResult<u64> {
        let (left, wakes) = self.core.arrive(n.0).map_err(|TooMany(left)| {
            PyValueError::new_err(format!("arrive: {left} arrivals are still to come, got {}", n.0))
        })?;
        loop_queue::wake(py, wakes);
        Ok(left)
    }

    /// How many arrivals are still to come.
    #[getter]
    fn count(&self) -> u64 {
        self.core.left()
    }

    /// Wait for the last arrival.
    ///
    /// Blocks: until all have arrived; a cancellation point; Ctrl-C gets through.
    /// Raises: `Timeout` after `timeout` seconds; `ValueError` if it is negative or NaN.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        gate::wait(py, self.core(), Kind::Latch, timeout, "the latch did not open")
    }

    /// Wait for the last arrival, as a coroutine of asyncio or trio. Cancelled, it has done nothing.
    fn wait_async(slf: &Bound<'_, Self>) -> Operation {
        gate::wait_async(slf)
    }

    /// Return counts: `count`, the arrivals to come, and `waiting`, the threads and tasks that wait now.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = PyDict::new(py);
        stats.set_item("count", self.core.left())?;
        stats.set_item("waiting", self.core.gate().waiting())?;
        Ok(stats)
    }

    fn __repr__(&self) -> String {
        let state = match self.core.left() {
            0 => "open".to_owned(),
            left => format!("{left} to come"),
        };
        format!("<Latch {state}, {} waiting>", self.core.gate().waiting())
    }

    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        Err(errors::not_picklable("a Latch"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.hooks.traverse(&visit)
    }

    fn __clear__(&self) {
        self.hooks.clear();
    }
}
