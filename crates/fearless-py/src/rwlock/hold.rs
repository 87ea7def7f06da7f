//! One acquisition of a `RwLock`, in the hands of its guard: who may use it, and its end.
//!
//! The guard alone knows the number, and forgets it with the end; so a kept guard is dead for ever. Every use looks at the
//! number inside the cell of the value: who stores another value there has the lock, which came after the end.
//!
//! Not here: what a guard forwards to the value (`forwarding.rs`).

use std::sync::atomic::{AtomicU64, Ordering};

use fearless_core::{
    fork,
    rwlock::{Access, Number, Released, Want},
};
use pyo3::{PyTraverseError, PyVisit, prelude::*};

use super::{
    RwLock,
    acquire::{Call, access},
};
use crate::{errors, forwarding::released, loop_queue, owner::Holder, wait::Patience};

/// An acquisition.
pub(super) struct Hold {
    lock: Py<RwLock>,
    access: Access,
    /// The acquisition; 0 once it has ended.
    number: AtomicU64,
    holder: Holder,
    /// The fork generation in which it began.
    generation: u64,
}

impl Hold {
    pub(super) fn new(lock: &Bound<'_, RwLock>, access: Access, number: Number, holder: Holder) -> Hold {
        let (number, generation) = (AtomicU64::new(number.get()), fork::generation());
        Hold { lock: lock.clone().unbind(), access, number, holder, generation }
    }

    /// Takes the lock for the calling thread.
    pub(super) fn wait(lock: &Bound<'_, RwLock>, call: Call, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Hold> {
        let (patience, holder) = (Patience::from_timeout(timeout)?, Holder::thread());
        let number = lock.get().acquire(lock.py(), call, holder.owner, patience)?;
        Ok(Hold::new(lock, access(call.want), number, holder))
    }

    /// Takes the lock for the calling thread if that needs no wait.
    pub(super) fn attempt(lock: &Bound<'_, RwLock>, call: Call) -> PyResult<Option<Hold>> {
        let holder = Holder::thread();
        let number = lock.get().try_acquire(lock.py(), call, holder.owner)?;
        Ok(number.map(|number| Hold::new(lock, access(call.want), number, holder)))
    }

    pub(super) fn lock<'py>(&self, py: Python<'py>) -> &Bound<'py, RwLock> {
        self.lock.bind(py)
    }

    pub(super) fn holder(&self) -> &Holder {
        &self.holder
    }

    /// The number, while the acquisition lasts. One of a thread that a fork has lost does not.
    pub(super) fn number(&self) -> Option<Number> {
        let number = Number::of(self.number.load(Ordering::Acquire));
        number.filter(|_| !fork::vanished(self.holder.owner.thread, self.generation))
    }

    pub(super) fn check_owner(&self, py: Python<'_>) -> PyResult<()> {
        if self.holder.is_caller(py)? {
            return Ok(());
        }
        Err(errors::GuardReleased::new_err("only the thread or task that took the lock may use its guard"))
    }

    /// The value, for the owner.
    pub(super) fn get<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.check_owner(py)?;
        let value = self.lock.get().value.with(py, |value| {
            let lasts = self.number().is_some();
            value.as_ref().filter(|_| lasts).map(|value| value.clone_ref(py))
        });
        value.map(|value| value.into_bound(py)).ok_or_else(released)
    }

    /// Stores a value, for the owner, who writes.
    pub(super) fn set(&self, py: Python<'_>, new: Py<PyAny>) -> PyResult<()> {
        self.check_owner(py)?;
        let displaced = self
            .lock
            .get()
            .value
            .with(py, |value| if self.number().is_some() { Ok(value.replace(new)) } else { Err(new) });
        let is_released = displaced.is_err();
        drop(displaced);
        if is_released { Err(released()) } else { Ok(()) }
    }

    /// Forgets the number: who gets it here ends the acquisition, or has put another in its place.
    pub(super) fn give_up(&self) -> Option<Number> {
        let lasting = self.number();
        let number = self.number.swap(0, Ordering::AcqRel);
        lasting.filter(|_| number != 0)
    }

    /// Ends the acquisition, if it lasts.
    pub(super) fn end(&self, py: Python<'_>) {
        if let Some(number) = self.give_up() {
            self.lock.get().release(py, self.access, number);
        }
    }

    /// As `end`, when `error`, or `None`, is what leaves the guard's block.
    pub(super) fn leave(&self, error: &Bound<'_, PyAny>) {
        if self.access == Access::Write && self.number().is_some() {
            self.lock.get().poison.note(error.py(), error);
        }
        self.end(error.py());
    }

    /// As `end`, in a drop; whether it still lasted.
    pub(super) fn end_in_drop(&self) -> bool {
        self.give_up().is_some_and(|number| self.lock.get().release_in_drop(self.access, number))
    }

    /// Becomes an acquisition that reads.
    pub(super) fn downgrade(&self, py: Python<'_>) -> PyResult<Hold> {
        self.check_owner(py)?;
        let old = self.give_up().ok_or_else(released)?;
        let (number, wakes) = self.lock.get().core.downgrade(self.access, old).map_err(|Released| released())?;
        loop_queue::wake(py, wakes);
        Ok(self.successor(py, Access::Read, number))
    }

    /// A second acquisition of the same owner, beside one that reads.
    pub(super) fn duplicate(&self, py: Python<'_>) -> PyResult<Hold> {
        self.check_owner(py)?;
        let number = self.number().ok_or_else(released)?;
        let number = self.lock.get().core.duplicate(number).map_err(|Released| released())?;
        Ok(self.successor(py, Access::Read, number))
    }

    /// Becomes an acquisition that writes; stays what it was when that fails.
    pub(super) fn upgrade(&self, py: Python<'_>, patience: Patience) -> PyResult<Hold> {
        self.check_owner(py)?;
        // One that has ended is refused by the lock, which knows whether its owner writes now.
        let call = Call { name: "upgrade", want: self.upgrade_wanted(), poisoned: true };
        let number = self.lock.get().acquire(py, call, self.holder.owner, patience)?;
        Ok(self.upgraded(py, number))
    }

    /// As `upgrade`, if that needs no wait.
    pub(super) fn try_upgrade(&self, py: Python<'_>) -> PyResult<Option<Hold>> {
        self.check_owner(py)?;
        if self.number().is_none() {
            return Err(released());
        }
        let call = Call { name: "try_upgrade", want: self.upgrade_wanted(), poisoned: true };
        let number = self.lock.get().try_acquire(py, call, self.holder.owner)?;
        Ok(number.map(|number| self.upgraded(py, number)))
    }

    /// To upgrade this acquisition; a number of none when it has ended.
    pub(super) fn upgrade_wanted(&self) -> Want {
        Want::Upgrade(self.number().unwrap_or(Number::NONE))
    }

    /// What it has become by an upgrade.
    pub(super) fn upgraded(&self, py: Python<'_>, number: Number) -> Hold {
        self.give_up();
        self.successor(py, Access::Write, number)
    }

    fn successor(&self, py: Python<'_>, access: Access, number: Number) -> Hold {
        Hold::new(self.lock(py), access, number, self.holder.clone_ref(py))
    }

    pub(super) fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.lock)?;
        self.holder.traverse(visit)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Nearly always it has ended: a look is cheaper than an attempt.
        if *self.number.get_mut() != 0 && self.end_in_drop() {
            let text = match self.access {
                Access::Read => c"a ReadGuard was dropped without release(), which freed its lock; use `with`",
                Access::Upgradable => {
                    c"an UpgradableGuard was dropped without release(), which freed its lock; use `with`"
                }
                Access::Write => c"a WriteGuard was dropped without release(), which freed its lock; use `with`",
            };
            errors::warn_dropped(text);
        }
    }
}
