//! A lock with numbered acquisitions. The data it guards belongs to the caller.
//!
//! | word            | meaning                                                                      |
//! |-----------------|------------------------------------------------------------------------------|
//! | `n << 2`        | free; `n` acquisitions so far                                                |
//! | `n << 2 \| 1`   | held by acquisition `n`                                                      |
//! | `... \| 2`      | somebody is enqueued: a release takes the slow path. Changes only under `queue` |
//!
//! Releasing is one compare-exchange on the number, so an acquisition ends once whoever ends it, and a kept handle of
//! an ended acquisition is dead for ever.
//!
//! # Fairness
//!
//! A release frees the word and wakes the first waiter, which competes with threads that come by (barging keeps a
//! busy lock busy). Once the first waiter has waited [`PATIENCE`] or was passed over [`PASSES`] times, the release
//! hands the lock to it instead.
//!
//! A coroutine is never handed the lock: it is told that it can try, and so is the first thread behind it, which need not
//! wait for the coroutine's loop. It keeps its place if it comes too late.
//!
//! Here: the word, and the operations of threads. `notified` has those of coroutines. Not here: sleeping, and who may use a
//! guard.

mod notified;

pub use notified::Locking;

use std::time::{Duration, Instant};

use crate::{
    fork,
    owner::Owner,
    sync::{
        self, Arc, Spin,
        atomic::{AtomicU64, Ordering},
    },
    waiter::{Claim, Ticket, WaitList, Waiter, Wakes},
};

const LOCKED: u64 = 1;
const WAITERS: u64 = 2;
const LOW: u64 = u32::MAX as u64;

/// How long the first waiter may be passed over.
pub const PATIENCE: Duration = if cfg!(loom) { Duration::MAX } else { Duration::from_millis(1) };
/// How often the first waiter may be passed over.
pub const PASSES: u32 = if cfg!(loom) { 1 } else { 64 };

/// The number of one acquisition. Never used twice in the life of a mutex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number(u64);

impl Number {
    /// As a plain word, for a caller that keeps it in an atomic.
    pub fn get(self) -> u64 {
        self.0
    }

    /// The number that [`Number::get`] gave.
    pub fn of(word: u64) -> Number {
        Number(word)
    }
}

/// A lock that knows which acquisition holds it.
#[derive(Debug)]
pub struct Mutex {
    word: AtomicU64,
    /// Who made the acquisition of `signed`, thread and task. Written by an acquirer after the word and before `signed`.
    thread: AtomicU64,
    task: AtomicU64,
    /// `number << 32 | generation`: which acquisition these speak of, while the word may already be further, and the fork
    /// generation in which it was made. Of each the lower half: of who signs, nobody falls 2^32 acquisitions behind.
    signed: AtomicU64,
    /// Made when somebody has to wait for the first time: most mutexes of a large program never see that.
    queue: sync::Mutex<Option<Box<Queue>>>,
}

#[derive(Debug, Default)]
struct Queue {
    waiters: WaitList<Waiting>,
    generation: u64,
}

/// What a waiter brought.
#[derive(Debug)]
struct Waiting {
    owner: Owner,
    /// Which operation of its waiter's call it is; 0 for a blocked thread.
    operation: usize,
    since: Instant,
    passed: u32,
    /// It was told that it can compete, and has not run yet.
    told: bool,
    /// The lock was handed over: it holds this acquisition.
    handed: Option<Number>,
}

impl Waiting {
    fn new(owner: Owner, operation: usize) -> Waiting {
        Waiting { owner, operation, since: Instant::now(), passed: 0, told: false, handed: None }
    }
}

/// How an attempt to take the lock began or went on.
#[derive(Debug)]
pub enum Lock {
    /// It is held now.
    Acquired(Number),
    /// The caller is enqueued and has to wait.
    Wait(Ticket),
    /// The caller holds it already.
    Deadlock,
    /// Its holder did not survive a fork.
    Vanished,
}

/// The acquisition has ended before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Released;

impl Mutex {
    /// A free lock.
    pub fn new() -> Mutex {
        Mutex {
            word: AtomicU64::new(0),
            thread: AtomicU64::new(0),
            task: AtomicU64::new(0),
            signed: AtomicU64::new(0),
            queue: sync::Mutex::new(None),
        }
    }

    /// Takes the lock if it is free.
    pub fn try_lock(&self, me: Owner) -> Option<Number> {
        let number = self.try_lock_unsigned()?;
        self.sign(me, number.0);
        Some(number)
    }

    /// Takes the lock if it is free, and does not say who did: for locks that take no notice of their holder.
    pub fn try_lock_unsigned(&self) -> Option<Number> {
        let mut word = self.word.load(Ordering::Relaxed);
        while word & LOCKED == 0 {
            let number = (word >> 2) + 1;
            let held = number << 2 | LOCKED | word & WAITERS;
            match self.word.compare_exchange_weak(word, held, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Some(Number(number)),
                Err(now) => word = now,
            }
        }
        None
    }

    /// Says who made acquisition `number`, after the word has said that it is made. Each store is a release, so that who
    /// reads a later ident also sees the later word, and never takes that ident for the holder of the earlier number.
    fn sign(&self, me: Owner, number: u64) {
        self.thread.store(me.thread, Ordering::Release);
        self.task.store(me.task, Ordering::Release);
        self.signed.store(number << 32 | fork::generation() & LOW, Ordering::Release);
    }

    /// Tries for a bounded number of rounds: a short hold ends sooner than a thread falls asleep and wakes. Gives up at
    /// once when somebody is enqueued, who comes first.
    pub fn spin(&self, me: Owner, rounds: u32) -> Option<Number> {
        let mut spin = Spin::new(rounds);
        while spin.goes_on() {
            match self.word.load(Ordering::Relaxed) & (LOCKED | WAITERS) {
                0 => {
                    if let Some(number) = self.try_lock(me) {
                        return Some(number);
                    }
                }
                LOCKED => {}
                _ => return None,
            }
        }
        None
    }

    /// Takes the lock, or says why it never will, or enqueues `waiter`.
    pub fn lock(&self, me: Owner, waiter: &Arc<Waiter>) -> Lock {
        if let Some(number) = self.try_lock(me) {
            return Lock::Acquired(number);
        }
        if let Some(never) = self.refusal(me) {
            return never;
        }
        self.start(me, waiter)
    }

    /// Takes the lock or enqueues `waiter`, whoever holds it: for locks that take no notice of their holder.
    pub fn start(&self, me: Owner, waiter: &Arc<Waiter>) -> Lock {
        let mut place = sync::lock(&self.queue);
        let queue = self.open(&mut place);
        // Announced before the last try: a release that misses the flag has freed the word for that try.
        self.word.fetch_or(WAITERS, Ordering::Relaxed);
        if let Some(number) = self.try_lock(me) {
            self.forget_flag(queue);
            return Lock::Acquired(number);
        }
        Lock::Wait(queue.waiters.push(Arc::clone(waiter), Waiting::new(me, 0)))
    }

    /// Why `me` must not wait for the lock.
    fn refusal(&self, me: Owner) -> Option<Lock> {
        match self.holder() {
            // Asked first: a forked child gives the idents of vanished threads to new ones.
            Some((owner, generation)) if fork::vanished(owner.thread, generation) => Some(Lock::Vanished),
            Some((owner, _)) if me.is_stuck_behind(owner) => Some(Lock::Deadlock),
            _ => None,
        }
    }

    /// Goes on after the wait of `ticket` ended with `claim`. [`Lock::Wait`]: woken, but another was faster; the
    /// place in the queue is kept. `None`: the caller gave up and has left the queue.
    pub fn resume(&self, ticket: Ticket, waiter: &Arc<Waiter>, claim: Claim) -> (Option<Lock>, Wakes) {
        let mut place = sync::lock(&self.queue);
        let queue = self.open(&mut place);
        let Some(waiting) = queue.waiters.get_mut(ticket) else {
            return (Some(Lock::Vanished), Wakes::default());
        };
        let (me, handed) = (waiting.owner, waiting.handed);
        waiting.told = false;
        let acquired = handed.or_else(|| matches!(claim, Claim::Ready(_)).then(|| self.try_lock(me)).flatten());
        if acquired.is_none() && matches!(claim, Claim::Ready(_)) {
            waiter.rearm();
            return (Some(Lock::Wait(ticket)), Wakes::default());
        }
        queue.waiters.remove(ticket);
        self.forget_flag(queue);
        match acquired {
            Some(number) => (Some(Lock::Acquired(number)), Wakes::default()),
            // Who gives up may have been the one that was to be woken next.
            None => (None, self.notify(queue)),
        }
    }

    /// Ends acquisition `number`.
    pub fn release(&self, number: Number) -> Result<Wakes, Released> {
        let held = number.0 << 2 | LOCKED;
        match self.word.compare_exchange(held, number.0 << 2, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => Ok(Wakes::default()),
            Err(found) if found == held | WAITERS => self.release_slow(number),
            Err(_) => Err(Released),
        }
    }

    /// Ends the acquisition that lasts, whoever made it: for locks that take no notice of their holder.
    pub fn release_any(&self) -> Result<Wakes, Released> {
        let word = self.word.load(Ordering::Relaxed);
        if word & LOCKED == 0 { Err(Released) } else { self.release(Number(word >> 2)) }
    }

    fn release_slow(&self, number: Number) -> Result<Wakes, Released> {
        let mut place = sync::lock(&self.queue);
        let queue = self.open(&mut place);
        if !self.is_held_by(number) {
            return Err(Released);
        }
        let mut wakes = Wakes::default();
        if let Some(waiter) = self.hand_over(queue, number) {
            wakes.add_some(waiter);
            return Ok(wakes);
        }
        self.free(number)?;
        self.forget_flag(queue);
        Ok(self.notify(queue))
    }

    /// A compare-exchange again: with nobody enqueued a second release of the same number can be on the fast path.
    fn free(&self, number: Number) -> Result<(), Released> {
        let mut word = self.word.load(Ordering::Relaxed);
        while word & !WAITERS == number.0 << 2 | LOCKED {
            match self.word.compare_exchange_weak(word, word & !LOCKED, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(now) => word = now,
            }
        }
        Err(Released)
    }

    /// Passes the lock to the first waiter if it has waited long enough. `Some(None)`: it was woken before.
    #[allow(clippy::option_option, reason = "handed over or not, and whether there is somebody to wake")]
    fn hand_over(&self, queue: &mut Queue, number: Number) -> Option<Option<Arc<Waiter>>> {
        let (waiter, waiting) = queue.waiters.first_direct_mut()?;
        waiting.passed += 1;
        if waiting.passed <= PASSES && waiting.since.elapsed() < PATIENCE {
            return None;
        }
        let wake = if waiting.told { None } else { waiter.claim(Claim::Ready(0)).then(|| Some(Arc::clone(waiter)))? };
        let next = Number(number.0 + 1);
        waiting.told = true;
        waiting.handed = Some(next);
        // A plain store: while the flag is set, only who has the queue takes the lock from its holder.
        self.word.store(next.0 << 2 | LOCKED | WAITERS, Ordering::Release);
        self.sign(waiting.owner, next.0);
        Some(wake)
    }

    /// Wakes the first thread to compete, and the coroutines before it, unless the lock is held or it is on its way already.
    fn notify(&self, queue: &mut Queue) -> Wakes {
        let mut wakes = Wakes::default();
        if self.word.load(Ordering::Relaxed) & LOCKED == 0 {
            queue.waiters.tell_first(|waiting| (&mut waiting.told, waiting.operation), &mut wakes);
        }
        wakes
    }

    /// The holder and the fork generation it was seen in; `None` when the lock is free or changing hands.
    pub fn holder(&self) -> Option<(Owner, u64)> {
        self.signature().map(|(_, owner, generation)| (owner, generation))
    }

    /// The acquisition that lasts, if `me` made it.
    pub fn held_by(&self, me: Owner) -> Option<Number> {
        self.signature().filter(|&(_, owner, _)| owner == me).map(|(number, ..)| number)
    }

    /// The acquisition that lasts, if it is signed: its number, holder and fork generation.
    fn signature(&self) -> Option<(Number, Owner, u64)> {
        let signed = self.signed.load(Ordering::Acquire);
        let owner = Owner { thread: self.thread.load(Ordering::Acquire), task: self.task.load(Ordering::Acquire) };
        let word = self.word.load(Ordering::Acquire);
        let number = word >> 2;
        let lasts = word & LOCKED != 0 && number & LOW == signed >> 32;
        lasts.then_some((Number(number), owner, signed & LOW))
    }

    /// Whether acquisition `number` still lasts.
    pub fn is_held_by(&self, number: Number) -> bool {
        self.word.load(Ordering::Acquire) & !WAITERS == number.0 << 2 | LOCKED
    }

    /// Whether anybody holds it.
    pub fn is_locked(&self) -> bool {
        self.word.load(Ordering::Acquire) & LOCKED != 0
    }

    /// How often it has been acquired.
    pub fn acquired(&self) -> u64 {
        self.word.load(Ordering::Relaxed) >> 2
    }

    /// How many threads and coroutines are enqueued.
    pub fn waiting(&self) -> usize {
        if self.word.load(Ordering::Relaxed) & WAITERS == 0 {
            0
        } else {
            self.open(&mut sync::lock(&self.queue)).waiters.len()
        }
    }

    /// Ends an acquisition whose holder did not survive a fork. False when the holder lives.
    pub fn heal(&self) -> bool {
        let lost = self.signature().filter(|&(_, owner, generation)| fork::vanished(owner.thread, generation));
        // By the number that was found lost: another thread may have healed it and taken the lock since.
        lost.is_some_and(|(number, ..)| self.release(number).map(Wakes::wake).is_ok())
    }

    /// The queue in its place, without the waiters that a fork has lost.
    fn open<'a>(&self, place: &'a mut Option<Box<Queue>>) -> &'a mut Queue {
        let queue = place.get_or_insert_default();
        if queue.generation != fork::generation() {
            queue.generation = fork::generation();
            queue.waiters.forget();
            self.word.fetch_and(!WAITERS, Ordering::Relaxed);
        }
        queue
    }

    /// Drops the flag when nobody is enqueued any more.
    fn forget_flag(&self, queue: &Queue) {
        if queue.waiters.is_empty() {
            self.word.fetch_and(!WAITERS, Ordering::Relaxed);
        }
    }
}

impl Default for Mutex {
    fn default() -> Mutex {
        Mutex::new()
    }
}
