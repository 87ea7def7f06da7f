//! `Mutex` over `fearless_core::mutex`: the value it owns, poison, errors, garbage collection.
//!
//! An acquisition is a number; a `Guard` holds the number, never the other way round. Not here: any algorithm, the guard
//! (`guard.rs`), and the lock of a task (`mutex/awaited.rs`).

mod awaited;
mod rare;

use fearless_core::{
    fork,
    mutex::{self as core, Lock, Number},
    owner::Owner,
    waiter::{Waiter, Wakes},
};
use pyo3::{PyTraverseError, PyVisit, exceptions::PyTypeError, prelude::*, types::PyDict};

use self::rare::Rare;
use crate::{
    acquiring::Acquiring,
    cell::Cell,
    errors,
    guard::{Block, Guard},
    loop_queue,
    owner::Holder,
    poison::Poison,
    python, thread,
    wait::{self, Kind, Patience},
};

/// A lock that owns its value; a guard gives it.
///
/// With `poison=True` an exception that leaves the guard's block poisons the mutex: later attempts raise
/// `PoisonError` until `clear_poison()`. Locking what the thread holds raises `DeadlockError`. A released lock is handed
/// to a thread that has waited 1 ms, or was passed over 64 times; until then a thread that comes by may be faster.
///
/// A guard is a value: what it gave out (an inner list, an iterator) is no longer guarded after the release.
///
/// Thread safety: internally synchronized; any thread may call any method.
#[pyclass(frozen, generic, weakref, module = "fearless")]
pub(crate) struct Mutex {
    core: core::Mutex,
    /// `None` only after the collector emptied it.
    value: Cell<Option<Py<PyAny>>>,
    /// Its poison, and the tasks that wait.
    rare: Rare,
}

impl Mutex {
    /// The value, if acquisition `number` still lasts.
    pub(crate) fn get(&self, py: Python<'_>, number: Number) -> Option<Py<PyAny>> {
        // Inside the cell: nobody can have replaced and dropped what is cloned here.
        self.value.with(py, |value| {
            let lasts = self.core.is_held_by(number);
            value.as_ref().filter(|_| lasts).map(|value| value.clone_ref(py))
        })
    }

    /// Stores `new` if acquisition `number` still lasts; gives back what is now to be dropped.
    pub(crate) fn set(&self, py: Python<'_>, number: Number, new: Py<PyAny>) -> Result<Option<Py<PyAny>>, Py<PyAny>> {
        self.value.with(py, |value| if self.core.is_held_by(number) { Ok(value.replace(new)) } else { Err(new) })
    }

    pub(crate) fn is_held_by(&self, number: Number) -> bool {
        self.core.is_held_by(number)
    }

    /// Ends acquisition `number`; false when it had ended.
    pub(crate) fn release(&self, py: Python<'_>, number: Number) -> bool {
        self.core.release(number).map(|wakes| loop_queue::wake(py, wakes)).is_ok()
    }

    /// As `release`, for a drop.
    pub(crate) fn release_in_drop(&self, number: Number) -> bool {
        let released = self.core.release(number).map(Wakes::wake).is_ok();
        loop_queue::send_in_drop();
        released
    }

    /// Poisons the mutex if it was made so and `error` is leaving the block.
    pub(crate) fn note(&self, py: Python<'_>, error: &Bound<'_, PyAny>) {
        if let Some(poison) = self.rare.poison() {
            poison.note(py, error);
        }
    }

    /// Takes the lock for `me`, the calling thread or a block of its.
    pub(crate) fn acquire(
        &self,
        py: Python<'_>,
        call: &str,
        me: Owner,
        patience: Patience,
        poisoned: bool,
    ) -> PyResult<Number> {
        let number = match self.core.try_lock(me) {
            Some(number) => number,
            None => self.acquire_slowly(py, call, me, patience, poisoned)?,
        };
        self.refuse_poison(py, call, number, poisoned)
    }

    /// Lets go again of a poisoned mutex, unless `poisoned` says that the caller wants to look inside.
    pub(crate) fn refuse_poison(&self, py: Python<'_>, call: &str, number: Number, poisoned: bool) -> PyResult<Number> {
        match self.rare.poison().filter(|_| !poisoned).and_then(|poison| poison.refusal(call, "mutex")) {
            None => Ok(number),
            Some(error) => {
                self.release(py, number);
                Err(error)
            }
        }
    }

    #[cold]
    fn acquire_slowly(
        &self,
        py: Python<'_>,
        call: &str,
        me: Owner,
        patience: Patience,
        poisoned: bool,
    ) -> PyResult<Number> {
        const HELD: &str = "the mutex was not released";
        let waiter = Waiter::new();
        if patience == Patience::Once && !(poisoned && self.is_vanished()) {
            return match self.core.holder() {
                Some(_) if self.is_vanished() => Err(vanished(call)),
                Some((owner, _)) if me.is_stuck_behind(owner) => Err(self.deadlock(call)),
                _ => Err(errors::timeout(call, HELD)),
            };
        }
        let mut lock = match self.core.spin(me, wait::SPINS) {
            Some(number) => Lock::Acquired(number),
            None => self.core.lock(me, &waiter),
        };
        loop {
            match lock {
                Lock::Acquired(number) => return Ok(number),
                Lock::Deadlock => return Err(self.deadlock(call)),
                Lock::Vanished if poisoned => {
                    self.core.heal();
                    lock = self.core.lock(me, &waiter);
                }
                Lock::Vanished => return Err(vanished(call)),
                Lock::Wait(ticket) => {
                    let ended = wait::wait(py, &waiter, Kind::Lock, patience);
                    let (next, wakes) = self.core.resume(ticket, &waiter, ended.claim());
                    loop_queue::wake(py, wakes);
                    lock = next.ok_or_else(|| ended.error(call, HELD))?;
                }
            }
        }
    }

    fn holding<R>(&self, py: Python<'_>, call: &str, body: impl FnOnce(Number) -> PyResult<R>) -> PyResult<R> {
        let held = Held { py, mutex: self, number: self.acquire(py, call, thread::owner(), Patience::Forever, false)? };
        let result = body(held.number);
        if let Err(error) = &result {
            self.note(py, error.value(py));
        }
        result
    }
}

/// Ends an acquisition that no guard was made for, also when a panic passes.
struct Held<'a> {
    py: Python<'a>,
    mutex: &'a Mutex,
    number: Number,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.mutex.release(self.py, self.number);
    }
}

fn vanished(call: &str) -> PyErr {
    errors::PoisonError::new_err(format!(
        "{call}: the thread that held the mutex did not survive the fork; clear_poison() frees it"
    ))
}

fn ended() -> PyErr {
    errors::GuardReleased::new_err("the mutex was released while the call was using its value")
}

#[pymethods]
impl Mutex {
    /// A mutex around `value`.
    #[new]
    #[pyo3(signature = (value, *, poison=false))]
    fn new(value: Py<PyAny>, poison: bool) -> Mutex {
        Mutex { core: core::Mutex::new(), value: Cell::new(Some(value)), rare: Rare::new(poison) }
    }

    /// Take the lock and return its guard. With `poisoned=True` also a poisoned one, to look inside.
    ///
    /// Blocks: until the lock is free; not a cancellation point; Ctrl-C gets through.
    /// Raises: `Timeout` after `timeout` seconds, `DeadlockError` if this thread holds it, `PoisonError`, `ValueError` if
    /// `timeout` is negative or NaN.
    #[pyo3(signature = (timeout=None, *, poisoned=false))]
    fn lock(slf: &Bound<'_, Self>, timeout: Option<&Bound<'_, PyAny>>, poisoned: bool) -> PyResult<Py<Guard>> {
        let patience = Patience::from_timeout(timeout)?;
        let number = slf.get().acquire(slf.py(), "lock", thread::owner(), patience, poisoned)?;
        Guard::make(slf, number, Holder::thread(), Block::None)
    }

    /// Take the lock if it is free: return its guard, or `None`. Compare with `is not None`.
    ///
    /// Raises: `PoisonError`.
    fn try_lock(slf: &Bound<'_, Self>) -> PyResult<Option<Py<Guard>>> {
        let mutex = slf.get();
        match mutex.core.try_lock(thread::owner()) {
            Some(number) => {
                let number = mutex.refuse_poison(slf.py(), "try_lock", number, false)?;
                Guard::make(slf, number, Holder::thread(), Block::None).map(Some)
            }
            None => match mutex.core.holder() {
                Some((owner, generation)) if fork::vanished(owner.thread, generation) => Err(vanished("try_lock")),
                _ => Ok(None),
            },
        }
    }

    /// Take the lock as a coroutine: await it for a guard, or use it in `async with`. See `lock`.
    ///
    /// The task that awaits holds the lock. Cancelled, it has taken nothing; there is no timeout, as the library has its own.
    ///
    /// Raises: `DeadlockError` if this task or its thread holds it, `PoisonError`.
    #[pyo3(signature = (*, poisoned=false))]
    fn lock_async(slf: &Bound<'_, Self>, poisoned: bool) -> PyResult<Acquiring> {
        awaited::acquiring(slf, poisoned)
    }

    /// Take the lock for a `with` block.
    ///
    /// Blocks: until the lock is free; not a cancellation point; Ctrl-C gets through.
    fn __enter__(slf: &Bound<'_, Self>) -> PyResult<Py<Guard>> {
        let holder = Holder::thread();
        let number = slf.get().acquire(slf.py(), "with", holder.owner.in_block(), Patience::Forever, false)?;
        Guard::make(slf, number, holder, Block::With)
    }

    /// End the block's acquisition, unless its guard was released already.
    ///
    /// The mutex itself says which one that is, so that nothing but the lock has to be held; a thread can have only one
    /// acquisition of one mutex, so one that lasts and was made by a block of this thread is the block's.
    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: &Bound<'_, PyAny>,
        error: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) {
        if let Some(number) = self.core.held_by(thread::owner().in_block()) {
            self.note(py, error);
            self.release(py, number);
        }
    }

    /// Store `function(value)` and return it.
    ///
    /// Blocks: until the lock is free; not a cancellation point; Ctrl-C gets through.
    fn update(&self, py: Python<'_>, function: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.holding(py, "update", |number| {
            let value = self.get(py, number).ok_or_else(ended)?;
            let new = python::call_with(function, value.bind(py))?.unbind();
            let old = self.set(py, number, new.clone_ref(py)).map_err(|_| ended())?;
            Ok((new, old))
        })
        .map(|(new, old)| {
            drop(old);
            new
        })
    }

    /// Return `function(value)`; store nothing.
    ///
    /// Blocks: until the lock is free; not a cancellation point; Ctrl-C gets through.
    fn with_lock(&self, py: Python<'_>, function: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        self.holding(py, "with_lock", |number| {
            let value = self.get(py, number).ok_or_else(ended)?;
            python::call_with(function, value.bind(py)).map(Bound::unbind)
        })
    }

    /// Store `value` and return the one before.
    ///
    /// Blocks: until the lock is free; not a cancellation point; Ctrl-C gets through.
    fn replace(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<Option<Py<PyAny>>> {
        self.holding(py, "replace", |number| self.set(py, number, value).map_err(|_| ended()))
    }

    /// Return a shallow copy of the value (`copy.copy`), made under the lock.
    ///
    /// Blocks: until the lock is free; not a cancellation point; Ctrl-C gets through.
    fn copy(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.holding(py, "copy", |number| {
            let value = self.get(py, number).ok_or_else(ended)?;
            python::copy(value.bind(py)).map(Bound::unbind)
        })
    }

    /// Whether anybody holds the lock at this moment.
    fn locked(&self) -> bool {
        self.core.is_locked()
    }

    /// Whether an exception, or a fork, has left the value in doubt.
    #[getter]
    fn is_poisoned(&self) -> bool {
        self.rare.poison().is_some_and(Poison::is_set) || self.is_vanished()
    }

    /// Declare the value sound again; frees a lock whose holder did not survive a fork.
    fn clear_poison(&self) {
        if let Some(poison) = self.rare.poison() {
            poison.clear();
        }
        self.core.heal();
    }

    /// Return counts: `acquired`, how often it was taken, and `waiting`, the threads that are queued now.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = PyDict::new(py);
        stats.set_item("acquired", self.core.acquired())?;
        stats.set_item("waiting", self.core.waiting())?;
        Ok(stats)
    }

    fn __reduce__(&self) -> PyResult<Py<PyAny>> {
        Err(PyTypeError::new_err(
            "a Mutex cannot be pickled, as a copy would guard nothing: pickle what copy() returns",
        ))
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let waiting = self.core.waiting();
        let poisoned = if self.is_poisoned() { "poisoned, " } else { "" };
        match self.core.holder() {
            Some((owner, _)) => {
                format!("<Mutex {poisoned}locked by {}, {waiting} waiting>", thread::name(py, owner.thread))
            }
            None => format!("<Mutex {poisoned}unlocked, {waiting} waiting>"),
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.value.visit(|value| visit.call(value))?;
        self.rare.traverse(&visit)
    }

    fn __clear__(&self, py: Python<'_>) {
        let value = self.value.with(py, Option::take);
        drop(value);
        self.rare.clear();
    }
}

impl Mutex {
    /// Why a task did not get the lock.
    pub(crate) fn refusal(&self, call: &str) -> PyErr {
        if self.is_vanished() { vanished(call) } else { self.deadlock(call) }
    }

    /// Says whom the caller would wait for; that holder cannot go on before the caller does.
    fn deadlock(&self, call: &str) -> PyErr {
        let holder = match self.core.holder() {
            Some((owner, _)) if owner.is_task() => "a task of this thread",
            _ => "this thread",
        };
        errors::DeadlockError::new_err(format!("{call}: {holder} holds the mutex already"))
    }

    fn is_vanished(&self) -> bool {
        self.core.holder().is_some_and(|(owner, generation)| fork::vanished(owner.thread, generation))
    }
}
