//! `Lock` over `fearless_core::compat`. Conversions only.

use fearless_core::compat::{self as core, ANYBODY};
use pyo3::{prelude::*, types::PyDict};

use super::{acquire_slowly, not_acquired, not_pickled, patience, take_back, truth};
use crate::wait::Patience;

/// A lock with the interface of `threading.Lock`.
///
/// Any thread may release it, also one that did not take it. Taking it twice waits for somebody to release it. A released
/// lock is handed to a thread that has waited 1 ms, or was passed over 64 times; until then a thread that comes by may be
/// faster.
///
/// Thread safety: internally synchronized; any thread may call any method.
#[pyclass(frozen, weakref, module = "fearless.compat")]
pub(crate) struct Lock {
    core: core::Lock,
}

impl Lock {
    fn take(&self, py: Python<'_>, patience: Patience) -> PyResult<bool> {
        if self.core.try_acquire() {
            return Ok(true);
        }
        if patience == Patience::Once {
            return Ok(false);
        }
        acquire_slowly(py, self.core.mutex(), ANYBODY, patience)
    }

    fn free(&self) -> PyResult<()> {
        let wakes = self.core.release().map_err(|_| not_acquired("release"))?;
        wakes.wake();
        Ok(())
    }
}

#[pymethods]
impl Lock {
    #[new]
    fn new() -> Lock {
        Lock { core: core::Lock::default() }
    }

    /// Take the lock; return whether it was taken. With `blocking=False` try once. -1 is no `timeout`.
    ///
    /// Blocks: until the lock is free, `timeout` seconds at most; not a cancellation point; Ctrl-C gets through.
    /// Raises: `ValueError` if `timeout` is negative and not -1, NaN, or given with `blocking=False`; `OverflowError` if it is
    /// more than `TIMEOUT_MAX`.
    #[pyo3(signature = (blocking=true, timeout=-1.0), text_signature = "($self, blocking=True, timeout=-1)")]
    fn acquire(&self, py: Python<'_>, #[pyo3(from_py_with = truth)] blocking: bool, timeout: f64) -> PyResult<bool> {
        self.take(py, patience(py, blocking, timeout)?)
    }

    /// Free the lock, whichever thread has taken it.
    ///
    /// Raises: `RuntimeError` if it is free.
    fn release(&self) -> PyResult<()> {
        self.free()
    }

    /// Whether anybody holds the lock at this moment.
    fn locked(&self) -> bool {
        self.core.mutex().is_locked()
    }

    /// Take the lock for a `with` block.
    ///
    /// Blocks: until the lock is free; not a cancellation point; Ctrl-C gets through.
    fn __enter__(&self, py: Python<'_>) -> PyResult<bool> {
        self.take(py, Patience::Forever)
    }

    fn __exit__(
        &self,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.free()
    }

    /// Return counts: `acquired`, how often it was taken, and `waiting`, the threads that are queued now.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        super::stats(py, self.core.mutex())
    }

    fn _at_fork_reinit(&self) {
        self.core.reset().wake();
    }

    /// A lock does not know its holder, so somebody's is everybody's.
    fn _is_owned(&self) -> bool {
        self.core.mutex().is_locked()
    }

    fn _release_save(&self) -> PyResult<()> {
        self.free()
    }

    /// Does not return without the lock; what a signal handler raises comes after the call.
    fn _acquire_restore(&self, py: Python<'_>, _saved: &Bound<'_, PyAny>) {
        take_back(py, self.core.mutex(), ANYBODY);
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(not_pickled("Lock"))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        let state = if slf.get().locked() { "locked" } else { "unlocked" };
        format!("<{state} fearless.compat.Lock object at {:p}>", slf.as_ptr())
    }
}
