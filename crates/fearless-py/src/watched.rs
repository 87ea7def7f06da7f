//! What the atomics share: `wait_until`, for threads and for coroutines, and telling those who wait of a change.
//!
//! The predicate is called attached, with no lock held. Not here: the values; each atomic says what it holds.

use fearless_core::{
    select::Source as CoreSource,
    sync::Arc,
    waiter::{Ticket, Waiter},
    watchers::{Look, Watchers, Watching},
};
use pyo3::{PyTraverseError, PyVisit, exceptions::PyTypeError, prelude::*, types::PyDict};

use crate::{
    hooks::Hooks,
    loop_queue,
    operation::{Face, Operation},
    python,
    source::Source,
    wait::{self, Ended, Kind, Patience},
    waits::{Gives, Object, Of, Waits},
};

/// Those who wait for a value of one atomic.
#[derive(Default)]
pub(crate) struct Watched {
    watchers: Watchers,
    hooks: Hooks,
}

impl Watched {
    /// To be called after each change.
    #[inline]
    pub(crate) fn changed(&self, py: Python<'_>) {
        if self.watchers.is_watched() {
            self.tell(py);
        }
    }

    #[cold]
    fn tell(&self, py: Python<'_>) {
        loop_queue::wake(py, self.watchers.tell());
    }

    pub(crate) fn core(&self) -> &Watchers {
        &self.watchers
    }

    pub(crate) fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    /// Counts, for `stats`.
    pub(crate) fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = PyDict::new(py);
        stats.set_item("waiting", self.watchers.waiting())?;
        Ok(stats)
    }

    /// What `repr` says after the value.
    pub(crate) fn described(&self) -> String {
        match self.watchers.waiting() {
            0 => String::new(),
            waiting => format!(", {waiting} waiting"),
        }
    }
}

/// An atomic that can be waited for.
pub(crate) trait Atomic: Object<Core = Watchers> {
    /// The value now.
    fn now(&self, py: Python<'_>) -> PyResult<Py<PyAny>>;
}

/// What `pickle` and `copy` are told.
pub(crate) fn not_picklable(object: &str, value: &str) -> PyErr {
    let text = format!("{object} cannot be pickled or copied: threads share the object itself; pass on {value}");
    PyTypeError::new_err(text)
}

/// The value, if `predicate` says that it is the awaited one.
fn awaited<A: Atomic>(atomic: &A, predicate: &Bound<'_, PyAny>) -> PyResult<Option<Py<PyAny>>> {
    let py = predicate.py();
    let value = atomic.now(py)?;
    let is_awaited = python::call_with(predicate, value.bind(py))?.is_truthy()?;
    Ok(is_awaited.then_some(value))
}

/// A place among the watchers, which is left however the call ends.
struct Enlisted<'a> {
    watchers: &'a Watchers,
    ticket: Ticket,
}

impl Drop for Enlisted<'_> {
    fn drop(&mut self) {
        self.watchers.leave(self.ticket);
    }
}

/// Waits as a thread.
pub(crate) fn wait_until<A: Atomic>(
    atomic: &A,
    predicate: &Bound<'_, PyAny>,
    timeout: Option<&Bound<'_, PyAny>>,
) -> PyResult<Py<PyAny>> {
    let py = predicate.py();
    let patience = Patience::from_timeout(timeout)?;
    wait::checkpoint(py)?;
    if let Some(value) = awaited(atomic, predicate)? {
        return Ok(value);
    }
    if patience == Patience::Once {
        return Err(late(Ended::TimedOut));
    }
    let waiter = Waiter::new();
    let watchers = atomic.core();
    let _place = Enlisted { watchers, ticket: watchers.enlist(&waiter, 0) };
    loop {
        if let Some(value) = awaited(atomic, predicate)? {
            return Ok(value);
        }
        // Not left to the door: where the value changes all the time, that finds each wait ended already.
        wait::last_look(py)?;
        wait::checkpoint(py)?;
        let ended = if patience.is_over() { Ended::TimedOut } else { wait::wait(py, &waiter, Kind::Atomic, patience) };
        match ended {
            Ended::Ready(_) => watchers.rearm(&waiter),
            ended => return Err(late(ended)),
        }
    }
}

fn late(ended: Ended) -> PyErr {
    ended.error("wait_until", "the value did not become one that is waited for")
}

/// Waits as a coroutine.
pub(crate) fn wait_until_async<A: Atomic>(atomic: &Bound<'_, A>, predicate: Py<PyAny>) -> Operation {
    let wanted = Wanted { atomic: atomic.clone().unbind(), predicate, outcome: None };
    let until = Until(Watching::new(Of::new(atomic), wanted));
    Operation::new(Face::Object("wait_until_async"), vec![Source::Object(Waits::boxed(until))], None)
}

/// The value that is wanted, and what became of it: the value, or what the predicate raised.
struct Wanted<A> {
    atomic: Py<A>,
    predicate: Py<PyAny>,
    outcome: Option<PyResult<Py<PyAny>>>,
}

impl<A: Atomic> Look for Wanted<A> {
    fn look(&mut self) -> bool {
        if self.outcome.is_none() {
            // The thread is attached, and no lock is held: a task is taking its step.
            self.outcome = Python::attach(|py| awaited(self.atomic.get(), self.predicate.bind(py)).transpose());
        }
        self.outcome.is_some()
    }
}

struct Until<A: Atomic>(Watching<Of<A>, Wanted<A>>);

impl<A: Atomic> CoreSource for Until<A> {
    fn attempt(&mut self) -> bool {
        self.0.attempt()
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        self.0.enlist(waiter, operation)
    }

    fn act(&mut self) -> bool {
        self.0.act()
    }

    fn withdraw(&mut self) -> bool {
        self.0.withdraw()
    }
}

impl<A: Atomic> Gives for Until<A> {
    type Object = A;

    fn holder(&self) -> &Of<A> {
        &self.0.holder
    }

    fn outcome(&mut self, _py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self.0.look.outcome.take() {
            Some(outcome) => outcome,
            None => unreachable!("it went ahead"),
        }
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let wanted = &self.0.look;
        visit.call(&wanted.atomic)?;
        visit.call(&wanted.predicate)?;
        match &wanted.outcome {
            Some(Ok(value)) => visit.call(value),
            _ => Ok(()),
        }
    }
}

/// The parts that every atomic has alike: it can be waited for, and says so to the collector.
macro_rules! watched {
    ($class:ident) => {
        impl $crate::waits::Object for $class {
            type Core = fearless_core::watchers::Watchers;

            fn core(&self) -> &Self::Core {
                self.watched.core()
            }

            fn hooks(&self) -> &$crate::hooks::Hooks {
                self.watched.hooks()
            }
        }
    };
}
pub(crate) use watched;
