//! A flag that threads and coroutines wait for: set and cleared, any number of times.
//!
//! Whoever waits when it is set has seen it set, also if it is cleared at once. Not here: waiting; see [`crate::gate`].

use crate::{gate::Gate, waiter::Wakes};

/// A flag, clear at first.
#[derive(Debug)]
pub struct Event {
    gate: Gate,
}

impl Event {
    /// A clear flag.
    pub fn new() -> Event {
        Event { gate: Gate::new(false) }
    }

    /// Sets the flag.
    pub fn set(&self) -> Wakes {
        self.gate.open()
    }

    /// Clears the flag.
    pub fn clear(&self) {
        self.gate.shut();
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.gate.is_open()
    }

    /// What is waited for: open while the flag is set.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }
}

impl Default for Event {
    fn default() -> Event {
        Event::new()
    }
}
