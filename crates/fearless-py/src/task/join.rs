//! Waiting for a task's end, and what the wait gives or raises.
//!
//! Not here: who ends it.

use std::sync::atomic::Ordering;

use fearless_core::{fork, task::State, waiter::Waiter};
use pyo3::prelude::*;

use super::{Held, Task, generation};
use crate::{
    errors, thread,
    thread_pool::worker::{self, Stall},
    wait::{self, Kind, Patience},
};

impl Task {
    /// The result, once the task is done; or what the call raised.
    pub(super) fn outcome(
        slf: &Bound<'_, Task>,
        timeout: Option<&Bound<'_, PyAny>>,
        call: &str,
    ) -> PyResult<Py<PyAny>> {
        Task::wait_end(slf, timeout, call)?;
        Task::settled(slf)
    }

    /// The result of a task that is done; or what the call raised.
    pub(super) fn settled(slf: &Bound<'_, Task>) -> PyResult<Py<PyAny>> {
        let (py, task) = (slf.py(), slf.get());
        task.wait_for_watcher(py)?;
        if task.core.state().is_cancelled() {
            return Err(errors::CancelledError::new_err(""));
        }
        match task.get_exception(py) {
            Some(exception) => {
                task.retrieved(py);
                Err(PyErr::from_value(exception.into_bound(py)))
            }
            None => Ok(task.get_result(py).unwrap_or_else(|| py.None())),
        }
    }

    /// Waits until the task is done. Says in the error which `call` waited.
    pub(super) fn wait_done(slf: &Bound<'_, Task>, timeout: Option<&Bound<'_, PyAny>>, call: &str) -> PyResult<State> {
        Task::wait_end(slf, timeout, call)?;
        let task = slf.get();
        task.wait_for_watcher(slf.py())?;
        Ok(task.core.state())
    }

    fn wait_end(slf: &Bound<'_, Task>, timeout: Option<&Bound<'_, PyAny>>, call: &str) -> PyResult<()> {
        let py = slf.py();
        let patience = Patience::from_timeout(timeout)?;
        wait::checkpoint(py)?;
        if slf.get().is_done() { Ok(()) } else { Task::sleep(slf, patience, call) }
    }

    /// Whoever set the state of a shared task holds the condition until the outcome is in place, too.
    fn wait_for_watcher(&self, py: Python<'_>) -> PyResult<()> {
        if self.core.is_shared() {
            drop(Held::take(&self.watchers(py)?.0)?);
        }
        Ok(())
    }

    #[cold]
    fn sleep(slf: &Bound<'_, Task>, patience: Patience, call: &str) -> PyResult<()> {
        const PENDING: &str = "the task did not end";
        let (py, task) = (slf.py(), slf.get());
        task.refuse_deadlock(call)?;
        if patience == Patience::Once {
            return Err(errors::timeout(call, PENDING));
        }
        if patience == Patience::Forever && Task::run_own(slf) {
            return Ok(());
        }
        let waiter = Waiter::new();
        let Some(ticket) = task.core.join(&waiter) else { return Ok(()) };
        let pool = task.pool.load(Ordering::Relaxed);
        let stall = if patience == Patience::Forever { Stall::begin(py, pool, &waiter) } else { Ok(None) };
        let Ok(stall) = stall else {
            task.core.leave(ticket);
            let text = "every worker of the pool would wait for a task of the pool, and none is left to run one";
            return Err(errors::DeadlockError::new_err(format!("{call}: {text}; give it more workers")));
        };
        let ended = wait::wait(py, &waiter, Kind::Join, patience);
        drop(stall);
        task.core.leave(ticket);
        if matches!(ended, wait::Ended::Ready(_)) { Ok(()) } else { Err(ended.error(call, PENDING)) }
    }

    /// Makes the call here, if the task is queued and was submitted by the run of a worker that waits for it now: it might
    /// be the only one. Whether the task is done.
    fn run_own(slf: &Bound<'_, Task>) -> bool {
        let task = slf.get();
        if task.core.state() == State::Pending && worker::is_own(task.runner.load(Ordering::Relaxed)) {
            worker::in_a_run(|| Task::run(slf));
        }
        task.is_done()
    }

    /// Makes the call here, if the task is queued and the calling thread is a worker of its pool. Whether it was made.
    pub(super) fn run_here(slf: &Bound<'_, Task>) -> bool {
        let task = slf.get();
        let is_queued = task.core.state() == State::Pending && worker::is_of(task.pool.load(Ordering::Relaxed));
        if is_queued {
            worker::in_a_run(|| Task::run(slf));
        }
        is_queued
    }

    /// Refuses a wait that could never end.
    pub(super) fn refuse_deadlock(&self, call: &str) -> PyResult<()> {
        let runner = self.runner.load(Ordering::Acquire);
        let generation = self.generation.load(Ordering::Relaxed);
        if runner == thread::ident() {
            return Err(errors::DeadlockError::new_err(format!("{call}: this thread is running the task itself")));
        }
        let lost = match self.core.state() {
            State::Pending => generation != self::generation() && self.core.with(|content| content.call.is_some()),
            State::Running => runner != 0 && !worker::is_run(runner) && fork::vanished(runner, generation.into()),
            _ => false,
        };
        if lost {
            let text = format!("{call}: the task belongs to the parent of a fork; nothing here will end it");
            return Err(errors::DeadlockError::new_err(text));
        }
        Ok(())
    }
}
