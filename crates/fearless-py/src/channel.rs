//! `channel()` over `fearless_core::channel`: the object that owns the items, and what both kinds of ends have in common.
//!
//! The items belong to one private object, `_Channel`, which alone shows them to the collector; ends refer to it. Not
//! here: any algorithm, and the ends themselves (`sender.rs`, `receiver.rs`).

use std::sync::atomic::{AtomicU8, Ordering};

use fearless_core::channel as core;
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
};

use crate::{cell::Attached, errors, receiver::Receiver, sender::Sender};

/// What both ends of a channel share.
///
/// Thread safety: internally synchronized.
#[pyclass(frozen, name = "_Channel", module = "fearless._core")]
pub(crate) struct Channel {
    core: Core,
}

/// A channel of Python objects, which only attached threads use.
pub(crate) type Core = core::Channel<Py<PyAny>, Attached>;

#[pymethods]
impl Channel {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.core.visit(|item| visit.call(item))
    }

    fn __clear__(&self) {
        drop(self.core.clear());
    }
}

const OPEN: u8 = 0;
pub(crate) const CLOSED: u8 = 1;
const MOVED: u8 = 2;

/// The part that a sender and a receiver have in common: one open end of a channel.
pub(crate) struct End {
    channel: Py<Channel>,
    state: AtomicU8,
    /// Made by `move()`: the task it is given to closes it.
    moved_in: bool,
}

impl End {
    pub(crate) fn new(channel: Py<Channel>, moved_in: bool) -> End {
        End { channel, state: AtomicU8::new(OPEN), moved_in }
    }

    pub(crate) fn core(&self) -> &Core {
        &self.channel.get().core
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state.load(Ordering::Acquire) == OPEN
    }

    /// Leaves `OPEN` once; true for the call that did it.
    pub(crate) fn leave(&self, state: u8) -> bool {
        self.state.compare_exchange(OPEN, state, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Why the end cannot be used, for `call`.
    pub(crate) fn refusal(&self, call: &str) -> PyErr {
        if self.state.load(Ordering::Acquire) == MOVED {
            errors::MovedError::new_err(format!("{call}: this end was moved; use the one that move() returned"))
        } else {
            errors::Closed::new_err(format!("{call}: this end is closed"))
        }
    }

    pub(crate) fn check_open(&self, call: &str) -> PyResult<()> {
        if self.is_open() { Ok(()) } else { Err(self.refusal(call)) }
    }

    /// The new owner's end; `self` is dead after it. The count of open ends stays as it is.
    pub(crate) fn hand_on(&self, py: Python<'_>, call: &str) -> PyResult<End> {
        if self.leave(MOVED) { Ok(End::new(self.channel.clone_ref(py), true)) } else { Err(self.refusal(call)) }
    }

    /// Another end of the same channel, which the caller has counted.
    pub(crate) fn duplicate(&self, py: Python<'_>) -> End {
        End::new(self.channel.clone_ref(py), false)
    }

    /// Whether a task that was given this end has to close it.
    pub(crate) fn is_moved_in(&self) -> bool {
        self.moved_in
    }

    /// Whether a send would have to wait at this moment.
    pub(crate) fn is_full(&self) -> bool {
        self.room() == 0
    }

    /// How many items could be sent without a wait at this moment.
    pub(crate) fn room(&self) -> usize {
        let capacity = self.core().capacity();
        capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(self.core().snapshot().len))
    }

    /// What pickling an end raises.
    #[allow(clippy::unused_self, reason = "reads as what the end says")]
    pub(crate) fn not_picklable(&self, class: &str) -> PyErr {
        PyTypeError::new_err(format!(
            "a {class} cannot be pickled, as its channel lives in this process: send items to another process through \
             a multiprocessing queue, and pass them on here"
        ))
    }

    /// Shows the collector what the end refers to.
    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.channel)
    }

    pub(crate) fn describe(&self, class: &str) -> String {
        let state = match self.state.load(Ordering::Acquire) {
            OPEN => "open",
            CLOSED => "closed",
            _ => "moved",
        };
        let capacity = self.core().capacity().map_or("unbounded".to_owned(), |capacity| format!("capacity {capacity}"));
        let now = self.core().snapshot();
        format!(
            "<{class} {state}, {capacity}, {} queued, {} blocked senders, {} blocked receivers>",
            now.len, now.blocked_senders, now.blocked_receivers
        )
    }
}

/// Make a channel: a FIFO queue of items with a sending and a receiving end.
///
/// `capacity` is the number of items it holds before a send waits: `None` is unbounded, 0 a rendezvous, in which a
/// send waits for a receiver. Any number of threads may share the ends; every item is delivered exactly once.
///
/// Raises: `TypeError` if `capacity` is not a whole number or `None`, `ValueError` if it is negative or too large.
#[pyfunction]
pub(crate) fn channel(py: Python<'_>, capacity: &Bound<'_, PyAny>) -> PyResult<(Sender, Receiver)> {
    let capacity = if capacity.is_none() { None } else { Some(whole(capacity)?) };
    let shared = Py::new(py, Channel { core: Core::with_locks(capacity) })?;
    let sender = Sender::of(End::new(shared.clone_ref(py), false));
    Ok((sender, Receiver::of(End::new(shared, false))))
}

fn whole(capacity: &Bound<'_, PyAny>) -> PyResult<usize> {
    const RULE: &str = "capacity must be None (unbounded) or a whole number >= 0";
    let index = capacity.call_method0("__index__").map_err(|_| {
        PyTypeError::new_err(format!("{RULE}, got {}", capacity.repr().map_or("?".to_owned(), |text| text.to_string())))
    })?;
    match index.extract::<isize>() {
        Ok(number) if number >= 0 => Ok(number.unsigned_abs()),
        _ => Err(PyValueError::new_err(format!("{RULE} and < 2**63, got {index}"))),
    }
}
