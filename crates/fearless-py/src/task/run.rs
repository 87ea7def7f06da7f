//! Making a task's call, and what its end brings: moved ends closed, callbacks called.
//!
//! Not here: on which thread; whoever runs a task is on it.

use std::{mem, sync::atomic::Ordering};

use fearless_core::{
    scope as scopes,
    sync::Arc,
    task::{State, Step},
};
use pyo3::{exceptions::PyException, prelude::*, types::PyDict};

use super::{Content, Task, generation, state_name};
use crate::{call::Call, crossing, errors, python, scope::Entered, thread};

/// What the end of a task leaves to be dropped or called, once no lock is held.
pub(super) struct Remains {
    call: Option<Call>,
    callbacks: Vec<Py<PyAny>>,
    _scope: Option<Arc<scopes::Scope>>,
    _displaced: [Option<Py<PyAny>>; 2],
}

impl Content {
    /// Puts the outcome in place and takes out what is over with it.
    pub(super) fn end(&mut self, result: Option<Py<PyAny>>, exception: Option<Py<PyAny>>) -> Remains {
        Remains {
            call: self.call.take(),
            callbacks: self.take_callbacks(),
            _scope: self.scope.take(),
            _displaced: [mem::replace(&mut self.result, result), mem::replace(&mut self.exception, exception)],
        }
    }
}

impl Task {
    /// Begins the call: it is this thread's now. `None`: it was cancelled, or is nobody's to begin.
    fn begin(slf: &Bound<'_, Task>) -> PyResult<Option<(Call, Option<Arc<scopes::Scope>>)>> {
        let begun = Task::advance(slf, Step::Begin, |content| (content.call.take(), content.scope.take()))?;
        match begun {
            Ok((Some(call), scope)) => {
                let task = slf.get();
                task.generation.store(generation(), Ordering::Relaxed);
                task.runner.store(thread::ident(), Ordering::Release);
                Ok(Some((call, scope)))
            }
            Ok((None, _)) => Ok(None),
            Err(State::Cancelled) => {
                Task::notify_cancelled(slf)?;
                Ok(None)
            }
            Err(_) => Ok(None),
        }
    }

    pub(super) fn notify_cancelled(slf: &Bound<'_, Task>) -> PyResult<()> {
        Task::advance(slf, Step::Notify, |_| ()).map(drop)
    }

    /// Makes the call on this thread and ends the task with what came of it. Errors of our own go to
    /// `sys.unraisablehook`; those of the call are the task's outcome.
    pub(crate) fn run(slf: &Bound<'_, Task>) {
        if let Err(error) = Task::begin(slf).and_then(|begun| match begun {
            Some((call, scope)) => Task::perform(slf, call, scope),
            None => Ok(()),
        }) {
            error.write_unraisable(slf.py(), Some(slf));
        }
    }

    fn perform(slf: &Bound<'_, Task>, call: Call, scope: Option<Arc<scopes::Scope>>) -> PyResult<()> {
        let py = slf.py();
        let entered = Entered::enter(scope);
        let outcome = call.make(py);
        drop(entered);
        // Who joins may rely on it: the arguments are gone and what was moved here is closed.
        call.close_moved(py);
        drop(call);
        slf.get().runner.store(0, Ordering::Release);
        let remains = match outcome {
            Ok(result) => Task::finish(slf, Some(crossing::give(py, result)), None)?,
            Err(error) if errors::Cancelled::is(py, &error) => {
                Task::advance(slf, Step::Abort, |content| content.end(None, None))?
            }
            Err(error) => Task::raised(slf, error.into_value(py).into_any())?,
        };
        match remains {
            Ok(remains) => Task::clean_up(slf, remains),
            // Somebody ended the task while its call was running; the outcome is nobody's.
            Err(_) => Ok(()),
        }
    }

    pub(super) fn finish(
        slf: &Bound<'_, Task>,
        mut result: Option<Py<PyAny>>,
        mut exception: Option<Py<PyAny>>,
    ) -> PyResult<Result<Remains, State>> {
        Task::advance(slf, Step::Finish, |content| content.end(result.take(), exception.take()))
    }

    /// Ends a task that will not begin with an error.
    pub(crate) fn fail(slf: &Bound<'_, Task>, error: Py<PyAny>) -> PyResult<()> {
        match Task::finish(slf, None, Some(error))? {
            Ok(remains) => Task::clean_up(slf, remains),
            Err(_) => Ok(()),
        }
    }

    /// Cancels a task that nobody will come by to run.
    pub(crate) fn abandon(slf: &Bound<'_, Task>) -> PyResult<()> {
        Task::cancel(slf)?;
        Task::notify_cancelled(slf)
    }

    /// What is left to do when a task has ended, with no lock held.
    pub(super) fn clean_up(slf: &Bound<'_, Task>, remains: Remains) -> PyResult<()> {
        if let Some(call) = &remains.call {
            call.close_moved(slf.py());
        }
        let called = Task::call_back(slf, remains.callbacks);
        // Whatever became of the callbacks, of which one does this: a signal handler can raise before it has begun.
        slf.get().count_out(slf.py());
        called
    }

    /// Calls them all, also after one has failed with more than an `Exception`; raises the first such failure.
    pub(super) fn call_back(slf: &Bound<'_, Task>, callbacks: Vec<Py<PyAny>>) -> PyResult<()> {
        callbacks.into_iter().map(|callback| call_one(slf, callback.bind(slf.py()))).fold(Ok(()), Result::and)
    }

    /// Cleans up, or says that the task had ended before.
    pub(super) fn settle(slf: &Bound<'_, Task>, ended: Result<Remains, State>) -> PyResult<()> {
        match ended {
            Ok(remains) => Task::clean_up(slf, remains),
            Err(state) => {
                Err(errors::InvalidStateError::new_err(format!("{}: {}", state_name(state), python::repr(slf)?)))
            }
        }
    }
}

/// Calls a callback; logs what it raises, as `concurrent.futures` does, unless it is no `Exception`.
pub(super) fn call_one(task: &Bound<'_, Task>, callback: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = task.py();
    let Err(error) = python::call_with(callback, task.as_any()) else { return Ok(()) };
    if !error.is_instance_of::<PyException>(py) {
        return Err(error);
    }
    let logger = python::import(py, "concurrent.futures._base")?.getattr("LOGGER")?;
    let info = PyDict::new(py);
    info.set_item("exc_info", error.into_value(py))?;
    logger.call_method("error", ("exception calling callback for %r", task), Some(&info)).map(drop)
}
