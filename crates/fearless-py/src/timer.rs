//! `after`, `tick` and `never` over `fearless_core::timer`: receivers of time, for use in `select` and alone.
//!
//! What they give is the time at which they were due, on the clock of `time.monotonic`. Not here: sleeping; a wait for a
//! timer is a wait with a deadline.

use std::time::{Duration, Instant};

use fearless_core::{
    timer::{self, Tick},
    waiter::Waiter,
};
use pyo3::{exceptions::PyValueError, prelude::*};

use crate::{
    errors,
    wait::{self, Ended, Kind, Patience},
};

/// A receiver of time.
///
/// Thread safety: internally synchronized; any thread may call any method, and each tick goes to one call.
#[pyclass(frozen, weakref, module = "fearless")]
pub(crate) struct Timer {
    core: timer::Timer,
    /// One moment on both clocks.
    moment: Instant,
    seconds: f64,
    name: String,
}

#[pymethods]
impl Timer {
    /// Receive the next tick: the time at which it was due, in seconds of `time.monotonic`.
    ///
    /// Blocks: until it is due; a cancellation point; Ctrl-C gets through.
    /// Raises: `Closed` when no tick will come, `Timeout` after `timeout` seconds, `ValueError` if `timeout` is negative
    /// or NaN.
    #[pyo3(signature = (timeout=None))]
    fn recv(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<f64> {
        let patience = Patience::from_timeout(timeout)?;
        self.take(py, patience)?.ok_or_else(|| self.ended("recv"))
    }

    /// Receive a tick that is due.
    ///
    /// Raises: `Empty` when none is due, `Closed` when none will come.
    fn try_recv(&self) -> PyResult<f64> {
        match self.ask() {
            Tick::Came(due) => Ok(self.on_clock(due)),
            Tick::Ended => Err(self.ended("try_recv")),
            Tick::Due(_) => Err(errors::Empty::new_err("try_recv: the timer is not due")),
        }
    }

    /// End it. Again is harmless. A call that waits for it already learns of that when the next tick would have been due.
    fn close(&self) {
        self.core.end();
    }

    /// Whether it has ended.
    #[getter]
    fn is_closed(&self) -> bool {
        self.core.has_ended()
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// Receive the next tick.
    ///
    /// Blocks: until it is due; a cancellation point; Ctrl-C gets through.
    fn __next__(&self, py: Python<'_>) -> PyResult<Option<f64>> {
        self.take(py, Patience::Forever)
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyAny>) {
        self.close();
    }

    fn __repr__(&self) -> String {
        format!("<Timer {}{}>", self.name, if self.core.has_ended() { ", ended" } else { "" })
    }
}

impl Timer {
    fn new(py: Python<'_>, name: String, core: impl FnOnce(Instant) -> timer::Timer) -> PyResult<Timer> {
        let seconds = crate::python::import(py, "time")?.call_method0("monotonic")?.extract()?;
        let moment = Instant::now();
        Ok(Timer { core: core(moment), moment, seconds, name })
    }

    /// What it has to say now.
    pub(crate) fn ask(&self) -> Tick {
        self.core.ask(Instant::now())
    }

    /// When it is due next; `None` is never.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.core.due()
    }

    /// Whether a tick is due, or it has ended.
    pub(crate) fn is_ready(&self) -> bool {
        self.core.has_ended() || self.core.due().is_some_and(|due| due <= Instant::now())
    }

    /// `due` as `time.monotonic` gives it.
    pub(crate) fn on_clock(&self, due: Instant) -> f64 {
        self.seconds + due.saturating_duration_since(self.moment).as_secs_f64()
    }

    fn ended(&self, call: &str) -> PyErr {
        errors::Closed::new_err(format!("{call}: the timer has ended"))
    }

    /// The next tick; `None` when it has ended.
    fn take(&self, py: Python<'_>, patience: Patience) -> PyResult<Option<f64>> {
        wait::checkpoint(py)?;
        loop {
            let due = match self.ask() {
                Tick::Came(due) => return Ok(Some(self.on_clock(due))),
                Tick::Ended => return Ok(None),
                Tick::Due(due) => due,
            };
            let late = || errors::timeout("recv", "no tick came");
            if patience == Patience::Once {
                return Err(late());
            }
            match wait::wait(py, &Waiter::new(), Kind::Sleep, patience.earlier(due)) {
                Ended::Failed(_, error) => return Err(error),
                _ if patience.is_over() && due.is_none_or(|due| due > Instant::now()) => return Err(late()),
                _ => {}
            }
        }
    }
}

/// Make a receiver that is ready once, after `seconds`, and then ends.
///
/// Raises: `ValueError` if `seconds` is negative or NaN.
#[pyfunction]
pub(crate) fn after(py: Python<'_>, seconds: &Bound<'_, PyAny>) -> PyResult<Timer> {
    let patience = Patience::from_seconds(seconds, RULE)?;
    let name = format!("after {seconds} s");
    Timer::new(py, name, |now| {
        timer::Timer::once(match patience {
            Patience::Once => Some(now),
            Patience::Until(due) => Some(due),
            Patience::Forever => None,
        })
    })
}

/// Make a receiver that is ready every `seconds`, for the first time after `seconds`. Ticks that nobody receives in time are
/// left out, all but one.
///
/// Raises: `ValueError` if `seconds` is not greater than 0, or NaN.
#[pyfunction]
pub(crate) fn tick(py: Python<'_>, seconds: &Bound<'_, PyAny>) -> PyResult<Timer> {
    let period = match Patience::from_seconds(seconds, RULE)? {
        Patience::Once => return Err(PyValueError::new_err(format!("seconds must be a number > 0, got {seconds}"))),
        Patience::Until(_) => Duration::try_from_secs_f64(seconds.extract()?).ok(),
        Patience::Forever => None,
    };
    Timer::new(py, format!("tick every {seconds} s"), |now| match period {
        Some(period) => timer::Timer::every(period.max(Duration::from_nanos(1)), now.checked_add(period)),
        None => timer::Timer::once(None),
    })
}

/// Make a receiver that is never ready: for a `select` one of whose channels is there only at times.
#[pyfunction]
pub(crate) fn never(py: Python<'_>) -> PyResult<Timer> {
    Timer::new(py, "never".to_owned(), |_| timer::Timer::once(None))
}

const RULE: &str = "seconds must be a number";
