//! `Sender`: the sending end of a channel. Arguments and errors only; see `channel.rs`.

use fearless_core::{channel::Send, waiter::Waiter};
use pyo3::{PyTraverseError, PyVisit, prelude::*, types::PyList};

use crate::{
    channel::{CLOSED, Core, End},
    drawn::Drawn,
    errors, loop_queue,
    operation::{Face, Operation},
    owned::OnItsWay,
    python,
    source::Source,
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

    pub(crate) fn core(&self) -> &Core {
        self.end.core()
    }

    pub(crate) fn check_open(&self, call: &str) -> PyResult<()> {
        self.end.check_open(call)
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
        let (item, way) = OnItsWay::of(py, item, "send")?;
        match self.offer(py, "send", item, &way)? {
            None => Ok(()),
            Some(item) => self.send_slowly(py, "send", item, &way, patience),
        }
    }

    /// Send every item of an iterable, as many at a time as there is room for.
    ///
    /// Draws no more items ahead than there is room for, so that little is in flight when it ends early.
    ///
    /// Blocks: until all have been sent; a cancellation point; Ctrl-C gets through.
    /// Raises: `Closed` when no receiver is left, `Timeout` when `timeout` seconds were not enough for all, both with the
    /// list of items that were drawn and not sent as `.item`; what the iterable raises; `MovedError`; `ValueError` if
    /// `timeout` is negative or NaN.
    #[pyo3(signature = (items, timeout=None))]
    fn send_many(&self, py: Python<'_>, items: &Bound<'_, PyAny>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let patience = Patience::from_timeout(timeout)?;
        let mut drawn = Drawn::from(items)?;
        loop {
            wait::checkpoint(py)?;
            self.end.check_open("send_many")?;
            // What was drawn before the iterable raised is sent all the same.
            let failed = drawn.draw(self.end.room()).err();
            let is_last = drawn.items.is_empty();
            self.send_drawn(py, &mut drawn, patience)?;
            match failed {
                Some(error) => return Err(error),
                None if is_last => return Ok(()),
                None => {}
            }
        }
    }

    /// Send an item at once; when the channel is full, return the oldest item, which makes room for it, else `None`.
    ///
    /// Raises: `Closed` when no receiver is left; `Full` on a rendezvous that nobody receives from, which has no item to
    /// give; both with the item as `.item`; `MovedError`.
    fn force_send(&self, py: Python<'_>, item: Py<PyAny>) -> PyResult<Option<Py<PyAny>>> {
        let (item, way) = OnItsWay::of(py, item, "force_send")?;
        if !self.end.is_open() {
            return Err(errors::with_item(py, self.end.refusal("force_send"), way.back(py, item)));
        }
        match self.end.core().force_send(item) {
            (Send::Sent(wakes), oldest) => {
                loop_queue::wake(py, wakes);
                Ok(oldest)
            }
            (Send::Closed(item), _) => Err(self.refused(py, "force_send", way.back(py, item))),
            (Send::Full(item) | Send::GaveUp(item), _) => {
                let error = errors::Full::new_err("force_send: nobody receives, and a rendezvous holds no item");
                Err(errors::with_item(py, error, way.back(py, item)))
            }
            (Send::Wait(..), _) => unreachable!("force_send does not enqueue"),
        }
    }

    /// Send an item, as a coroutine. An `Owned` is handed on now, and comes back if nothing is sent.
    ///
    /// Await it in a task of asyncio or trio; it does nothing before. Cancelled, it has sent nothing; one exception: on a
    /// rendezvous, asyncio may cancel after the item was taken.
    ///
    /// Raises: `Closed` when no receiver is left, with the item as `.item`; `MovedError`.
    fn send_async(slf: &Bound<'_, Self>, item: Py<PyAny>) -> PyResult<Operation> {
        let py = slf.py();
        if let Err(error) = slf.get().end.check_open("send_async") {
            return Err(errors::with_item(py, error, item));
        }
        let source = Source::send(py, slf.clone().unbind(), item, "send_async")?;
        Ok(Operation::new(Face::Send, vec![source], None))
    }

    /// Stand for the sending of an item, as an argument of `select`.
    fn sending(slf: Py<Self>, item: Py<PyAny>) -> Sending {
        Sending { sender: slf, item }
    }

    /// Send an item if that needs no wait.
    ///
    /// Raises: `Full` when there is no room, `Closed` when no receiver is left, both with the item as `.item`.
    fn try_send(&self, py: Python<'_>, item: Py<PyAny>) -> PyResult<()> {
        let (item, way) = OnItsWay::of(py, item, "try_send")?;
        match self.offer(py, "try_send", item, &way)? {
            None => Ok(()),
            Some(item) => {
                let error = errors::Full::new_err("try_send: the channel is full");
                Err(errors::with_item(py, error, way.back(py, item)))
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
    fn close(&self, py: Python<'_>) {
        if self.end.leave(CLOSED) {
            loop_queue::wake(py, self.end.core().close_sender());
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

    /// The number of items in the channel at this moment.
    fn __len__(&self) -> usize {
        self.end.core().snapshot().len
    }

    /// An end is true, however many items there are.
    fn __bool__(&self) -> bool {
        true
    }

    /// Whether the channel holds no item at this moment.
    #[getter]
    fn is_empty(&self) -> bool {
        self.end.core().snapshot().len == 0
    }

    /// Whether the channel holds as many items as it may at this moment; a rendezvous always does.
    #[getter]
    fn is_full(&self) -> bool {
        self.end.is_full()
    }

    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        Err(self.end.not_picklable("Sender"))
    }

    pub(crate) fn _close_if_moved(&self, py: Python<'_>) {
        if self.end.is_moved_in() {
            self.close(py);
        }
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) {
        self.close(py);
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
    pub(crate) fn refused(&self, py: Python<'_>, call: &str, item: Py<PyAny>) -> PyErr {
        let error = match self.end.check_open(call) {
            Ok(()) => errors::Closed::new_err(format!("{call}: no receiver is left")),
            Err(error) => error,
        };
        errors::with_item(py, error, item)
    }

    /// Sends without a wait; gives the item back when there is no room.
    fn offer(&self, py: Python<'_>, call: &str, item: Py<PyAny>, way: &OnItsWay) -> PyResult<Option<Py<PyAny>>> {
        if !self.end.is_open() {
            return Err(errors::with_item(py, self.end.refusal(call), way.back(py, item)));
        }
        match self.end.core().try_send(item) {
            Send::Sent(wakes) => {
                loop_queue::wake(py, wakes);
                Ok(None)
            }
            Send::Closed(item) => Err(self.refused(py, call, way.back(py, item))),
            Send::Full(item) | Send::GaveUp(item) => Ok(Some(item)),
            Send::Wait(..) => unreachable!("try_send does not enqueue"),
        }
    }

    #[cold]
    fn send_slowly(
        &self,
        py: Python<'_>,
        call: &str,
        item: Py<PyAny>,
        way: &OnItsWay,
        patience: Patience,
    ) -> PyResult<()> {
        const NO_ROOM: &str = "there was no room";
        if patience == Patience::Once {
            return Err(errors::with_item(py, errors::timeout(call, NO_ROOM), way.back(py, item)));
        }
        let waiter = Waiter::new();
        match self.end.core().send(item, &waiter) {
            Send::Wait(ticket, wakes) => {
                loop_queue::wake(py, wakes);
                let ended = wait::wait(py, &waiter, Kind::Channel, patience);
                match self.end.core().resume_send(ticket, ended.claim()) {
                    Send::Closed(item) => Err(self.refused(py, call, way.back(py, item))),
                    Send::GaveUp(item) => Err(errors::with_item(py, ended.error(call, NO_ROOM), way.back(py, item))),
                    _ => Ok(()),
                }
            }
            Send::Sent(wakes) => {
                loop_queue::wake(py, wakes);
                Ok(())
            }
            Send::Closed(item) | Send::Full(item) | Send::GaveUp(item) => {
                Err(self.refused(py, call, way.back(py, item)))
            }
        }
    }

    /// Sends what was drawn; what cannot be sent goes with the error, as a list.
    fn send_drawn(&self, py: Python<'_>, drawn: &mut Drawn<'_>, patience: Patience) -> PyResult<()> {
        while !drawn.items.is_empty() {
            let before = drawn.items.len();
            let taken = self.end.core().send_batch(&mut drawn.items);
            loop_queue::wake(py, taken.wakes);
            drawn.leave(before - drawn.items.len());
            let Some((item, way)) = drawn.pop() else { break };
            let sent = if taken.closed {
                Err(self.refused(py, "send_many", way.back(py, item)))
            } else {
                self.send_slowly(py, "send_many", item, &way, patience)
            };
            if let Err(error) = sent {
                let first = error.value(py).getattr("item")?.unbind();
                let rest = std::iter::from_fn(|| drawn.pop()).map(|(item, way)| way.back(py, item));
                let unsent = PyList::new(py, std::iter::once(first).chain(rest).collect::<Vec<_>>())?;
                return Err(errors::with_item(py, error, unsent.into_any().unbind()));
            }
        }
        Ok(())
    }
}

/// The sending of an item, as an argument of `select`.
///
/// Thread safety: immutable.
#[pyclass(frozen, generic, module = "fearless")]
pub(crate) struct Sending {
    sender: Py<Sender>,
    item: Py<PyAny>,
}

#[pymethods]
impl Sending {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<Sending {} to {}>", python::repr(self.item.bind(py))?, python::repr(self.sender.bind(py))?))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.sender)?;
        visit.call(&self.item)
    }
}

impl Sending {
    pub(crate) fn parts(&self, py: Python<'_>) -> (Py<Sender>, Py<PyAny>) {
        (self.sender.clone_ref(py), self.item.clone_ref(py))
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        if self.end.leave(CLOSED) {
            self.end.core().close_sender().wake();
            loop_queue::send_in_drop();
            errors::warn_dropped(c"a Sender was dropped without close(); use `with`, close() or move()");
        }
    }
}
