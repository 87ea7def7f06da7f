//! `Receiver`: the receiving end of a channel. Arguments and errors only; see `channel.rs`.

use fearless_core::{channel::Recv, waiter::Waiter};
use pyo3::{PyTraverseError, PyVisit, prelude::*};

use crate::{
    channel::{CLOSED, End},
    errors,
    wait::{self, Ended, Kind, Patience},
};

/// The receiving end of a channel. Iterating receives until every sender is closed and the channel is drained.
///
/// Thread safety: internally synchronized; any thread may call any method, and each item goes to one call.
#[pyclass(frozen, generic, weakref, module = "fearless")]
pub(crate) struct Receiver {
    end: End,
}

impl Receiver {
    pub(crate) fn of(end: End) -> Receiver {
        Receiver { end }
    }
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
        self.take(py, patience)?.ok_or_else(|| self.ended("recv"))
    }

    /// Receive the oldest item if there is one.
    ///
    /// Raises: `Empty` when there is none now, `Closed` when there will be none.
    fn try_recv(&self) -> PyResult<Py<PyAny>> {
        self.end.check_open("try_recv")?;
        match self.end.core().try_recv() {
            Recv::Item(item, wakes) => {
                wakes.wake();
                Ok(item)
            }
            Recv::Closed => Err(self.ended("try_recv")),
            Recv::Empty | Recv::GaveUp | Recv::Wait(_) => Err(errors::Empty::new_err("try_recv: the channel is empty")),
        }
    }

    /// Return another receiver of the same channel; they share its items.
    ///
    /// Raises: `Closed` or `MovedError` when this one can no longer be used.
    fn clone(&self, py: Python<'_>) -> PyResult<Receiver> {
        self.end.check_open("clone")?;
        if !self.end.core().add_receiver() {
            return Err(self.end.refusal("clone"));
        }
        Ok(Receiver { end: self.end.duplicate(py) })
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
        if self.end.is_moved_in() {
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
        self.end.traverse(&visit)
    }
}

impl Receiver {
    /// The error for a channel that will deliver nothing more.
    fn ended(&self, call: &str) -> PyErr {
        match self.end.check_open(call) {
            Ok(()) => errors::Closed::new_err(format!("{call}: every sender is closed")),
            Err(error) => error,
        }
    }

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
                    let ended = ended.insert(wait::wait(py, &waiter, Kind::Channel, patience));
                    if matches!(ended, Ended::Ready(_))
                        && let Err(error) = wait::last_look(py)
                    {
                        self.end.core().give_back(ticket, ended.claim()).wake();
                        return Err(error);
                    }
                    self.end.core().resume_recv(ticket, ended.claim())
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
