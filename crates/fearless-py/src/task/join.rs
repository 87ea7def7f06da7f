//! Waiting for a task's end, and what the wait gives or raises.
//!
//! Not here: who ends it.

use std::sync::atomic::Ordering;

use fearless_core::{
    fork,
    sync::Arc,
    task::State,
    waiter::{Claim, Ticket, Waiter},
};
use pyo3::prelude::*;

use super::{Held, Task, generation};
use crate::{
    errors, scope, thread,
    thread_pool::worker::{self, Stall},
    wait::{self, Ended, Kind, Patience},
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
        let is_bounded = patience != Patience::Forever || scope::is_of_thread(|scope| scope.deadline().is_some());
        let stall = if is_bounded { None } else { task.stall(py, &waiter, false) };
        let ended = wait::wait(py, &waiter, Kind::Join, patience);
        drop(stall);
        task.core.leave(ticket);
        match ended {
            Ended::Ready(Claim::Refused) => Err(Stall::refusal(call)),
            Ended::Ready(_) => Ok(()),
            ended => Err(ended.error(call, PENDING)),
        }
    }

    /// Enlists `waiter` until the task is done; `None` when it is.
    pub(crate) fn enlist(&self, waiter: &Arc<Waiter>) -> Option<Ticket> {
        self.core.join(waiter)
    }

    /// Undoes `enlist`.
    pub(crate) fn leave(&self, ticket: Ticket) {
        self.core.leave(ticket);
    }

    /// Tells the pool of the task that its worker waits for it, if the calling thread is one; `waiter` is enlisted.
    pub(crate) fn stall(&self, py: Python<'_>, waiter: &Arc<Waiter>, is_firm: bool) -> Option<Stall> {
        Stall::begin(py, self.pool.load(Ordering::Relaxed), waiter, is_firm)
    }

    /// Whether the task has not ended, is of the pool that the calling thread works for, and is not run by this thread.
    pub(super) fn is_beside(&self) -> bool {
        !self.is_done()
            && worker::is_of(self.pool.load(Ordering::Relaxed))
            && self.runner.load(Ordering::Acquire) != thread::ident()
    }

    /// Makes the call here, if the task is queued and was submitted by the run of a worker that waits for it now: it might
    /// be the only one. Whether the task is done.
    pub(super) fn run_own(slf: &Bound<'_, Task>) -> bool {
        let task = slf.get();
        if task.is_queued_own() {
            worker::in_a_run(|| Task::run(slf));
        }
        task.is_done()
    }

    /// Whether nobody has begun the call, and the run of the calling thread has submitted it to its own pool.
    pub(super) fn is_queued_own(&self) -> bool {
        self.core.state() == State::Pending && worker::is_own(self.runner.load(Ordering::Relaxed))
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
