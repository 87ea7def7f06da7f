//! `Event` over `fearless_core::event`. Conversions only; the wait is in `gate.rs`.

use fearless_core::{event as core, gate::Gate};
use pyo3::{PyTraverseError, PyVisit, prelude::*, types::PyDict};

use crate::{errors, gate, hooks::Hooks, loop_queue, operation::Operation, wait::Kind, waits::Object};

/// A flag that threads and coroutines wait for. It is clear at first.
///
/// Whoever waits when it is set goes on, also if it is cleared at once. In a `select` an event is ready while it is set.
///
/// Thread safety: internally synchronized; any thread may call any method.
#[pyclass(frozen, weakref, module = "fearless")]
pub(crate) struct Event {
    core: core::Event,
    hooks: Hooks,
}

impl Object for Event {
    type Core = Gate;

    fn core(&self) -> &Gate {
        self.core.gate()
    }

    fn hooks(&self) -> &Hooks {
        &self.hooks
    }
}

#[pymethods]
impl Event {
    /// A clear flag.
    #[new]
    fn new() -> Event {
        Event { core: core::Event::new(), hooks: Hooks::default() }
    }

    /// Set the flag and let all go on who wait. Again is harmless.
    fn set(&self, py: Python<'_>) {
        loop_queue::wake(py, self.core.set());
    }

    /// Clear the flag: who waits from now on waits for the next `set`. Again is harmless.
    fn clear(&self) {
        self.core.clear();
    }

    /// Whether the flag is set at this moment.
    fn is_set(&self) -> bool {
        self.core.is_set()
    }

    /// Wait for the flag to be set.
    ///
    /// Blocks: until it is set; a cancellation point; Ctrl-C gets through.
    /// Raises: `Timeout` after `timeout` seconds; `ValueError` if it is negative or NaN.
    #[pyo3(signature = (timeout=None))]
    fn wait(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        gate::wait(py, self.core(), Kind::Event, timeout, "the event was not set")
    }

    /// Wait for the flag to be set, as a coroutine of asyncio or trio. Cancelled, it has done nothing.
    fn wait_async(slf: &Bound<'_, Self>) -> Operation {
        gate::wait_async(slf)
    }

    /// Return counts: `set`, how often it was set after it had been clear, and `waiting`, the threads and tasks that wait now.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = PyDict::new(py);
        stats.set_item("set", self.core.gate().opened())?;
        stats.set_item("waiting", self.core.gate().waiting())?;
        Ok(stats)
    }

    fn __repr__(&self) -> String {
        let state = if self.core.is_set() { "set" } else { "clear" };
        format!("<Event {state}, {} waiting>", self.core.gate().waiting())
    }

    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        Err(errors::not_picklable("an Event"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.hooks.traverse(&visit)
    }

    fn __clear__(&self) {
        self.hooks.clear();
    }
}
