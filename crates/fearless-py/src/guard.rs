//! `Guard`: the value of a held `Mutex`.
//!
//! A guard is an acquisition's number. Every use compares it, so a kept guard is dead for ever once the acquisition has
//! ended, whoever ended it. Not here: what a guard forwards to the value (`forwarding.rs`).

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use fearless_core::{mutex::Number, owner::Owner};
use pyo3::{PyTraverseError, PyVisit, prelude::*};

use crate::{
    acquiring::Entered,
    errors,
    forwarding::{Guards, guard_methods, released},
    mutex::Mutex,
    owner::Holder,
    wait::Patience,
};

/// What holding a `Mutex` gives: its value.
///
/// `guard.value` reads and `guard.value = x` writes. Item access, iteration, `len`, `in` and in-place operators go to the
/// value; nothing else does (`guard + 1` and `if guard:` are a `TypeError` that names `guard.value`).
///
/// Thread safety: only the thread that took the lock, or the task that awaited it, may use a guard; any thread may release
/// it.
#[pyclass(frozen, generic, module = "fearless")]
pub(crate) struct Guard {
    mutex: Py<Mutex>,
    /// A wait for a condition variable ends one acquisition and begins the next.
    number: AtomicU64,
    holder: Holder,
    block: Block,
}

/// What ends the acquisition, if not the guard.
pub(crate) enum Block {
    /// Nothing else.
    None,
    /// The `__exit__` of the mutex.
    With,
    /// The `__aexit__` of what was awaited.
    Async(Arc<Entered>),
}

impl Guard {
    pub(crate) fn make(mutex: &Bound<'_, Mutex>, number: Number, holder: Holder, block: Block) -> PyResult<Py<Guard>> {
        let guard = Guard { mutex: mutex.clone().unbind(), number: AtomicU64::new(number.get()), holder, block };
        // On failure (no memory) dropping the guard ends the acquisition: an error is in flight.
        Py::new(mutex.py(), guard)
    }

    /// The acquisition.
    fn number(&self) -> Number {
        Number::of(self.number.load(Ordering::Relaxed))
    }

    pub(crate) fn mutex(&self) -> &Py<Mutex> {
        &self.mutex
    }

    pub(crate) fn owner(&self) -> Owner {
        self.holder.owner
    }

    pub(crate) fn is_of_task(&self) -> bool {
        self.holder.owner.is_task()
    }

    /// Raises: `GuardReleased` unless it is the caller's and holds the lock.
    pub(crate) fn check_held(&self, py: Python<'_>) -> PyResult<()> {
        self.check_owner(py)?;
        if self.is_held() { Ok(()) } else { Err(released()) }
    }

    /// Ends the acquisition for a wait.
    pub(crate) fn let_go(&self, py: Python<'_>) {
        self.mutex.get().release(py, self.number());
    }

    /// Takes the lock again after a wait, for the thread that holds the guard.
    pub(crate) fn lock_again(&self, py: Python<'_>, call: &str) -> PyResult<()> {
        let me = if matches!(self.block, Block::With) { self.owner().in_block() } else { self.owner() };
        let number = self.mutex.get().acquire(py, call, me, Patience::Forever, false)?;
        self.go_on(number);
        Ok(())
    }

    /// Goes on with acquisition `number`, unless the mutex was poisoned meanwhile.
    pub(crate) fn renew(&self, py: Python<'_>, call: &str, number: Number) -> PyResult<()> {
        self.go_on(self.mutex.get().refuse_poison(py, call, number, false)?);
        Ok(())
    }

    fn go_on(&self, number: Number) {
        self.number.store(number.get(), Ordering::Relaxed);
        if let Block::Async(entered) = &self.block {
            entered.number.store(number.get(), Ordering::Relaxed);
        }
    }

    /// Whether the acquisition has to end with the guard.
    ///
    /// `with mutex:` drops the guard before the block begins, and a block may drop its own; `__exit__` then still comes.
    /// With an exception in flight the guard may have been dropped on the way into the block, which is never entered.
    fn is_last_hope(&self) -> bool {
        matches!(self.block, Block::None) || Python::try_attach(PyErr::occurred) == Some(true)
    }

    fn check_owner(&self, py: Python<'_>) -> PyResult<()> {
        if self.holder.is_caller(py)? {
            return Ok(());
        }
        Err(errors::GuardReleased::new_err("only the thread or task that took the lock may use its guard"))
    }
}

impl Guards for Guard {
    const NAME: &'static str = "Guard";

    fn get<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.check_owner(py)?;
        self.mutex.get().get(py, self.number()).map(|value| value.into_bound(py)).ok_or_else(released)
    }

    fn set(&self, py: Python<'_>, value: Py<PyAny>) -> PyResult<()> {
        self.check_owner(py)?;
        let displaced = self.mutex.get().set(py, self.number(), value).map_err(|_| released())?;
        drop(displaced);
        Ok(())
    }

    fn is_held(&self) -> bool {
        self.mutex.get().is_held_by(self.number())
    }

    fn end(&self, py: Python<'_>) {
        self.mutex.get().release(py, self.number());
    }

    fn leave(&self, error: &Bound<'_, PyAny>) {
        if self.is_held() {
            self.mutex.get().note(error.py(), error);
            self.end(error.py());
        }
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.mutex)?;
        self.holder.traverse(visit)
    }
}

guard_methods!(Guard {});

impl Drop for Guard {
    fn drop(&mut self) {
        // Nearly always it has been released: a look is cheaper than an attempt.
        let mutex = self.mutex.get();
        if mutex.is_held_by(self.number()) && self.is_last_hope() && mutex.release_in_drop(self.number()) {
            errors::warn_dropped(c"a Guard was dropped without release(), which freed its mutex; use `with`");
        }
    }
}
