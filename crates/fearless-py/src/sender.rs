//! `Sender`: the sending end of a channel. Arguments and errors only; see `channel.rs`.

use fearless_core::{channel::Send, waiter::Waiter};
use pyo3::{PyTraverseError, PyVisit, prelude::*};

use crate::{
    channel::{CLOSED, End},
    errors,
    wait::{self, Kind, Patience},
};

/// The sending end of a channel. Close it, or use it as a context manager, or move it into a task.
///
/// Thread safety: internally synchronized; any thread may call any method.
#[pyclass(frozen, generic, weakref, module = "fearless")]
pub(crate) struct Sender {
    end: End,
}

impl Sender {
    pub(crate) fn of(end: End) -> Sender {
        Sender { end }
    }
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
        if !self.end.core().add_sender() {
            return Err(self.end.refusal("clone"));
        }
        Ok(Sender { end: self.end.duplicate(py) })
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
        if self.end.is_moved_in() {
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
        self.end.traverse(&visit)
    }
}

impl Sender {
    /// The error for an item that the channel did not take.
    fn refused(&self, py: Python<'_>, call: &str, item: Py<PyAny>) -> PyErr {
        let error = match self.end.check_open(call) {
            Ok(()) => errors::Closed::new_err(format!("{call}: no receiver is left")),
            Err(error) => error,
        };
        errors::with_item(py, error, item)
    }

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
            Send::Closed(item) => Err(self.refused(py, call, item)),
            Send::Full(item) | Send::GaveUp(item) => Ok(Some(item)),
            Send::Wait(..) => unreachable!("try_send does not enqueue"),
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
            Send::Wait(ticket, wakes) => {
                wakes.wake();
                let ended = wait::wait(py, &waiter, Kind::Channel, patience);
                match self.end.core().resume_send(ticket, ended.claim()) {
                    Send::Closed(item) => Err(self.refused(py, "send", item)),
                    Send::GaveUp(item) => Err(errors::with_item(py, ended.error("send", NO_ROOM), item)),
                    _ => Ok(()),
                }
            }
            Send::Sent(wakes) => {
                wakes.wake();
                Ok(())
            }
            Send::Closed(item) | Send::Full(item) | Send::GaveUp(item) => Err(self.refused(py, "send", item)),
        }
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        if self.end.leave(CLOSED) {
            self.end.core().close_sender().wake();
            errors::warn_dropped(c"a Sender was dropped without close(); use `with`, close() or move()");
        }
    }
}
