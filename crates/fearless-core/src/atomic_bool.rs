//! A flag. All operations are sequentially consistent. Not here: waiting for a value; see [`crate::watchers`].

use crate::sync::atomic::{self, Ordering};

/// A boolean shared by threads.
#[derive(Debug)]
pub struct AtomicBool {
    value: atomic::AtomicBool,
}

impl AtomicBool {
    /// An atomic that starts at `value`.
    pub fn new(value: bool) -> AtomicBool {
        AtomicBool { value: atomic::AtomicBool::new(value) }
    }

    /// The value now.
    pub fn load(&self) -> bool {
        self.value.load(Ordering::SeqCst)
    }

    /// Sets the value.
    pub fn store(&self, value: bool) {
        self.value.store(value, Ordering::SeqCst);
    }

    /// Sets the value and returns the one before.
    pub fn swap(&self, value: bool) -> bool {
        self.value.swap(value, Ordering::SeqCst)
    }

    /// Sets `new` if the value is `current`; returns the value found in either case.
    pub fn compare_exchange(&self, current: bool, new: bool) -> Result<bool, bool> {
        self.value.compare_exchange(current, new, Ordering::SeqCst, Ordering::SeqCst)
    }

    /// Sets the value to itself and `other`; returns the one before.
    pub fn fetch_and(&self, other: bool) -> bool {
        self.value.fetch_and(other, Ordering::SeqCst)
    }

    /// Sets the value to itself or `other`; returns the one before.
    pub fn fetch_or(&self, other: bool) -> bool {
        self.value.fetch_or(other, Ordering::SeqCst)
    }

    /// Sets the value to whether it differs from `other`; returns the one before.
    pub fn fetch_xor(&self, other: bool) -> bool {
        self.value.fetch_xor(other, Ordering::SeqCst)
    }
}
