//! Taking permits as a notified waiter, a select's or a coroutine's: enlist, and then act or withdraw.
//!
//! Not here: how the operations of one call are chosen; see [`crate::select`].

use std::ops::Deref;

use super::{Queue, Semaphore, WAITERS, Waiting};
use crate::{
    select::{Place, Source},
    sync::{Arc, atomic::Ordering},
    waiter::{Ticket, Waiter, Wakes},
};

impl Semaphore {
    /// As `try_acquire`, for a coroutine: what is promised to others is left to them.
    fn try_unpromised(&self, permits: u64) -> bool {
        self.take_quickly(permits).unwrap_or_else(|| {
            let queue = self.lock();
            self.is_next(&queue, permits, true) && self.take(permits)
        })
    }

    /// Whether one that comes by can have so many permits: a thread also those that are promised.
    fn is_next(&self, queue: &Queue, permits: u64, is_coroutine: bool) -> bool {
        let free = self.free();
        let left = if is_coroutine { queue.promised.leaves(free, true) } else { free };
        !self.is_held_up(queue) && permits <= left
    }

    /// Enlists `waiter`; `None` when the permits can be tried for now. `place` is one that was held before.
    fn enlist(
        &self,
        permits: u64,
        waiter: &Arc<Waiter>,
        operation: usize,
        place: Option<Ticket>,
    ) -> Option<(Ticket, Wakes)> {
        let mut queue = self.lock();
        // Announced before the last look: a release that misses the flag has added its permits for that look.
        self.word.fetch_or(WAITERS, Ordering::AcqRel);
        let is_coroutine = waiter.is_coroutine();
        if self.is_next(&queue, permits, is_coroutine) {
            self.forget_flag(&queue);
            return None;
        }
        let waiting = Waiting { permits, operation, told: false, is_coroutine };
        let ticket = queue.waiters.push_at(place, Arc::clone(waiter), waiting);
        // At its old place it may stand before the one that holds up the others, and has its turn at once.
        let wakes = if place.is_some() { self.serve(&mut queue) } else { Wakes::default() };
        Some((ticket, wakes))
    }

    /// Leaves the place of `ticket`, with the permits if `takes` and so many are free.
    fn leave(&self, ticket: Ticket, takes: bool) -> (bool, Wakes) {
        let mut queue = self.lock();
        let Some(waiting) = queue.waiters.remove(ticket) else { return (false, Wakes::default()) };
        if waiting.told {
            // Less only in a forked child, which forgot all promises.
            let promised = queue.promised.to(waiting.is_coroutine);
            *promised = promised.saturating_sub(waiting.permits);
        }
        let took = takes && self.take(waiting.permits);
        (took, self.serve(&mut queue))
    }
}

/// Taking permits as an operation of a call that is notified.
#[derive(Debug)]
pub struct Acquiring<H> {
    /// Keeps the semaphore.
    pub holder: H,
    /// How many.
    pub permits: u64,
    is_coroutine: bool,
    place: Place,
}

impl<H: Deref<Target = Semaphore>> Acquiring<H> {
    /// Taking `permits` of the semaphore of `holder`, for a select of a thread.
    pub fn for_select(holder: H, permits: u64) -> Acquiring<H> {
        Acquiring { holder, permits, is_coroutine: false, place: Place::None }
    }

    /// Taking `permits` of the semaphore of `holder`, for a coroutine.
    pub fn for_coroutine(holder: H, permits: u64) -> Acquiring<H> {
        Acquiring { holder, permits, is_coroutine: true, place: Place::None }
    }
}

impl<H: Deref<Target = Semaphore>> Source for Acquiring<H> {
    fn attempt(&mut self) -> bool {
        if self.is_coroutine { self.holder.try_unpromised(self.permits) } else { self.holder.try_acquire(self.permits) }
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        match self.holder.enlist(self.permits, waiter, operation, self.place.held_before()) {
            Some((ticket, wakes)) => {
                self.place = Place::Taken(ticket);
                wakes.wake();
                true
            }
            None => false,
        }
    }

    fn act(&mut self) -> bool {
        let Some(ticket) = self.place.leave() else { return self.attempt() };
        let (took, wakes) = self.holder.leave(ticket, true);
        wakes.wake();
        took
    }

    fn withdraw(&mut self) -> bool {
        if let Some(ticket) = self.place.leave() {
            self.holder.leave(ticket, false).1.wake();
        }
        false
    }
}
