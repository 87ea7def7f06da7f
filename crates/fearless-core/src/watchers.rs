//! Those who wait for an atomic to take a certain value.
//!
//! Who changes the value does so first, and only then looks at a flag; who waits raises the flag first, and only then looks
//! at the value. All four steps are in the one order of sequentially consistent operations, so one of the two sees the
//! other: the waiter finds the new value, or the changer finds the waiter. A change that nobody waits for costs one load.
//! From then on the flag stays up: a waiter that goes on waiting is told under the lock, or has the lock after the changer,
//! and with it the new value.
//!
//! All are told of each change and look by themselves: what they wait for is known to them alone. A change that was undone
//! before a waiter looked is not seen.
//!
//! Not here: the value, and what makes it the awaited one.

use std::ops::Deref;

use crate::{
    fork,
    select::Source,
    sync::{
        self, Arc,
        atomic::{AtomicBool, Ordering},
    },
    waiter::{Claim, Ticket, WaitList, Waiter, Wakes},
};

/// The waiters of one atomic.
#[derive(Debug)]
pub struct Watchers {
    /// Whether anybody is enqueued. Changes only under `queue`.
    waits: AtomicBool,
    /// Made when somebody waits for the first time; most atomics never see that.
    queue: sync::Mutex<Option<Box<Queue>>>,
}

#[derive(Debug, Default)]
struct Queue {
    /// Each with the number of its operation.
    waiters: WaitList<usize>,
    generation: u64,
}

impl Watchers {
    /// Nobody waits.
    pub fn new() -> Watchers {
        Watchers { waits: AtomicBool::new(false), queue: sync::Mutex::new(None) }
    }

    /// Whether somebody has to be told of a change that the caller has just made.
    pub fn is_watched(&self) -> bool {
        sync::in_one_order();
        self.waits.load(Ordering::SeqCst)
    }

    /// Tells all who wait that the value has changed.
    pub fn tell(&self) -> Wakes {
        let mut wakes = Wakes::default();
        let mut place = sync::lock(&self.queue);
        self.open(&mut place).waiters.claim_each(|_, &operation| Claim::Ready(operation), &mut wakes);
        wakes
    }

    /// Enlists `waiter`, which is claimed `Ready(operation)` by the next change. The caller then looks at the value.
    pub fn enlist(&self, waiter: &Arc<Waiter>, operation: usize) -> Ticket {
        let mut place = sync::lock(&self.queue);
        let ticket = self.open(&mut place).waiters.push(Arc::clone(waiter), operation);
        self.waits.store(true, Ordering::SeqCst);
        sync::in_one_order();
        ticket
    }

    /// Makes a waiter that was told wait for the next change. The caller then looks at the value.
    pub fn rearm(&self, waiter: &Waiter) {
        let _place = sync::lock(&self.queue);
        waiter.rearm();
    }

    /// Leaves the place of `ticket`. Nobody else is told: all were.
    pub fn leave(&self, ticket: Ticket) {
        let mut place = sync::lock(&self.queue);
        let queue = self.open(&mut place);
        queue.waiters.remove(ticket);
        if queue.waiters.is_empty() {
            self.waits.store(false, Ordering::SeqCst);
        }
    }

    /// How many are enqueued.
    pub fn waiting(&self) -> usize {
        if self.is_watched() { self.open(&mut sync::lock(&self.queue)).waiters.len() } else { 0 }
    }

    /// The queue in its place, without the waiters that a fork has lost.
    fn open<'a>(&self, place: &'a mut Option<Box<Queue>>) -> &'a mut Queue {
        let queue = place.get_or_insert_default();
        if queue.generation != fork::generation() {
            queue.generation = fork::generation();
            queue.waiters.forget();
            self.waits.store(false, Ordering::SeqCst);
        }
        queue
    }
}

impl Default for Watchers {
    fn default() -> Watchers {
        Watchers::new()
    }
}

/// Looks at the value, for a call that is notified.
pub trait Look {
    /// Whether the value is the awaited one. Once true it stays true: the call has what it waited for.
    fn look(&mut self) -> bool;
}

/// Waiting for a value as an operation of a call that is notified.
#[derive(Debug)]
pub struct Watching<H, L> {
    /// Keeps the watchers.
    pub holder: H,
    /// Looks at the value. Called with no lock held.
    pub look: L,
    place: Option<Ticket>,
}

impl<H: Deref<Target = Watchers>, L: Look> Watching<H, L> {
    /// Waiting among the watchers of `holder` until `look` says so.
    pub fn new(holder: H, look: L) -> Watching<H, L> {
        Watching { holder, look, place: None }
    }

    fn leave(&mut self) {
        if let Some(ticket) = self.place.take() {
            self.holder.leave(ticket);
        }
    }
}

impl<H: Deref<Target = Watchers>, L: Look> Source for Watching<H, L> {
    fn attempt(&mut self) -> bool {
        self.look.look()
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        self.place = Some(self.holder.enlist(waiter, operation));
        // After it is enlisted: a change that this look misses finds the waiter.
        let is_ready = self.look.look();
        if is_ready {
            self.leave();
        }
        !is_ready
    }

    fn act(&mut self) -> bool {
        self.leave();
        self.attempt()
    }

    fn withdraw(&mut self) -> bool {
        self.leave();
        false
    }
}
