//! A condition variable: waiters that are told, one or all, first come first.
//!
//! A notification belongs to the waiter that was claimed for it. One that is cancelled or interrupted before it runs passes
//! it on. Nothing is remembered when nobody waits. So a wait can end of which another has had the notification.
//!
//! Not here: the lock. A caller enqueues itself, then lets go of the lock, then sleeps; so a notification by whoever holds
//! the lock next finds it in the queue.

use std::ops::Deref;

use crate::{
    fork,
    select::{Place, Source},
    sync::{self, Arc, Mutex, MutexGuard},
    waiter::{Claim, Ticket, WaitList, Waiter, Wakes},
};

/// A queue of those who wait for a notification.
#[derive(Debug)]
pub struct Condvar {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    waiters: WaitList<Waiting>,
    generation: u64,
    notifications: u64,
}

#[derive(Debug)]
struct Waiting {
    /// Which operation of its waiter's call it is.
    operation: usize,
    /// It has a notification, and has not run yet.
    told: bool,
}

impl Condvar {
    /// Nobody waits.
    pub fn new() -> Condvar {
        let state = State { waiters: WaitList::new(), generation: fork::generation(), notifications: 0 };
        Condvar { state: Mutex::new(state) }
    }

    /// Enqueues `waiter`. For a caller that still has the lock.
    pub fn start(&self, waiter: &Arc<Waiter>) -> Ticket {
        self.lock().waiters.push(Arc::clone(waiter), Waiting { operation: 0, told: false })
    }

    /// Leaves the queue after a wait. With `passes_on` a notification that had come goes to the next.
    pub fn finish(&self, ticket: Ticket, passes_on: bool) -> Wakes {
        self.leave(ticket, passes_on).1
    }

    /// As `finish`; also whether a notification had come.
    fn leave(&self, ticket: Ticket, passes_on: bool) -> (bool, Wakes) {
        let mut state = self.lock();
        let told = state.waiters.remove(ticket).is_some_and(|waiting| waiting.told);
        let mut wakes = Wakes::default();
        if told && passes_on {
            state.tell(&mut wakes);
        }
        (told, wakes)
    }

    /// Tells the first that waits, if anybody does.
    pub fn notify_one(&self) -> Wakes {
        self.notify(1)
    }

    /// Tells the first `count` that wait, or as many as there are.
    pub fn notify(&self, count: usize) -> Wakes {
        let mut wakes = Wakes::default();
        let mut state = self.lock();
        while wakes.len() < count && state.tell(&mut wakes) {}
        wakes
    }

    /// Tells all that wait.
    pub fn notify_all(&self) -> Wakes {
        let mut wakes = Wakes::default();
        let mut state = self.lock();
        state.waiters.tell_all(|waiting| (&mut waiting.told, waiting.operation), &mut wakes);
        state.notifications += wakes.len() as u64;
        wakes
    }

    /// How many wait: those that have a notification but have not run yet no more.
    pub fn waiting(&self) -> usize {
        self.lock().waiters.payloads().filter(|waiting| !waiting.told).count()
    }

    /// How many notifications have reached somebody.
    pub fn notifications(&self) -> u64 {
        self.lock().notifications
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = sync::lock(&self.state);
        if state.generation != fork::generation() {
            // In a forked child: the threads that waited are gone.
            state.generation = fork::generation();
            state.waiters.forget();
        }
        state
    }
}

impl Default for Condvar {
    fn default() -> Condvar {
        Condvar::new()
    }
}

impl State {
    /// Gives a notification to the first that can take it; whether there was one.
    fn tell(&mut self, wakes: &mut Wakes) -> bool {
        let told = self.waiters.claim_where(|waiter, waiting| {
            waiter.claim(Claim::Ready(waiting.operation)).then(|| {
                waiting.told = true;
                false
            })
        });
        if let Some((waiter, _)) = told {
            wakes.add(waiter);
            self.notifications += 1;
            return true;
        }
        false
    }
}

/// A wait as an operation of a call that is notified.
#[derive(Debug)]
pub struct Awaiting<H> {
    /// Keeps the condition variable.
    pub holder: H,
    place: Place,
    is_told: bool,
}

impl<H: Deref<Target = Condvar>> Awaiting<H> {
    /// A wait for a notification of `holder`.
    pub fn new(holder: H) -> Awaiting<H> {
        Awaiting { holder, place: Place::None, is_told: false }
    }
}

impl<H: Deref<Target = Condvar>> Source for Awaiting<H> {
    fn attempt(&mut self) -> bool {
        self.is_told
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        let waiting = Waiting { operation, told: false };
        let ticket = self.holder.lock().waiters.push_at(self.place.held_before(), Arc::clone(waiter), waiting);
        self.place = Place::Taken(ticket);
        true
    }

    fn act(&mut self) -> bool {
        if let Some(ticket) = self.place.leave() {
            self.is_told |= self.holder.leave(ticket, false).0;
        }
        self.is_told
    }

    fn withdraw(&mut self) -> bool {
        if let Some(ticket) = self.place.leave() {
            let (told, wakes) = self.holder.leave(ticket, true);
            wakes.wake();
            // A loop that stopped may run again. Then the wait is over: nobody else may have waited for the notification.
            self.is_told |= told;
        }
        false
    }
}
