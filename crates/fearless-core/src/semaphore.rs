//! A number of permits, taken and given back in any portions, first come first served.
//!
//! | word             | meaning                                                                     |
//! |------------------|-----------------------------------------------------------------------------|
//! | `free << 1`      | so many permits are free, nobody is enqueued: one compare-exchange does it  |
//! | `free << 1 \| 1` | somebody is enqueued. The word changes only under `queue`, flag and count   |
//!
//! # Order
//!
//! Permits go to those who wait in the order in which they came. The first that asks for more than is free holds up all
//! behind it, newcomers included, so a large request is not starved by small ones.
//!
//! A thread is handed its permits by the claim. A coroutine or a select is told that it can try, and the permits are
//! *promised*: no second one of its kind is told of them, and no coroutine that comes by takes them. But they are not kept: a
//! thread takes what is promised to coroutines, whose loop may be busy for long, even with waiting for that thread. Who comes
//! too late keeps its place.
//!
//! Here: the word, and the operations of threads. `notified` has the others. Not here: sleeping.

mod notified;

pub use notified::Acquiring;

use crate::{
    fork,
    sync::{
        self, Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    waiter::{Claim, Step, Ticket, WaitList, Waiter, Wakes},
};

const WAITERS: u64 = 1;

/// The largest number of permits.
pub const MAX: u64 = u64::MAX >> 1;

/// Permits, and those who wait for some.
#[derive(Debug)]
pub struct Semaphore {
    word: AtomicU64,
    /// How many there are; without a limit there may be ever more, up to [`MAX`].
    limit: Option<u64>,
    queue: Mutex<Queue>,
}

#[derive(Debug)]
struct Queue {
    waiters: WaitList<Waiting>,
    promised: Promised,
    generation: u64,
}

/// How many permits those ask for who were told and have not acted yet.
#[derive(Debug, Default)]
struct Promised {
    to_selects: u64,
    to_coroutines: u64,
}

/// What a waiter brought.
#[derive(Debug)]
struct Waiting {
    permits: u64,
    /// Which operation of its waiter's call it is; 0 for a blocked thread.
    operation: usize,
    /// It was told that it can try, and has not run yet.
    told: bool,
    is_coroutine: bool,
}

/// More permits were given back than are taken: this many are free already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overfull(pub u64);

impl Semaphore {
    /// `permits` free permits. Bounded, there are never more; else `release` makes new ones.
    pub fn new(permits: u64, is_bounded: bool) -> Semaphore {
        let permits = permits.min(MAX);
        let queue = Queue { waiters: WaitList::new(), promised: Promised::default(), generation: fork::generation() };
        let limit = is_bounded.then_some(permits);
        Semaphore { word: AtomicU64::new(permits << 1), limit, queue: Mutex::new(queue) }
    }

    /// How many permits there are, unless `release` makes new ones.
    pub fn limit(&self) -> Option<u64> {
        self.limit
    }

    /// How many permits are free.
    pub fn free(&self) -> u64 {
        self.word.load(Ordering::Acquire) >> 1
    }

    /// How many threads and coroutines are enqueued.
    pub fn waiting(&self) -> usize {
        if self.has_waiters() { self.lock().waiters.len() } else { 0 }
    }

    /// Takes permits if so many are free and nobody has to be served before.
    pub fn try_acquire(&self, permits: u64) -> bool {
        self.take_quickly(permits).unwrap_or_else(|| {
            let queue = self.lock();
            self.take_in_turn(&queue, permits)
        })
    }

    /// Takes permits, or enqueues `waiter`.
    pub fn acquire(&self, permits: u64, waiter: &Arc<Waiter>) -> Option<Ticket> {
        if self.take_quickly(permits) == Some(true) {
            return None;
        }
        let mut queue = self.lock();
        // Announced before the last try: a release that misses the flag has added its permits for that try.
        self.word.fetch_or(WAITERS, Ordering::AcqRel);
        if self.take_in_turn(&queue, permits) {
            self.forget_flag(&queue);
            return None;
        }
        let waiting = Waiting { permits, operation: 0, told: false, is_coroutine: false };
        Some(queue.waiters.push(Arc::clone(waiter), waiting))
    }

    /// Goes on after the wait of `ticket` ended with `claim`: whether the permits were handed over.
    pub fn resume(&self, ticket: Ticket, claim: Claim) -> (bool, Wakes) {
        if matches!(claim, Claim::Ready(_)) {
            return (true, Wakes::default());
        }
        let mut queue = self.lock();
        queue.waiters.remove(ticket);
        // It may have held up those behind it.
        (false, self.serve(&mut queue))
    }

    /// Gives permits back, or makes new ones. Refused as a whole if there would be too many.
    pub fn release(&self, permits: u64) -> Result<Wakes, Overfull> {
        let most = self.limit.unwrap_or(MAX);
        let fits = |word: u64| (word >> 1).checked_add(permits).is_some_and(|free| free <= most);
        let add = |word: u64| fits(word).then(|| word + (permits << 1));
        let quickly = |word: u64| if word & WAITERS == 0 { add(word) } else { None };
        match self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, quickly) {
            Ok(_) => return Ok(Wakes::default()),
            Err(word) if word & WAITERS == 0 => return Err(Overfull(word >> 1)),
            Err(_) => {}
        }
        let mut queue = self.lock();
        let added = self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, add);
        added.map_err(|word| Overfull(word >> 1))?;
        Ok(self.serve(&mut queue))
    }

    /// On the fast path; `None`: somebody is enqueued.
    fn take_quickly(&self, permits: u64) -> Option<bool> {
        let quickly = |word: u64| if word & WAITERS == 0 { without(word, permits) } else { None };
        match self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, quickly) {
            Ok(_) => Some(true),
            Err(word) => (word & WAITERS == 0).then_some(false),
        }
    }

    /// Takes permits for a thread that comes by, unless somebody has to be served before.
    fn take_in_turn(&self, queue: &Queue, permits: u64) -> bool {
        !self.is_held_up(queue) && self.take(permits)
    }

    /// Whether somebody who waits asks for more than is free. Whoever asks for less has been served or told.
    fn is_held_up(&self, queue: &Queue) -> bool {
        let free = self.free();
        queue.waiters.payloads().any(|waiting| waiting.holds_up(free))
    }

    /// Takes permits, whoever waits.
    fn take(&self, permits: u64) -> bool {
        self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| without(word, permits)).is_ok()
    }

    /// Serves those who wait, in order, until one asks for more than is free. For whatever changes the number of free
    /// permits, or ends a promise, or takes somebody out who may have held up the others.
    fn serve(&self, queue: &mut Queue) -> Wakes {
        let mut wakes = Wakes::default();
        let promised = &mut queue.promised;
        queue.waiters.go_through(&mut wakes, |waiter, waiting| {
            let free = self.free();
            if waiting.holds_up(free) {
                return Step::Stop;
            }
            if waiting.told || waiting.permits > free {
                return Step::Stay;
            }
            if waiter.is_direct() {
                if !waiter.claim(Claim::Ready(0)) {
                    return Step::Stay;
                }
                // Cannot fail: while somebody is enqueued, free permits change only here.
                self.take(waiting.permits);
                return Step::Leave;
            }
            let is_promised = waiting.permits > promised.leaves(free, waiting.is_coroutine);
            if is_promised || !waiter.claim(Claim::Ready(waiting.operation)) {
                return Step::Stay;
            }
            waiting.told = true;
            *promised.to(waiting.is_coroutine) += waiting.permits;
            Step::Wake
        });
        self.forget_flag(queue);
        wakes
    }

    fn has_waiters(&self) -> bool {
        self.word.load(Ordering::Acquire) & WAITERS != 0
    }

    /// Drops the flag when nobody is enqueued any more.
    fn forget_flag(&self, queue: &Queue) {
        if queue.waiters.is_empty() {
            self.word.fetch_and(!WAITERS, Ordering::AcqRel);
        }
    }

    /// The queue, without the waiters that a fork has lost.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        let mut queue = sync::lock(&self.queue);
        if queue.generation != fork::generation() {
            queue.generation = fork::generation();
            queue.waiters.forget();
            queue.promised = Promised::default();
            self.forget_flag(&queue);
        }
        queue
    }
}

impl Promised {
    fn to(&mut self, is_coroutine: bool) -> &mut u64 {
        if is_coroutine { &mut self.to_coroutines } else { &mut self.to_selects }
    }

    /// How many of the free permits are left for a coroutine, or for a select.
    fn leaves(&self, free: u64, is_coroutine: bool) -> u64 {
        free.saturating_sub(self.to_selects).saturating_sub(if is_coroutine { self.to_coroutines } else { 0 })
    }
}

impl Waiting {
    /// Whether those behind it have to wait, too. One that was told has had its turn.
    fn holds_up(&self, free: u64) -> bool {
        self.permits > free && !self.told
    }
}

/// The word with fewer free permits, if there are so many.
fn without(word: u64, permits: u64) -> Option<u64> {
    (permits <= word >> 1).then(|| word - (permits << 1))
}
