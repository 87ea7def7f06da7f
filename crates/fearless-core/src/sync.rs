//! The one place that names the threading primitives: those of the standard library, or, under `--cfg loom`, the
//! model's. Everything else in this crate imports from here, so that the models run the shipped code.
//!
//! Not here: anything of ours that waits; see [`crate::waiter`].

#[cfg(loom)]
pub use loom::{
    sync::{Arc, Mutex, MutexGuard, atomic},
    thread,
};
#[cfg(not(loom))]
pub use std::{
    sync::{Arc, Mutex, MutexGuard, atomic},
    thread,
};

use std::{sync::PoisonError, time::Instant};

/// Locks a short inner lock. A panic of an earlier holder does not matter: every critical section of this crate
/// leaves its state consistent at each point where it can panic (an allocation).
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sleeps until the thread is unparked or `until` has passed; may return early.
#[cfg(not(loom))]
pub(crate) fn park_until(until: Option<Instant>) {
    match until {
        None => thread::park(),
        Some(until) => {
            let left = until.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                thread::park_timeout(left);
            }
        }
    }
}

/// The model has no clock: a wait with a deadline is one that may expire at once.
#[cfg(loom)]
pub(crate) fn park_until(until: Option<Instant>) {
    match until {
        None => thread::park(),
        Some(_) => thread::yield_now(),
    }
}
