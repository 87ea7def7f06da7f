//! The waiter: one atomic word that is claimed once, and the handle that wakes its owner.
//!
//! Whoever makes progress claims a waiter by one compare-exchange while it holds the lock of the object, and wakes it
//! after unlocking. A deadline, a cancellation and a signal are further claims on the same word; exactly one wins, and
//! the winner decides what the waiting call returns. A waiter that merely looks around keeps its place in the queue.
//!
//! A *direct* waiter is one blocked call of a thread on one object: whoever claims it settles its operation. All others,
//! a thread in a select and a coroutine, are *notified*: the claim tells them which operation can be tried, and they try
//! it themselves when they run. A coroutine that was handed an item could be cancelled before it runs, and the item would
//! be lost; a select that was handed one could have taken another already.
//!
//! Not here: what an object does with its waiters; each type keeps its own [`WaitList`] under its own lock.

use std::{fmt, time::Instant};

use crate::sync::{
    Arc, Token,
    atomic::{AtomicUsize, Ordering},
};

mod list;

pub use list::{Step, Ticket, WaitList};

const WAITING: usize = 0;
const TIMED_OUT: usize = 1;
const CANCELLED: usize = 2;
const INTERRUPTED: usize = 3;
const REFUSED: usize = 4;
const READY: usize = 5;

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Operation `k` of the call went ahead, or can be tried again; the object says which.
    Ready(usize),
    /// The deadline passed.
    TimedOut,
    /// The scope of the waiting thread was cancelled.
    Cancelled,
    /// A signal handler raised.
    Interrupted,
    /// The wait could never end, and its object said so.
    Refused,
}

impl Claim {
    fn encode(self) -> usize {
        match self {
            Claim::TimedOut => TIMED_OUT,
            Claim::Cancelled => CANCELLED,
            Claim::Interrupted => INTERRUPTED,
            Claim::Refused => REFUSED,
            Claim::Ready(operation) => READY + operation,
        }
    }

    fn decode(word: usize) -> Option<Claim> {
        match word {
            WAITING => None,
            TIMED_OUT => Some(Claim::TimedOut),
            CANCELLED => Some(Claim::Cancelled),
            INTERRUPTED => Some(Claim::Interrupted),
            REFUSED => Some(Claim::Refused),
            ready => Some(Claim::Ready(ready - READY)),
        }
    }
}

/// Tells an event loop that one of its waiters was claimed. Called with no lock held, on any thread, also in the middle
/// of a drop: it may queue the waiter and no more.
pub trait Notice: fmt::Debug + Send + Sync {
    /// The waiter's claim is set.
    fn claimed(&self);
}

#[derive(Debug)]
enum Handle {
    /// A thread in one call.
    Direct(Token),
    /// A thread in a select.
    Select(Token),
    /// A coroutine.
    Loop(Box<dyn Notice>),
}

/// One call that waits.
#[derive(Debug)]
pub struct Waiter {
    /// `WAITING`, or the encoded claim. Leaves `WAITING` once; only the owner puts it back ([`Waiter::rearm`]).
    word: AtomicUsize,
    handle: Handle,
}

impl Waiter {
    /// A direct waiter for the calling thread.
    pub fn new() -> Arc<Waiter> {
        Waiter::with(Handle::Direct(Token::new()))
    }

    /// A waiter for the calling thread that is notified, never served.
    pub fn for_select() -> Arc<Waiter> {
        Waiter::with(Handle::Select(Token::new()))
    }

    /// A waiter for a coroutine; it is notified, never served.
    pub fn for_loop(notice: Box<dyn Notice>) -> Arc<Waiter> {
        Waiter::with(Handle::Loop(notice))
    }

    fn with(handle: Handle) -> Arc<Waiter> {
        Arc::new(Waiter { word: AtomicUsize::new(WAITING), handle })
    }

    /// Whether a claim settles the operation. A notified waiter acts by itself after it was claimed.
    pub fn is_direct(&self) -> bool {
        matches!(self.handle, Handle::Direct(_))
    }

    /// Whether it waits in an event loop, which may run much later than a thread.
    pub fn is_coroutine(&self) -> bool {
        matches!(self.handle, Handle::Loop(_))
    }

    /// Ends the wait with `claim`; false when another claim came first.
    pub fn claim(&self, claim: Claim) -> bool {
        self.word.compare_exchange(WAITING, claim.encode(), Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// The claim that ended the wait, if one has.
    pub fn claimed(&self) -> Option<Claim> {
        Claim::decode(self.word.load(Ordering::Acquire))
    }

    /// Makes a claimed waiter wait again. For its owner, under the lock of the object whose list holds it.
    pub fn rearm(&self) {
        self.word.store(WAITING, Ordering::Release);
    }

    /// Wakes the owner so that it sees its claim. Never blocks; call it with no lock held.
    pub fn wake(&self) {
        match &self.handle {
            Handle::Direct(token) | Handle::Select(token) => token.wake(),
            Handle::Loop(notice) => notice.claimed(),
        }
    }

    /// Sleeps until a claim, or `until`. May return early. For the owner, with no lock held.
    pub fn park_until(&self, until: Option<Instant>) {
        match &self.handle {
            Handle::Direct(token) | Handle::Select(token) if self.claimed().is_none() => token.park_until(until),
            // A coroutine sleeps in its loop.
            _ => {}
        }
    }

    /// Waits for a claim, claiming [`Claim::TimedOut`] itself when `deadline` passes.
    pub fn wait(&self, deadline: Option<Instant>) -> Claim {
        loop {
            if let Some(claim) = self.claimed() {
                return claim;
            }
            self.park_until(deadline);
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                self.claim(Claim::TimedOut);
            }
        }
    }
}

/// Claimed waiters on their way out of a critical section.
///
/// A word, and empty nearly always: it goes through every try of every operation. A wake-up costs far more than the box.
#[must_use = "a claimed waiter sleeps until it is woken"]
#[derive(Debug, Default)]
pub struct Wakes {
    claimed: Option<Box<Claimed>>,
}

#[derive(Debug)]
struct Claimed {
    first: Arc<Waiter>,
    rest: Vec<Arc<Waiter>>,
}

impl Wakes {
    /// Adds a claimed waiter.
    pub fn add(&mut self, waiter: Arc<Waiter>) {
        match &mut self.claimed {
            None => self.claimed = Some(Box::new(Claimed { first: waiter, rest: Vec::new() })),
            Some(claimed) => claimed.rest.push(waiter),
        }
    }

    /// Adds a claimed waiter, if there is one.
    pub fn add_some(&mut self, waiter: Option<Arc<Waiter>>) {
        if let Some(waiter) = waiter {
            self.add(waiter);
        }
    }

    /// Adds all of `others`.
    pub fn append(&mut self, others: Wakes) {
        if let Some(others) = others.claimed {
            self.add(others.first);
            others.rest.into_iter().for_each(|waiter| self.add(waiter));
        }
    }

    /// Whether nobody has to be woken.
    pub fn is_empty(&self) -> bool {
        self.claimed.is_none()
    }

    /// How many have to be woken.
    pub fn len(&self) -> usize {
        self.claimed.as_ref().map_or(0, |claimed| 1 + claimed.rest.len())
    }

    /// Wakes them all. Call it with no lock held.
    pub fn wake(self) {
        if let Some(claimed) = self.claimed {
            claimed.first.wake();
            claimed.rest.iter().for_each(|waiter| waiter.wake());
        }
    }
}
