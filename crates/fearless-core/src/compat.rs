//! The locks of `fearless.compat`, which are as Python's `threading` has them, over [`crate::mutex`]: [`Lock`], which any
//! thread may release, and [`RLock`], which its holder may take again.
//!
//! They take less notice of the holder than a [`Mutex`] does. Who takes a `Lock` twice waits, since another thread may
//! release it; and a lock whose holder was lost in a fork stays held, until somebody [resets](Lock::reset) it.
//!
//! Both are taken by a try, or by [`Mutex::start`] and [`Mutex::resume`] of the mutex inside.
//!
//! Not here: sleeping, and the queue of a condition ([`crate::condvar`]).

use crate::{
    fork,
    mutex::{Mutex, Released},
    owner::Owner,
    sync::atomic::{AtomicU64, Ordering},
    waiter::Wakes,
};

/// The holder of a [`Lock`]: no thread in particular.
pub const ANYBODY: Owner = Owner { thread: 0, task: 0 };

/// A lock that any thread may release.
#[derive(Debug, Default)]
pub struct Lock {
    mutex: Mutex,
}

impl Lock {
    /// What to wait on.
    pub fn mutex(&self) -> &Mutex {
        &self.mutex
    }

    /// Takes the lock if it is free.
    pub fn try_acquire(&self) -> bool {
        self.mutex.try_lock_unsigned().is_some()
    }

    /// Frees the lock, whoever took it.
    pub fn release(&self) -> Result<Wakes, Released> {
        self.mutex.release_any()
    }

    /// Makes a lock free that was held when the process forked. Whoever waits all the same gets it.
    pub fn reset(&self) -> Wakes {
        self.mutex.release_any().unwrap_or_default()
    }
}

/// A lock that counts how often its holder, a thread, has taken it.
#[derive(Debug, Default)]
pub struct RLock {
    mutex: Mutex,
    /// How often; says something only while the lock is held, and only its holder changes it.
    depth: AtomicU64,
}

impl RLock {
    /// What to wait on. Whoever gets the lock in this way says so with [`RLock::entered`].
    pub fn mutex(&self) -> &Mutex {
        &self.mutex
    }

    /// Takes the lock if it is free, or once more if `me` holds it.
    pub fn try_acquire(&self, me: u64) -> bool {
        if self.mutex.try_lock(Owner::thread(me)).is_some() {
            self.entered(1);
            return true;
        }
        let is_owned = self.is_owned(me);
        if is_owned {
            self.entered(self.depth.load(Ordering::Relaxed) + 1);
        }
        is_owned
    }

    /// Says how often the caller holds the lock, which it does.
    pub fn entered(&self, depth: u64) {
        self.depth.store(depth, Ordering::Relaxed);
    }

    /// Takes one acquisition of `me` back; the last one frees the lock.
    pub fn release(&self, me: u64) -> Result<Wakes, Released> {
        match self.depth(me) {
            0 => Err(Released),
            1 => self.mutex.release_any(),
            depth => {
                self.entered(depth - 1);
                Ok(Wakes::default())
            }
        }
    }

    /// Frees the lock, however often `me` has taken it: that is what comes back.
    pub fn release_all(&self, me: u64) -> Result<(u64, Wakes), Released> {
        match self.depth(me) {
            0 => Err(Released),
            depth => self.mutex.release_any().map(|wakes| (depth, wakes)),
        }
    }

    /// How often `me` holds the lock.
    pub fn depth(&self, me: u64) -> u64 {
        if self.is_owned(me) { self.depth.load(Ordering::Relaxed) } else { 0 }
    }

    /// How often its holder, whoever that is, holds the lock at this moment.
    pub fn held(&self) -> u64 {
        if self.mutex.is_locked() { self.depth.load(Ordering::Relaxed) } else { 0 }
    }

    /// Whether `me` holds the lock.
    pub fn is_owned(&self, me: u64) -> bool {
        // A forked child gives the idents of vanished threads to new ones.
        self.mutex
            .holder()
            .is_some_and(|(owner, generation)| owner.thread == me && !fork::vanished(owner.thread, generation))
    }

    /// See [`Lock::reset`].
    pub fn reset(&self) -> Wakes {
        self.mutex.release_any().unwrap_or_default()
    }
}
