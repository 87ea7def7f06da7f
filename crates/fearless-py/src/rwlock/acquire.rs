//! Acquisitions of threads: getting one, what refuses it, and its end.
//!
//! Not here: those of tasks (`awaited.rs`), and guards (`hold.rs`).

use fearless_core::{
    owner::Owner,
    rwlock::{Access, Lock, Number, Want},
    waiter::{Waiter, Wakes},
};
use pyo3::prelude::*;

use super::RwLock;
use crate::{
    errors,
    forwarding::released,
    loop_queue, thread,
    wait::{self, Kind, Patience},
};

/// What a call wants of the lock.
#[derive(Clone, Copy)]
pub(super) struct Call {
    pub(super) name: &'static str,
    pub(super) want: Want,
    /// A poisoned lock is welcome.
    pub(super) poisoned: bool,
}

impl RwLock {
    pub(super) fn acquire(&self, py: Python<'_>, call: Call, me: Owner, patience: Patience) -> PyResult<Number> {
        let number = match self.core.try_lock(call.want, me) {
            Lock::Acquired(number) => number,
            refused => self.acquire_slowly(py, call, me, patience, refused)?,
        };
        self.refuse_poison(py, call, number)
    }

    /// Lets go again of a poisoned lock, unless the caller wants to look inside.
    pub(super) fn refuse_poison(&self, py: Python<'_>, call: Call, number: Number) -> PyResult<Number> {
        match self.poison.refusal(call.name, "lock").filter(|_| !call.poisoned) {
            None => Ok(number),
            Some(error) => {
                self.release(py, access(call.want), number);
                Err(error)
            }
        }
    }

    #[cold]
    pub(super) fn acquire_slowly(
        &self,
        py: Python<'_>,
        call: Call,
        me: Owner,
        patience: Patience,
        mut lock: Lock,
    ) -> PyResult<Number> {
        const HELD: &str = "the lock did not become free";
        let mut waiter = None;
        loop {
            lock = match lock {
                Lock::Acquired(number) => return Ok(number),
                Lock::Busy if patience == Patience::Once => return Err(errors::timeout(call.name, HELD)),
                Lock::Busy => match self.core.spin(call.want, me, wait::SPINS) {
                    Some(number) => Lock::Acquired(number),
                    None => self.core.lock(call.want, me, waiter.get_or_insert_with(Waiter::new)),
                },
                Lock::Vanished if call.poisoned => {
                    self.core.heal();
                    self.core.try_lock(call.want, me)
                }
                Lock::Wait(ticket) => {
                    let waiter = waiter.get_or_insert_with(Waiter::new);
                    let ended = wait::wait(py, waiter, Kind::Lock, patience);
                    let (next, wakes) = self.core.resume(call.want, me, ticket, waiter, ended.claim());
                    loop_queue::wake(py, wakes);
                    next.ok_or_else(|| ended.error(call.name, HELD))?
                }
                refused => return Err(self.refusal(call, me, &refused)),
            }
        }
    }

    /// The error of a call that must not wait.
    pub(super) fn refusal(&self, call: Call, me: Owner, lock: &Lock) -> PyErr {
        let name = call.name;
        let hint = match lock {
            Lock::Vanished => return vanished(name),
            Lock::Deadlock(Access::Read) if call.want == Want::Read => {
                "reads the lock already; guard.clone() gives a second guard"
            }
            Lock::Deadlock(Access::Read) => "reads the lock already; a guard of upgradable() could be upgraded",
            Lock::Deadlock(Access::Upgradable) => "holds the lock as upgradable already; guard.upgrade() lets it write",
            Lock::Deadlock(Access::Write) => "writes the lock already",
            // The acquisition that was to be upgraded has ended: by an upgrade, if its owner writes now.
            _ if self.core.standing().writer.is_some_and(|writer| me.is_stuck_behind(writer)) => {
                "upgraded the guard already"
            }
            _ => return released(),
        };
        let whom = if me.task == 0 { "this thread" } else { "this task, or another on its thread," };
        errors::DeadlockError::new_err(format!("{name}: {whom} {hint}"))
    }

    /// Takes the lock for a guard, if that needs no wait.
    pub(super) fn try_acquire(&self, py: Python<'_>, call: Call, me: Owner) -> PyResult<Option<Number>> {
        match self.core.try_lock(call.want, me) {
            Lock::Acquired(number) => self.refuse_poison(py, call, number).map(Some),
            Lock::Vanished => Err(vanished(call.name)),
            _ => Ok(None),
        }
    }

    /// Ends an acquisition; false when it had ended.
    pub(super) fn release(&self, py: Python<'_>, access: Access, number: Number) -> bool {
        self.core.release(access, number).map(|wakes| loop_queue::wake(py, wakes)).is_ok()
    }

    /// As `release`, for a drop.
    pub(super) fn release_in_drop(&self, access: Access, number: Number) -> bool {
        let released = self.core.release(access, number).map(Wakes::wake).is_ok();
        loop_queue::send_in_drop();
        released
    }

    /// Calls `body` with the value, under an acquisition that no guard is made for.
    pub(super) fn holding<R>(
        &self,
        py: Python<'_>,
        name: &'static str,
        want: Want,
        body: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<R>,
    ) -> PyResult<R> {
        let call = Call { name, want, poisoned: false };
        let number = self.acquire(py, call, thread::owner(), Patience::Forever)?;
        let held = Held { py, lock: self, access: access(want), number };
        let value =
            self.value.with(py, |value| value.as_ref().map(|value| value.clone_ref(py))).ok_or_else(released)?;
        let result = body(value.bind(py));
        if let Err(error) = &result
            && want == Want::Write
        {
            self.poison.note(py, error.value(py));
        }
        drop(held);
        result
    }

    /// Stores a value, for a writer, and gives back the one before.
    pub(super) fn store(&self, py: Python<'_>, value: Py<PyAny>) -> Option<Py<PyAny>> {
        self.value.with(py, |place| place.replace(value))
    }
}

/// Ends an acquisition that no guard was made for, also when a panic passes.
struct Held<'a> {
    py: Python<'a>,
    lock: &'a RwLock,
    access: Access,
    number: Number,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.lock.release(self.py, self.access, self.number);
    }
}

/// What one has after getting what one wants.
pub(super) fn access(want: Want) -> Access {
    match want {
        Want::Read => Access::Read,
        Want::Upgradable => Access::Upgradable,
        Want::Write | Want::Upgrade(_) => Access::Write,
    }
}

pub(super) fn vanished(call: &str) -> PyErr {
    errors::PoisonError::new_err(format!(
        "{call}: the thread that wrote did not survive the fork; clear_poison() frees the lock"
    ))
}
