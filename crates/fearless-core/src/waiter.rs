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

use std::{collections::VecDeque, fmt, time::Instant};

use crate::sync::{
    Arc, Token,
    atomic::{AtomicUsize, Ordering},
};

const WAITING: usize = 0;
const TIMED_OUT: usize = 1;
const CANCELLED: usize = 2;
const INTERRUPTED: usize = 3;
const READY: usize = 4;

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
}

impl Claim {
    fn encode(self) -> usize {
        match self {
            Claim::TimedOut => TIMED_OUT,
            Claim::Cancelled => CANCELLED,
            Claim::Interrupted => INTERRUPTED,
            Claim::Ready(operation) => READY + operation,
        }
    }

    fn decode(word: usize) -> Option<Claim> {
        match word {
            WAITING => None,
            TIMED_OUT => Some(Claim::TimedOut),
            CANCELLED => Some(Claim::Cancelled),
            INTERRUPTED => Some(Claim::Interrupted),
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

/// A place in a [`WaitList`]; tickets grow with time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

#[derive(Debug)]
struct Entry<P> {
    ticket: Ticket,
    waiter: Arc<Waiter>,
    payload: P,
}

/// What becomes of an entry; see [`WaitList::go_through`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Stay,
    /// It was claimed, and stays for its owner to remove.
    Wake,
    /// It was claimed, and leaves the list.
    Leave,
    /// Nothing, and those behind it are not asked.
    Stop,
}

/// The waiters of one object, first come first, each with what it brought. Guarded by the lock of that object.
#[derive(Debug)]
pub struct WaitList<P = ()> {
    entries: VecDeque<Entry<P>>,
    next: u64,
}

impl<P> WaitList<P> {
    /// An empty list.
    pub fn new() -> WaitList<P> {
        WaitList { entries: VecDeque::new(), next: 0 }
    }

    /// Whether nobody is enqueued.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many are enqueued, claimed ones that have not yet left included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Enqueues at the end.
    pub fn push(&mut self, waiter: Arc<Waiter>, payload: P) -> Ticket {
        let ticket = Ticket(self.next);
        self.next += 1;
        self.entries.push_back(Entry { ticket, waiter, payload });
        ticket
    }

    /// Enqueues at a place that was held before and given up by [`WaitList::remove`]; at the end when there is none.
    pub fn push_at(&mut self, held: Option<Ticket>, waiter: Arc<Waiter>, payload: P) -> Ticket {
        let Some(ticket) = held else { return self.push(waiter, payload) };
        let place = self.entries.partition_point(|entry| entry.ticket < ticket);
        self.entries.insert(place, Entry { ticket, waiter, payload });
        ticket
    }

    /// Takes the entry out; `None` when whoever claimed it already did.
    pub fn remove(&mut self, ticket: Ticket) -> Option<P> {
        let place = self.place(ticket)?;
        let entry = self.entries.remove(place)?;
        self.shrink();
        Some(entry.payload)
    }

    /// What the entry brought.
    pub fn get_mut(&mut self, ticket: Ticket) -> Option<&mut P> {
        let place = self.place(ticket)?;
        self.entries.get_mut(place).map(|entry| &mut entry.payload)
    }

    /// Claims the first that can be claimed and takes its entry out.
    ///
    /// An entry that somebody else claimed (a deadline, a cancellation) stays for its owner to remove, with what it
    /// brought.
    pub fn claim_first(&mut self, claim: Claim) -> Option<(Arc<Waiter>, P)> {
        let place = self.entries.iter().position(|entry| entry.waiter.claim(claim))?;
        let entry = self.entries.remove(place)?;
        self.shrink();
        Some((entry.waiter, entry.payload))
    }

    /// Tells the first that it can try, and leaves it enqueued. Behind a coroutine, which may run much later, a thread is told
    /// too; nobody when one that was told has not run yet. `told` is where an entry remembers that, and its operation.
    pub fn tell_first(&mut self, told: impl Fn(&mut P) -> (&mut bool, usize), wakes: &mut Wakes) {
        let mut is_coroutine_told = false;
        for entry in &mut self.entries {
            let is_direct = entry.waiter.is_direct();
            let (told, operation) = told(&mut entry.payload);
            let is_next = is_direct || !is_coroutine_told;
            let was_told = *told;
            if is_next && !was_told && entry.waiter.claim(Claim::Ready(operation)) {
                *told = true;
                wakes.add(Arc::clone(&entry.waiter));
            }
            if *told {
                if is_direct {
                    return;
                }
                is_coroutine_told = true;
            }
        }
    }

    /// Tells all that can be told. `told` is where an entry remembers that, and its operation.
    pub fn tell_all(&mut self, told: impl Fn(&mut P) -> (&mut bool, usize), wakes: &mut Wakes) {
        for entry in &mut self.entries {
            let (told, operation) = told(&mut entry.payload);
            if entry.waiter.claim(Claim::Ready(operation)) {
                *told = true;
                wakes.add(Arc::clone(&entry.waiter));
            }
        }
    }

    /// The first thread that waits in one call.
    pub fn first_direct_mut(&mut self) -> Option<(&Arc<Waiter>, &mut P)> {
        let entry = self.entries.iter_mut().find(|entry| entry.waiter.is_direct())?;
        Some((&entry.waiter, &mut entry.payload))
    }

    /// Asks the entries, first to last, until `claim` has claimed one; it may change what the entry brought. `Some(true)`
    /// takes the entry out, `Some(false)` leaves it.
    pub fn claim_where(
        &mut self,
        mut claim: impl FnMut(&Arc<Waiter>, &mut P) -> Option<bool>,
    ) -> Option<(Arc<Waiter>, Option<P>)> {
        let mut claimed = None;
        for (place, entry) in self.entries.iter_mut().enumerate() {
            if let Some(leaves) = claim(&entry.waiter, &mut entry.payload) {
                claimed = Some((place, leaves));
                break;
            }
        }
        let (place, leaves) = claimed?;
        if !leaves {
            return self.entries.get(place).map(|entry| (Arc::clone(&entry.waiter), None));
        }
        let entry = self.entries.remove(place)?;
        self.shrink();
        Some((entry.waiter, Some(entry.payload)))
    }

    /// Claims all that can be claimed, each with what `claim` says; their entries stay for their owners.
    pub fn claim_each(&self, claim: impl Fn(&Waiter, &P) -> Claim, wakes: &mut Wakes) {
        for entry in &self.entries {
            if entry.waiter.claim(claim(&entry.waiter, &entry.payload)) {
                wakes.add(Arc::clone(&entry.waiter));
            }
        }
    }

    /// Claims all that can be claimed; their entries stay for their owners.
    pub fn claim_all(&self, claim: Claim, wakes: &mut Wakes) {
        for entry in &self.entries {
            if entry.waiter.claim(claim) {
                wakes.add(Arc::clone(&entry.waiter));
            }
        }
    }

    /// Goes through the entries, first to last; `look` says what becomes of each, and may change what it brought.
    pub fn go_through(&mut self, wakes: &mut Wakes, mut look: impl FnMut(&Arc<Waiter>, &mut P) -> Step) {
        let mut place = 0;
        while let Some(entry) = self.entries.get_mut(place) {
            match look(&entry.waiter, &mut entry.payload) {
                Step::Stay => place += 1,
                Step::Wake => {
                    wakes.add(Arc::clone(&entry.waiter));
                    place += 1;
                }
                Step::Leave => wakes.add_some(self.entries.remove(place).map(|entry| entry.waiter)),
                Step::Stop => break,
            }
        }
        self.shrink();
    }

    /// The waiters and what they brought, first to last.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<Waiter>, &P)> {
        self.entries.iter().map(|entry| (&entry.waiter, &entry.payload))
    }

    /// As `iter`, to change what they brought.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Arc<Waiter>, &mut P)> {
        self.entries.iter_mut().map(|entry| (&entry.waiter, &mut entry.payload))
    }

    /// What the entries brought, first to last.
    pub fn payloads(&self) -> impl Iterator<Item = &P> {
        self.entries.iter().map(|entry| &entry.payload)
    }

    /// Empties the list without waking anybody and returns what the entries brought: in a forked child, whose other
    /// threads are gone.
    pub fn forget(&mut self) -> Vec<P> {
        self.entries.drain(..).map(|entry| entry.payload).collect()
    }

    fn place(&self, ticket: Ticket) -> Option<usize> {
        self.entries.binary_search_by_key(&ticket, |entry| entry.ticket).ok()
    }

    /// Gives memory back after a crowd has gone.
    fn shrink(&mut self) {
        if self.entries.capacity() > 64 && self.entries.len() * 4 < self.entries.capacity() {
            self.entries.shrink_to(self.entries.len() * 2);
        }
    }
}

impl<P> Default for WaitList<P> {
    fn default() -> WaitList<P> {
        WaitList::new()
    }
}
