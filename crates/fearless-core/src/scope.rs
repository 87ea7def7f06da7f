//! The cancellation tree: scopes, what they cancel, and which of them a cancellation belongs to.
//!
//! A cancelled scope stays cancelled: every later wait inside it ends at once. Cancelling claims the waiters that
//! are attached to the scope and goes down to its children. A thread waits in one scope, the innermost; the tree does
//! the rest.
//!
//! A shielded scope is the root of a tree of its own: neither a cancellation nor a deadline comes in from where it was
//! entered. So who enters a scope remembers where he was.
//!
//! A scope counts the tasks that run in it, and its owner waits for the count to fall to zero.
//!
//! Not here: how a task holds its count, and joining as a coroutine (`scope/joining.rs`); the tasks, their results and their
//! threads.

use std::{mem, sync::Arc, time::Instant};

use crate::{
    fork,
    sync::{
        self, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    waiter::{Claim, Ticket, WaitList, Waiter, Wakes},
};

mod joining;

pub use joining::{Counted, Joining};

/// One scope of the tree. Scopes are shared by the standard library's `Arc`, also under the model, whose own cannot be the
/// type of `self`.
#[derive(Debug)]
pub struct Scope {
    /// The scope around it, unless it is shielded from what happens there.
    parent: Option<Arc<Scope>>,
    deadline: Option<Instant>,
    /// Set once, by the scope's own [`Scope::cancel`].
    cancelled: AtomicBool,
    /// Set once, when this scope or one above it is cancelled; the only thing that a fast path reads.
    stopped: AtomicBool,
    /// Set once, when its own deadline ended it.
    timed_out: AtomicBool,
    /// Set once, by [`Scope::leave`].
    left: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiters: Vec<sync::Arc<Waiter>>,
    children: Vec<Arc<Scope>>,
    /// Tasks that have not ended.
    running: usize,
    /// Whoever joins is to look at the tasks again first.
    has_news: bool,
    joiners: WaitList,
    generation: u64,
}

impl Scope {
    /// A scope inside `outside`, or, with a shield, entered there and in no other.
    pub fn enter(outside: Option<&Arc<Scope>>, deadline: Option<Instant>, is_shielded: bool) -> Arc<Scope> {
        Scope::new(outside.filter(|_| !is_shielded).map(Arc::clone), deadline)
    }

    /// A scope inside `parent`, which has to be taken out of it again by [`Scope::leave`].
    pub fn new(parent: Option<Arc<Scope>>, deadline: Option<Instant>) -> Arc<Scope> {
        let above = parent.as_ref().and_then(|parent| parent.deadline);
        let scope = Arc::new(Scope {
            deadline: [deadline, above].into_iter().flatten().min(),
            cancelled: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            timed_out: AtomicBool::new(false),
            left: AtomicBool::new(false),
            state: Mutex::new(State { generation: fork::generation(), ..State::default() }),
            parent,
        });
        if let Some(parent) = &scope.parent {
            // Registered before the look at `stopped`: a cancel in between finds the child, or the child finds it.
            sync::lock(&parent.state).children.push(Arc::clone(&scope));
            if parent.is_stopped() {
                scope.stop().wake();
            }
        }
        scope
    }

    /// Takes the scope out of its parent. After it, no cancellation reaches it from above. Whether nobody had done so.
    pub fn leave(self: &Arc<Scope>) -> bool {
        if self.left.swap(true, Ordering::AcqRel) {
            return false;
        }
        if let Some(parent) = &self.parent {
            sync::lock(&parent.state).children.retain(|child| !Arc::ptr_eq(child, self));
        }
        true
    }

    /// Whether it was left: nobody is in it any more, whatever he may remember.
    pub fn is_left(&self) -> bool {
        self.left.load(Ordering::Acquire)
    }

    /// The scope around this one, unless it is shielded.
    pub fn parent(&self) -> Option<&Arc<Scope>> {
        self.parent.as_ref()
    }

    /// Whether this scope or one above it is cancelled.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Whether this scope itself was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// When the scope, or one above it, runs out of time.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// This scope and those around it, from the inside out.
    fn upwards(self: &Arc<Scope>) -> impl Iterator<Item = &Arc<Scope>> {
        std::iter::successors(Some(self), |scope| scope.parent.as_ref())
    }

    /// The outermost cancelled scope among this one and those above: the one a cancellation belongs to.
    pub fn origin(self: &Arc<Scope>) -> Option<Arc<Scope>> {
        self.upwards().filter(|scope| scope.is_cancelled()).last().cloned()
    }

    /// The outermost scope whose deadline has passed.
    pub fn expired(self: &Arc<Scope>, now: Instant) -> Option<Arc<Scope>> {
        self.upwards().filter(|scope| scope.deadline.is_some_and(|at| at <= now)).last().cloned()
    }

    /// Cancels the scope because its time is over. One that is stopped already ends for the reason it had, even if its
    /// time passes while its tasks wind down.
    pub fn expire(&self) -> Wakes {
        if self.is_stopped() {
            return Wakes::default();
        }
        self.timed_out.store(true, Ordering::Release);
        self.cancel()
    }

    /// Whether [`Scope::expire`] cancelled it.
    pub fn is_timed_out(&self) -> bool {
        self.timed_out.load(Ordering::Acquire)
    }

    /// Cancels the scope and all below it; returns the waiters it claimed. Again is harmless.
    pub fn cancel(&self) -> Wakes {
        self.cancelled.store(true, Ordering::Release);
        self.stop()
    }

    fn stop(&self) -> Wakes {
        let mut wakes = Wakes::default();
        // No recursion: scopes may be nested without bound.
        let mut below = self.stop_into(&mut wakes);
        while let Some(scope) = below.pop() {
            below.extend(scope.stop_into(&mut wakes));
        }
        wakes
    }

    /// Stops this scope alone; returns those inside.
    fn stop_into(&self, wakes: &mut Wakes) -> Vec<Arc<Scope>> {
        self.stopped.store(true, Ordering::Release);
        let mut state = sync::lock(&self.state);
        for waiter in state.waiters.drain(..) {
            if waiter.claim(Claim::Cancelled) {
                wakes.add(waiter);
            }
        }
        state.children.clone()
    }

    /// Lets a cancellation claim `waiter`. A scope that is stopped already claims it at once.
    pub fn attach(&self, waiter: &sync::Arc<Waiter>) {
        let mut state = sync::lock(&self.state);
        // Under the lock: `stop_into` sets the flag before it takes the lock to drain the list.
        if self.is_stopped() {
            waiter.claim(Claim::Cancelled);
        } else {
            state.waiters.push(sync::Arc::clone(waiter));
        }
    }

    /// One more task runs in the scope.
    pub fn task_started(&self) {
        self.lock().running += 1;
    }

    /// A task has ended; after the last, whoever joins is woken.
    pub fn task_ended(&self) -> Wakes {
        let mut state = self.lock();
        let mut wakes = Wakes::default();
        // Zero before only in a forked child, where the task that forked is not counted any more.
        state.running = state.running.saturating_sub(1);
        if state.running == 0 {
            state.joiners.claim_all(Claim::Ready(0), &mut wakes);
        }
        wakes
    }

    /// Has whoever joins, now or next, come back before the last task has ended: there is one that it may have to run itself.
    pub fn look_again(&self) -> Wakes {
        let mut state = self.lock();
        let mut wakes = Wakes::default();
        // Also if somebody was claimed: it may have been so already, and is on its way with an older view.
        state.has_news = true;
        state.joiners.claim_all(Claim::Ready(0), &mut wakes);
        wakes
    }

    /// How many tasks have not ended.
    pub fn running(&self) -> usize {
        self.lock().running
    }

    /// Enqueues `waiter` until all tasks have ended; `None` when they have, or there is news ([`Scope::look_again`]).
    pub fn join(&self, waiter: &sync::Arc<Waiter>) -> Option<Ticket> {
        self.join_at(waiter, None)
    }

    fn join_at(&self, waiter: &sync::Arc<Waiter>, held: Option<Ticket>) -> Option<Ticket> {
        let mut state = self.lock();
        let waits = !mem::take(&mut state.has_news) && state.running > 0;
        waits.then(|| state.joiners.push_at(held, sync::Arc::clone(waiter), ()))
    }

    /// Leaves the queue of those who join.
    pub fn leave_join(&self, ticket: Ticket) {
        sync::lock(&self.state).joiners.remove(ticket);
    }

    /// In a forked child the threads of the tasks are gone, and nobody would ever count them down.
    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = sync::lock(&self.state);
        if state.generation != fork::generation() {
            state.generation = fork::generation();
            state.running = 0;
            state.has_news = false;
            state.joiners.forget();
        }
        state
    }

    /// Undoes [`Scope::attach`].
    pub fn detach(&self, waiter: &sync::Arc<Waiter>) {
        let mut state = sync::lock(&self.state);
        if let Some(place) = state.waiters.iter().rposition(|other| sync::Arc::ptr_eq(other, waiter)) {
            state.waiters.swap_remove(place);
        }
    }
}

impl Drop for Scope {
    /// One by one, as `stop`.
    fn drop(&mut self) {
        let mut above = self.parent.take();
        while let Some(mut scope) = above.and_then(Arc::into_inner) {
            above = scope.parent.take();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn cancelling_reaches_waiters_of_inner_scopes_and_belongs_to_the_outermost() {
        let outer = Scope::new(None, None);
        let inner = Scope::new(Some(Arc::clone(&outer)), None);
        let waiter = Waiter::new();
        inner.attach(&waiter);
        inner.cancel().wake();
        let late = Waiter::new();
        inner.attach(&late);

        outer.cancel().wake();

        assert_eq!(waiter.claimed(), Some(Claim::Cancelled));
        assert_eq!(late.claimed(), Some(Claim::Cancelled));
        assert!(Arc::ptr_eq(&inner.origin().expect("cancelled"), &outer));
    }

    #[test]
    fn a_scope_made_inside_a_cancelled_one_is_stopped_but_not_itself_cancelled() {
        let outer = Scope::new(None, None);
        outer.cancel().wake();

        let inner = Scope::new(Some(Arc::clone(&outer)), None);

        assert!(inner.is_stopped() && !inner.is_cancelled());
    }

    #[test]
    fn a_scope_that_was_left_is_out_of_reach_and_out_of_memory() {
        let outer = Scope::new(None, None);
        let inner = Scope::new(Some(Arc::clone(&outer)), None);

        inner.leave();
        outer.cancel().wake();

        assert!(!inner.is_stopped());
        assert!(sync::lock(&outer.state).children.is_empty());
    }

    #[test]
    fn a_scope_that_was_cancelled_first_does_not_time_out_while_it_winds_down() {
        let scope = Scope::new(None, Some(Instant::now()));
        scope.cancel().wake();

        scope.expire().wake();

        assert!(scope.is_cancelled() && !scope.is_timed_out());
    }

    #[test]
    fn scopes_may_be_nested_without_bound() {
        let outer = Scope::new(None, Some(Instant::now()));
        let mut scopes = vec![Arc::clone(&outer)];
        for _ in 0..50_000 {
            let parent = scopes.last().map(Arc::clone);
            scopes.push(Scope::new(parent, None));
        }
        let innermost = scopes.last().map(Arc::clone).expect("there are many");

        outer.cancel().wake();

        assert!(Arc::ptr_eq(&innermost.origin().expect("cancelled"), &outer));
        assert!(innermost.expired(Instant::now()).is_some());
        assert!(scopes.iter().all(Scope::leave));
        drop((outer, scopes));
        assert_eq!(Arc::strong_count(&innermost), 1); // the last, which is dropped with all above
    }

    #[test]
    fn a_detached_waiter_is_not_claimed() {
        let scope = Scope::new(None, None);
        let waiter = Waiter::new();
        scope.attach(&waiter);

        scope.detach(&waiter);
        assert!(scope.cancel().is_empty());

        assert_eq!(waiter.claimed(), None);
    }
}
