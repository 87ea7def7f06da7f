//! What a lock knows, under its inner lock: who holds it, who waits, and who may enter.
//!
//! | held by                  | a reader enters if                    | an upgradable reader | a writer | an upgrade |
//! |--------------------------|---------------------------------------|----------------------|----------|------------|
//! | nobody                   | always; see [`Way`]                   | as a reader          | always   | -          |
//! | readers                  | no writer waits (`prefer="readers"`: always) | as a reader   | never    | -          |
//! | an upgradable reader     | the same, and no upgrade waits        | never                | never    | if nobody reads beside it |
//! | a writer                 | never                                 | never                | never    | -          |
//!
//! A waiter that was *told* enters without regard to who else waits: it is its turn. Not here: whose turn it is
//! (`turns.rs`), and the inner lock itself.

use std::mem;

use super::{
    Access, Held, Lock, Number, Prefer, Want,
    readers::Readers,
    turns::{Waiting, Whom, tell_first},
};
use crate::{
    fork,
    owner::Owner,
    sync::Arc,
    waiter::{Ticket, WaitList, Waiter, Wakes},
};

/// How somebody comes to the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A thread, which may pass by those who wait while the lock is free: this keeps a busy lock busy.
    Thread,
    /// A coroutine. It passes nobody by: who waits may be a coroutine too, which is never handed the lock, and would starve.
    Task,
    /// It waited, and it is its turn.
    Told,
}

/// In this order: what every acquisition looks at comes first, so that it moves from core to core in few cache lines.
#[derive(Debug)]
#[repr(C)]
pub(super) struct State {
    /// How many are enqueued, in all lists.
    pub(super) waiting: usize,
    generation: u64,
    acquired: u64,
    pub(super) writer: Option<Held>,
    pub(super) readers: Readers,
    pub(super) upgradable: Option<Held>,
    /// The upgradable acquisition that waits to write. Nobody else enters meanwhile.
    pub(super) upgrading: Option<Number>,
    /// The writer did not survive a fork.
    pub(super) is_lost: bool,
    /// A writer was the last to enter, so the readers that waited for it are next.
    pub(super) wrote: bool,
    pub(super) prefer: Prefer,
    pub(super) writes: u64,
    pub(super) reads_waiting: WaitList<Waiting>,
    pub(super) upgradables_waiting: WaitList<Waiting>,
    pub(super) writes_waiting: WaitList<Waiting>,
    /// One at most, and for a moment one more that was revoked.
    pub(super) upgrades_waiting: WaitList<Waiting>,
}

impl State {
    pub(super) fn new(prefer: Prefer) -> State {
        State {
            prefer,
            acquired: 0,
            writes: 0,
            readers: Readers::default(),
            upgradable: None,
            writer: None,
            is_lost: false,
            upgrading: None,
            wrote: false,
            generation: fork::generation(),
            waiting: 0,
            reads_waiting: WaitList::new(),
            upgradables_waiting: WaitList::new(),
            writes_waiting: WaitList::new(),
            upgrades_waiting: WaitList::new(),
        }
    }

    /// Where those who want the same wait.
    pub(super) fn list(&mut self, want: Want) -> &mut WaitList<Waiting> {
        match want {
            Want::Read => &mut self.reads_waiting,
            Want::Upgradable => &mut self.upgradables_waiting,
            Want::Write => &mut self.writes_waiting,
            Want::Upgrade(_) => &mut self.upgrades_waiting,
        }
    }

    /// Enqueues, at a place that was held before if there is one. Who waits to upgrade keeps others out from now on.
    pub(super) fn enqueue(
        &mut self,
        want: Want,
        place: Option<Ticket>,
        waiter: &Arc<Waiter>,
        waiting: Waiting,
    ) -> Ticket {
        if let Want::Upgrade(number) = want {
            self.upgrading = Some(number);
        }
        self.waiting += 1;
        self.list(want).push_at(place, Arc::clone(waiter), waiting)
    }

    /// Takes a waiter out of its queue.
    pub(super) fn dequeue(&mut self, want: Want, ticket: Ticket) {
        if self.list(want).remove(ticket).is_some() {
            self.waiting -= 1;
        }
        if let Want::Upgrade(number) = want
            && self.upgrading == Some(number)
        {
            self.upgrading = None;
        }
    }

    /// What a waiter was told, which it knows now, and what it was handed. `None` when it is not enqueued.
    pub(super) fn heard(&mut self, want: Want, ticket: Ticket) -> Option<(bool, Option<Number>)> {
        let waiting = self.list(want).get_mut(ticket)?;
        Some((mem::take(&mut waiting.told), waiting.handed))
    }

    pub(super) fn is_free(&self) -> bool {
        self.writer.is_none() && self.readers.is_empty() && self.upgradable.is_none()
    }

    /// Takes the lock if `want` may enter, and says why not otherwise. [`Lock::Busy`]: by waiting it can.
    #[inline]
    pub(super) fn attempt(&mut self, want: Want, me: Owner, way: Way) -> Lock {
        if self.is_free() && self.waiting == 0 && !matches!(want, Want::Upgrade(_)) {
            Lock::Acquired(self.enter(want, me))
        } else {
            self.attempt_beside_others(want, me, way)
        }
    }

    fn attempt_beside_others(&mut self, want: Want, me: Owner, way: Way) -> Lock {
        // A thread that waits stops the tasks that run on it.
        let waits = if way == Way::Thread { Owner::thread(me.thread) } else { me };
        // A reader is let in beside others, so it has to be asked first whether it is one of them.
        let is_sharing = matches!(want, Want::Read | Want::Upgradable);
        if is_sharing && let Some(refusal) = self.refusal(want, waits) {
            return refusal;
        }
        if self.may_enter(want, way) {
            return Lock::Acquired(self.enter(want, me));
        }
        self.refusal(want, waits).unwrap_or(Lock::Busy)
    }

    /// Takes the lock for a waiter if it may enter now; [`Lock::Busy`] if it has to go on waiting.
    pub(super) fn try_again(&mut self, want: Want, me: Owner, way: Way) -> Lock {
        if self.is_ended(want) {
            Lock::Released
        } else if self.may_enter(want, way) {
            Lock::Acquired(self.enter(want, me))
        } else {
            Lock::Busy
        }
    }

    /// Whether it is to upgrade an acquisition that has ended.
    pub(super) fn is_ended(&self, want: Want) -> bool {
        let Want::Upgrade(number) = want else { return false };
        self.upgradable.is_none_or(|held| held.number != number)
    }

    /// Why `me` must not wait to enter.
    fn refusal(&self, want: Want, me: Owner) -> Option<Lock> {
        // Asked first: a forked child gives the idents of vanished threads to new ones.
        if self.is_lost {
            return Some(Lock::Vanished);
        }
        if let Want::Upgrade(number) = want {
            if self.is_ended(want) {
                return Some(Lock::Released);
            }
            if self.upgrading == Some(number) {
                return Some(Lock::Deadlock(Access::Upgradable));
            }
        } else if self.upgradable.is_some_and(|held| me.is_stuck_behind(held.owner)) {
            return Some(Lock::Deadlock(Access::Upgradable));
        }
        if self.writer.is_some_and(|held| me.is_stuck_behind(held.owner)) {
            return Some(Lock::Deadlock(Access::Write));
        }
        self.readers.block(me).then_some(Lock::Deadlock(Access::Read))
    }

    pub(super) fn may_enter(&self, want: Want, way: Way) -> bool {
        match want {
            Want::Read => self.may_share(way),
            Want::Upgradable => {
                let is_next = way != Way::Task || self.upgradables_waiting.is_empty();
                self.upgradable.is_none() && is_next && self.may_share(way)
            }
            Want::Write => self.is_free() && (way != Way::Task || self.is_next_to_write()),
            Want::Upgrade(_) => !self.is_ended(want) && self.readers.is_empty(),
        }
    }

    fn may_share(&self, way: Way) -> bool {
        if self.writer.is_some() || self.upgrading.is_some() {
            return false;
        }
        let is_first = self.prefer == Prefer::Readers || self.writes_waiting.is_empty();
        let passes_by = way == Way::Thread && self.prefer == Prefer::Fair && self.is_free();
        way == Way::Told || is_first || passes_by
    }

    fn is_next_to_write(&self) -> bool {
        let nobody_shares = self.reads_waiting.is_empty() && self.upgradables_waiting.is_empty();
        self.writes_waiting.is_empty() && (nobody_shares || self.prefer == Prefer::Writers)
    }

    /// How many acquisitions there were.
    pub(super) fn acquired(&self) -> u64 {
        self.acquired
    }

    pub(super) fn next_number(&mut self) -> Number {
        self.acquired += 1;
        Number::of(self.acquired).unwrap_or(Number::NONE)
    }

    /// Makes the acquisition.
    pub(super) fn enter(&mut self, want: Want, owner: Owner) -> Number {
        let held = Held { number: self.next_number(), owner };
        match want {
            Want::Read => self.readers.push(held),
            Want::Upgradable => self.upgradable = Some(held),
            Want::Write => self.writer = Some(held),
            Want::Upgrade(_) => {
                (self.upgradable, self.upgrading) = (None, None);
                self.writer = Some(held);
            }
        }
        self.wrote = self.writer.is_some();
        self.writes += u64::from(self.wrote);
        held.number
    }

    /// Ends an acquisition and gives back what it was; `None` when it had ended. Wakes nobody but an upgrade that is in vain.
    pub(super) fn leave(&mut self, access: Access, number: Number, wakes: &mut Wakes) -> Option<Held> {
        let held_as = |place: &mut Option<Held>| place.take_if(|held| held.number == number);
        match access {
            Access::Read => self.readers.remove(number),
            Access::Write => {
                let held = held_as(&mut self.writer)?;
                self.is_lost = false;
                Some(held)
            }
            Access::Upgradable => {
                let held = held_as(&mut self.upgradable)?;
                if self.upgrading.take().is_some() {
                    tell_first(&mut self.upgrades_waiting, Whom::All, wakes);
                }
                Some(held)
            }
        }
    }

    /// The readers that waited for a writer have been let in.
    pub(super) fn begin_reads(&mut self) {
        self.wrote = false;
    }

    /// Forgets, in a forked child, whoever is not there. A writer that is not there stays, until somebody heals it.
    #[inline]
    pub(super) fn forget_lost(&mut self) {
        if self.generation != fork::generation() {
            self.forget_all_lost();
        }
    }

    #[cold]
    fn forget_all_lost(&mut self) {
        let before = mem::replace(&mut self.generation, fork::generation());
        let lives = |owner: Owner| !fork::vanished(owner.thread, before);
        self.readers.keep(lives);
        self.upgradable = self.upgradable.filter(|held| lives(held.owner));
        self.is_lost |= self.writer.is_some_and(|held| !lives(held.owner));
        self.upgrading = None;
        for want in [Want::Read, Want::Upgradable, Want::Write, Want::Upgrade(Number::NONE)] {
            self.list(want).forget();
        }
        self.waiting = 0;
    }
}
