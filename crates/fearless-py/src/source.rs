//! One operation of a select, or of a call that waits as a coroutine, over `fearless_core::select`.
//!
//! Not here: the choice among operations, and any waiting.

use std::time::Instant;

use fearless_core::{
    select::{self, Holds},
    sync::Arc,
    timer::Tick,
    waiter::Waiter,
};
use pyo3::{PyTraverseError, PyVisit, exceptions::PyTypeError, prelude::*};

use crate::{
    cell::Attached,
    channel::Core,
    errors,
    event::Event,
    gate,
    latch::Latch,
    operation::SELECT_ASYNC,
    owned::OnItsWay,
    python,
    receiver::Receiver,
    semaphore::{Permits, Semaphore},
    sender::{Sender, Sending},
    timer::Timer,
    waits::Waiting,
};

/// Keeps the channel of a receiver alive.
pub(crate) struct FromReceiver(Py<Receiver>);
/// Keeps the channel of a sender alive.
pub(crate) struct FromSender(Py<Sender>);

impl Holds for FromReceiver {
    type Item = Py<PyAny>;
    type Locks = Attached;

    fn channel(&self) -> &Core {
        self.0.get().core()
    }
}

impl Holds for FromSender {
    type Item = Py<PyAny>;
    type Locks = Attached;

    fn channel(&self) -> &Core {
        self.0.get().core()
    }
}

/// An operation that can be chosen.
pub(crate) enum Source {
    Recv(select::Receiving<FromReceiver>),
    Send(select::Sending<FromSender>, OnItsWay),
    Timer(Py<Timer>, Option<Option<f64>>),
    Object(Box<dyn Waiting>),
}

/// What an operation that went ahead gave.
pub(crate) struct Outcome {
    /// The item that came; the item that a closed channel did not take.
    pub(crate) value: Option<Py<PyAny>>,
    pub(crate) closed: bool,
}

impl Source {
    pub(crate) fn recv(receiver: Py<Receiver>) -> Source {
        Source::Recv(select::Receiving::new(FromReceiver(receiver)))
    }

    /// Raises: `MovedError` if `item` is an `Owned` that was handed on.
    pub(crate) fn send(py: Python<'_>, sender: Py<Sender>, item: Py<PyAny>, call: &str) -> PyResult<Source> {
        let (item, way) = OnItsWay::of(py, item, call)?;
        Ok(Source::Send(select::Sending::new(FromSender(sender), item), way))
    }

    /// The operation that `case`, an argument of `call`, stands for.
    ///
    /// Raises: `TypeError` if it stands for none, `Closed` or `MovedError` if its end cannot be used.
    pub(crate) fn of(case: &Bound<'_, PyAny>, call: &str) -> PyResult<Source> {
        let py = case.py();
        if let Ok(receiver) = case.cast_exact::<Receiver>() {
            receiver.get().check_open(call)?;
            Ok(Source::recv(receiver.clone().unbind()))
        } else if let Ok(sending) = case.cast_exact::<Sending>() {
            let (sender, item) = sending.get().parts(py);
            sender.get().check_open(call)?;
            Source::send(py, sender, item, call)
        } else if let Ok(timer) = case.cast_exact::<Timer>() {
            Ok(Source::Timer(timer.clone().unbind(), None))
        } else if let Ok(event) = case.cast_exact::<Event>() {
            Ok(gate::source(event))
        } else if let Ok(latch) = case.cast_exact::<Latch>() {
            Ok(gate::source(latch))
        } else if let Ok(semaphore) = case.cast_exact::<Semaphore>() {
            Ok(Semaphore::source(semaphore, 1, call == SELECT_ASYNC))
        } else if let Ok(permits) = case.cast_exact::<Permits>() {
            Ok(permits.get().source(case.py(), call == SELECT_ASYNC))
        } else {
            let kinds = "a receiver, sender.sending(item), after(), tick(), never(), an event, a latch, a semaphore or its \
                permits";
            Err(PyTypeError::new_err(format!("{call} takes {kinds}, got {}", python::repr(case)?)))
        }
    }

    /// What tells it from the other operations of a call: what it is on, and which way.
    pub(crate) fn identity(&self) -> (usize, bool) {
        match self {
            Source::Recv(recv) => (std::ptr::from_ref(recv.holder.channel()).addr(), false),
            Source::Send(send, _) => (std::ptr::from_ref(send.holder.channel()).addr(), true),
            Source::Timer(timer, _) => (timer.as_ptr().addr(), false),
            Source::Object(waiting) => (waiting.address(), false),
        }
    }

    /// When it will be ready, if only time can tell.
    pub(crate) fn due(&self) -> Option<Instant> {
        if let Source::Timer(timer, _) = self { timer.get().due() } else { None }
    }

    /// Whether its item is with the channel, which may have given it to a receiver.
    pub(crate) fn is_handed_over(&self) -> bool {
        matches!(self, Source::Send(send, _) if send.item.is_none())
    }

    /// Whether a cancelled scope ends the wait: not for locks, so that `finally` can clean up.
    pub(crate) fn is_point(&self) -> bool {
        if let Source::Object(waiting) = self { waiting.is_point() } else { true }
    }

    /// Called once, by the task that awaits, before the first attempt.
    pub(crate) fn begin(&mut self, py: Python<'_>) -> PyResult<()> {
        if let Source::Object(waiting) = self { waiting.begin(py) } else { Ok(()) }
    }

    /// What it gave, once it went ahead.
    pub(crate) fn outcome(&mut self, py: Python<'_>) -> PyResult<Outcome> {
        Ok(match self {
            Source::Recv(recv) => {
                let value = recv.outcome.take().flatten();
                Outcome { closed: value.is_none(), value }
            }
            Source::Send(send, way) => {
                let refused = send.item.take().map(|item| way.back(py, item));
                Outcome { closed: refused.is_some(), value: refused }
            }
            Source::Timer(_, came) => {
                let value = came.take().flatten().and_then(|due| Some(due.into_pyobject(py).ok()?.into_any().unbind()));
                Outcome { closed: value.is_none(), value }
            }
            Source::Object(waiting) => Outcome { value: Some(waiting.outcome(py)?), closed: false },
        })
    }

    /// The item of a send that did not go ahead, as it was given.
    pub(crate) fn take_back(&mut self, py: Python<'_>) -> Option<Py<PyAny>> {
        let Source::Send(send, way) = self else { return None };
        send.item.take().map(|item| way.back(py, item))
    }

    /// Why a channel that has ended refuses `call`.
    pub(crate) fn refusal(&self, py: Python<'_>, call: &str, item: Option<Py<PyAny>>) -> PyErr {
        match self {
            Source::Recv(recv) => recv.holder.0.get().ended(call),
            Source::Send(send, _) => match item {
                Some(item) => send.holder.0.get().refused(py, call, item),
                None => errors::Closed::new_err(format!("{call}: no receiver is left")),
            },
            Source::Timer(..) => errors::Closed::new_err(format!("{call}: the timer has ended")),
            Source::Object(_) => unreachable!("only channels and timers end"),
        }
    }

    /// Lets the channel keep `hook` while the operation waits there.
    pub(crate) fn set_hook(&mut self, hook: Option<Py<PyAny>>) -> Option<Py<PyAny>> {
        match self {
            Source::Recv(recv) => std::mem::replace(&mut recv.hook, hook),
            Source::Send(send, _) => std::mem::replace(&mut send.hook, hook),
            Source::Timer(..) => hook,
            Source::Object(waiting) => waiting.set_hook(hook),
        }
    }

    pub(crate) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Source::Recv(recv) => {
                visit.call(&recv.holder.0)?;
                visit.call(&recv.hook)?;
                recv.outcome.as_ref().map_or(Ok(()), |outcome| visit.call(outcome))
            }
            Source::Send(send, way) => {
                visit.call(&send.holder.0)?;
                visit.call(&send.hook)?;
                visit.call(&send.item)?;
                way.traverse(visit)
            }
            Source::Timer(timer, _) => visit.call(timer),
            Source::Object(waiting) => waiting.traverse(visit),
        }
    }
}

impl select::Source for Source {
    fn attempt(&mut self) -> bool {
        match self {
            Source::Recv(recv) => recv.attempt(),
            Source::Send(send, _) => send.attempt(),
            Source::Timer(timer, came) => {
                *came = match timer.get().ask() {
                    Tick::Came(due) => Some(Some(timer.get().on_clock(due))),
                    Tick::Ended => Some(None),
                    Tick::Due(_) => return false,
                };
                true
            }
            Source::Object(waiting) => waiting.attempt(),
        }
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        match self {
            Source::Recv(recv) => recv.enlist(waiter, operation),
            Source::Send(send, _) => send.enlist(waiter, operation),
            // Nobody wakes the waiter for it: the call itself wakes when it is due.
            Source::Timer(timer, _) => !timer.get().is_ready(),
            Source::Object(waiting) => waiting.enlist(waiter, operation),
        }
    }

    fn act(&mut self) -> bool {
        match self {
            Source::Recv(recv) => recv.act(),
            Source::Send(send, _) => send.act(),
            Source::Timer(..) => self.attempt(),
            Source::Object(waiting) => waiting.act(),
        }
    }

    fn withdraw(&mut self) -> bool {
        match self {
            Source::Recv(recv) => recv.withdraw(),
            Source::Send(send, _) => send.withdraw(),
            Source::Timer(..) => false,
            Source::Object(waiting) => waiting.withdraw(),
        }
    }
}
