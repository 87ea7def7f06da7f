//! `Semaphore` over `fearless_core::semaphore`: arguments, errors, and the faces of an acquisition.
//!
//! Not here: any algorithm.

use std::sync::{Arc, atomic::Ordering};

use fearless_core::{
    semaphore::{self as core, Overfull},
    waiter::{Claim, Waiter},
};
use pyo3::{PyTraverseError, PyVisit, exceptions::PyValueError, prelude::*, types::PyDict};

use crate::{
    acquiring::{Acquiring, Ends, Entered},
    counts::Count,
    errors,
    hooks::Hooks,
    loop_queue,
    source::Source,
    thread_pool::worker::Stall,
    wait::{self, Ended, Kind, Patience},
    waits::{Gives, Object, Of, Waits},
};

/// A number of permits, taken and given back in any portions, first come first served.
///
/// A request for many permits is not starved by small ones: those that come later wait behind it. Nobody owns a permit, so
/// any thread or task may give it back. With `bounded=False`, `release` also makes new permits.
///
/// In a `select` a semaphore is ready by taking a permit, `permits(n)` by taking so many.
///
/// Thread safety: internally synchronized; any thread may call any method.
#[pyclass(frozen, weakref, module = "fearless")]
pub(crate) struct Semaphore {
    core: core::Semaphore,
    hooks: Hooks,
}

impl Object for Semaphore {
    type Core = core::Semaphore;

    fn core(&self) -> &core::Semaphore {
        &self.core
    }

    fn hooks(&self) -> &Hooks {
        &self.hooks
    }
}

#[pymethods]
impl Semaphore {
    /// A semaphore with `n` free permits, which are all there will be unless `bounded=False`.
    ///
    /// Raises: `TypeError` if `n` is not a whole number; `ValueError` if it is negative, or 0 and bounded.
    #[new]
    #[pyo3(signature = (n, *, bounded=true))]
    fn new(n: Count<0>, bounded: bool) -> PyResult<Semaphore> {
        if bounded && n.0 == 0 {
            return Err(PyValueError::new_err(
                "n must be a whole number >= 1, got 0: no permit would ever be free; bounded=False lets release() make some",
            ));
        }
        Ok(Semaphore { core: core::Semaphore::new(n.0, bounded), hooks: Hooks::default() })
    }

    /// Take `n` permits.
    ///
    /// Blocks: until so many are free and all who came before are served; a cancellation point; Ctrl-C gets through.
    /// Raises: `Timeout` after `timeout` seconds, with nothing taken; `ValueError` if there are fewer than `n` permits in all,
    /// if `n` is less than 1, or if `timeout` is negative or NaN.
    #[pyo3(signature = (n=Count(1), timeout=None), text_signature = "($self, n=1, timeout=None)")]
    fn acquire(&self, py: Python<'_>, n: Count<1>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        self.check("acquire", n.0)?;
        self.take(py, "acquire", n.0, Patience::from_timeout(timeout)?)
    }

    /// Take `n` permits if so many are free and nobody who came before waits; return whether they were taken.
    ///
    /// Raises: `ValueError` as `acquire` does.
    #[pyo3(signature = (n=Count(1)), text_signature = "($self, n=1)")]
    fn try_acquire(&self, n: Count<1>) -> PyResult<bool> {
        self.check("try_acquire", n.0)?;
        Ok(self.core.try_acquire(n.0))
    }

    /// Give `n` permits back; serve those who wait.
    ///
    /// Raises: `ValueError` if fewer are taken; then none was given back.
    #[pyo3(signature = (n=Count(1)), text_signature = "($self, n=1)")]
    fn release(&self, py: Python<'_>, n: Count<1>) -> PyResult<()> {
        self.give_back(py, "release", n.0)
    }

    /// Make a block that holds `n` permits: `with semaphore.permits(2):`. Each use waits `timeout` seconds at most.
    ///
    /// Raises: `ValueError` as `acquire` does.
    #[pyo3(signature = (n=Count(1), timeout=None), text_signature = "($self, n=1, timeout=None)")]
    fn permits(slf: &Bound<'_, Self>, n: Count<1>, timeout: Option<Py<PyAny>>) -> PyResult<Permits> {
        slf.get().check("permits", n.0)?;
        Patience::from_timeout(timeout.as_ref().map(|timeout| timeout.bind(slf.py())))?;
        Ok(Permits { semaphore: slf.clone().unbind(), permits: n.0, timeout })
    }

    /// Take `n` permits as a coroutine: await it, or use it in `async with`, which gives them back.
    ///
    /// Cancelled, it has taken nothing; there is no timeout, as the library has its own.
    ///
    /// Raises: `ValueError` as `acquire` does.
    #[pyo3(signature = (n=Count(1)), text_signature = "($self, n=1)")]
    fn acquire_async(slf: &Bound<'_, Self>, n: Count<1>) -> PyResult<Acquiring> {
        slf.get().check("acquire_async", n.0)?;
        let entered = Arc::new(Entered::default());
        entered.number.store(n.0, Ordering::Relaxed);
        let operation = Waits::boxed(core::Acquiring::for_coroutine(Of::new(slf), n.0));
        Acquiring::new(slf.py(), "acquire_async", operation, entered, Box::new(Block(slf.clone().unbind())))
    }

    /// Take a permit for a `with` block.
    ///
    /// Blocks: until one is free and all who came before are served; a cancellation point; Ctrl-C gets through.
    fn __enter__(&self, py: Python<'_>) -> PyResult<()> {
        self.take(py, "with", 1, Patience::Forever)
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.give_back(py, "with", 1)
    }

    /// Return counts: `free`, the permits that are free now, and `waiting`, the threads and tasks that wait now.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = PyDict::new(py);
        stats.set_item("free", self.core.free())?;
        stats.set_item("waiting", self.core.waiting())?;
        Ok(stats)
    }

    fn __repr__(&self) -> String {
        let free = match self.core.limit() {
            Some(limit) => format!("{} of {limit}", self.core.free()),
            None => self.core.free().to_string(),
        };
        format!("<Semaphore {free} free, {} waiting>", self.core.waiting())
    }

    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        Err(errors::not_picklable("a Semaphore"))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.hooks.traverse(&visit)
    }

    fn __clear__(&self) {
        self.hooks.clear();
    }
}

impl Semaphore {
    /// Refuses a request that could never be served.
    fn check(&self, call: &str, permits: u64) -> PyResult<()> {
        match self.core.limit() {
            Some(limit) if permits > limit => Err(PyValueError::new_err(format!(
                "{call}: the semaphore has {limit} permits in all, {permits} would never be free"
            ))),
            _ => Ok(()),
        }
    }

    fn take(&self, py: Python<'_>, call: &str, permits: u64, patience: Patience) -> PyResult<()> {
        wait::checkpoint(py)?;
        if self.core.try_acquire(permits) {
            return Ok(());
        }
        self.take_slowly(py, call, permits, patience, |_| None)
    }

    /// Takes a permit that comes with the end of a task of a pool. `stall` tells the pool that the waiter is enlisted here.
    pub(crate) fn take_from_task(
        &self,
        py: Python<'_>,
        call: &str,
        stall: impl FnOnce(&Arc<Waiter>) -> Option<Stall>,
    ) -> PyResult<()> {
        wait::checkpoint(py)?;
        if self.core.try_acquire(1) { Ok(()) } else { self.take_slowly(py, call, 1, Patience::Forever, stall) }
    }

    #[cold]
    fn take_slowly(
        &self,
        py: Python<'_>,
        call: &str,
        permits: u64,
        patience: Patience,
        stall: impl FnOnce(&Arc<Waiter>) -> Option<Stall>,
    ) -> PyResult<()> {
        const NOT_FREE: &str = "not enough permits were free";
        if patience == Patience::Once {
            return Err(errors::timeout(call, NOT_FREE));
        }
        let waiter = Waiter::new();
        let Some(ticket) = self.core.acquire(permits, &waiter) else { return Ok(()) };
        let stall = stall(&waiter);
        let ended = wait::wait(py, &waiter, Kind::Semaphore, patience);
        drop(stall);
        let (is_acquired, wakes) = self.core.resume(ticket, ended.claim());
        loop_queue::wake(py, wakes);
        if !is_acquired {
            return Err(match ended {
                Ended::Ready(Claim::Refused) => Stall::refusal(call),
                ended => ended.error(call, NOT_FREE),
            });
        }
        wait::last_look(py).inspect_err(|_| {
            // They are taken, so they fit.
            let _ = self.core.release(permits).map(|wakes| loop_queue::wake(py, wakes));
        })
    }

    fn give_back(&self, py: Python<'_>, call: &str, permits: u64) -> PyResult<()> {
        let wakes = self.core.release(permits).map_err(|Overfull(free)| {
            PyValueError::new_err(match self.core.limit() {
                Some(limit) => {
                    format!("{call}: {} of {limit} permits are taken, got {permits} back", limit.saturating_sub(free))
                }
                None => format!("{call}: a semaphore holds less than 2**63 permits, got {permits} beside {free}"),
            })
        })?;
        loop_queue::wake(py, wakes);
        Ok(())
    }

    /// As an operation of a select, of a coroutine or a thread.
    pub(crate) fn source(slf: &Bound<'_, Self>, permits: u64, is_coroutine: bool) -> Source {
        let make = if is_coroutine { core::Acquiring::for_coroutine } else { core::Acquiring::for_select };
        Source::Object(Waits::boxed(make(Of::new(slf), permits)))
    }
}

impl Gives for core::Acquiring<Of<Semaphore>> {
    type Object = Semaphore;

    fn holder(&self) -> &Of<Semaphore> {
        &self.holder
    }

    fn outcome(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(py.None())
    }
}

/// The end of an `async with` block.
struct Block(Py<Semaphore>);

impl Ends for Block {
    fn end(&self, permits: u64, error: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.get().give_back(error.py(), "async with", permits)
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0)
    }
}

/// A number of permits of a semaphore, for a `with` block or a `select`. It holds none by itself.
///
/// Thread safety: immutable; several threads may use it at once, and each takes its own permits.
#[pyclass(frozen, weakref, module = "fearless")]
pub(crate) struct Permits {
    semaphore: Py<Semaphore>,
    permits: u64,
    timeout: Option<Py<PyAny>>,
}

#[pymethods]
impl Permits {
    /// Take the permits for a block.
    ///
    /// Blocks: until so many are free and all who came before are served; a cancellation point; Ctrl-C gets through.
    /// Raises: `Timeout` after the seconds that `permits` was given.
    fn __enter__(&self, py: Python<'_>) -> PyResult<()> {
        let patience = Patience::from_timeout(self.timeout.as_ref().map(|timeout| timeout.bind(py)))?;
        self.semaphore.get().take(py, "with", self.permits, patience)
    }

    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.semaphore.get().give_back(py, "with", self.permits)
    }

    fn __repr__(&self) -> String {
        format!("<{} permits of {}>", self.permits, self.semaphore.get().__repr__())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.semaphore)?;
        visit.call(&self.timeout)
    }
}

impl Permits {
    /// As an operation of a select, of a coroutine or a thread.
    pub(crate) fn source(&self, py: Python<'_>, is_coroutine: bool) -> Source {
        Semaphore::source(self.semaphore.bind(py), self.permits, is_coroutine)
    }
}
