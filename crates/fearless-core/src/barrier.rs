//! A meeting point: whoever arrives waits until all parties have.
//!
//! | entry of a waiter | means                                                                          |
//! |-------------------|--------------------------------------------------------------------------------|
//! | not settled       | others of its phase are still to come, or its leader is at the action          |
//! | `Passed`          | all have come                                                                  |
//! | `Lead`            | it came last, and may now begin its action                                     |
//! | `Broken`          | somebody gave up, or the barrier was aborted or reset                          |
//!
//! A *phase* is one meeting; the next begins with the last arrival. Who arrives last leads: with an action, it calls it
//! first and then lets the others pass. Actions follow each other, so if more threads than parties come by, the leader of the
//! next phase waits for the end of the action before it.
//!
//! The parties of a phase agree on how it ended. What was settled stands, whatever else ended the wait of one of them: a
//! deadline that meets the last arrival has come too late.
//!
//! Here: the phases, and the operations of threads. `notified` has those of coroutines. Not here: sleeping, and the action.

mod notified;

pub use notified::Arriving;

use crate::{
    fork,
    sync::{self, Arc, Mutex, MutexGuard},
    waiter::{Claim, Step, Ticket, WaitList, Waiter, Wakes},
};

/// A barrier.
#[derive(Debug)]
pub struct Barrier {
    parties: usize,
    has_action: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Who arrives now arrives in this phase.
    phase: u64,
    /// How many have arrived in it.
    arrived: usize,
    /// The phase whose leader is at its action, or was told to begin. Those between it and `phase` are complete.
    acting: Option<u64>,
    broken: bool,
    waiters: WaitList<Waiting>,
    /// How many phases ended well.
    passed: u64,
    generation: u64,
}

/// What a waiter brought.
#[derive(Debug)]
struct Waiting {
    /// Which operation of its waiter's call it is; 0 for a blocked thread.
    operation: usize,
    phase: u64,
    /// How many of its phase had come before it.
    index: usize,
    settled: Option<Settled>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Settled {
    Passed,
    Lead,
    Broken,
}

/// A phase whose action is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phase(u64);

/// What became of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// All have come. How many had come before the caller.
    Passed(usize),
    /// All have come, and the caller has to call the action; see [`Barrier::conclude`].
    Lead(usize, Phase),
    /// The barrier is broken.
    Broken,
}

impl Barrier {
    /// A barrier for `parties`, at least one. With an action, somebody leads each phase.
    pub fn new(parties: usize, has_action: bool) -> Barrier {
        let state = State {
            phase: 0,
            arrived: 0,
            acting: None,
            broken: false,
            waiters: WaitList::new(),
            passed: 0,
            generation: fork::generation(),
        };
        Barrier { parties: parties.max(1), has_action, state: Mutex::new(state) }
    }

    /// Arrives if that needs no wait. `None`: it would, and the caller has not arrived.
    pub fn try_arrive(&self) -> (Option<Arrival>, Wakes) {
        let mut state = self.lock();
        if self.must_wait(&state) {
            return (None, Wakes::default());
        }
        let (arrival, wakes) = self.complete(&mut state);
        (Some(arrival), wakes)
    }

    /// Arrives. `Err`: `waiter` is enlisted, for the others to come.
    pub fn arrive(&self, waiter: &Arc<Waiter>) -> (Result<Arrival, Ticket>, Wakes) {
        let mut state = self.lock();
        if self.must_wait(&state) {
            return (Err(self.enlist_in(&mut state, waiter, 0)), Wakes::default());
        }
        let (arrival, wakes) = self.complete(&mut state);
        (Ok(arrival), wakes)
    }

    /// Ends the wait of `ticket`, which ended with `claim`. `None`: the caller gave up, and that has broken the barrier.
    pub fn resume(&self, ticket: Ticket, claim: Claim) -> (Option<Arrival>, Wakes) {
        self.leave(ticket, !matches!(claim, Claim::Ready(_)))
    }

    /// Ends the action of `phase`, well or not: whether the phase has passed. It has not if the barrier was broken or reset
    /// meanwhile.
    pub fn conclude(&self, phase: Phase, well: bool) -> (bool, Wakes) {
        let mut state = self.lock();
        if state.acting != Some(phase.0) {
            return (false, Wakes::default());
        }
        let wakes = if well { self.pass(&mut state, phase.0) } else { self.break_up(&mut state) };
        (well, wakes)
    }

    /// Breaks the barrier: all who wait, and all who come, are told so until `reset`.
    pub fn abort(&self) -> Wakes {
        let mut state = self.lock();
        self.break_up(&mut state)
    }

    /// Makes the barrier as it was at first. For those who wait it is broken.
    pub fn reset(&self) -> Wakes {
        let mut state = self.lock();
        let wakes = self.break_up(&mut state);
        state.broken = false;
        wakes
    }

    /// How many have to come.
    pub fn parties(&self) -> usize {
        self.parties
    }

    /// How many have come and wait for the others.
    pub fn waiting(&self) -> usize {
        self.lock().waiters.payloads().filter(|waiting| waiting.settled.is_none()).count()
    }

    /// Whether it is broken.
    pub fn is_broken(&self) -> bool {
        self.lock().broken
    }

    /// How many phases ended well.
    pub fn passed(&self) -> u64 {
        self.lock().passed
    }

    fn must_wait(&self, state: &State) -> bool {
        !state.broken && (state.arrived + 1 < self.parties || state.acting.is_some())
    }

    /// The last arrival of a phase, or one that finds the barrier broken.
    fn complete(&self, state: &mut State) -> (Arrival, Wakes) {
        if state.broken {
            return (Arrival::Broken, Wakes::default());
        }
        let (phase, index) = self.count(state);
        if self.has_action {
            state.acting = Some(phase);
            return (Arrival::Lead(index, Phase(phase)), Wakes::default());
        }
        (Arrival::Passed(index), self.pass(state, phase))
    }

    /// Counts an arrival: its phase, and how many came before it.
    fn count(&self, state: &mut State) -> (u64, usize) {
        let arrival = (state.phase, state.arrived);
        state.arrived += 1;
        if state.arrived == self.parties {
            state.begin_phase();
        }
        arrival
    }

    fn enlist_in(&self, state: &mut State, waiter: &Arc<Waiter>, operation: usize) -> Ticket {
        let (phase, index) = self.count(state);
        state.waiters.push(Arc::clone(waiter), Waiting { operation, phase, index, settled: None })
    }

    /// Takes the entry of `ticket` out: how its wait ended. `None`: it gives up what was not settled, or the lead.
    fn leave(&self, ticket: Ticket, gives_up: bool) -> (Option<Arrival>, Wakes) {
        let mut state = self.lock();
        // Not there: forgotten in the child of a fork, whose barrier has begun anew.
        let Some(waiting) = state.waiters.remove(ticket) else { return (Some(Arrival::Broken), Wakes::default()) };
        match waiting.settled {
            Some(Settled::Passed) => (Some(Arrival::Passed(waiting.index)), Wakes::default()),
            Some(Settled::Broken) => (Some(Arrival::Broken), Wakes::default()),
            Some(Settled::Lead) if !gives_up => {
                (Some(Arrival::Lead(waiting.index, Phase(waiting.phase))), Wakes::default())
            }
            Some(Settled::Lead) | None => (None, self.break_up(&mut state)),
        }
    }

    /// Lets those who wait in `phase` pass, and the leader of the next begin if that is complete.
    fn pass(&self, state: &mut State, phase: u64) -> Wakes {
        let next = phase + 1;
        let is_next_complete = state.phase > next;
        state.passed += 1;
        state.acting = is_next_complete.then_some(next);
        state.settle(|waiting| {
            let leads = waiting.phase == next && waiting.index + 1 == self.parties;
            match waiting.phase == phase {
                true => Some(Settled::Passed),
                false => (is_next_complete && leads).then_some(Settled::Lead),
            }
        })
    }

    fn break_up(&self, state: &mut State) -> Wakes {
        state.broken = true;
        state.acting = None;
        state.begin_phase();
        state.settle(|waiting| (waiting.settled != Some(Settled::Passed)).then_some(Settled::Broken))
    }

    /// The state, without what a fork has lost: who had arrived, and who was at the action.
    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = sync::lock(&self.state);
        if state.generation != fork::generation() {
            state.generation = fork::generation();
            state.waiters.forget();
            state.acting = None;
            state.begin_phase();
        }
        state
    }
}

impl State {
    fn begin_phase(&mut self) {
        self.phase += 1;
        self.arrived = 0;
    }

    /// Settles the entries for which `how` says so, and wakes them. What is settled stands also for one that was claimed
    /// otherwise: its owner sees it when it leaves.
    fn settle(&mut self, how: impl Fn(&Waiting) -> Option<Settled>) -> Wakes {
        let mut wakes = Wakes::default();
        self.waiters.go_through(&mut wakes, |waiter, waiting| {
            let Some(settled) = how(waiting) else { return Step::Stay };
            waiting.settled = Some(settled);
            if waiter.claim(Claim::Ready(waiting.operation)) { Step::Wake } else { Step::Stay }
        });
        wakes
    }
}
