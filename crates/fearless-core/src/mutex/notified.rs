//! Taking the lock as a notified waiter, a coroutine's: enlist, and then act or withdraw.
//!
//! Told that the lock was free, it tries, and may come too late; then it enlists again, at the place it had. Not here: how
//! the operations of one call are chosen; see [`crate::select`].

use std::ops::Deref;

use super::{LOCKED, Lock, Mutex, Number, WAITERS, Waiting};
use crate::{
    owner::Owner,
    select::{Place, Source},
    sync::{self, Arc, atomic::Ordering},
    waiter::{Ticket, Waiter, Wakes},
};

impl Mutex {
    /// Enlists `waiter`; `None` when the lock can be tried now. `place` is one that was held before.
    fn enlist(&self, me: Owner, waiter: &Arc<Waiter>, operation: usize, place: Option<Ticket>) -> Option<Ticket> {
        let mut queue = sync::lock(&self.queue);
        let queue = self.open(&mut queue);
        // Announced before the last look: a release that misses the flag has freed the word for that look.
        if self.word.fetch_or(WAITERS, Ordering::Acquire) & LOCKED == 0 {
            self.forget_flag(queue);
            return None;
        }
        Some(queue.waiters.push_at(place, Arc::clone(waiter), Waiting::new(me, operation)))
    }

    /// Leaves the place of `ticket`, and takes the lock for `takes` if it is free; else tells the next.
    fn leave(&self, ticket: Ticket, takes: Option<Owner>) -> (Option<Number>, Wakes) {
        let mut queue = sync::lock(&self.queue);
        let queue = self.open(&mut queue);
        queue.waiters.remove(ticket);
        let number = takes.and_then(|me| self.try_lock(me));
        self.forget_flag(queue);
        let wakes = if number.is_some() { Wakes::default() } else { self.notify(queue) };
        (number, wakes)
    }
}

/// Taking the lock as an operation of a call that is notified.
#[derive(Debug)]
pub struct Locking<H> {
    /// Keeps the mutex.
    pub holder: H,
    /// Who takes the lock.
    pub owner: Owner,
    /// What became of it, once it went ahead: acquired, or why it never will be.
    pub outcome: Option<Lock>,
    place: Place,
}

impl<H: Deref<Target = Mutex>> Locking<H> {
    /// Taking the lock of `holder` for `owner`.
    pub fn new(holder: H, owner: Owner) -> Locking<H> {
        Locking { holder, owner, outcome: None, place: Place::None }
    }
}

impl<H: Deref<Target = Mutex>> Source for Locking<H> {
    fn attempt(&mut self) -> bool {
        let acquired = self.holder.try_lock(self.owner).map(Lock::Acquired);
        self.outcome = acquired.or_else(|| self.holder.refusal(self.owner));
        self.outcome.is_some()
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        match self.holder.enlist(self.owner, waiter, operation, self.place.held_before()) {
            Some(ticket) => {
                self.place = Place::Taken(ticket);
                true
            }
            None => false,
        }
    }

    fn act(&mut self) -> bool {
        let Some(ticket) = self.place.leave() else { return self.attempt() };
        let (number, wakes) = self.holder.leave(ticket, Some(self.owner));
        wakes.wake();
        self.outcome = number.map(Lock::Acquired);
        self.outcome.is_some()
    }

    fn withdraw(&mut self) -> bool {
        if let Some(ticket) = self.place.leave() {
            let (_, wakes) = self.holder.leave(ticket, None);
            wakes.wake();
        }
        false
    }
}
