//! What stands open or shut, and who waits for it to open: the half that `event` and `latch` share.
//!
//! Nothing is consumed, so opening settles every wait at once: who was enlisted then has passed, also if the gate is shut
//! again before it runs. That holds for notified waiters as well, whose entries remember it.
//!
//! Not here: why it opens.

use std::ops::Deref;

use crate::{
    fork,
    select::{Place, Source},
    sync::{
        self, Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    waiter::{Claim, Step, Ticket, WaitList, Waiter, Wakes},
};

/// Open or shut.
#[derive(Debug)]
pub struct Gate {
    /// Changes only under `state`, so that who finds it shut there is in the list before it opens.
    open: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    waiters: WaitList<Waiting>,
    /// How often it went from shut to open.
    opened: u64,
    generation: u64,
}

/// What a waiter brought.
#[derive(Debug)]
struct Waiting {
    /// Which operation of its waiter's call it is; 0 for a blocked thread.
    operation: usize,
    /// The gate was opened while it waited.
    passed: bool,
}

impl Gate {
    /// A gate.
    pub fn new(open: bool) -> Gate {
        let state = State { waiters: WaitList::new(), opened: u64::from(open), generation: fork::generation() };
        Gate { open: AtomicBool::new(open), state: Mutex::new(state) }
    }

    /// Whether it is open.
    pub fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    /// Opens it, and lets all pass who wait.
    pub fn open(&self) -> Wakes {
        let mut state = self.lock();
        if !self.open.swap(true, Ordering::AcqRel) {
            state.opened += 1;
        }
        let mut wakes = Wakes::default();
        state.waiters.go_through(&mut wakes, |waiter, waiting| {
            // Also of one that was claimed otherwise: a select that another operation was tried for in vain has not missed it.
            waiting.passed = true;
            if waiter.claim(Claim::Ready(waiting.operation)) { Step::Wake } else { Step::Stay }
        });
        wakes
    }

    /// Shuts it.
    pub fn shut(&self) {
        let _state = self.lock();
        self.open.store(false, Ordering::Release);
    }

    /// Enlists `waiter`; `None` when the gate is open.
    pub fn wait(&self, waiter: &Arc<Waiter>) -> Option<Ticket> {
        self.enlist(waiter, 0, None)
    }

    /// Ends the wait of `ticket`. Whether it has passed is told by the claim.
    pub fn leave(&self, ticket: Ticket) {
        self.lock().waiters.remove(ticket);
    }

    /// How often it was opened.
    pub fn opened(&self) -> u64 {
        self.lock().opened
    }

    /// How many threads and coroutines are enlisted.
    pub fn waiting(&self) -> usize {
        self.lock().waiters.len()
    }

    fn enlist(&self, waiter: &Arc<Waiter>, operation: usize, place: Option<Ticket>) -> Option<Ticket> {
        let mut state = self.lock();
        if self.is_open() {
            return None;
        }
        let waiting = Waiting { operation, passed: false };
        Some(state.waiters.push_at(place, Arc::clone(waiter), waiting))
    }

    /// Ends the wait of a notified waiter: whether the gate was opened meanwhile.
    fn withdraw(&self, ticket: Ticket) -> bool {
        self.lock().waiters.remove(ticket).is_some_and(|waiting| waiting.passed)
    }

    /// The state, without the waiters that a fork has lost.
    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = sync::lock(&self.state);
        if state.generation != fork::generation() {
            state.generation = fork::generation();
            state.waiters.forget();
        }
        state
    }
}

/// Waiting for a gate as an operation of a call that is notified.
#[derive(Debug)]
pub struct Passing<H> {
    /// Keeps the gate.
    pub holder: H,
    /// The gate was opened while this waited. Stays, so that a call which was kept from its turn has not missed it.
    passed: bool,
    place: Place,
}

impl<H: Deref<Target = Gate>> Passing<H> {
    /// Waiting for the gate of `holder`.
    pub fn new(holder: H) -> Passing<H> {
        Passing { holder, passed: false, place: Place::None }
    }
}

impl<H: Deref<Target = Gate>> Source for Passing<H> {
    fn attempt(&mut self) -> bool {
        self.passed || self.holder.is_open()
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        if self.passed {
            return false;
        }
        match self.holder.enlist(waiter, operation, self.place.held_before()) {
            Some(ticket) => {
                self.place = Place::Taken(ticket);
                true
            }
            None => false,
        }
    }

    fn act(&mut self) -> bool {
        self.withdraw();
        self.attempt()
    }

    fn withdraw(&mut self) -> bool {
        if let Some(ticket) = self.place.leave() {
            self.passed |= self.holder.withdraw(ticket);
        }
        false
    }
}
