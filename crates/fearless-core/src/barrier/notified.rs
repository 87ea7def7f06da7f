//! Arriving as a coroutine: enlist, and then act or withdraw.
//!
//! A coroutine has arrived once it is enlisted. Withdrawn before all have come, it breaks the barrier, as a thread does that
//! gives up. Not here: how the operations of one call are chosen; see [`crate::select`].

use std::ops::Deref;

use super::{Arrival, Barrier};
use crate::{
    select::{Place, Source},
    sync::Arc,
    waiter::{Ticket, Waiter},
};

impl Barrier {
    /// Arrives with `waiter`; `None` when that needs no wait, and the caller has not arrived.
    fn enlist(&self, waiter: &Arc<Waiter>, operation: usize) -> Option<Ticket> {
        let mut state = self.lock();
        self.must_wait(&state).then(|| self.enlist_in(&mut state, waiter, operation))
    }
}

/// Arriving as an operation of a call that is notified.
#[derive(Debug)]
pub struct Arriving<H> {
    /// Keeps the barrier.
    pub holder: H,
    /// What became of it, once it went ahead.
    pub outcome: Option<Arrival>,
    place: Place,
}

impl<H: Deref<Target = Barrier>> Arriving<H> {
    /// Arriving at the barrier of `holder`.
    pub fn new(holder: H) -> Arriving<H> {
        Arriving { holder, outcome: None, place: Place::None }
    }

    fn leave(&mut self, gives_up: bool) {
        if let Some(ticket) = self.place.leave() {
            let (outcome, wakes) = self.holder.leave(ticket, gives_up);
            self.outcome = outcome.or(self.outcome);
            wakes.wake();
        }
    }
}

impl<H: Deref<Target = Barrier>> Source for Arriving<H> {
    fn attempt(&mut self) -> bool {
        if self.outcome.is_none() {
            let (outcome, wakes) = self.holder.try_arrive();
            self.outcome = outcome;
            wakes.wake();
        }
        self.outcome.is_some()
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        if self.outcome.is_some() {
            return false;
        }
        match self.holder.enlist(waiter, operation) {
            Some(ticket) => {
                self.place = Place::Taken(ticket);
                true
            }
            None => false,
        }
    }

    fn act(&mut self) -> bool {
        self.leave(false);
        self.attempt()
    }

    fn withdraw(&mut self) -> bool {
        self.leave(true);
        false
    }
}
