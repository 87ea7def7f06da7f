//! A 64-bit float, kept as its bits. All operations are sequentially consistent.
//!
//! Not here: waiting for a value; see [`crate::watchers`].

use crate::sync::atomic::{AtomicU64, Ordering};

/// A 64-bit float shared by threads.
#[derive(Debug)]
pub struct AtomicFloat {
    bits: AtomicU64,
}

/// Whether two values are the same to `compare_exchange`: equal, or both no number. Otherwise a loop of load and
/// compare-exchange would never end on NaN. The two zeros are equal, as everywhere.
fn is_same(one: f64, other: f64) -> bool {
    one == other || one.is_nan() && other.is_nan()
}

impl AtomicFloat {
    /// An atomic that starts at `value`.
    pub fn new(value: f64) -> AtomicFloat {
        AtomicFloat { bits: AtomicU64::new(value.to_bits()) }
    }

    /// The value now.
    pub fn load(&self) -> f64 {
        f64::from_bits(self.bits.load(Ordering::SeqCst))
    }

    /// Sets the value.
    pub fn store(&self, value: f64) {
        self.bits.store(value.to_bits(), Ordering::SeqCst);
    }

    /// Sets the value and returns the one before.
    pub fn swap(&self, value: f64) -> f64 {
        f64::from_bits(self.bits.swap(value.to_bits(), Ordering::SeqCst))
    }

    /// Sets `new` if the value is `current`, NaN being the same as NaN; returns the value found in either case.
    pub fn compare_exchange(&self, current: f64, new: f64) -> Result<f64, f64> {
        self.change(|value| is_same(value, current).then_some(new))
    }

    /// Sets `new` if the value is still exactly `seen`, which `load` or this has given; else the value found.
    pub fn replace(&self, seen: f64, new: f64) -> Result<(), f64> {
        let exchanged = self.bits.compare_exchange(seen.to_bits(), new.to_bits(), Ordering::SeqCst, Ordering::SeqCst);
        exchanged.map(drop).map_err(f64::from_bits)
    }

    /// Adds `amount` and returns the value before. A sum that is too large is infinite, as for any float.
    pub fn fetch_add(&self, amount: f64) -> f64 {
        self.fetch(|value| value + amount)
    }

    /// Subtracts `amount` and returns the value before.
    pub fn fetch_sub(&self, amount: f64) -> f64 {
        self.fetch(|value| value - amount)
    }

    /// Sets the value to `other` if that is less, or the value is NaN; returns the one before.
    pub fn fetch_min(&self, other: f64) -> f64 {
        self.fetch(|value| value.min(other))
    }

    /// Sets the value to `other` if that is greater, or the value is NaN; returns the one before.
    pub fn fetch_max(&self, other: f64) -> f64 {
        self.fetch(|value| value.max(other))
    }

    fn fetch(&self, change: impl Fn(f64) -> f64) -> f64 {
        match self.change(|value| Some(change(value))) {
            Ok(before) | Err(before) => before,
        }
    }

    /// Changes the value in one step, unless `change` refuses what it finds. There is no instruction for floats, so it
    /// tries again when another thread was faster.
    fn change(&self, change: impl Fn(f64) -> Option<f64>) -> Result<f64, f64> {
        let mut seen = self.bits.load(Ordering::SeqCst);
        loop {
            let value = f64::from_bits(seen);
            let new = change(value).ok_or(value)?.to_bits();
            match self.bits.compare_exchange_weak(seen, new, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => return Ok(value),
                Err(now) => seen = now,
            }
        }
    }
}
