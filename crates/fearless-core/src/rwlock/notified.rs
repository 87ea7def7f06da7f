//! Taking the lock as a notified waiter, a coroutine's: enlist, and then act or withdraw.
//!
//! Told that it can enter, it tries, and may come too late; then it enlists again, at the place it had. Not here: how the
//! operations of one call are chosen; see [`crate::select`].

use std::ops::Deref;

use super::{Lock, RwLock, Want, state::Way, turns::Waiting};
use crate::{
    owner::Owner,
    select::{Place, Source},
    sync::Arc,
    waiter::{Ticket, Waiter, Wakes},
};

impl RwLock {
    fn attempt(&self, want: Want, me: Owner) -> Lock {
        self.open().attempt(want, me, Way::Task)
    }

    /// Enlists `waiter`; `None` when the lock can be tried now. `place` is one that was held before.
    fn enlist(
        &self,
        want: Want,
        me: Owner,
        waiter: &Arc<Waiter>,
        operation: usize,
        place: Option<Ticket>,
    ) -> Option<Ticket> {
        let mut state = self.open();
        if state.is_lost || state.is_ended(want) || state.may_enter(want, Way::Task) {
            return None;
        }
        Some(state.enqueue(want, place, waiter, Waiting::new(me, operation)))
    }

    /// Leaves the place of `ticket`, and takes the lock for `takes` if it may enter; else tells the next.
    fn withdraw(&self, want: Want, ticket: Ticket, takes: Option<Owner>) -> (Lock, Wakes) {
        let mut wakes = Wakes::default();
        let mut state = self.open();
        let told = state.heard(want, ticket).is_some_and(|(told, _)| told);
        state.dequeue(want, ticket);
        let way = if told { Way::Told } else { Way::Task };
        let lock = takes.map_or(Lock::Busy, |me| state.try_again(want, me, way));
        if !matches!(lock, Lock::Acquired(_)) {
            state.pass_on(false, &mut wakes);
        }
        (lock, wakes)
    }
}

/// Taking the lock as an operation of a call that is notified.
#[derive(Debug)]
pub struct Locking<H> {
    /// Keeps the lock.
    pub holder: H,
    /// What for.
    pub want: Want,
    /// Who takes it.
    pub owner: Owner,
    /// What became of it, once it went ahead: acquired, or why it never will be.
    pub outcome: Option<Lock>,
    place: Place,
}

impl<H: Deref<Target = RwLock>> Locking<H> {
    /// Taking the lock of `holder` for `owner`.
    pub fn new(holder: H, want: Want, owner: Owner) -> Locking<H> {
        Locking { holder, want, owner, outcome: None, place: Place::None }
    }

    fn settle(&mut self, lock: Lock) -> bool {
        self.outcome = if matches!(lock, Lock::Busy) { None } else { Some(lock) };
        self.outcome.is_some()
    }
}

impl<H: Deref<Target = RwLock>> Source for Locking<H> {
    fn attempt(&mut self) -> bool {
        let lock = self.holder.attempt(self.want, self.owner);
        self.settle(lock)
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        match self.holder.enlist(self.want, self.owner, waiter, operation, self.place.held_before()) {
            Some(ticket) => {
                self.place = Place::Taken(ticket);
                true
            }
            None => false,
        }
    }

    fn act(&mut self) -> bool {
        let Some(ticket) = self.place.leave() else { return self.attempt() };
        let (lock, wakes) = self.holder.withdraw(self.want, ticket, Some(self.owner));
        wakes.wake();
        self.settle(lock)
    }

    fn withdraw(&mut self) -> bool {
        if let Some(ticket) = self.place.leave() {
            let (_, wakes) = self.holder.withdraw(self.want, ticket, None);
            wakes.wake();
        }
        false
    }
}
