//! One reference that threads exchange. The caller brings what makes a step a step: a lock, or a GIL.
//!
//! What is displaced, or not wanted, is returned, for the caller to drop where it may. Not here: that lock, and waiting for
//! a value; see [`crate::watchers`].

/// A reference that is replaced as a whole.
#[derive(Debug)]
pub struct AtomicRef<T> {
    /// `None` after it was emptied by a collector.
    value: Option<T>,
}

impl<T> AtomicRef<T> {
    /// A place that holds `value`.
    pub fn new(value: T) -> AtomicRef<T> {
        AtomicRef { value: Some(value) }
    }

    /// What it holds.
    pub fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// Sets the value and returns the one before.
    #[must_use = "what was displaced is dropped by the caller, outside the lock"]
    pub fn swap(&mut self, value: T) -> Option<T> {
        self.value.replace(value)
    }

    /// Sets `new` if `is_current` says so of the value, and returns the one before; otherwise gives `new` back.
    pub fn compare_exchange(&mut self, is_current: impl FnOnce(Option<&T>) -> bool, new: T) -> Result<Option<T>, T> {
        if is_current(self.value.as_ref()) { Ok(self.value.replace(new)) } else { Err(new) }
    }

    /// Empties it, for a collector.
    #[must_use = "what it held is dropped by the caller, outside the lock"]
    pub fn empty(&mut self) -> Option<T> {
        self.value.take()
    }
}
