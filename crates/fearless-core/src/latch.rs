//! A gate that opens after a number of arrivals, and stays open.
//!
//! Not here: waiting; see [`crate::gate`].

use crate::{
    gate::Gate,
    sync::atomic::{AtomicU64, Ordering},
    waiter::Wakes,
};

/// A count of arrivals to come.
#[derive(Debug)]
pub struct Latch {
    /// Never grows.
    left: AtomicU64,
    gate: Gate,
}

/// More arrivals than are still to come; this many are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany(pub u64);

impl Latch {
    /// A latch that opens after `count` arrivals; with none to come it is open.
    pub fn new(count: u64) -> Latch {
        Latch { left: AtomicU64::new(count), gate: Gate::new(count == 0) }
    }

    /// Arrives `times` times; how many are still to come. Refused as a whole if there are fewer.
    ///
    /// Whatever any of the arrivals was preceded by is seen by those who pass.
    pub fn arrive(&self, times: u64) -> Result<(u64, Wakes), TooMany> {
        let arrive = |left: u64| left.checked_sub(times);
        let before = self.left.fetch_update(Ordering::AcqRel, Ordering::Relaxed, arrive).map_err(TooMany)?;
        let left = before - times;
        // Only the last arrival gets here with none left: nobody arrives at a latch that is open.
        let is_last = left == 0 && times > 0;
        Ok((left, if is_last { self.gate.open() } else { Wakes::default() }))
    }

    /// How many arrivals are still to come.
    pub fn left(&self) -> u64 {
        self.left.load(Ordering::Acquire)
    }

    /// What is waited for: open once none is to come.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }
}
