//! Wake-ups on their way to event loops.
//!
//! Whoever claims a coroutine's waiter runs under no lock, but maybe in the middle of a drop. So the waiter is queued
//! with its loop, by native means, and the call or the drop asks that loop to look at its queue before it ends: once for all
//! that were queued meanwhile. Where the loop cannot be reached, its waiters pass their notices on.
//!
//! Not here: the loops themselves; see `fearless/_loops.py`.

use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use fearless_core::waiter::{Notice, Wakes};
use pyo3::{
    exceptions::PyException,
    prelude::*,
    types::{PyList, PyWeakrefMethods, PyWeakrefReference},
};

use crate::{errors, kept::name, operation::Operation, python, thread};

/// The claimed waiters of one loop.
#[derive(Debug)]
struct Queue {
    state: Mutex<State>,
    /// The object of `_loops.py`, which must not be kept alive by what waits in it.
    owner: Py<PyWeakrefReference>,
}

#[derive(Debug, Default)]
struct State {
    woken: Vec<Arc<Handle>>,
    /// The loop will look, or is about to be asked to.
    is_sent: bool,
}

/// Wakes the operation of a waiter.
#[derive(Debug)]
struct Handle {
    queue: Arc<Queue>,
    /// Not a reference that keeps: the collector cannot see it here.
    operation: Py<PyWeakrefReference>,
}

#[derive(Debug)]
struct Woken(Arc<Handle>);

/// Queues to be sent, and whether there are any.
static UNSENT: Mutex<Vec<Arc<Queue>>> = Mutex::new(Vec::new());
static HAS_UNSENT: AtomicBool = AtomicBool::new(false);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Notice for Woken {
    fn claimed(&self) {
        let mut state = lock(&self.0.queue.state);
        state.woken.push(Arc::clone(&self.0));
        let was_sent = mem::replace(&mut state.is_sent, true);
        drop(state);
        if !was_sent {
            lock(&UNSENT).push(Arc::clone(&self.0.queue));
            HAS_UNSENT.store(true, Ordering::Release);
        }
    }
}

/// The claimed waiters of one event loop.
///
/// Thread safety: internally synchronized.
#[pyclass(frozen, module = "fearless._core")]
pub(crate) struct LoopQueue {
    queue: Arc<Queue>,
}

#[pymethods]
impl LoopQueue {
    #[new]
    fn new(owner: &Bound<'_, PyAny>) -> PyResult<LoopQueue> {
        let owner = PyWeakrefReference::new(owner)?.unbind();
        Ok(LoopQueue { queue: Arc::new(Queue { state: Mutex::default(), owner }) })
    }

    /// Take what was queued: what each operation that still waits is parked on.
    fn drain<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let State { woken, .. } = mem::take(&mut *lock(&self.queue.state));
        let parked = PyList::empty(py);
        for operation in woken.iter().filter_map(|handle| handle.operation(py)) {
            if let Some(object) = operation.get().parked(py) {
                parked.append(object)?;
            }
        }
        Ok(parked)
    }
}

impl LoopQueue {
    /// What wakes `operation` when its waiter is claimed.
    pub(crate) fn notice(&self, operation: &Bound<'_, Operation>) -> PyResult<Box<dyn Notice>> {
        let operation = PyWeakrefReference::new(operation)?.unbind();
        Ok(Box::new(Woken(Arc::new(Handle { queue: Arc::clone(&self.queue), operation }))))
    }
}

impl Handle {
    fn operation<'py>(&self, py: Python<'py>) -> Option<Bound<'py, Operation>> {
        self.operation.bind(py).upgrade_as_exact::<Operation>().ok().flatten()
    }
}

/// Wakes claimed waiters, those of event loops included.
pub(crate) fn wake(py: Python<'_>, wakes: Wakes) {
    if !wakes.is_empty() {
        wakes.wake();
    }
    send(py);
}

/// Asks each loop with claimed waiters to look at its queue. For every attached call that has claimed somebody.
pub(crate) fn send(py: Python<'_>) {
    if HAS_UNSENT.load(Ordering::Acquire) {
        send_all(py);
    }
}

#[cold]
fn send_all(py: Python<'_>) {
    while HAS_UNSENT.swap(false, Ordering::AcqRel) {
        let unsent = mem::take(&mut *lock(&UNSENT));
        for queue in unsent {
            if !queue.post(py) {
                queue.pass_on(py);
            }
        }
    }
}

impl Queue {
    /// Whether the loop will look.
    fn post(&self, py: Python<'_>) -> bool {
        let Some(owner) = self.owner.bind(py).upgrade() else { return false };
        let ask = || name!(py, "post").and_then(|post| python::method0(&owner, post)?.is_truthy());
        let mut asked = ask();
        let is_of_handler = |error: &PyErr| thread::is_main() && !error.is_instance_of::<PyException>(py);
        if asked.as_ref().is_err_and(is_of_handler) {
            // A signal handler raised in the middle. That comes after the running call; the loop is asked again.
            let raised = mem::replace(&mut asked, ask());
            raised.map_or_else(|error| thread::raise_later(py, error), drop);
        }
        asked.unwrap_or_else(|error| {
            error.write_unraisable(py, Some(&owner));
            false
        })
    }

    /// Lets the waiters of a loop that does not run pass on what they were told. They stay queued, and begin anew if it ever
    /// runs again. The next that is told asks the loop again: nobody looks at the queue meanwhile.
    fn pass_on(&self, py: Python<'_>) {
        let mut state = lock(&self.state);
        state.is_sent = false;
        let woken = state.woken.clone();
        drop(state);
        for operation in woken.iter().filter_map(|handle| handle.operation(py)) {
            operation.get().pass_on(py);
        }
    }
}

/// As `send`, for a drop. It must not be left to a later call: all threads may be waiting, the loops among them.
pub(crate) fn send_in_drop() {
    if HAS_UNSENT.load(Ordering::Acquire) {
        errors::in_drop(send_all);
    }
}
