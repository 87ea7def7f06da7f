//! The count of a scope's tasks as one of them holds it, and waiting for its end as a call that is notified.
//!
//! Not here: the count itself, and the wait of a thread; see [`super`].

use std::{ops::Deref, sync::Arc};

use super::Scope;
use crate::{
    fork,
    select::{Place, Source},
    sync,
    waiter::{Waiter, Wakes},
};

/// A task that a scope counts, until it has ended.
#[derive(Debug)]
pub struct Counted {
    scope: Arc<Scope>,
    generation: u64,
}

impl Counted {
    /// One more task in `scope`.
    pub fn new(scope: Arc<Scope>) -> Counted {
        scope.task_started();
        Counted { scope, generation: fork::generation() }
    }

    /// It has ended. A forked child has forgotten the tasks of its parent, and counts its own.
    pub fn end(self) -> Wakes {
        if self.generation == fork::generation() { self.scope.task_ended() } else { Wakes::default() }
    }
}

/// Waiting for the end of all tasks as a call that is notified. It is the only operation of its call.
#[derive(Debug)]
pub struct Joining<H> {
    /// Keeps the scope.
    pub holder: H,
    place: Place,
}

impl<H: Deref<Target = Scope>> Joining<H> {
    /// Waiting for the tasks of the scope of `holder`.
    pub fn new(holder: H) -> Joining<H> {
        Joining { holder, place: Place::None }
    }
}

impl<H: Deref<Target = Scope>> Source for Joining<H> {
    fn attempt(&mut self) -> bool {
        self.holder.running() == 0
    }

    fn enlist(&mut self, waiter: &sync::Arc<Waiter>, _operation: usize) -> bool {
        let Some(ticket) = self.holder.join_at(waiter, self.place.held_before()) else { return false };
        self.place = Place::Taken(ticket);
        true
    }

    /// It comes back whenever it is told: after the last task, or for news.
    fn act(&mut self) -> bool {
        self.withdraw();
        true
    }

    fn withdraw(&mut self) -> bool {
        if let Some(ticket) = self.place.leave() {
            self.holder.leave_join(ticket);
        }
        false
    }
}
