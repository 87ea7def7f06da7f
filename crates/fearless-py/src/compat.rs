//! What `fearless.compat` needs of native code: `Lock`, `RLock` and half of `Condition`, over `fearless_core::compat` and
//! `fearless_core::condvar`.
//!
//! Here: what the three share, which is how `threading` reads its arguments, and the slow path of a lock. Not here: any
//! algorithm; and the other half of `Condition`, `Semaphore`, `Event` and `Barrier`, which are written in Python.

pub(crate) mod condition;
pub(crate) mod lock;
pub(crate) mod rlock;

use std::time::{Duration, Instant};

use fearless_core::{
    mutex::{Lock as Attempt, Mutex},
    owner::Owner,
    waiter::Waiter,
};
use pyo3::{
    exceptions::{PyOverflowError, PyRuntimeError, PyTypeError, PyValueError},
    prelude::*,
    types::PyDict,
};

use crate::{
    kept::Kept,
    wait::{self, Ended, Kind, Patience},
};

/// Reads a flag as `threading` does: any object has a truth value.
fn truth(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    value.is_truthy()
}

/// Reads `acquire(blocking, timeout)` of a lock, where -1 stands for no timeout.
fn patience(py: Python<'_>, blocking: bool, timeout: f64) -> PyResult<Patience> {
    const UNSET: f64 = -1.0;
    #[allow(clippy::float_cmp, reason = "the very number that stands for none")]
    let is_unset = timeout == UNSET;
    match (blocking, is_unset) {
        (true, true) => Ok(Patience::Forever),
        (false, true) => Ok(Patience::Once),
        (false, false) => Err(PyValueError::new_err("can't specify a timeout for a non-blocking call")),
        (true, false) if timeout.is_nan() || timeout < 0.0 => {
            Err(PyValueError::new_err(format!("timeout must be -1 or a number of seconds >= 0, got {timeout}")))
        }
        (true, false) => seconds(py, timeout),
    }
}

/// The patience of `timeout` seconds, which are not negative; an error when `threading` could not wait so long.
fn seconds(py: Python<'_>, timeout: f64) -> PyResult<Patience> {
    if timeout == 0.0 {
        return Ok(Patience::Once);
    }
    if timeout > longest(py)? {
        return Err(PyOverflowError::new_err(format!("timeout must be at most TIMEOUT_MAX, got {timeout}")));
    }
    let until = Duration::try_from_secs_f64(timeout).ok().and_then(|wait| Instant::now().checked_add(wait));
    Ok(until.map_or(Patience::Forever, Patience::Until))
}

/// `threading.TIMEOUT_MAX`.
fn longest(py: Python<'_>) -> PyResult<f64> {
    static LONGEST: Kept<PyAny> = Kept::new();
    LONGEST.get(py, || crate::python::import(py, "threading")?.getattr("TIMEOUT_MAX"))?.extract()
}

/// Waits for a lock that was not free a moment ago; whether `me` has it now.
#[cold]
fn acquire_slowly(py: Python<'_>, mutex: &Mutex, me: Owner, patience: Patience) -> PyResult<bool> {
    if mutex.spin(me, wait::SPINS).is_some() {
        return Ok(true);
    }
    let mut waiter = Waiter::new();
    let mut attempt = mutex.start(me, &waiter);
    loop {
        let Attempt::Wait(ticket) = attempt else { return Ok(true) };
        let ended = wait::wait(py, &waiter, Kind::Lock, patience);
        let (next, wakes) = mutex.resume(ticket, &waiter, ended.claim());
        wakes.wake();
        attempt = match (next, ended) {
            (Some(Attempt::Vanished), Ended::Ready(_)) => {
                // A signal handler has forked: the child has forgotten who waited.
                waiter = Waiter::new();
                mutex.start(me, &waiter)
            }
            (None | Some(Attempt::Vanished), Ended::Failed(_, error)) => return Err(error),
            (None | Some(Attempt::Vanished), _) => return Ok(false),
            (Some(next), _) => next,
        };
    }
}

/// Takes a lock back that the calling thread had let go of, and does not return without it.
fn take_back(py: Python<'_>, mutex: &Mutex, me: Owner) {
    if mutex.try_lock(me).is_some() || mutex.spin(me, wait::SPINS).is_some() {
        return;
    }
    let mut waiter = Waiter::new();
    let mut attempt = mutex.start(me, &waiter);
    while let Attempt::Wait(ticket) = attempt {
        let claim = wait::wait_regardless(py, &waiter);
        let (next, wakes) = mutex.resume(ticket, &waiter, claim);
        wakes.wake();
        attempt = match next {
            Some(Attempt::Vanished) | None => {
                waiter = Waiter::new();
                mutex.start(me, &waiter)
            }
            Some(next) => next,
        };
    }
}

/// What `stats()` of a lock returns.
fn stats<'py>(py: Python<'py>, mutex: &Mutex) -> PyResult<Bound<'py, PyDict>> {
    let stats = PyDict::new(py);
    stats.set_item("acquired", mutex.acquired())?;
    stats.set_item("waiting", mutex.waiting())?;
    Ok(stats)
}

fn not_acquired(what: &str) -> PyErr {
    PyRuntimeError::new_err(format!("cannot {what} a lock that is not acquired"))
}

fn not_pickled(what: &str) -> PyErr {
    PyTypeError::new_err(format!("cannot pickle a {what}: it belongs to one process"))
}
