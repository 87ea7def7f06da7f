//! `RLock` over `fearless_core::compat`. Conversions only.

use fearless_core::{compat as core, owner::Owner};
use pyo3::{prelude::*, types::PyDict};

use super::{acquire_slowly, not_acquired, not_pickled, patience, take_back, truth};
use crate::{thread, wait::Patience};

/// A lock with the interface of `threading.RLock`: the thread that holds it may take it again, and releases it as often.
///
/// Thread safety: internally synchronized; any thread may call any method. Only the holder may release.
#[pyclass(frozen, weakref, module = "fearless.compat")]
pub(crate) struct RLock {
    core: core::RLock,
}

impl RLock {
    fn take(&self, py: Python<'_>, patience: Patience) -> PyResult<bool> {
        let me = thread::ident();
        if self.core.try_acquire(me) {
            return Ok(true);
        }
        if patience == Patience::Once {
            return Ok(false);
        }
        let acquired = acquire_slowly(py, self.core.mutex(), Owner::thread(me), patience)?;
        if acquired {
            self.core.entered(1);
        }
        Ok(acquired)
    }

    fn free(&self) -> PyResult<()> {
        let wakes = self.core.release(thread::ident()).map_err(|_| not_acquired("release"))?;
        wakes.wake();
        Ok(())
    }
}

#[pymethods]
impl RLock {
    #[new]
    fn new() -> RLock {
        RLock { core: core::RLock::default() }
    }

    /// Take the lock, once more if this thread holds it; return whether it was taken. With `blocking=False` try once. -1 is
    /// no `timeout`.
    ///
    /// Blocks: until the lock is free, `timeout` seconds at most; not a cancellation point; Ctrl-C gets through.
    /// Raises: `ValueError` if `timeout` is negative and not -1, NaN, or given with `blocking=False`; `OverflowError` if it is
    /// more than `TIMEOUT_MAX`.
    #[pyo3(signature = (blocking=true, timeout=-1.0), text_signature = "($self, blocking=True, timeout=-1)")]
    fn acquire(&self, py: Python<'_>, #[pyo3(from_py_with = truth)] blocking: bool, timeout: f64) -> PyResult<bool> {
        self.take(py, patience(py, blocking, timeout)?)
    }

    /// Take one acquisition back; the last one frees the lock.
    ///
    /// Raises: `RuntimeError` if this thread does not hold it.
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

    /// Return counts: `acquired`, how often it went from free to held, and `waiting`, the threads that are queued now.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        super::stats(py, self.core.mutex())
    }

    fn _at_fork_reinit(&self) {
        self.core.reset().wake();
    }

    fn _is_owned(&self) -> bool {
        self.core.is_owned(thread::ident())
    }

    fn _recursion_count(&self) -> u64 {
        self.core.depth(thread::ident())
    }

    /// Frees the lock; what is returned, `_acquire_restore` needs.
    fn _release_save(&self) -> PyResult<(u64, u64)> {
        let me = thread::ident();
        let (depth, wakes) = self.core.release_all(me).map_err(|_| not_acquired("release"))?;
        wakes.wake();
        Ok((depth, me))
    }

    /// Does not return without the lock; what a signal handler raises comes after the call.
    fn _acquire_restore(&self, py: Python<'_>, saved: (u64, u64)) {
        take_back(py, self.core.mutex(), Owner::thread(thread::ident()));
        self.core.entered(saved.0);
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(not_pickled("RLock"))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> String {
        let lock = &slf.get().core;
        let state = if lock.mutex().is_locked() { "locked" } else { "unlocked" };
        let owner = lock.mutex().holder().map_or(0, |(owner, _)| owner.thread);
        let count = lock.held();
        format!("<{state} fearless.compat.RLock object owner={owner} count={count} at {:p}>", slf.as_ptr())
    }
}
