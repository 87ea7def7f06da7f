//! `Receiver`: the receiving end of a channel. Arguments and errors only; see `channel.rs`.

use fearless_core::{channel::Recv, waiter::Waiter};
use pyo3::{PyTraverseError, PyVisit, exceptions::PyValueError, prelude::*, types::PyList};

use crate::{
    channel::{CLOSED, Core, End},
    errors, loop_queue,
    operation::{Face, Operation},
    source::Source,
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

    pub(crate) fn core(&self) -> &Core {
        self.end.core()
    }

    pub(crate) fn is_open(&self) -> bool {
        self.end.is_open()
    }

    pub(crate) fn check_open(&self, call: &str) -> PyResult<()> {
        self.end.check_open(call)
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
        self.take(py, "recv", patience)?.ok_or_else(|| self.ended("recv"))
    }

    /// Receive the oldest item if there is one.
    ///
    /// Raises: `Empty` when there is none now, `Closed` when there will be none.
    fn try_recv(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.end.check_open("try_recv")?;
        match self.end.core().try_recv() {
            Recv::Item(item, wakes) => {
                loop_queue::wake(py, wakes);
                Ok(item)
            }
            Recv::Closed => Err(self.ended("try_recv")),
            Recv::Empty | Recv::GaveUp | Recv::Wait(_) => Err(errors::Empty::new_err("try_recv: the channel is empty")),
        }
    }

    /// Receive as many items as there are, up to `max`, but at least one: a list, the oldest first.
    ///
    /// Blocks: until the first item comes; a cancellation point; Ctrl-C gets through.
    /// Raises: `Closed` when every sender is closed and the channel drained, `Timeout` after `timeout` seconds without an
    /// item, `MovedError`, `ValueError` if `max` is less than 1 or `timeout` is negative or NaN.
    #[pyo3(signature = (max, timeout=None))]
    fn recv_many<'py>(
        &self,
        py: Python<'py>,
        max: isize,
        timeout: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let patience = Patience::from_timeout(timeout)?;
        let most = usize::try_from(max).ok().filter(|&most| most > 0);
        let most = most.ok_or_else(|| PyValueError::new_err(format!("max must be a whole number >= 1, got {max}")))?;
        wait::checkpoint(py)?;
        self.end.check_open("recv_many")?;
        let mut items = Vec::new();
        let taken = self.end.core().recv_batch(&mut items, most);
        loop_queue::wake(py, taken.wakes);
        if items.is_empty() {
            items.push(self.take(py, "recv_many", patience)?.ok_or_else(|| self.ended("recv_many"))?);
            loop_queue::wake(py, self.end.core().recv_batch(&mut items, most - 1).wakes);
        }
        PyList::new(py, items)
    }

    /// Receive the oldest item, as a coroutine.
    ///
    /// Await it in a task of asyncio or trio; it does nothing before. Cancelled, it has taken nothing.
    ///
    /// Raises: `Closed` when every sender is closed and the channel drained; `MovedError`.
    fn recv_async(slf: &Bound<'_, Self>) -> PyResult<Operation> {
        slf.get().end.check_open("recv_async")?;
        Ok(Operation::new(Face::Recv, vec![Source::recv(slf.clone().unbind())], None))
    }

    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// Receive the next item, as a coroutine; the iteration ends when every sender is closed and the channel drained.
    fn __anext__(slf: &Bound<'_, Self>) -> PyResult<Operation> {
        slf.get().end.check_open("recv_async")?;
        Ok(Operation::new(Face::Next, vec![Source::recv(slf.clone().unbind())], None))
    }

    /// Take all items that are in the channel now: a list, the oldest first, which may be empty.
    fn drain<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.end.check_open("drain")?;
        let drained = self.end.core().drain();
        loop_queue::wake(py, drained.wakes);
        PyList::new(py, drained.items)
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
    fn close(&self, py: Python<'_>) {
        if self.end.leave(CLOSED) {
            let (items, wakes) = self.end.core().close_receiver();
            loop_queue::wake(py, wakes);
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
        Err(self.end.not_picklable("Receiver"))
    }

    pub(crate) fn _close_if_moved(&self, py: Python<'_>) {
        if self.end.is_moved_in() {
            self.close(py);
        }
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    /// Receive the next item.
    ///
    /// Blocks: until an item comes; a cancellation point; Ctrl-C gets through.
    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        self.take(py, "recv", Patience::Forever)
    }

    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) {
        self.close(py);
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
    pub(crate) fn ended(&self, call: &str) -> PyErr {
        match self.end.check_open(call) {
            Ok(()) => errors::Closed::new_err(format!("{call}: every sender is closed")),
            Err(error) => error,
        }
    }

    /// The next item; `None` when the channel has ended.
    fn take(&self, py: Python<'_>, call: &str, patience: Patience) -> PyResult<Option<Py<PyAny>>> {
        wait::checkpoint(py)?;
        self.end.check_open(call)?;
        match self.end.core().try_recv() {
            Recv::Item(item, wakes) => {
                loop_queue::wake(py, wakes);
                Ok(Some(item))
            }
            Recv::Closed => Ok(None),
            Recv::Empty | Recv::GaveUp | Recv::Wait(_) => self.take_slowly(py, call, patience),
        }
    }

    #[cold]
    fn take_slowly(&self, py: Python<'_>, call: &str, patience: Patience) -> PyResult<Option<Py<PyAny>>> {
        const NOTHING: &str = "nothing came";
        if patience == Patience::Once {
            return Err(errors::timeout(call, NOTHING));
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
                        loop_queue::wake(py, self.end.core().give_back(ticket, ended.claim()));
                        return Err(error);
                    }
                    self.end.core().resume_recv(ticket, ended.claim())
                }
                settled => settled,
            };
            match (settled, ended) {
                (Recv::Item(item, wakes), _) => {
                    loop_queue::wake(py, wakes);
                    return Ok(Some(item));
                }
                (Recv::Closed, _) => return Ok(None),
                (Recv::GaveUp, Some(ended)) => return Err(ended.error(call, NOTHING)),
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
            loop_queue::send_in_drop();
            drop(items);
            errors::warn_dropped(c"a Receiver was dropped without close(); use `with`, close() or move()");
        }
    }
}
