//! `Sender` and `Receiver` over `fearless_core::channel`: arguments, errors, the ends' own state, garbage collection.
//!
//! The items belong to one private object, `_Channel`, which alone shows them to the collector; ends refer to it. Not
//! here: any algorithm.

use std::sync::atomic::{AtomicU8, Ordering};

use fearless_core::{
    channel::{self as core, Recv, Send},
    waiter::Waiter,
};
use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
};

use crate::{
    errors,
    wait::{self, Kind, Patience},
};

/// What both ends of a channel share.
///
/// Thread safety: internally synchronized.
#[pyclass(frozen, name = "_Channel", module = "fearless._core")]
pub(crate) struct Channel {
    core: core::Channel<Py<PyAny>>,
}

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
const CLOSED: u8 = 1;
const MOVED: u8 = 2;

/// The part that a sender and a receiver have in common: one open end of a channel.
struct End {
    channel: Py<Channel>,
    state: AtomicU8,
    /// Made by `move()`: the task it is given to closes it.
    moved_in: bool,
}

impl End {
    fn new(channel: Py<Channel>, moved_in: bool) -> End {
        End { channel, state: AtomicU8::new(OPEN), moved_in }
    }

    fn core(&self) -> &core::Channel<Py<PyAny>> {
        &self.channel.get().core
    }

    fn is_open(&self) -> bool {
        self.state.load(Ordering::Acquire) == OPEN
    }

    /// Leaves `OPEN` once; true for the call that did it.
    fn leave(&self, state: u8) -> bool {
        self.state.compare_exchange(OPEN, state, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Why the end cannot be used, for `call`.
    fn refusal(&self, call: &str) -> PyErr {
        if self.state.load(Ordering::Acquire) == MOVED {
            errors::MovedError::new_err(format!("{call}: this end was moved; use the one that move() returned"))
        } else {
            errors::Closed::new_err(format!("{call}: this end is closed"))
        }
    }

    fn check_open(&self, call: &str) -> PyResult<()> {
        if self.is_open() { Ok(()) } else { Err(self.refusal(call)) }
    }

    /// The new owner's end; `self` is dead after it. The count of open ends stays as it is.
    fn hand_on(&self, py: Python<'_>, call: &str) -> PyResult<End> {
        if self.leave(MOVED) { Ok(End::new(self.channel.clone_ref(py), true)) } else { Err(self.refusal(call)) }
    }

    fn describe(&self, class: &str) -> String {
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

/// The sending end of a channel. Close it, or use it as a context manager, or move it into a task.
///
/// Thread safety: internally synchronized; any thread may call any method.
#[pyclass(frozen, generic, weakref, module = "fearless")]
pub(crate) struct Sender {
    end: End,
}

#[pymethods]
impl Sender {
    /// Send an item.
    ///
    /// Blocks: until there is room, or, on a rendezvous channel, a receiver; a cancellation point; Ctrl-C gets through.
    /// Raises: `Closed` when no receiver is left, `Timeout` after `timeout` seconds, both with the item as `.item`;
    /// `MovedError`; `ValueError` if `timeout` is negative or NaN.
    #[pyo3(signature = (item, timeout=None))]
    fn send(&self, py: Python<'_>, item: Py<PyAny>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let patience = Patience::from_timeout(timeout)?;
        wait::checkpoint(py)?;
        match self.offer(py, "send", item)? {
            None => Ok(()),
            Some(item) => self.send_slowly(py, item, patience),
        }
    }

    /// Send an item if that needs no wait.
    ///
    /// Raises: `Full` when there is no room, `Closed` when no receiver is left, both with the item as `.item`.
    fn try_send(&self, py: Python<'_>, item: Py<PyAny>) -> PyResult<()> {
        match self.offer(py, "try_send", item)? {
            None => Ok(()),
            Some(item) => {
                let error = errors::Full::new_err("try_send: the channel is full");
                Err(errors::with_item(py, error, item))
            }
        }
    }

    /// Return another sender of the same channel; each has to be closed.
    ///
    /// Raises: `Closed` or `MovedError` when this one can no longer be used.
    fn clone(&self, py: Python<'_>) -> PyResult<Sender> {
        self.end.check_open("clone")?;
        self.end.core().add_sender();
        Ok(Sender { end: End::new(self.end.channel.clone_ref(py), false) })
    }

    /// Hand this end on: return a new sender, after which this one raises `MovedError`.
    ///
    /// A task that gets the new sender as an argument closes it when it ends, also by an error.
    #[pyo3(name = "move")]
    fn move_(&self, py: Python<'_>) -> PyResult<Sender> {
        self.end.hand_on(py, "move").map(|end| Sender { end })
    }

    /// Close this end. After the last sender, receivers drain the channel and then find it closed. Again is harmless.
    fn close(&self) {
        if self.end.leave(CLOSED) {
            self.end.core().close_sender().wake();
        }
    }

    /// Whether this end was closed or moved.
    #[getter]
    fn is_closed(&self) -> bool {
        !self.end.is_open()
    }

    /// The number of items the channel holds before a send waits; `None` is unbounded, 0 a rendezvous.
    #[getter]
    fn capacity(&self) -> Option<usize> {
        self.end.core().capacity()
    }

    pub(crate) fn _close_if_moved(&self) {
        if self.end.moved_in {
            self.close();
        }
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyAny>) {
        self.close();
    }

    fn __repr__(&self) -> String {
        self.end.describe("Sender")
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.end.channel)
    }
}

impl Sender {
    /// Sends without a wait; gives the item back when there is no room.
    fn offer(&self, py: Python<'_>, call: &str, item: Py<PyAny>) -> PyResult<Option<Py<PyAny>>> {
        if !self.end.is_open() {
            return Err(errors::with_item(py, self.end.refusal(call), item));
        }
        match self.end.core().try_send(item) {
            Send::Sent(wakes) => {
                wakes.wake();
                Ok(None)
            }
            Send::Closed(item) => Err(no_receiver(py, call, item)),
            Send::Full(item) | Send::GaveUp(item) => Ok(Some(item)),
            Send::Wait(_) => unreachable!("try_send does not enqueue"),
        }
    }

    #[cold]
    fn send_slowly(&self, py: Python<'_>, item: Py<PyAny>, patience: Patience) -> PyResult<()> {
        const NO_ROOM: &str = "there was no room";
        if patience == Patience::Once {
            return Err(errors::with_item(py, errors::timeout("send", NO_ROOM), item));
        }
        let waiter = Waiter::new();
        match self.end.core().send(item, &waiter) {
            Send::Wait(ticket) => {
                let ended = wait::wait(py, &waiter, Kind::Channel, patience);
                match self.end.core().resume_send(ticket, ended.claim()) {
                    Send::Closed(item) => Err(no_receiver(py, "send", item)),
                    Send::GaveUp(item) => Err(errors::with_item(py, ended.error("send", NO_ROOM), item)),
                    _ => Ok(()),
                }
            }
            Send::Sent(wakes) => {
                wakes.wake();
                Ok(())
            }
            Send::Closed(item) | Send::Full(item) | Send::GaveUp(item) => Err(no_receiver(py, "send", item)),
        }
    }
}

fn no_receiver(py: Python<'_>, call: &str, item: Py<PyAny>) -> PyErr {
    errors::with_item(py, errors::Closed::new_err(format!("{call}: no receiver is left")), item)
}

impl Drop for Sender {
    fn drop(&mut self) {
        if self.end.leave(CLOSED) {
            self.end.core().close_sender().wake();
            errors::warn_dropped(c"a Sender was dropped without close(); use `with`, close() or move()");
        }
    }
}

/// The receiving end of a channel. Iterating receives until every sender is closed and the channel is drained.
///
/// Thread safety: internally synchronized; any thread may call any method, and each item goes to one call.
#[pyclass(frozen, generic, weakref, module = "fearless")]
pub(crate) struct Receiver {
    end: End,
}

#[pymethods]
impl Receiver {
    /// Receive the oldest item.
    ///
    /// Blocks: until an item comes; a cancellation point; Ctrl-C gets through.
    /// Raises: `Closed` when every sender is closed and the channel drained, `Timeout` after `timeout` seconds,
    /// `MovedError`, `ValueError` if `timeout` is negative or NaN.
    #[pyo3(signature = (timeout=None))]
    fn recv(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        let patience = Patience::from_timeout(timeout)?;
        self.take(py, patience)?.ok_or_else(|| errors::Closed::new_err("recv: every sender is closed"))
    }

    /// Receive the oldest item if there is one.
    ///
    /// Raises: `Empty` when there is none now, `Closed` when there will be none.
    fn try_recv(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.end.check_open("try_recv")?;
        match self.end.core().try_recv() {
            Recv::Item(item, wakes) => {
                wakes.wake();
                Ok(item)
            }
            Recv::Closed => Err(errors::Closed::new_err("try_recv: every sender is closed")),
            Recv::Empty | Recv::GaveUp | Recv::Wait(_) => {
                let _ = py;
                Err(errors::Empty::new_err("try_recv: the channel is empty"))
            }
        }
    }

    /// Return another receiver of the same channel; they share its items.
    ///
    /// Raises: `Closed` or `MovedError` when this one can no longer be used.
    fn clone(&self, py: Python<'_>) -> PyResult<Receiver> {
        self.end.check_open("clone")?;
        self.end.core().add_receiver();
        Ok(Receiver { end: End::new(self.end.channel.clone_ref(py), false) })
    }

    /// Hand this end on: return a new receiver, after which this one raises `MovedError`.
    ///
    /// A task that gets the new receiver as an argument closes it when it ends, also by an error.
    #[pyo3(name = "move")]
    fn move_(&self, py: Python<'_>) -> PyResult<Receiver> {
        self.end.hand_on(py, "move").map(|end| Receiver { end })
    }

    /// Close this end. After the last receiver, senders are refused and what was left in the channel is dropped.
    fn close(&self) {
        if self.end.leave(CLOSED) {
            let (items, wakes) = self.end.core().close_receiver();
            wakes.wake();
            drop(items);
        }
    }

    /// Whether this end was closed or moved.
    #[getter]
    fn is_closed(&self) -> bool {
        !self.end.is_open()
    }

    /// The number of items the channel holds before a send waits; `None` is unbounded, 0 a rendezvous.
    #[getter]
    fn capacity(&self) -> Option<usize> {
        self.end.core().capacity()
    }

    pub(crate) fn _close_if_moved(&self) {
        if self.end.moved_in {
            self.close();
        }
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// Receive the next item.
    ///
    /// Blocks: until an item comes; a cancellation point; Ctrl-C gets through.
    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.take(py, Patience::Forever)
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyAny>) {
        self.close();
    }

    fn __repr__(&self) -> String {
        self.end.describe("Receiver")
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.end.channel)
    }
}

impl Receiver {
    /// The next item; `None` when the channel has ended.
    fn take(&self, py: Python<'_>, patience: Patience) -> PyResult<Option<Py<PyAny>>> {
        wait::checkpoint(py)?;
        self.end.check_open("recv")?;
        match self.end.core().try_recv() {
            Recv::Item(item, wakes) => {
                wakes.wake();
                Ok(Some(item))
            }
            Recv::Closed => Ok(None),
            Recv::Empty | Recv::GaveUp | Recv::Wait(_) => self.take_slowly(py, patience),
        }
    }

    #[cold]
    fn take_slowly(&self, py: Python<'_>, patience: Patience) -> PyResult<Option<Py<PyAny>>> {
        const NOTHING: &str = "nothing came";
        if patience == Patience::Once {
            return Err(errors::timeout("recv", NOTHING));
        }
        loop {
            let waiter = Waiter::new();
            let mut ended = None;
            let settled = match self.end.core().recv(&waiter) {
                Recv::Wait(ticket) => {
                    let claim = ended.insert(wait::wait(py, &waiter, Kind::Channel, patience)).claim();
                    self.end.core().resume_recv(ticket, claim)
                }
                settled => settled,
            };
            match (settled, ended) {
                (Recv::Item(item, wakes), _) => {
                    wakes.wake();
                    return Ok(Some(item));
                }
                (Recv::Closed, _) => return Ok(None),
                (Recv::GaveUp, Some(ended)) => return Err(ended.error("recv", NOTHING)),
                // In a forked child, which forgot the reservation: try again.
                _ => {}
            }
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        if self.end.leave(CLOSED) {
            let (items, wakes) = self.end.core().close_receiver();
            wakes.wake();
            drop(items);
            errors::warn_dropped(c"a Receiver was dropped without close(); use `with`, close() or move()");
        }
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
    let shared = Py::new(py, Channel { core: core::Channel::new(capacity) })?;
    let sender = Sender { end: End::new(shared.clone_ref(py), false) };
    Ok((sender, Receiver { end: End::new(shared, false) }))
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
