//! A 64-bit counter that refuses to overflow.
//!
//! All operations are sequentially consistent. Not here: waiting for a value; see [`crate::watchers`].

use crate::sync::atomic::{AtomicI64, Ordering};

/// The result does not fit 64 bits; the value was left as it was and no thread saw another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow {
    /// The value that was found.
    pub value: i64,
}

/// A 64-bit signed integer shared by threads.
#[derive(Debug)]
pub struct AtomicInt {
    value: AtomicI64,
}

impl AtomicInt {
    /// An atomic that starts at `value`.
    pub fn new(value: i64) -> AtomicInt {
        AtomicInt { value: AtomicI64::new(value) }
    }

    /// The value now.
    pub fn load(&self) -> i64 {
        self.value.load(Ordering::SeqCst)
    }

    /// Sets the value.
    pub fn store(&self, value: i64) {
        self.value.store(value, Ordering::SeqCst);
    }

    /// Sets the value and returns the one before.
    pub fn swap(&self, value: i64) -> i64 {
        self.value.swap(value, Ordering::SeqCst)
    }

    /// Sets `new` if the value is `current`; returns the value found in either case.
    pub fn compare_exchange(&self, current: i64, new: i64) -> Result<i64, i64> {
        self.value.compare_exchange(current, new, Ordering::SeqCst, Ordering::SeqCst)
    }

    /// Adds `amount` and returns the value before.
    pub fn fetch_add(&self, amount: i64) -> Result<i64, Overflow> {
        self.fetch_change(|value| value.checked_add(amount))
    }

    /// Subtracts `amount` and returns the value before. Not the addition of its negative: the smallest has none.
    pub fn fetch_sub(&self, amount: i64) -> Result<i64, Overflow> {
        self.fetch_change(|value| value.checked_sub(amount))
    }

    /// Sets the value to its bits that are also in `bits`; returns the value before.
    pub fn fetch_and(&self, bits: i64) -> i64 {
        self.value.fetch_and(bits, Ordering::SeqCst)
    }

    /// Sets the bits of `bits` in the value; returns the value before.
    pub fn fetch_or(&self, bits: i64) -> i64 {
        self.value.fetch_or(bits, Ordering::SeqCst)
    }

    /// Flips the bits of `bits` in the value; returns the value before.
    pub fn fetch_xor(&self, bits: i64) -> i64 {
        self.value.fetch_xor(bits, Ordering::SeqCst)
    }

    /// Sets the value to `other` if that is less; returns the value before.
    pub fn fetch_min(&self, other: i64) -> i64 {
        self.value.fetch_min(other, Ordering::SeqCst)
    }

    /// Sets the value to `other` if that is greater; returns the value before.
    pub fn fetch_max(&self, other: i64) -> i64 {
        self.value.fetch_max(other, Ordering::SeqCst)
    }

    /// A compare-exchange loop rather than one wrapping step: a result that overflows must never be seen. The loads are in
    /// the one order too, because a refusal tells what one of them saw.
    fn fetch_change(&self, change: impl Fn(i64) -> Option<i64>) -> Result<i64, Overflow> {
        let mut seen = self.value.load(Ordering::SeqCst);
        loop {
            let new = change(seen).ok_or(Overflow { value: seen })?;
            match self.value.compare_exchange_weak(seen, new, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(before) => return Ok(before),
                Err(now) => seen = now,
            }
        }
    }
}
