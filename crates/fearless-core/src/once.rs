//! Something that is done once: one caller does it, the others wait; a caller that fails leaves it to the next.
//!
//! | state | from | by |
//! |---|---|---|
//! | undone | the beginning, running | nothing was done yet; the caller failed, or did not survive a fork |
//! | running | undone | one caller has begun |
//! | done | running, undone | it has ended; never taken back |
//!
//! While it runs, waiters are enqueued. The end claims all of them; a failure tells the first, who may begin.
//!
//! Not here: what is done, and what came of it.

use std::ops::Deref;

use crate::{
    fork,
    owner::Owner,
    select::{Place, Source},
    sync::{
        self, Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    waiter::{Claim, Ticket, WaitList, Waiter, Wakes},
};

/// Whether something has been done.
#[derive(Debug, Default)]
pub struct Once {
    /// Set once, after the state.
    is_done: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Who does it, and the fork generation in which that began.
    running: Option<(Owner, u64)>,
    waiters: WaitList<Waiting>,
    generation: u64,
}

#[derive(Debug)]
struct Waiting {
    /// Which operation of its waiter's call it is.
    operation: usize,
    /// It was told to look again, and has not run yet.
    told: bool,
}

/// What a caller is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Nothing: it is done.
    Done,
    /// Do it, then call [`Once::end`].
    Mine,
    /// Wait, then begin again.
    Wait(Ticket),
    /// Nothing: the caller is doing it already.
    Deadlock,
}

impl Once {
    /// Nothing was done yet.
    pub fn new() -> Once {
        Once::default()
    }

    /// Whether it is done; what was done is then seen.
    pub fn is_done(&self) -> bool {
        self.is_done.load(Ordering::Acquire)
    }

    /// Whether somebody does it.
    pub fn is_running(&self) -> bool {
        self.lock().running.is_some()
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.lock().waiters.len()
    }

    /// Begins, or enqueues `waiter`.
    pub fn begin(&self, me: Owner, waiter: &Arc<Waiter>) -> Begin {
        let mut state = self.lock();
        self.try_begin(&mut state, me).unwrap_or_else(|| state.enqueue(waiter, 0, None))
    }

    /// Goes on after the wait of `ticket` ended with `claim`; `None`: the caller gave up, and the next was told.
    pub fn resume(&self, me: Owner, ticket: Ticket, waiter: &Arc<Waiter>, claim: Claim) -> (Option<Begin>, Wakes) {
        if !matches!(claim, Claim::Ready(_)) {
            return (None, self.leave(ticket));
        }
        let mut state = self.lock();
        state.waiters.remove(ticket);
        let begun = self.try_begin(&mut state, me).unwrap_or_else(|| {
            waiter.rearm();
            state.enqueue(waiter, 0, Some(ticket))
        });
        (Some(begun), Wakes::default())
    }

    /// Begins if nobody else does it; `None`: somebody does.
    pub fn begin_now(&self, me: Owner) -> Option<Begin> {
        self.try_begin(&mut self.lock(), me)
    }

    fn try_begin(&self, state: &mut State, me: Owner) -> Option<Begin> {
        match state.running {
            _ if self.is_done() => Some(Begin::Done),
            None => {
                state.running = Some((me, fork::generation()));
                Some(Begin::Mine)
            }
            Some((owner, _)) if me.is_stuck_behind(owner) => Some(Begin::Deadlock),
            Some(_) => None,
        }
    }

    /// Leaves the queue without beginning; the next is told, if there is something to do.
    fn leave(&self, ticket: Ticket) -> Wakes {
        let mut state = self.lock();
        state.waiters.remove(ticket);
        let mut wakes = Wakes::default();
        self.tell(&mut state, &mut wakes);
        wakes
    }

    /// The caller that began has ended: it is done, or it failed and another may begin.
    pub fn end(&self, is_done: bool) -> Wakes {
        let mut state = self.lock();
        state.running = None;
        let mut wakes = Wakes::default();
        if is_done {
            self.is_done.store(true, Ordering::Release);
        }
        self.tell(&mut state, &mut wakes);
        wakes
    }

    /// Tells all when it is done, and the first when somebody may begin.
    fn tell(&self, state: &mut State, wakes: &mut Wakes) {
        if self.is_done() {
            state.waiters.tell_all(|waiting| (&mut waiting.told, waiting.operation), wakes);
        } else if state.running.is_none() {
            state.waiters.tell_first(|waiting| (&mut waiting.told, waiting.operation), wakes);
        }
    }

    /// The state, without what a fork has lost.
    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = sync::lock(&self.state);
        if state.generation != fork::generation() {
            state.generation = fork::generation();
            state.waiters.forget();
            if state.running.is_some_and(|(owner, generation)| fork::vanished(owner.thread, generation)) {
                state.running = None;
            }
        }
        state
    }
}

impl State {
    fn enqueue(&mut self, waiter: &Arc<Waiter>, operation: usize, place: Option<Ticket>) -> Begin {
        let waiting = Waiting { operation, told: false };
        Begin::Wait(self.waiters.push_at(place, Arc::clone(waiter), waiting))
    }
}

/// Beginning as an operation of a call that is notified.
#[derive(Debug)]
pub struct Beginning<H> {
    /// Keeps the object.
    pub holder: H,
    /// Who begins.
    pub owner: Owner,
    /// What the caller is to do, once it went ahead.
    pub outcome: Option<Begin>,
    place: Place,
}

impl<H: Deref<Target = Once>> Beginning<H> {
    /// To begin what `holder` is about.
    pub fn new(holder: H) -> Beginning<H> {
        Beginning { holder, owner: Owner::default(), outcome: None, place: Place::None }
    }
}

impl<H: Deref<Target = Once>> Source for Beginning<H> {
    fn attempt(&mut self) -> bool {
        self.outcome = self.holder.begin_now(self.owner);
        self.outcome.is_some()
    }

    fn enlist(&mut self, waiter: &Arc<Waiter>, operation: usize) -> bool {
        let mut state = self.holder.lock();
        if self.holder.is_done() || state.running.is_none() {
            return false;
        }
        if let Begin::Wait(ticket) = state.enqueue(waiter, operation, self.place.held_before()) {
            self.place = Place::Taken(ticket);
        }
        true
    }

    fn act(&mut self) -> bool {
        let Some(ticket) = self.place.leave() else { return self.attempt() };
        let mut state = self.holder.lock();
        state.waiters.remove(ticket);
        self.outcome = self.holder.try_begin(&mut state, self.owner);
        self.outcome.is_some()
    }

    fn withdraw(&mut self) -> bool {
        if let Some(ticket) = self.place.leave() {
            self.holder.leave(ticket).wake();
        }
        false
    }
}
