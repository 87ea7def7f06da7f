//! Waiting for a gate of the core, for `Event` and `Latch`: the wait of a thread, and of a coroutine.
//!
//! Not here: what opens it.

use fearless_core::{
    gate::{Gate, Passing},
    waiter::Waiter,
};
use pyo3::prelude::*;

use crate::{
    errors,
    operation::{Face, Operation},
    source::Source,
    wait::{self, Ended, Kind, Patience},
    waits::{Gives, Object, Of, Waits},
};

/// Waits until `gate` is open; else `Timeout` says that `what` did not happen.
pub(crate) fn wait(
    py: Python<'_>,
    gate: &Gate,
    kind: Kind,
    timeout: Option<&Bound<'_, PyAny>>,
    what: &str,
) -> PyResult<()> {
    let patience = Patience::from_timeout(timeout)?;
    wait::checkpoint(py)?;
    if gate.is_open() {
        return Ok(());
    }
    if patience == Patience::Once {
        return Err(errors::timeout("wait", what));
    }
    let waiter = Waiter::new();
    let Some(ticket) = gate.wait(&waiter) else { return Ok(()) };
    let ended = wait::wait(py, &waiter, kind, patience);
    gate.leave(ticket);
    match ended {
        Ended::Ready(_) => wait::last_look(py),
        ended => Err(ended.error("wait", what)),
    }
}

/// The same as a coroutine.
pub(crate) fn wait_async<T: Object<Core = Gate>>(object: &Bound<'_, T>) -> Operation {
    Operation::new(Face::Object("wait_async"), vec![source(object)], None)
}

/// As an operation of a select: ready while the gate is open.
pub(crate) fn source<T: Object<Core = Gate>>(object: &Bound<'_, T>) -> Source {
    Source::Object(Waits::boxed(Passing::new(Of::new(object))))
}

impl<T: Object<Core = Gate>> Gives for Passing<Of<T>> {
    type Object = T;

    fn holder(&self) -> &Of<T> {
        &self.holder
    }

    fn outcome(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(py.None())
    }
}
