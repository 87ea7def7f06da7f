//! Waiting for a task's end, and what the wait gives or raises.
//!
//! Not here: who ends it.

use std::sync::atomic::Ordering;

use fearless_core::{fork, task::State, waiter::Waiter};
use pyo3::prelude::*;

use super::{Held, Task};
use crate::{
    errors, thread,
    wait::{self, Kind, Patience},
};

impl Task {
    /// The result, once the task is done; or what the call raised.
    pub(super) fn outcome(
        slf: &Bound<'_, Task>,
        timeout: Option<&Bound<'_, PyAny>>,
        call: &str,
    ) -> PyResult<Py<PyAny>> {
        if Task::wait_done(slf, timeout, call)?.is_cancelled() {
            return Err(errors::CancelledError::new_err(""));
        }
        let (py, task) = (slf.py(), slf.get());
        match task.get_exception(py) {
            Some(exception) => Err(PyErr::from_value(exception.into_bound(py))),
            None => Ok(task.get_result(py).unwrap_or_else(|| py.None())),
        }
    }

    /// Waits until the task is done. Says in the error which `call` waited.
    pub(super) fn wait_done(slf: &Bound<'_, Task>, timeout: Option<&Bound<'_, PyAny>>, call: &str) -> PyResult<State> {
        let py = slf.py();
        let patience = Patience::from_timeout(timeout)?;
        wait::checkpoint(py)?;
        let task = slf.get();
        if !task.is_done() {
            task.sleep(py, patience, call)?;
        }
        if task.core.is_shared() {
            // Whoever set the state holds the condition until the outcome is in place, too.
            drop(Held::take(&task.watchers(py)?.0)?);
        }
        Ok(task.core.state())
    }

    #[cold]
    fn sleep(&self, py: Python<'_>, patience: Patience, call: &str) -> PyResult<()> {
        const PENDING: &str = "the task did not end";
        self.refuse_deadlock(call)?;
        if patience == Patience::Once {
            return Err(errors::timeout(call, PENDING));
        }
        let waiter = Waiter::new();
        let Some(ticket) = self.core.join(&waiter) else { return Ok(()) };
        let ended = wait::wait(py, &waiter, Kind::Join, patience);
        self.core.leave(ticket);
        if matches!(ended, wait::Ended::Ready(_)) { Ok(()) } else { Err(ended.error(call, PENDING)) }
    }

    /// Refuses a wait that could never end.
    fn refuse_deadlock(&self, call: &str) -> PyResult<()> {
        let runner = self.runner.load(Ordering::Acquire);
        let generation = self.generation.load(Ordering::Relaxed);
        if runner == thread::ident() {
            return Err(errors::DeadlockError::new_err(format!("{call}: this thread is running the task itself")));
        }
        let lost = match self.core.state() {
            State::Pending => generation != fork::generation() && self.core.with(|content| content.call.is_some()),
            State::Running => runner != 0 && fork::vanished(runner, generation),
            _ => false,
        };
        if lost {
            let text = format!("{call}: the task belongs to the parent of a fork; nothing here will end it");
            return Err(errors::DeadlockError::new_err(text));
        }
        Ok(())
    }
}
