//! Waiting for a task's end as an operation of a call that is notified: a coroutine's.
//!
//! Nothing is taken by it: a task that is done stays done, and whoever leaves has nothing to pass on. Not here: the choice
//! among operations; see [`crate::select`].

use std::ops::Deref;

use super::Task;
use crate::{
    select::{Place, Source},
    sync::Arc,
    waiter::Waiter,
};

/// Waiting for the end of a task.
#[derive(Debug)]
pub struct Ending<H> {
    /// Keeps the task.
    pub holder: H,
    place: Place,
}

impl<H> Ending<H> {
    /// Waiting for the end of the task of `holder`.
    pub fn new(holder: H) -> Ending<H> {
        Ending { holder, place: Place::None }
    }
}

impl<T, H: Deref<Target = Task<T>>> Source for Ending<H> {
    fn attempt(&mut self) -> bool {
        self.holder.state().is_done()
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        match self.holder.enlist(waiter, operation, self.place.held_before()) {
            Some(ticket) => {
                self.place = Place::Taken(ticket);
                true
            }
            None => false,
        }
    }

    fn act(&mut self) -> bool {
        self.withdraw();
        self.attempt()
    }

    fn withdraw(&mut self) -> bool {
        if let Some(ticket) = self.place.leave() {
            self.holder.leave(ticket);
        }
        false
    }
}
