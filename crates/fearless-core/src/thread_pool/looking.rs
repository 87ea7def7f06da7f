//! Looking for a task before falling asleep: a worker that is awake is told of a task by a store, not by a system call.
//!
//! To fall asleep and be woken costs many times what a small task does, and a caller that waits for each result before it
//! submits the next makes its worker do both for each. So a worker that finds no task looks for one for some microseconds. One
//! worker does at a time; the others sleep at once. While it looks it counts as one that is on its way: a task only joins the
//! queue. It is in no list and claimed by nobody. When it has looked for long enough it comes by once more, under the lock; from
//! then on a submitter sees that nobody looks, and the worker sleeps as any other.
//!
//! Each look in vain makes the next one rarer, down to one for 64 times that a worker finds no task: where tasks are far between,
//! or all threads share a core, looking only burns it. In a bounded pool nobody looks, as a task there needs a place in the
//! backlog or a worker of its own.
//!
//! Not here: the order of tasks, and who is claimed for those that are behind the first.

use std::time::{Duration, Instant};

use super::{Next, State, Submit, ThreadPool};
use crate::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    waiter::Waiter,
};

/// How long a worker looks: less than what it takes to fall asleep and to be woken.
const LONGEST: Duration = Duration::from_micros(10);
/// Looks between two at the clock.
const LOOKS: u32 = 16;
/// How often the looks become rarer, by half each time.
const MOST_MISSES: u32 = 6;

/// Whether the workers of a pool look, and what the one that does is told.
#[derive(Debug, Default)]
pub(super) struct News {
    are_read: bool,
    /// There is something to do. Set under the lock of the state.
    are_there: AtomicBool,
}

/// Who looks, and how often.
#[derive(Debug, Default)]
pub(super) struct Looking {
    /// A worker does: it is awake, and comes by before it sleeps.
    pub(super) is_on: bool,
    /// Looks in vain, one after the other.
    misses: u32,
    /// So many times that a worker finds no task, it does not look.
    rests: u32,
}

impl Looking {
    /// Whether a worker that found no task is to look now.
    pub(super) fn begins(&mut self) -> bool {
        if self.is_on || self.rests > 0 {
            self.rests = self.rests.saturating_sub(1);
            return false;
        }
        self.is_on = true;
        true
    }

    fn missed(&mut self) {
        self.misses = MOST_MISSES.min(self.misses + 1);
        self.rests = (1 << self.misses) - 1;
    }
}

impl<T> ThreadPool<T> {
    /// The same pool, and its workers look if `are_wanted`: where threads run in parallel.
    pub fn with_looks(mut self, are_wanted: bool) -> ThreadPool<T> {
        self.news.are_read = are_wanted && self.backlog.is_none();
        self
    }

    /// Looks for a moment whether there is something to do. With no lock held; it may end for no reason.
    pub fn look(&self) {
        let until = Instant::now() + LONGEST;
        while Instant::now() < until {
            for _ in 0..LOOKS {
                if self.news.are_there.load(Ordering::Acquire) {
                    return;
                }
                std::hint::spin_loop();
            }
        }
    }

    /// What a worker that has looked is to do next.
    pub fn looked(&self, waiter: &Arc<Waiter>) -> Next<T> {
        let mut state = self.lock();
        state.looking.is_on = false;
        let next = state.next(self.backlog, waiter, false);
        if matches!(next, Next::Wait(..)) {
            state.looking.missed();
        } else {
            state.looking.misses = 0;
        }
        next
    }

    /// What a worker is to do that has not looked yet.
    pub(super) fn take_or_look(&self, state: &mut State<T>, waiter: &Arc<Waiter>) -> Next<T> {
        let next = state.next(self.backlog, waiter, self.news.are_read);
        if matches!(next, Next::Look(_)) {
            self.news.are_there.store(false, Ordering::Relaxed);
        }
        next
    }

    /// Submits, and tells the worker that looks.
    pub(super) fn put(&self, state: &mut State<T>, backlog: Option<usize>, task: T) -> Submit<T> {
        let submitted = state.submit(self.limit, backlog, task);
        self.tell(state);
        submitted
    }

    /// Ends the look of the worker that looks, if one does.
    pub(super) fn tell(&self, state: &State<T>) {
        if state.looking.is_on {
            self.news.are_there.store(true, Ordering::Release);
        }
    }
}
