//! Whether the calling thread runs an event loop, asked only where a thread is about to sleep.
//!
//! asyncio and trio are never imported, only looked up among the modules that are loaded.

use pyo3::{
    exceptions::PyRuntimeWarning,
    prelude::*,
    types::{PyDict, PyString},
};

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
    PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), text, level_of_the_caller(py)?)
}

/// How many frames up the code is that called this package: the place that a warning is about.
fn level_of_the_caller(py: Python<'_>) -> PyResult<i32> {
    static GET_FRAME: Kept<PyAny> = Kept::new();
    let mut frame = python::call0(GET_FRAME.get(py, || python::import(py, "sys")?.getattr("_getframe"))?)?;
    let mut level = 1;
    while is_ours(&frame)? {
        frame = frame.getattr(name!(py, "f_back")?)?;
        level += 1;
    }
    Ok(level)
}

/// Whether a frame runs code of this package, or of the executors that a pool is one of: `with pool` is left by their
/// method. What lies below the outermost frame, `None`, does not.
fn is_ours(frame: &Bound<'_, PyAny>) -> PyResult<bool> {
    if frame.is_none() {
        return Ok(false);
    }
    let globals = frame.getattr(name!(frame.py(), "f_globals")?)?.cast_into::<PyDict>()?;
    let module = globals.get_item(name!(frame.py(), "__name__")?)?;
    let ours = |module: &str| module.starts_with("fearless.") || module.starts_with("concurrent.futures.");
    Ok(module.is_some_and(|module| module.extract::<&str>().is_ok_and(ours)))
}

/// `sys.modules`. Kept, because an import runs Python: a daemon thread that does so while the interpreter ends is
/// ended there by an unwind, which must not meet our frames.
pub(crate) fn modules(py: Python<'_>) -> PyResult<&Bound<'_, PyDict>> {
    static MODULES: Kept<PyDict> = Kept::new();
    MODULES.get(py, || Ok(python::import(py, "sys")?.getattr("modules")?.cast_into()?))
}

/// Whether an asyncio or trio loop is running in this thread.
pub(crate) fn is_running(py: Python<'_>) -> PyResult<bool> {
    static RUNNING_LOOP: Kept<PyAny> = Kept::new();
    static IN_TRIO: Kept<PyAny> = Kept::new();
    let running_loop = loaded(py, &RUNNING_LOOP, name!(py, "asyncio.events")?, name!(py, "_get_running_loop")?)?;
    if let Some(running_loop) = running_loop
        && !python::call0(running_loop)?.is_none()
    {
        return Ok(true);
    }
    match loaded(py, &IN_TRIO, name!(py, "trio.lowlevel")?, name!(py, "in_trio_run")?)? {
        Some(in_trio) => python::call0(in_trio)?.is_truthy(),
        None => Ok(false),
    }
}

/// A function of a module that somebody has imported. It is looked up once: free-threaded 3.13 locks `sys.modules` for each
/// time, and a daemon thread that is stopped there while the interpreter ends keeps the lock.
fn loaded<'py>(
    py: Python<'py>,
    kept: &'static Kept<PyAny>,
    module: &Bound<'py, PyString>,
    function: &Bound<'py, PyString>,
) -> PyResult<Option<&'py Bound<'py, PyAny>>> {
    if let Some(found) = kept.made(py) {
        return Ok(Some(found));
    }
    let modules = modules(py)?;
    if !modules.contains(module)? {
        return Ok(None);
    }
    match modules.get_item(module)?.map(|module| module.getattr(function)) {
        Some(Ok(found)) => kept.get(py, || Ok(found)).map(Some),
        _ => Ok(None), // it is being imported, or gone again
    }
}

/// Whether an event loop runs in this thread; for `with scope()`, `par` and `invoke`, which refuse there.
#[pyfunction]
pub(crate) fn in_event_loop(py: Python<'_>) -> PyResult<bool> {
    is_running(py)
}
