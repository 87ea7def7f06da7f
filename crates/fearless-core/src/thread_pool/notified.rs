//! Submitting as a notified waiter, a coroutine: enlist, and then act or withdraw.
//!
//! Nothing is moved on for it while it waits: it is *told* that there is room, and submits when it runs. Until it does, other
//! coroutines that come by leave the room to it; threads do not, as the loop may stand still. Whoever was told and leaves,
//! with or without having submitted, passes the notice on if there is room.
//!
//! Not here: how the operations of one call are chosen; see [`crate::select`].

use std::ops::Deref;

use super::{State, Submit, Submitter, ThreadPool};
use crate::{
    select::{Place, Source},
    sync::Arc,
    waiter::{Ticket, Waiter, Wakes},
};

impl<T> ThreadPool<T> {
    /// As `try_submit`, for a coroutine that comes by: those that wait go first.
    fn try_in_turn(&self, task: T) -> Submit<T> {
        let mut state = self.lock();
        if !state.submitters.is_empty() && !state.closed {
            return Submit::Full(task);
        }
        self.put(&mut state, self.backlog, task)
    }

    /// Enlists `waiter`; `None` when a submission can be tried for now. `place` is one that was held before.
    fn enlist(&self, waiter: &Arc<Waiter>, operation: usize, place: Option<Ticket>) -> Option<(Ticket, Wakes)> {
        let mut state = self.lock();
        if state.closed || (state.submitters.is_empty() && state.has_room(self.limit, self.backlog)) {
            return None;
        }
        let waiting = Submitter::Coroutine { operation, told: false };
        let ticket = state.submitters.push_at(place, Arc::clone(waiter), waiting);
        let mut wakes = Wakes::default();
        // It may stand first, and whoever made room meanwhile has not seen it.
        if state.promised == 0 {
            state.pass_on(self.limit, self.backlog, &mut wakes);
        }
        Some((ticket, wakes))
    }

    /// Leaves the place of `ticket`, submitting `task` if there is room for it.
    fn leave(&self, ticket: Ticket, task: Option<T>) -> (Option<Submit<T>>, Wakes) {
        let mut state = self.lock();
        let was_told = match state.submitters.remove(ticket) {
            Some(Submitter::Coroutine { told, .. }) => told,
            _ => false,
        };
        // Less only in a forked child, which forgot all promises.
        state.promised = state.promised.saturating_sub(usize::from(was_told));
        let submitted = task.map(|task| self.put(&mut state, self.backlog, task));
        let mut wakes = Wakes::default();
        if was_told {
            state.pass_on(self.limit, self.backlog, &mut wakes);
        }
        (submitted, wakes)
    }
}

impl<T> State<T> {
    fn has_room(&self, limit: usize, backlog: Option<usize>) -> bool {
        let can_queue = backlog.is_none_or(|backlog| self.waiting() < backlog);
        !self.idle.is_empty() || self.workers < limit || can_queue
    }

    /// Lets the next submitter have the room that there is.
    fn pass_on(&mut self, limit: usize, backlog: Option<usize>, wakes: &mut Wakes) {
        if self.has_room(limit, backlog)
            && let Some(task) = self.let_in(wakes)
        {
            self.claim_idle(wakes);
            self.queue.push(task);
        }
    }
}

/// Submitting as an operation of a call that is notified.
#[derive(Debug)]
pub struct Submitting<H, T> {
    /// Keeps the pool.
    pub holder: H,
    /// The task, while it is not with the pool.
    pub task: Option<T>,
    /// Whether it is let in over the bound.
    is_over: bool,
    /// What came of it, once it went ahead: `Queued`, `Start` or `Closed`.
    pub outcome: Option<Submit<T>>,
    place: Place,
}

impl<T, H: Deref<Target = ThreadPool<T>>> Submitting<H, T> {
    /// Submitting `task` to the pool of `holder`; `is_over` is for the pool's own workers.
    pub fn new(holder: H, task: T, is_over: bool) -> Submitting<H, T> {
        Submitting { holder, task: Some(task), is_over, outcome: None, place: Place::None }
    }

    fn settle(&mut self, submitted: Submit<T>) -> bool {
        match submitted {
            Submit::Full(task) | Submit::GaveUp(task) => {
                self.task = Some(task);
                return false;
            }
            Submit::Queued(wakes) => {
                wakes.wake();
                self.outcome = Some(Submit::Queued(Wakes::default()));
            }
            settled => self.outcome = Some(settled),
        }
        true
    }
}

impl<T, H: Deref<Target = ThreadPool<T>>> Source for Submitting<H, T> {
    fn attempt(&mut self) -> bool {
        let Some(task) = self.task.take() else { return self.outcome.is_some() };
        let submitted = if self.is_over { self.holder.submit_over(task) } else { self.holder.try_in_turn(task) };
        self.settle(submitted)
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        match self.holder.enlist(waiter, operation, self.place.held_before()) {
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
        let (submitted, wakes) = self.holder.leave(ticket, self.task.take());
        wakes.wake();
        submitted.is_some_and(|submitted| self.settle(submitted))
    }

    fn withdraw(&mut self) -> bool {
        if let Some(ticket) = self.place.leave() {
            self.holder.leave(ticket, None).1.wake();
        }
        false
    }
}
