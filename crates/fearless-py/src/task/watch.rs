//! Stepping from state to state, and telling those who watch a task with the stock functions.
//!
//! `wait` and `as_completed` hold a future's condition while they look at its state and put themselves on its list of
//! waiters. So a task that has a condition changes only with it held, and then tells the list.
//!
//! Not here: what the steps are for.

use fearless_core::task::{Pass, Refusal, State, Step};
use pyo3::{exceptions::PyRuntimeError, prelude::*, types::PyList};

use super::{Content, Task};
use crate::{
    kept::{Kept, name},
    loop_queue, python,
};

/// What the stock functions watch a future with.
pub(super) struct Watchers {
    pub(super) condition: Py<PyAny>,
    pub(super) waiters: Py<PyList>,
}

impl Task {
    /// Takes a step, under the watchers' condition if there is one. `Ok(Err(state))`: it is not open from there.
    pub(super) fn advance<R>(
        slf: &Bound<'_, Task>,
        step: Step,
        mut edit: impl FnMut(&mut Content) -> R,
    ) -> PyResult<Result<R, State>> {
        let core = &slf.get().core;
        match core.advance(Pass::Unshared, step, &mut edit) {
            Ok((edited, wakes)) => {
                loop_queue::wake(slf.py(), wakes);
                Ok(Ok(edited))
            }
            Err(Refusal::State(state)) => Ok(Err(state)),
            Err(Refusal::Shared) => Task::advance_watched(slf, step, edit),
        }
    }

    #[cold]
    fn advance_watched<R>(
        slf: &Bound<'_, Task>,
        step: Step,
        edit: impl FnMut(&mut Content) -> R,
    ) -> PyResult<Result<R, State>> {
        let (condition, waiters) = slf.get().watchers(slf.py())?;
        let held = Held::take(&condition)?;
        let (edited, wakes) = match slf.get().core.advance(Pass::Holding, step, edit) {
            Ok(done) => done,
            Err(Refusal::State(state)) => return Ok(Err(state)),
            Err(Refusal::Shared) => unreachable!("the condition is held"),
        };
        wakes.wake();
        let told = Task::tell(slf, step.to(), &condition, &waiters);
        drop(held);
        loop_queue::send(slf.py());
        // The state stands even if a watcher failed; the caller still has callbacks to call.
        if let Err(error) = told {
            error.write_unraisable(slf.py(), Some(slf));
        }
        Ok(Ok(edited))
    }

    /// Tells the watchers of the stock functions. With their condition held.
    fn tell(
        slf: &Bound<'_, Task>,
        next: State,
        condition: &Bound<'_, PyAny>,
        waiters: &Bound<'_, PyList>,
    ) -> PyResult<()> {
        let add = match next {
            State::Finished if slf.get().core.with(|content| content.exception.is_some()) => "add_exception",
            State::Finished => "add_result",
            State::CancelledAndNotified => "add_cancelled",
            State::Pending | State::Running | State::Cancelled => "",
        };
        if !add.is_empty() {
            for waiter in waiters {
                python::call_with(&waiter.getattr(add)?, slf)?;
            }
        }
        if next.is_done() {
            python::method0(condition, name!(slf.py(), "notify_all")?)?;
        }
        Ok(())
    }

    /// The list of waiters as the stock functions see it. One who is about to wait for a task of its own, which is queued,
    /// will run it first: it might be the only one who can.
    pub(super) fn waiters<'py>(slf: &Bound<'py, Task>) -> PyResult<Bound<'py, PyAny>> {
        static CLASS: Kept<PyAny> = Kept::new();
        let py = slf.py();
        let (_, waiters) = slf.get().watchers(py)?;
        if !slf.get().is_queued_own() {
            return Ok(waiters.into_any());
        }
        let class = CLASS.get(py, || python::import(py, "fearless._own_first")?.getattr("Waiters"))?;
        python::call(class, &(slf, waiters).into_pyobject(py)?, None)
    }

    /// The condition and the list of waiters. Makes the task shared.
    pub(super) fn watchers<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyList>)> {
        let mut fresh = if self.core.is_shared() {
            None
        } else {
            let condition = python::import(py, "threading")?.call_method0("Condition")?.unbind();
            Some(Watchers { condition, waiters: PyList::empty(py).unbind() })
        };
        self.core
            .share(|content| {
                let rare = content.rare();
                if rare.watchers.is_none() {
                    rare.watchers = fresh.take();
                }
                let watchers = rare.watchers.as_ref();
                watchers.map(|both| (both.condition.clone_ref(py), both.waiters.clone_ref(py)))
            })
            .map(|(condition, waiters)| (condition.into_bound(py), waiters.into_bound(py)))
            .ok_or_else(|| PyRuntimeError::new_err("the task was cleared by the garbage collector"))
    }
}

/// The condition of the watchers, held while it lives.
pub(super) struct Held<'a, 'py> {
    condition: &'a Bound<'py, PyAny>,
}

impl<'a, 'py> Held<'a, 'py> {
    pub(super) fn take(condition: &'a Bound<'py, PyAny>) -> PyResult<Held<'a, 'py>> {
        python::method0(condition, name!(condition.py(), "acquire")?)?;
        Ok(Held { condition })
    }
}

impl Drop for Held<'_, '_> {
    fn drop(&mut self) {
        let released = name!(self.condition.py(), "release").and_then(|name| python::method0(self.condition, name));
        if let Err(error) = released {
            error.write_unraisable(self.condition.py(), Some(self.condition));
        }
    }
}
