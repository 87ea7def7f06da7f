//! Whether the calling thread runs an event loop, asked only where a thread is about to sleep.
//!
//! asyncio and trio are never imported, only looked up among the modules that are loaded.

use pyo3::{exceptions::PyRuntimeWarning, prelude::*, types::PyDict};

use crate::{
    kept::{Kept, name},
    python,
};

/// Warns, once per place, about a wait that would stop the event loop of this thread.
pub(crate) fn warn_if_running(py: Python<'_>) -> PyResult<()> {
    if !is_running(py)? {
        return Ok(());
    }
    let text = c"a blocking call of fearless waits on a thread that runs an event loop: every task of the loop stands \
        still until it returns; call it in a worker thread";
    PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), text, 1)
}

/// `sys.modules`. Kept, because an import runs Python: a daemon thread that does so while the interpreter ends is
/// ended there by an unwind, which must not meet our frames.
pub(crate) fn modules(py: Python<'_>) -> PyResult<&Bound<'_, PyDict>> {
    static MODULES: Kept<PyDict> = Kept::new();
    MODULES.get(py, || Ok(python::import(py, "sys")?.getattr("modules")?.cast_into()?))
}

/// Whether an asyncio or trio loop is running in this thread.
pub(crate) fn is_running(py: Python<'_>) -> PyResult<bool> {
    let modules = modules(py)?;
    if let Some(events) = modules.get_item(name!(py, "asyncio.events")?)?
        && let Ok(running) = events.getattr(name!(py, "_get_running_loop")?)
        && !running.call0()?.is_none()
    {
        return Ok(true);
    }
    match modules.get_item(name!(py, "trio.lowlevel")?)? {
        Some(trio) => python::method0(&trio, name!(py, "in_trio_run")?)?.is_truthy(),
        None => Ok(false),
    }
}

/// Whether an event loop runs in this thread; for `with scope()`, which refuses there.
#[pyfunction]
pub(crate) fn in_event_loop(py: Python<'_>) -> PyResult<bool> {
    is_running(py)
}
