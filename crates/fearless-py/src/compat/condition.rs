//! `Condition` over `fearless_core::condvar`: the native half of the class in `fearless/_condition.py`.
//!
//! A wait lets a lock go, sleeps and takes the lock back, all in one native call, and so do entering and leaving a block:
//! a signal handler that raises cannot strike between two of these steps. So a caller that waited has its lock again, and
//! one that did not enter has none. That goes for a lock of `threading`, too, which knows nothing of it. Not here: any
//! algorithm, and the lock, which is an attribute.

use fearless_core::{
    condvar::Condvar,
    sync::Arc,
    waiter::{Claim, Waiter},
};
use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    types::{PyDict, PyTuple},
};

use super::{not_pickled, seconds};
use crate::{
    kept::{Kept, name},
    python,
    wait::{self, Ended, Kind, Patience},
};

/// The threads that wait for a condition. A subclass has the lock, as `_lock`. It may say how to let go of all its
/// acquisitions (`_release_save()`) and how to take them back (`_acquire_restore(saved)`).
///
/// Thread safety: internally synchronized; any thread may call any method.
#[pyclass(subclass, frozen, weakref, module = "fearless._core")]
pub(crate) struct Condition {
    queue: Condvar,
}

/// Reads the `timeout` of a wait: none, or a number of which `threading` minds only those above 0.
fn patience(py: Python<'_>, timeout: Option<f64>) -> PyResult<Patience> {
    match timeout {
        None => Ok(Patience::Forever),
        Some(timeout) if timeout.is_nan() => Err(PyValueError::new_err("timeout must be a number, got nan")),
        Some(timeout) if timeout > 0.0 => seconds(py, timeout),
        Some(_) => Ok(Patience::Once),
    }
}

/// Sleeps until a notice or the end of the patience.
fn sleep(py: Python<'_>, waiter: &Arc<Waiter>, patience: Patience) -> Ended {
    if patience == Patience::Once {
        waiter.claim(Claim::TimedOut);
        return Ended::TimedOut;
    }
    wait::wait(py, waiter, Kind::Condvar, patience)
}

/// Of the error that ended a wait and the one that came while the lock was taken back, as `finally` would raise them.
fn raised(py: Python<'_>, error: Option<PyErr>, late: Option<PyErr>) -> PyResult<()> {
    match (error, late) {
        (None, None) => Ok(()),
        (Some(error), None) | (None, Some(error)) => Err(error),
        (Some(error), Some(late)) => {
            late.value(py).setattr(name!(py, "__context__")?, error.value(py))?;
            Err(late)
        }
    }
}

/// The class of `threading.Lock()`, which is a function before Python 3.13.
fn lock_of_threading(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static LOCK: Kept<PyAny> = Kept::new();
    LOCK.get(py, || python::import(py, "_thread")?.getattr("LockType"))
}

#[pymethods]
impl Condition {
    /// Takes whatever a subclass takes.
    #[new]
    #[pyo3(signature = (*_arguments, **_keywords))]
    fn new(_arguments: &Bound<'_, PyTuple>, _keywords: Option<&Bound<'_, PyDict>>) -> Condition {
        Condition { queue: Condvar::default() }
    }

    fn __enter__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let enter = slf.getattr(name!(py, "_lock")?)?.getattr(name!(py, "__enter__")?)?;
        python::call(&enter, &PyTuple::empty(py), None)
    }

    #[pyo3(signature = (*exception))]
    fn __exit__<'py>(slf: &Bound<'py, Self>, exception: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let exit = slf.getattr(name!(py, "_lock")?)?.getattr(name!(py, "__exit__")?)?;
        python::call(&exit, exception, None)
    }

    /// Let the lock go, wait to be notified, and take the lock back; return whether it was notified.
    #[pyo3(signature = (timeout=None))]
    fn _wait(slf: &Bound<'_, Self>, timeout: Option<f64>) -> PyResult<bool> {
        let py = slf.py();
        let patience = patience(py, timeout)?;
        wait::checkpoint(py)?;
        let release = slf.getattr(name!(py, "_release_save")?)?;
        let restore = slf.getattr(name!(py, "_acquire_restore")?)?;
        let queue = &slf.get().queue;
        let waiter = Waiter::new();
        let ticket = queue.start(&waiter);
        // From here on others may notify this thread, which still has the lock.
        let saved = match python::call(&release, &PyTuple::empty(py), None) {
            Ok(saved) => saved,
            Err(error) => {
                waiter.claim(Claim::Interrupted);
                queue.finish(ticket, true).wake();
                return Err(error);
            }
        };
        let ended = sleep(py, &waiter, patience);
        queue.finish(ticket, false).wake();
        let notified = matches!(waiter.claimed(), Some(Claim::Ready(_)));
        let error = if let Ended::Failed(_, error) = ended { Some(error) } else { None };
        let outcome = python::call_with(&restore, &saved)
            .and_then(|_| raised(py, error, wait::last_look(py).err()))
            .map(|()| notified);
        if notified && outcome.is_err() {
            queue.notify_one().wake();
        }
        outcome
    }

    /// Lets go of a lock that has no method for it. Native: behind a `release()` that Python calls, a handler may raise.
    fn _release_save<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        python::call0(&slf.getattr(name!(py, "_lock")?)?.getattr(name!(py, "release")?)?)
    }

    /// Takes it back. One of `threading` is not returned without: what handlers raise meanwhile comes after the call.
    fn _acquire_restore(slf: &Bound<'_, Self>, _saved: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = slf.py();
        let lock = slf.getattr(name!(py, "_lock")?)?;
        let acquire = lock.getattr(name!(py, "acquire")?)?;
        let raises_before = lock.is_instance(lock_of_threading(py)?)?;
        loop {
            match python::call0(&acquire) {
                // Without a timeout nothing else is raised by it, and then it was not taken.
                Err(error) if raises_before => wait::after_success(py, error),
                // Whether any other lock was taken before it raised, nobody can tell.
                outcome => return outcome.map(drop),
            }
        }
    }

    /// Notify the first `count` that wait.
    fn _notify(&self, count: isize) {
        self.queue.notify(usize::try_from(count).unwrap_or(0)).wake();
    }

    /// How many wait.
    fn _waiting(&self) -> usize {
        self.queue.waiting()
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(not_pickled("Condition"))
    }
}
