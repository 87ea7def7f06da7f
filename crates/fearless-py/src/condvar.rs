//! `Condvar` over `fearless_core::condvar`: letting go of a guard's mutex for the wait, and taking it again.
//!
//! Not here: any algorithm, and the order of steps of a task's wait (`fearless/_condvar.py`).

use fearless_core::{
    condvar::{self as core, Awaiting},
    mutex::{Lock, Locking},
    owner::Owner,
    select::Source,
    sync::Arc,
    waiter::Waiter,
};
use pyo3::{PyTraverseError, PyVisit, exceptions::PyTypeError, prelude::*, types::PyDict};

use crate::{
    errors,
    forwarding::Guards,
    guard::Guard,
    hooks::Hooks,
    kept::Kept,
    loop_queue,
    mutex::Mutex,
    operation::{Face, Operation},
    python,
    source::Source as Operand,
    wait::{self, Ended, Kind, Patience},
    waits::{Gives, Object, Of, Waits},
};

/// A condition variable: wait, with a guard, until another thread or task says that something has changed.
///
/// Waiting lets go of the guard's mutex and takes it again before it returns; the same guard then holds a new acquisition.
/// A notification reaches the one that has waited longest, and nobody when nobody waits. A wait can end without what was waited
/// for being so: another may have come first. `wait_while` looks again by itself.
///
/// Thread safety: internally synchronized; any thread may call any method.
///
/// Example:
///     >>> import fearless as fl
///     >>> jobs, changed = fl.Mutex([]), fl.Condvar()
///     >>> with jobs as guard:
///     ...     guard.value.append("job")
///     ...     changed.notify_one()
///     >>> with jobs as guard:
///     ...     changed.wait_while(guard, lambda jobs: not jobs)
///     ...     guard.value.pop()
///     'job'
#[pyclass(frozen, weakref, module = "fearless")]
pub(crate) struct Condvar {
    core: core::Condvar,
    hooks: Hooks,
}

impl Object for Condvar {
    type Core = core::Condvar;

    fn core(&self) -> &core::Condvar {
        &self.core
    }

    fn hooks(&self) -> &Hooks {
        &self.hooks
    }
}

/// What a wait without a notification lacked.
const NOTHING: &str = "no notification came";

impl Condvar {
    fn wait_once(&self, py: Python<'_>, guard: &Guard, call: &str, patience: Patience) -> PyResult<()> {
        wait::checkpoint(py)?;
        guard.check_held(py)?;
        if guard.is_of_task() {
            let text = format!("{call}: the guard is a task's; await {call}_async");
            return Err(PyTypeError::new_err(text));
        }
        let waiter = Waiter::new();
        // Enqueued before the mutex is free, so that no notification is missed.
        let ticket = self.core.start(&waiter);
        guard.let_go(py);
        let mut ended = wait::wait(py, &waiter, Kind::Condvar, patience);
        let mut passes_on = false;
        if matches!(ended, Ended::Ready(_))
            && let Err(error) = wait::last_look(py)
        {
            passes_on = true;
            ended = Ended::Failed(ended.claim(), error);
        }
        loop_queue::wake(py, self.core.finish(ticket, passes_on));
        // Also after an error, whose handlers may rely on holding the lock.
        let locked = guard.lock_again(py, call);
        match (ended, locked) {
            (Ended::Ready(_), Ok(())) => Ok(()),
            (Ended::Ready(_), Err(error)) => {
                // The caller will not act on its notification: another that waits may.
                loop_queue::wake(py, self.core.notify_one());
                Err(error)
            }
            (ended, Ok(())) => Err(ended.error(call, NOTHING)),
            // The later error says that the lock is not held, and may be a Ctrl-C.
            (ended, Err(error)) => Err(errors::after(py, error, &ended.error(call, NOTHING))),
        }
    }
}

#[pymethods]
impl Condvar {
    #[new]
    fn new() -> Condvar {
        Condvar { core: core::Condvar::new(), hooks: Hooks::default() }
    }

    /// Let go of the guard's mutex, wait for a notification, and take the mutex again.
    ///
    /// The mutex is taken again also when the wait fails. If Ctrl-C comes while that waits, the guard stays released.
    ///
    /// Blocks: until a notification comes and the mutex is free; a cancellation point; Ctrl-C gets through.
    /// Raises: `Timeout` when none came within `timeout` seconds, `GuardReleased` if the guard holds nothing or is another
    /// thread's, `PoisonError`, `ValueError` if `timeout` is negative or NaN.
    #[pyo3(signature = (guard, timeout=None))]
    fn wait(&self, guard: &Bound<'_, Guard>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let patience = Patience::from_timeout(timeout)?;
        self.wait_once(guard.py(), guard.get(), "wait", patience)
    }

    /// Wait as long as `predicate(value)` is true, asking it first and after each notification, with the mutex held.
    ///
    /// Blocks: until it is false and the mutex is free; a cancellation point; Ctrl-C gets through.
    /// Raises: `Timeout` when it is still true after `timeout` seconds, what `predicate` raises, and as `wait`.
    #[pyo3(signature = (guard, predicate, timeout=None))]
    fn wait_while(
        &self,
        guard: &Bound<'_, Guard>,
        predicate: &Bound<'_, PyAny>,
        timeout: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let py = guard.py();
        let patience = Patience::from_timeout(timeout)?;
        wait::checkpoint(py)?;
        let goes_on = || python::call_with(predicate, &guard.get().get(py)?)?.is_truthy();
        while goes_on()? {
            match self.wait_once(py, guard.get(), "wait_while", patience) {
                // Time is up, but the last look is the caller's: what it waits for may have come with the deadline.
                Err(error) if errors::Timeout::is(py, &error) && patience != Patience::Once => {
                    return if goes_on()? { Err(error) } else { Ok(()) };
                }
                ended => ended?,
            }
        }
        Ok(())
    }

    /// Wait as a task does; see `wait`. The guard has to be the task's own, from `lock_async`.
    ///
    /// Cancelled, it takes the mutex again before the cancellation goes on.
    fn wait_async<'py>(slf: &Bound<'py, Self>, guard: &Bound<'py, Guard>) -> PyResult<Bound<'py, PyAny>> {
        static WAIT: Kept<PyAny> = Kept::new();
        let py = slf.py();
        WAIT.get(py, || python::import(py, "fearless._condvar")?.getattr("wait"))?.call1((slf, guard))
    }

    /// Wait as a task does as long as `predicate(value)` is true; see `wait_while`.
    fn wait_while_async<'py>(
        slf: &Bound<'py, Self>,
        guard: &Bound<'py, Guard>,
        predicate: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        static WAIT: Kept<PyAny> = Kept::new();
        let py = slf.py();
        WAIT.get(py, || python::import(py, "fearless._condvar")?.getattr("wait_while"))?.call1((slf, guard, predicate))
    }

    /// The first half of a task's wait: let go of the guard's mutex and wait for a notification.
    fn _notified(slf: &Bound<'_, Self>, guard: &Bound<'_, Guard>) -> PyResult<Operation> {
        guard.get().check_held(slf.py())?;
        if !guard.get().is_of_task() {
            // Its lock is the thread's, which could not wait for it while tasks of the thread have it.
            return Err(PyTypeError::new_err("wait_async: the guard is a thread's; take it with lock_async"));
        }
        let waiting = Notified { awaiting: Awaiting::new(Of::new(slf)), guard: guard.clone().unbind() };
        Ok(Operation::new(Face::Object("wait_async"), vec![Operand::Object(Waits::boxed(waiting))], None))
    }

    /// The second half: take the mutex again, unless the guard still holds it.
    fn _lock_again(slf: &Bound<'_, Self>, guard: &Bound<'_, Guard>) -> PyResult<Operation> {
        let _ = slf;
        let mutex = guard.get().mutex().bind(guard.py());
        let locking = Locking::new(Of::new(mutex), Owner::default());
        let locking = Relock { locking, guard: guard.clone().unbind() };
        Ok(Operation::new(Face::Object("wait_async"), vec![Operand::Object(Waits::boxed(locking))], None))
    }

    /// Tell the one that has waited longest, if anybody waits. Most often called with the mutex held.
    fn notify_one(&self, py: Python<'_>) {
        loop_queue::wake(py, self.core.notify_one());
    }

    /// Tell all that wait.
    fn notify_all(&self, py: Python<'_>) {
        loop_queue::wake(py, self.core.notify_all());
    }

    /// Return counts: `notified`, the waits that a notification has ended, and `waiting`, the threads and tasks that wait now.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = PyDict::new(py);
        stats.set_item("notified", self.core.notifications())?;
        stats.set_item("waiting", self.core.waiting())?;
        Ok(stats)
    }

    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        Err(errors::not_picklable("a Condvar"))
    }

    fn __repr__(&self) -> String {
        format!("<Condvar {} waiting>", self.core.waiting())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.hooks.traverse(&visit)
    }

    fn __clear__(&self) {
        self.hooks.clear();
    }
}

/// A task's wait for a notification; enlisting it lets go of the guard's mutex.
struct Notified {
    awaiting: Awaiting<Of<Condvar>>,
    guard: Py<Guard>,
}

impl Source for Notified {
    fn attempt(&mut self) -> bool {
        self.awaiting.attempt()
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        self.awaiting.enlist(waiter, operation);
        // A loop that stopped in between enlists again; the mutex is free then.
        Python::attach(|py| self.guard.get().let_go(py));
        true
    }

    fn act(&mut self) -> bool {
        self.awaiting.act()
    }

    fn withdraw(&mut self) -> bool {
        self.awaiting.withdraw()
    }
}

impl Gives for Notified {
    type Object = Condvar;

    fn holder(&self) -> &Of<Condvar> {
        &self.awaiting.holder
    }

    fn outcome(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(py.None())
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.guard)
    }
}

/// Takes the mutex of a guard again.
struct Relock {
    locking: Locking<Of<Mutex>>,
    guard: Py<Guard>,
}

impl Source for Relock {
    fn attempt(&mut self) -> bool {
        self.guard.get().is_held() || self.locking.attempt()
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        self.locking.enlist(waiter, operation)
    }

    fn act(&mut self) -> bool {
        self.locking.act()
    }

    fn withdraw(&mut self) -> bool {
        self.locking.withdraw()
    }
}

impl Gives for Relock {
    type Object = Mutex;

    fn holder(&self) -> &Of<Mutex> {
        &self.locking.holder
    }

    fn is_point(&self) -> bool {
        false
    }

    fn begin(&mut self, _py: Python<'_>) -> PyResult<()> {
        self.locking.owner = self.guard.get().owner();
        Ok(())
    }

    fn outcome(&mut self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self.locking.outcome.take() {
            None => {}
            Some(Lock::Acquired(number)) => self.guard.get().renew(py, "wait_async", number)?,
            Some(_) => return Err(self.locking.holder.get().refusal("wait_async")),
        }
        Ok(py.None())
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.guard)
    }
}
