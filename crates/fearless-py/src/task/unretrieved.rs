//! A failure that nobody asks for: reported when its task dies.
//!
//! Beside the exception of a call the task keeps an `Unretrieved` (`_unretrieved.py`), whose finalizer reports; whoever
//! asks for the outcome disarms it. A call that succeeds pays nothing, nor does a task that has somebody to tell.
//! It is made by slots alone, so that no Python code, and with it no signal handler, runs before the outcome is in place.
//!
//! Not here: the report.

use fearless_core::task::{State, Step};
use pyo3::{prelude::*, types::PyType};

use super::{Content, Task, run::Remains};
use crate::{
    kept::{Kept, name},
    python,
};

/// Who answers for a failure.
#[derive(Default)]
pub(super) enum Concern {
    /// Nobody yet.
    #[default]
    Open,
    /// The report, if nobody asks.
    Alarm(Py<PyAny>),
    /// Somebody, whatever comes.
    Settled,
}

impl Content {
    /// Whether somebody is told of the end, or has asked for it before.
    fn is_heard(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| {
            !rare.callbacks.is_empty() || rare.watchers.is_some() || matches!(rare.concern, Concern::Settled)
        })
    }
}

impl Task {
    /// Ends the task with what its call raised.
    pub(super) fn raised(slf: &Bound<'_, Task>, error: Py<PyAny>) -> PyResult<Result<Remains, State>> {
        let py = slf.py();
        let mut alarm =
            if slf.get().core.with(|content| content.is_heard()) { None } else { slf.get().alarm(py, &error) };
        let mut error = Some(error);
        let ended = Task::advance(slf, Step::Finish, |content| {
            // Under the lock under which a callback or a watcher is added: it is seen here, or disarms what is set here.
            if !content.is_heard()
                && let Some(alarm) = alarm.take()
            {
                content.rare().concern = Concern::Alarm(alarm);
            }
            content.end(None, error.take())
        });
        disarm(py, alarm);
        ended
    }

    /// Somebody has asked for the outcome.
    pub(super) fn retrieved(&self, py: Python<'_>) {
        let alarm = self.core.with(|content| match &mut content.rare.as_mut()?.concern {
            Concern::Settled => None,
            concern => Some(std::mem::replace(concern, Concern::Settled)),
        });
        if let Some(Concern::Alarm(alarm)) = alarm {
            disarm(py, Some(alarm));
        }
    }

    /// Somebody answers for the outcome, now or when it comes.
    pub(super) fn disregard(&self, py: Python<'_>) {
        let before = self.core.with(|content| std::mem::replace(&mut content.rare().concern, Concern::Settled));
        if let Concern::Alarm(alarm) = before {
            disarm(py, Some(alarm));
        }
    }

    fn alarm(&self, py: Python<'_>, error: &Py<PyAny>) -> Option<Py<PyAny>> {
        let make = || {
            let alarm = python::call0(class(py)?)?;
            alarm.setattr(name!(py, "name")?, self.name(py))?;
            alarm.setattr(name!(py, "process")?, std::process::id())?;
            alarm.setattr(name!(py, "error")?, error)?;
            Ok(alarm.unbind())
        };
        make().map_err(|failure: PyErr| failure.write_unraisable(py, None)).ok()
    }
}

fn class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static CLASS: Kept<PyType> = Kept::new();
    CLASS.get(py, || Ok(python::import(py, "fearless._unretrieved")?.getattr("Unretrieved")?.cast_into::<PyType>()?))
}

fn disarm(py: Python<'_>, alarm: Option<Py<PyAny>>) {
    let Some(alarm) = alarm else { return };
    if let Err(failure) = name!(py, "error").and_then(|error| alarm.bind(py).setattr(error, py.None())) {
        failure.write_unraisable(py, None);
    }
}

/// Give `error` to `sys.unraisablehook`, with `text` as the object it happened in.
#[pyfunction]
pub(crate) fn write_unraisable(error: Bound<'_, PyAny>, text: &Bound<'_, PyAny>) {
    PyErr::from_value(error).write_unraisable(text.py(), Some(text));
}
