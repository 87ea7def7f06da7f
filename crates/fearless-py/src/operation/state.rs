//! What a call that waits as a coroutine is at: its places, its scope, and what it lets the loop iterate.
//!
//! Not here: its steps (`operation.rs`).

use std::time::Instant;

use fearless_core::{
    scope::Scope,
    select::{Select, Standing},
    sync::Arc,
    waiter::{Claim, Waiter},
};
use pyo3::{PyTraverseError, PyVisit, exceptions::PyStopIteration, prelude::*};

use super::{Operation, turn::Turn};
use crate::{
    kept::{Kept, name},
    loop_queue::{self, LoopQueue},
    python, scope, select,
    source::Source,
    wait,
};

/// How the task goes on.
#[derive(Default)]
pub(super) enum Input {
    #[default]
    None,
    Value(Py<PyAny>),
    Error(PyErr),
}

pub(super) struct State {
    pub(super) sources: Vec<Source>,
    pub(super) select: Select,
    /// The scope of the task, if its cancellation ends the wait.
    pub(super) scope: Option<std::sync::Arc<Scope>>,
    /// What is iterated: the pause that others get, or the wait.
    pub(super) inner: Option<Py<PyAny>>,
    /// The waiter, while `inner` is the wait.
    pub(super) waiter: Option<Arc<Waiter>>,
    /// What the loop wakes.
    pub(super) parked: Option<Py<PyAny>>,
    /// Whether others have had their turn.
    pub(super) paused: bool,
}

impl State {
    /// Leaves all places; the notice goes to the next.
    pub(super) fn leave(&mut self) {
        if let Some(waiter) = &self.waiter {
            self.select.abandon(&mut self.sources, waiter);
            self.detach(waiter);
        }
    }

    /// Before the waiter is let go of: then the scope never drops its last reference.
    pub(super) fn detach(&self, waiter: &Arc<Waiter>) {
        if let Some(scope) = &self.scope {
            scope.detach(waiter);
        }
    }

    /// Raises `Cancelled` if the scope is cancelled.
    pub(super) fn checkpoint(&self, py: Python<'_>) -> PyResult<()> {
        self.scope.as_ref().map_or(Ok(()), |scope| wait::checkpoint_in(py, scope))
    }

    /// The first step: the scope of the task decides whether there are more.
    pub(super) fn begin(&mut self, py: Python<'_>) -> PyResult<()> {
        self.paused = true;
        if scope::may_be_inside_task() && self.sources.iter().all(Source::is_point) {
            self.scope = scope::current_of_task(py)?;
            self.checkpoint(py)?;
        }
        self.sources.iter_mut().try_for_each(|source| source.begin(py))
    }

    /// As `leave`, if the wait has ended. The loop may have run since it was found standing: this may be another wait, which
    /// nobody was told of, and nobody would wake afterwards.
    pub(super) fn pass_on(&mut self) {
        if self.waiter.as_ref().is_some_and(|waiter| waiter.claimed().is_some()) {
            self.leave();
        }
    }

    pub(super) fn give_up(&mut self, py: Python<'_>) {
        self.leave();
        loop_queue::send(py);
        select::give_back(py, &mut self.sources);
    }

    pub(super) fn may_give_up(&self) -> bool {
        let Some(waiter) = &self.waiter else { return true };
        match waiter.claimed() {
            Some(Claim::Ready(operation)) => self.sources.get(operation).is_none_or(|source| !source.is_handed_over()),
            Some(_) => true,
            None => waiter.claim(Claim::Cancelled) || self.may_give_up(),
        }
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.sources.iter().try_for_each(|source| source.traverse(visit))?;
        visit.call(&self.inner)?;
        visit.call(&self.parked)
    }

    /// Goes on with what is iterated: what it yields, or `None` when it has come to its end.
    pub(super) fn go_on(&mut self, py: Python<'_>, input: Input) -> PyResult<Option<Py<PyAny>>> {
        let Some(inner) = &self.inner else {
            return if let Input::Error(error) = input { Err(error) } else { Ok(None) };
        };
        let inner = inner.bind(py);
        let yielded = match input {
            Input::None => python::next(inner.cast()?),
            Input::Value(value) => unless_ended(py, python::method_with(inner, name!(py, "send")?, value.bind(py))),
            Input::Error(error) => unless_ended(py, python::method_with(inner, name!(py, "throw")?, error.value(py))),
        };
        let yielded = yielded?;
        if yielded.is_none() {
            self.inner = None;
        }
        Ok(yielded.map(Bound::unbind))
    }

    /// Parks the task, unless an operation turns out to be ready; whether there is something to iterate.
    pub(super) fn park(&mut self, slf: &Bound<'_, Operation>, event_loop: &Bound<'_, PyAny>) -> PyResult<Standing> {
        let py = slf.py();
        let deadline = self.scope.as_ref().and_then(|scope| scope.deadline());
        let due = self.sources.iter().filter_map(Source::due).chain(deadline).min();
        let seconds = due.map(|due| due.saturating_duration_since(Instant::now()).as_secs_f64());
        let queue = event_loop.getattr(name!(py, "queue")?)?.cast_into::<LoopQueue>()?;
        let waiter = Waiter::for_loop(queue.get().notice(slf)?);
        let park = event_loop.getattr(name!(py, "park")?)?;
        let (inner, parked): (Py<PyAny>, Py<PyAny>) =
            python::call(&park, &(slf, seconds).into_pyobject(py)?, None)?.extract()?;
        for source in &mut self.sources {
            drop(source.set_hook(Some(slf.clone().into_any().unbind())));
        }
        let mut standing = self.select.start(&mut self.sources, &waiter);
        if standing == Standing::Wait
            && let Some(scope) = &self.scope
        {
            scope.attach(&waiter);
            if waiter.claimed() == Some(Claim::Cancelled) {
                // It was stopped already, and nobody was told.
                scope.detach(&waiter);
                standing = self.select.finish(&mut self.sources, &waiter);
            }
        }
        loop_queue::send(py);
        if standing == Standing::Wait {
            (self.inner, self.parked, self.waiter) = (Some(inner), Some(parked), Some(waiter));
        } else {
            close_inner(inner.bind(py))?;
        }
        Ok(standing)
    }
}

/// What an iterator yielded; `None` when it has come to its end.
fn unless_ended<'py>(py: Python<'py>, yielded: PyResult<Bound<'py, PyAny>>) -> PyResult<Option<Bound<'py, PyAny>>> {
    match yielded {
        Err(error) if error.is_instance_of::<PyStopIteration>(py) => Ok(None),
        yielded => yielded.map(Some),
    }
}

/// Closes what was not iterated to its end; a future has nothing to close.
pub(super) fn close_inner(inner: &Bound<'_, PyAny>) -> PyResult<()> {
    if let Some(close) = inner.getattr_opt(name!(inner.py(), "close")?)? {
        python::call0(&close)?;
    }
    Ok(())
}

/// What to iterate before the call goes ahead: a turn for others when this task has had a long one; under trio a look
/// for cancellation.
pub(super) fn pause(py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
    let is_over = Turn::is_over();
    if !is_over && !trio_is_loaded(py)? {
        return Ok(None);
    }
    let event_loop = current_loop(py)?;
    let pause = if is_over { name!(py, "pause")? } else { name!(py, "check")? };
    let pause = python::method0(&event_loop, pause)?;
    Ok(if pause.is_none() { None } else { Some(pause.unbind()) })
}

/// Whether the loop may be trio's.
fn trio_is_loaded(py: Python<'_>) -> PyResult<bool> {
    crate::event_loop::modules(py)?.contains(name!(py, "trio.lowlevel")?)
}

/// The object of `_loops.py` for the loop that runs on this thread.
pub(super) fn current_loop(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    static CURRENT: Kept<PyAny> = Kept::new();
    python::call0(CURRENT.get(py, || python::import(py, "fearless._loops")?.getattr("current"))?)
}
