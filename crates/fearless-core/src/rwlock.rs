//! A lock for many readers or one writer, with numbered acquisitions. The data it guards belongs to the caller.
//!
//! Beside readers one *upgradable* reader may be there, which can become the writer without letting go; a writer can become a
//! reader (*downgrade*). Every acquisition has a number and ends by it, so it ends once whoever ends it.
//!
//! # Fairness
//!
//! Phases of readers and of writers alternate ([`Prefer::Fair`]): a reader that comes while a writer waits for others to leave
//! queues behind it, and when a writer leaves, all the readers that waited enter. So a reader waits for one writer, and a
//! writer for one phase of readers beside the writers that came before.
//!
//! As with [`crate::mutex`], whoever leaves a free lock tells those whose turn it is, and they compete with threads that come
//! by. Once the first thread that waits has waited [`PATIENCE`], or was passed over [`PASSES`] times, the lock is handed over
//! instead. A coroutine is never handed the lock; threads behind it are told as well.
//!
//! Here: the operations of threads. `notified` has those of coroutines, `state` who may enter, `turns` who is next. Not here:
//! sleeping, and who may use a guard.

mod notified;
mod readers;
mod state;
mod turns;

pub use notified::Locking;

use std::{
    num::NonZeroU64,
    ops::{Deref, DerefMut},
};

use self::{
    state::{State, Way},
    turns::Waiting,
};
pub use crate::mutex::{PASSES, PATIENCE, Released};
use crate::{
    owner::Owner,
    sync::{
        self, Arc, MutexGuard, Spin,
        atomic::{AtomicUsize, Ordering},
    },
    waiter::{Claim, Ticket, Waiter, Wakes},
};

/// The number of one acquisition. Never used twice in the life of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(NonZeroU64);

impl Number {
    /// The number of no acquisition.
    pub const NONE: Number = Number(NonZeroU64::MAX);

    /// As a plain word, for a caller that keeps it in an atomic; never 0.
    pub fn get(self) -> u64 {
        self.0.get()
    }

    /// The number that [`Number::get`] gave; `None` for 0.
    pub fn of(word: u64) -> Option<Number> {
        NonZeroU64::new(word).map(Number)
    }
}

/// Whom the lock lets in first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefer {
    /// Readers and writers in turn.
    Fair,
    /// Readers, as long as some come; writers may starve.
    Readers,
    /// Writers, as long as some wait; readers may starve.
    Writers,
}

/// What an acquisition may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read, beside others.
    Read,
    /// Read, and later perhaps write. One at a time, beside readers.
    Upgradable,
    /// Write, alone.
    Write,
}

/// What a caller wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// To read.
    Read,
    /// To read, and later perhaps write.
    Upgradable,
    /// To write.
    Write,
    /// To write, in place of the upgradable acquisition that has this number.
    Upgrade(Number),
}

/// How an attempt to take the lock began or went on.
#[derive(Debug)]
pub enum Lock {
    /// It is held now.
    Acquired(Number),
    /// Others hold it, or come first. Only of a try.
    Busy,
    /// The caller is enqueued and has to wait.
    Wait(Ticket),
    /// The caller has this access already, and would wait for itself.
    Deadlock(Access),
    /// The writer did not survive a fork.
    Vanished,
    /// The acquisition that was to be upgraded has ended.
    Released,
}

/// One acquisition.
#[derive(Clone, Copy, Debug)]
struct Held {
    number: Number,
    owner: Owner,
}

/// How the lock stands at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standing {
    /// Who writes.
    pub writer: Option<Owner>,
    /// Whether the writer did not survive a fork.
    pub is_lost: bool,
    /// Who reads and may upgrade.
    pub upgradable: Option<Owner>,
    /// How many read, an upgradable one not counted.
    pub readers: usize,
    /// How many are enqueued.
    pub waiting: usize,
    /// How many acquisitions there were for reading, and for writing.
    pub reads: u64,
    /// See `reads`.
    pub writes: u64,
}

/// What a spinning thread looks at.
const WRITER: usize = 1;
const READERS: usize = 2;
const UPGRADABLE: usize = 4;
const WAITERS: usize = 8;

/// A lock that knows which acquisitions hold it. In this order, so that the beginning of `state` is beside what is read first.
#[derive(Debug)]
#[repr(C)]
pub struct RwLock {
    /// What `state` was when its lock was last let go: a hint, for who spins.
    hint: AtomicUsize,
    state: sync::Mutex<State>,
}

/// The state, under its lock. Says at the end what there is to see for who spins.
struct Open<'a> {
    state: MutexGuard<'a, State>,
    hint: &'a AtomicUsize,
}

impl Deref for Open<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Open<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let flag = |is_set: bool, flag| if is_set { flag } else { 0 };
        let hint = flag(self.writer.is_some(), WRITER)
            | flag(!self.readers.is_empty(), READERS)
            | flag(self.upgradable.is_some(), UPGRADABLE)
            | flag(self.waiting > 0, WAITERS);
        self.hint.store(hint, Ordering::Relaxed);
    }
}

impl RwLock {
    /// A free lock.
    pub fn new(prefer: Prefer) -> RwLock {
        RwLock { state: sync::Mutex::new(State::new(prefer)), hint: AtomicUsize::new(0) }
    }

    /// The state, without what a fork has lost.
    #[inline]
    fn open(&self) -> Open<'_> {
        let mut state = sync::lock(&self.state);
        state.forget_lost();
        Open { state, hint: &self.hint }
    }

    /// Takes the lock if that needs no wait.
    pub fn try_lock(&self, want: Want, me: Owner) -> Lock {
        self.open().attempt(want, me, Way::Thread)
    }

    /// Tries for a bounded number of rounds: a short hold ends sooner than a thread falls asleep and wakes. Gives up at
    /// once when somebody is enqueued, who comes first.
    pub fn spin(&self, want: Want, me: Owner, rounds: u32) -> Option<Number> {
        let obstacles = match want {
            Want::Read => WRITER,
            Want::Upgradable => WRITER | UPGRADABLE,
            Want::Write => WRITER | READERS | UPGRADABLE,
            Want::Upgrade(_) => READERS,
        };
        let mut spin = Spin::new(rounds);
        while spin.goes_on() {
            let hint = self.hint.load(Ordering::Relaxed);
            if hint & WAITERS != 0 {
                return None;
            }
            if hint & obstacles == 0
                && let Lock::Acquired(number) = self.try_lock(want, me)
            {
                return Some(number);
            }
        }
        None
    }

    /// Takes the lock, or says why it never will, or enqueues `waiter`. Who waits to upgrade keeps new readers out.
    pub fn lock(&self, want: Want, me: Owner, waiter: &Arc<Waiter>) -> Lock {
        let mut state = self.open();
        let lock = state.attempt(want, me, Way::Thread);
        if !matches!(lock, Lock::Busy) {
            return lock;
        }
        Lock::Wait(state.enqueue(want, None, waiter, Waiting::new(me, 0)))
    }

    /// Goes on after the wait of `ticket` ended with `claim`. [`Lock::Wait`]: woken, but another was faster; the
    /// place in the queue is kept. `None`: the caller gave up and has left the queue.
    pub fn resume(
        &self,
        want: Want,
        me: Owner,
        ticket: Ticket,
        waiter: &Arc<Waiter>,
        claim: Claim,
    ) -> (Option<Lock>, Wakes) {
        let is_ready = matches!(claim, Claim::Ready(_));
        let mut wakes = Wakes::default();
        let mut state = self.open();
        let Some((told, handed)) = state.heard(want, ticket) else {
            // In a forked child, which forgot the queue.
            drop(state);
            waiter.rearm();
            return (is_ready.then(|| self.lock(want, me, waiter)), wakes);
        };
        let lock = match handed {
            Some(number) => Some(Lock::Acquired(number)),
            None if is_ready => Some(state.try_again(want, me, if told { Way::Told } else { Way::Thread })),
            None => None,
        };
        if let Some(Lock::Busy) = lock {
            waiter.rearm();
            return (Some(Lock::Wait(ticket)), wakes);
        }
        state.dequeue(want, ticket);
        // Who gives up may have been the one that was to enter next, or a writer that kept readers out.
        if !matches!(lock, Some(Lock::Acquired(_))) {
            state.pass_on(false, &mut wakes);
        }
        (lock, wakes)
    }

    /// Ends an acquisition.
    pub fn release(&self, access: Access, number: Number) -> Result<Wakes, Released> {
        let mut wakes = Wakes::default();
        let mut state = self.open();
        state.leave(access, number, &mut wakes).ok_or(Released)?;
        let has_opened = state.readers.is_empty() && state.upgradable.is_none();
        state.pass_on(has_opened, &mut wakes);
        Ok(wakes)
    }

    /// Ends an acquisition that writes, or might, and begins one that reads in its place. Lets waiting readers in.
    pub fn downgrade(&self, access: Access, number: Number) -> Result<(Number, Wakes), Released> {
        let mut wakes = Wakes::default();
        let mut state = self.open();
        let held = state.leave(access, number, &mut wakes).ok_or(Released)?;
        let held = Held { number: state.next_number(), owner: held.owner };
        state.readers.push(held);
        state.pass_on(access == Access::Write, &mut wakes);
        state.begin_reads();
        Ok((held.number, wakes))
    }

    /// Makes a second acquisition for the owner of one that reads. Also while a writer waits: who reads already would
    /// wait for himself.
    pub fn duplicate(&self, number: Number) -> Result<Number, Released> {
        let mut state = self.open();
        let held = state.readers.get(number).ok_or(Released)?;
        let held = Held { number: state.next_number(), owner: held.owner };
        state.readers.push(held);
        Ok(held.number)
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        let state = self.open();
        Standing {
            writer: state.writer.map(|held| held.owner),
            is_lost: state.is_lost,
            upgradable: state.upgradable.map(|held| held.owner),
            readers: state.readers.len(),
            waiting: state.waiting,
            reads: state.acquired() - state.writes,
            writes: state.writes,
        }
    }

    /// Ends the acquisition of a writer that did not survive a fork. False when there is none.
    pub fn heal(&self) -> bool {
        let state = self.open();
        let lost = state.writer.filter(|_| state.is_lost);
        drop(state);
        // By the number that was found lost: another thread may have healed it and taken the lock since.
        lost.is_some_and(|held| self.release(Access::Write, held.number).map(Wakes::wake).is_ok())
    }
}

impl Default for RwLock {
    fn default() -> RwLock {
        RwLock::new(Prefer::Fair)
    }
}
