//! The queue of a thread pool: tasks in order, workers that come, wait and leave, and submitters that wait for room.
//!
//! A claimed worker has one task of the queue *reserved* for it and takes it when it runs. A claimed submitter's task
//! has already been moved on. So a claim settles an operation, and a wait that ends by anything else has done nothing.
//! The backlog bounds the tasks that no worker is on its way to, be it a woken one or one that is being started.
//!
//! Wake-ups are passed on: while one worker is on its way, a further task only joins the queue, and whoever takes a task
//! from a queue that holds more claims the next idle worker. A burst of small tasks then wakes one worker, not all.
//!
//! Invariants, under `state`:
//! - an unclaimed worker is idle only while every task of the queue is reserved, or a worker is on its way to them;
//! - a submitter is enqueued only while the backlog is full and no worker can be had, or one before it was told of room;
//! - `reserved` is the number of claimed workers that have not run yet, and never exceeds the queue's length;
//! - while a task is in the queue, there is a worker: one leaves only when the pool is closed and drained.
//!
//! Looking is in `thread_pool/looking.rs`, workers that wait for tasks of their own pool in `thread_pool/stalled.rs`, what is
//! counted in `thread_pool/stats.rs`, and the pool of a forked child in `thread_pool/forked.rs`. Not here: threads, sleeping,
//! and what a task is.

use std::time::Instant;

use crate::{
    blocks::Blocks,
    fork,
    sync::{self, Arc, Mutex, MutexGuard},
    waiter::{Claim, Ticket, WaitList, Waiter, Wakes},
};

mod forked;
mod looking;
mod notified;
mod stalled;
mod stats;

use looking::{Looking, News};
pub use notified::Submitting;
use stalled::Stalled;
use stats::Book;
pub use stats::Snapshot;

const GO: Claim = Claim::Ready(0);
const CLOSED: Claim = Claim::Ready(1);

/// The queue that the handle of a pool and its workers share.
#[derive(Debug)]
pub struct ThreadPool<T> {
    /// The most workers there may be.
    limit: usize,
    backlog: Option<usize>,
    news: News,
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    queue: Blocks<T>,
    reserved: usize,
    idle: WaitList,
    looking: Looking,
    submitters: WaitList<Submitter<T>>,
    /// Coroutines that were told of room and have not run yet.
    promised: usize,
    /// Started or being started, and not yet gone.
    workers: usize,
    /// Being started; each was called for by one task, which another worker may take first.
    starting: usize,
    closed: bool,
    /// Those who wait for the last worker to leave.
    joiners: WaitList,
    /// Workers that wait for a task of this pool.
    stalled: WaitList<Stalled>,
    book: Book,
    generation: u64,
    /// What the parent of a fork had queued. Never run; kept because this is no place to drop it.
    lost: Vec<T>,
}

/// Who waits for room.
#[derive(Debug)]
enum Submitter<T> {
    /// With its task, which is moved on when it is claimed.
    Thread(T),
    /// It keeps its task, and submits when it runs.
    Coroutine { operation: usize, told: bool },
}

impl<T> Submitter<T> {
    fn into_task(self) -> Option<T> {
        if let Submitter::Thread(task) = self { Some(task) } else { None }
    }
}

/// What became of a submission. A rejected task comes back.
#[derive(Debug)]
pub enum Submit<T> {
    /// A worker will get to it.
    Queued(Wakes),
    /// Queued, and the caller has to start a worker: [`ThreadPool::begin`], or [`ThreadPool::not_started`].
    Start,
    /// No room now.
    Full(T),
    /// The pool takes no more tasks.
    Closed(T),
    /// Enqueued together with the task.
    Wait(Ticket),
    /// The wait ended otherwise; nothing was submitted.
    GaveUp(T),
}

/// What a worker is to do next.
#[derive(Debug)]
pub enum Next<T> {
    /// Run this; first wake those.
    Run(T, Wakes),
    /// First wake those; then [`ThreadPool::look`], and come back by [`ThreadPool::looked`].
    Look(Wakes),
    /// First wake those; then sleep, it is enqueued.
    Wait(Ticket, Wakes),
    /// Go: the pool is closed and drained, and no longer counts this worker.
    Leave(Wakes),
}

impl<T> ThreadPool<T> {
    /// An open pool without workers.
    pub fn new(limit: usize, backlog: Option<usize>) -> ThreadPool<T> {
        ThreadPool { limit, backlog, news: News::default(), state: Mutex::new(State::new()) }
    }

    /// The most workers there may be.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// How many tasks may be queued; `None` is unbounded.
    pub fn backlog(&self) -> Option<usize> {
        self.backlog
    }

    /// Queues a task if there is room.
    pub fn try_submit(&self, task: T) -> Submit<T> {
        self.put(&mut self.lock(), self.backlog, task)
    }

    /// Queues a task whatever the backlog: for the pool's own workers, whose waiting could keep it full for ever.
    pub fn submit_over(&self, task: T) -> Submit<T> {
        self.put(&mut self.lock(), None, task)
    }

    /// Queues a task, or enqueues `waiter` with it.
    pub fn submit(&self, task: T, waiter: &Arc<Waiter>) -> Submit<T> {
        let mut state = self.lock();
        match self.put(&mut state, self.backlog, task) {
            Submit::Full(task) => Submit::Wait(state.submitters.push(Arc::clone(waiter), Submitter::Thread(task))),
            settled => settled,
        }
    }

    /// Settles a submission after its wait ended with `claim`.
    pub fn resume_submit(&self, ticket: Ticket, claim: Claim) -> Submit<T> {
        let task = self.lock().submitters.remove(ticket).and_then(Submitter::into_task);
        match (task, claim) {
            (None, _) => Submit::Queued(Wakes::default()),
            (Some(task), CLOSED) => Submit::Closed(task),
            (Some(task), _) => Submit::GaveUp(task),
        }
    }

    /// What a worker that was just started is to do.
    pub fn begin(&self, waiter: &Arc<Waiter>) -> Next<T> {
        let mut state = self.lock();
        state.starting = state.starting.saturating_sub(1);
        state.book.begins(Instant::now());
        self.take_or_look(&mut state, waiter)
    }

    /// What a worker that has run a task is to do next.
    pub fn next(&self, waiter: &Arc<Waiter>) -> Next<T> {
        let mut state = self.lock();
        state.book.ended();
        self.take_or_look(&mut state, waiter)
    }

    /// What a worker is to do whose wait ended with `claim`.
    pub fn resume(&self, ticket: Ticket, claim: Claim, waiter: &Arc<Waiter>) -> Next<T> {
        let mut state = self.lock();
        state.idle.remove(ticket);
        state.book.wakes(Instant::now());
        if claim == GO {
            // Zero if the queue was emptied (closed, or a fork) after the claim.
            state.reserved = state.reserved.saturating_sub(1);
        }
        self.take_or_look(&mut state, waiter)
    }

    /// The worker that was to be started does not exist. If there is no other, nobody will ever get to the tasks, those of
    /// blocked submitters included: they come back.
    pub fn not_started(&self) -> (Vec<T>, Wakes) {
        let mut state = self.lock();
        state.starting = state.starting.saturating_sub(1);
        let mut wakes = state.gone();
        if state.workers > 0 {
            return (Vec::new(), wakes);
        }
        let mut stranded = state.empty();
        // A coroutine that is told will find no worker, and start one itself.
        for _ in 0..state.submitters.len() {
            stranded.extend(state.let_in(&mut wakes));
        }
        (stranded, wakes)
    }

    /// Takes no more tasks. What is queued will be run, unless `empty`: then it comes back.
    pub fn close(&self, empty: bool) -> (Vec<T>, Wakes) {
        let mut state = self.lock();
        let mut wakes = Wakes::default();
        state.closed = true;
        state.idle.claim_all(CLOSED, &mut wakes);
        state.submitters.claim_all(CLOSED, &mut wakes);
        self.tell(&state);
        let emptied = if empty { state.empty() } else { Vec::new() };
        (emptied, wakes)
    }

    /// Enqueues `waiter` until the last worker has left; `None` when there is none.
    pub fn join(&self, waiter: &Arc<Waiter>) -> Option<Ticket> {
        let mut state = self.lock();
        (state.workers > 0).then(|| state.joiners.push(Arc::clone(waiter), ()))
    }

    /// Leaves the queue of those who join.
    pub fn leave_join(&self, ticket: Ticket) {
        self.lock().joiners.remove(ticket);
    }

    /// Takes everything out, also what blocked submitters brought: for a collector that found the pool unreachable.
    pub fn clear(&self) -> Vec<T> {
        let mut state = self.lock();
        let mut tasks = state.empty();
        tasks.extend(state.submitters.forget().into_iter().filter_map(Submitter::into_task));
        tasks.append(&mut state.lost);
        tasks
    }

    /// Calls `visit` with every task the pool holds, until it fails. `visit` must not call the pool.
    pub fn visit<E>(&self, mut visit: impl FnMut(&T) -> Result<(), E>) -> Result<(), E> {
        let state = sync::lock(&self.state);
        let blocked = state.submitters.payloads().filter_map(|submitter| match submitter {
            Submitter::Thread(task) => Some(task),
            Submitter::Coroutine { .. } => None,
        });
        state.queue.iter().chain(blocked).chain(&state.lost).try_for_each(&mut visit)
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        let mut state = sync::lock(&self.state);
        if state.generation != fork::generation() {
            state.restart();
        }
        state
    }
}

impl<T> State<T> {
    fn new() -> State<T> {
        State {
            queue: Blocks::new(),
            reserved: 0,
            idle: WaitList::new(),
            looking: Looking::default(),
            submitters: WaitList::new(),
            promised: 0,
            workers: 0,
            starting: 0,
            closed: false,
            joiners: WaitList::new(),
            stalled: WaitList::new(),
            book: Book::new(Instant::now()),
            generation: fork::generation(),
            lost: Vec::new(),
        }
    }

    fn submit(&mut self, limit: usize, backlog: Option<usize>, task: T) -> Submit<T> {
        if self.closed {
            return Submit::Closed(task);
        }
        let mut wakes = Wakes::default();
        // A task behind all that idle workers will get to may be waited for by them: it has a worker started if one can be had.
        let is_one_over = self.workers < limit && self.waiting() >= self.idle.len() + usize::from(self.looking.is_on);
        // A bounded pool counts the workers on their way, so it claims one for each task.
        let is_foreseen = self.looking.is_on || (self.reserved > 0 && backlog.is_none() && !self.idle.is_empty());
        if !is_one_over && (is_foreseen || self.claim_idle(&mut wakes)) {
            self.queue.push(task);
            return Submit::Queued(wakes);
        }
        if self.workers < limit {
            self.queue.push(task);
            self.workers += 1;
            self.starting += 1;
            return Submit::Start;
        }
        if backlog.is_some_and(|backlog| self.waiting() >= backlog) {
            return Submit::Full(task);
        }
        self.queue.push(task);
        Submit::Queued(Wakes::default())
    }

    fn next(&mut self, backlog: Option<usize>, waiter: &Arc<Waiter>, may_look: bool) -> Next<T> {
        let mut wakes = Wakes::default();
        if self.queue.len() > self.reserved
            && let Some(task) = self.queue.pop()
        {
            self.book.took();
            self.admit(backlog, &mut wakes);
            if self.reserved == 0 && !self.looking.is_on && self.queue.len() > 0 {
                self.claim_idle(&mut wakes);
            }
            return Next::Run(task, wakes);
        }
        // Without a backlog a blocked submitter's task goes straight to the worker.
        if let Some(task) = self.let_in(&mut wakes) {
            self.book.took();
            return Next::Run(task, wakes);
        }
        if self.closed {
            self.book.leaves(Instant::now());
            return Next::Leave(self.gone());
        }
        if may_look && self.looking.begins() {
            return Next::Look(wakes);
        }
        self.book.sleeps(Instant::now());
        waiter.rearm();
        Next::Wait(self.idle.push(Arc::clone(waiter), ()), wakes)
    }

    /// Claims the first idle worker for a task; whether there was one.
    fn claim_idle(&mut self, wakes: &mut Wakes) -> bool {
        let Some((worker, ())) = self.idle.claim_first(GO) else { return false };
        self.reserved += 1;
        wakes.add(worker);
        true
    }

    /// Tasks that no worker is on its way to.
    fn waiting(&self) -> usize {
        self.queue.len().saturating_sub(self.reserved + self.starting)
    }

    /// Claims the first submitter that waits: the task it brought, or it is told.
    fn let_in(&mut self, wakes: &mut Wakes) -> Option<T> {
        let (waiter, left) = self.submitters.claim_where(|waiter, submitter| match submitter {
            Submitter::Thread(_) => waiter.claim(GO).then_some(true),
            Submitter::Coroutine { told: true, .. } => None,
            Submitter::Coroutine { operation, told } => {
                *told = waiter.claim(Claim::Ready(*operation));
                told.then_some(false)
            }
        })?;
        wakes.add(waiter);
        self.promised += usize::from(left.is_none());
        left.and_then(Submitter::into_task)
    }

    /// Moves the first blocked submitter's task into the room that was made.
    fn admit(&mut self, backlog: Option<usize>, wakes: &mut Wakes) {
        if backlog.is_some_and(|backlog| self.waiting() < backlog)
            && let Some(task) = self.let_in(wakes)
        {
            self.queue.push(task);
        }
    }

    /// One worker less; after the last, those who join are woken. Those that stay may now all wait, as in `stall`.
    fn gone(&mut self) -> Wakes {
        let mut wakes = Wakes::default();
        // Zero if this worker forked: the child's pool never counted it.
        self.workers = self.workers.saturating_sub(1);
        if self.workers == 0 {
            self.joiners.claim_all(GO, &mut wakes);
        }
        self.refuse_if_starving(&mut wakes);
        wakes
    }

    /// Takes all queued tasks out, also those reserved for a worker that is on its way: it will find nothing.
    fn empty(&mut self) -> Vec<T> {
        self.reserved = 0;
        self.queue.split_off(0)
    }
}
