//! Whose turn it is: who is told, and who is handed the lock, when somebody leaves.
//!
//! A waiter that is told competes; a thread that is handed the lock has it. Not here: who may enter (`state.rs`).

use std::{mem, time::Instant};

use super::{Number, PASSES, PATIENCE, Prefer, Want, state::State};
use crate::{
    owner::Owner,
    sync::Arc,
    waiter::{Claim, WaitList, Waiter, Wakes},
};

/// What a waiter brought.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) owner: Owner,
    /// Which operation of its waiter's call it is; 0 for a blocked thread.
    operation: usize,
    since: Instant,
    passed: u32,
    /// It was told that it can enter, and has not run yet.
    pub(super) told: bool,
    /// The lock was handed over: it holds this acquisition.
    pub(super) handed: Option<Number>,
}

impl Waiting {
    pub(super) fn new(owner: Owner, operation: usize) -> Waiting {
        Waiting { owner, operation, since: Instant::now(), passed: 0, told: false, handed: None }
    }

    /// Tells it, unless it was told or has given up. Whether it is on its way.
    fn tell(&mut self, waiter: &Arc<Waiter>, wakes: &mut Wakes) -> bool {
        if !self.told && waiter.claim(Claim::Ready(self.operation)) {
            self.told = true;
            wakes.add(Arc::clone(waiter));
        }
        self.told
    }

    fn is_overdue(&mut self) -> bool {
        self.passed += 1;
        self.passed > PASSES || self.since.elapsed() >= PATIENCE
    }
}

/// Whose turn it is when nobody writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Shared,
    Exclusive,
}

/// A class of waiters: coroutines are told only when their class is first in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    All,
    Threads,
}

impl State {
    fn turn(&self) -> Turn {
        let is_shared = match self.prefer {
            Prefer::Readers => !self.reads_waiting.is_empty() || !self.upgradables_waiting.is_empty(),
            Prefer::Writers => false,
            Prefer::Fair => self.wrote,
        };
        if is_shared || self.writes_waiting.is_empty() { Turn::Shared } else { Turn::Exclusive }
    }

    /// Lets those in whose turn it is. `has_opened`: a writer has just left, or become a reader, or the last reader has left.
    pub(super) fn pass_on(&mut self, has_opened: bool, wakes: &mut Wakes) {
        if self.writer.is_some() || self.waiting == 0 {
            return;
        }
        if self.upgrading.is_some() {
            if self.readers.is_empty() {
                tell_first(&mut self.upgrades_waiting, Whom::All, wakes);
            }
        } else if !(has_opened && self.is_overdue() && self.hand_over(wakes)) {
            self.tell(wakes);
        }
    }

    /// Whether the first thread of a list has waited for long enough. Counts that it was passed over.
    fn is_overdue(&mut self) -> bool {
        let lists = [&mut self.reads_waiting, &mut self.upgradables_waiting, &mut self.writes_waiting];
        lists.into_iter().fold(false, |overdue, list| {
            let first = list.first_direct_mut();
            first.is_some_and(|(_, waiting)| waiting.is_overdue()) || overdue
        })
    }

    /// Tells those whose turn it is that they can enter. Where only coroutines are on their way, which may run much later, the
    /// threads that come after them are told, too.
    fn tell(&mut self, wakes: &mut Wakes) {
        let (turn, is_free) = (self.turn(), self.is_free());
        if turn == Turn::Shared {
            let whom = if self.tell_shared(Whom::All, wakes) { return } else { self.behind_shared() };
            if is_free {
                tell_first(&mut self.writes_waiting, whom, wakes);
            }
        } else if is_free && !tell_first(&mut self.writes_waiting, Whom::All, wakes) {
            self.tell_shared(Whom::Threads, wakes);
        }
    }

    fn behind_shared(&self) -> Whom {
        let nobody_shares = self.reads_waiting.is_empty() && self.upgradables_waiting.is_empty();
        if nobody_shares { Whom::All } else { Whom::Threads }
    }

    /// Tells all readers and the first upgradable one; whether a thread is on its way.
    fn tell_shared(&mut self, whom: Whom, wakes: &mut Wakes) -> bool {
        let mut is_thread_told = false;
        for (waiter, waiting) in self.reads_waiting.iter_mut() {
            if waiter.is_direct() || whom == Whom::All {
                is_thread_told |= waiting.tell(waiter, wakes) && waiter.is_direct();
            }
        }
        if self.upgradable.is_none() {
            is_thread_told |= tell_first(&mut self.upgradables_waiting, whom, wakes);
        }
        is_thread_told
    }

    /// Gives the lock to the threads whose turn it is; whether there was one to take it.
    fn hand_over(&mut self, wakes: &mut Wakes) -> bool {
        if self.turn() == Turn::Shared {
            return self.hand_to_shared(wakes) || (self.is_free() && self.hand_to_writer(wakes));
        }
        self.is_free() && self.hand_to_writer(wakes)
    }

    fn hand_to_shared(&mut self, wakes: &mut Wakes) -> bool {
        self.tell_shared(Whom::All, wakes);
        let upgradable = self.upgradable.is_none() && self.settle(Want::Upgradable, 1);
        self.settle(Want::Read, usize::MAX) || upgradable
    }

    fn hand_to_writer(&mut self, wakes: &mut Wakes) -> bool {
        tell_first(&mut self.writes_waiting, Whom::Threads, wakes) && self.settle(Want::Write, 1)
    }

    /// Makes the acquisitions of threads that were told, of so many at most; whether of any.
    fn settle(&mut self, want: Want, most: usize) -> bool {
        let mut list = mem::take(self.list(want));
        let told = list.iter_mut().filter(|(waiter, waiting)| waiter.is_direct() && waiting.told);
        let mut is_settled = false;
        for (_, waiting) in told.take(most) {
            waiting.handed = Some(self.enter(want, waiting.owner));
            is_settled = true;
        }
        *self.list(want) = list;
        is_settled
    }
}

/// Tells the first, and behind coroutines the first thread; whether a thread is on its way.
pub(super) fn tell_first(list: &mut WaitList<Waiting>, whom: Whom, wakes: &mut Wakes) -> bool {
    let mut is_coroutine_next = whom == Whom::All;
    for (waiter, waiting) in list.iter_mut() {
        let is_direct = waiter.is_direct();
        if is_direct || is_coroutine_next {
            waiting.tell(waiter, wakes);
        }
        if waiting.told {
            if is_direct {
                return true;
            }
            is_coroutine_next = false;
        }
    }
    false
}
