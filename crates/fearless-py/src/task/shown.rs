//! What a task says of itself: its `repr`, and the names that `concurrent.futures` has for its states.
//!
//! Not here: the states (`fearless_core::task`).

use fearless_core::task::State;
use pyo3::prelude::*;

use super::Task;
use crate::python;

pub(super) const STATES: [(State, &str); 5] = [
    (State::Pending, "PENDING"),
    (State::Running, "RUNNING"),
    (State::Cancelled, "CANCELLED"),
    (State::CancelledAndNotified, "CANCELLED_AND_NOTIFIED"),
    (State::Finished, "FINISHED"),
];

/// The name that `concurrent.futures` has for a state.
pub(super) fn state_name(state: State) -> &'static str {
    STATES[state as usize].1
}

impl Task {
    pub(super) fn show(slf: &Bound<'_, Task>) -> PyResult<String> {
        let (py, task) = (slf.py(), slf.get());
        let name = match task.name(py) {
            Some(name) => format!(" {}", python::repr(name.bind(py))?),
            None => String::new(),
        };
        let text = task.text(py, ">")?;
        Ok(format!("<{}{name} at {:#x} {text}", class_name(slf)?, slf.as_ptr() as usize))
    }

    fn text(&self, py: Python<'_>, end: &str) -> PyResult<String> {
        let (result, exception) = self.core.with(|content| {
            (content.result.as_ref().map(|it| it.clone_ref(py)), content.exception.as_ref().map(|it| it.clone_ref(py)))
        });
        Ok(match (self.core.state(), exception) {
            (State::Pending, _) => format!("state=pending{end}"),
            (State::Running, _) => format!("state=running{end}"),
            (State::Cancelled | State::CancelledAndNotified, _) => format!("state=cancelled{end}"),
            (State::Finished, Some(error)) => {
                format!("state=finished raised {}{end}", error.bind(py).get_type().name()?)
            }
            (State::Finished, None) => {
                let kind = result.map_or_else(|| Ok("NoneType".to_owned()), |it| class_name(it.bind(py)))?;
                format!("state=finished returned {kind}{end}")
            }
        })
    }
}

fn class_name(object: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(object.get_type().name()?.to_string())
}
