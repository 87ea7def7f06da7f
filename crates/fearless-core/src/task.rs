//! The outcome of one call: a state word, content that changes together with it, and those who join.
//!
//! | step     | from                 | to                     | when                                                   |
//! |----------|----------------------|------------------------|--------------------------------------------------------|
//! | `Begin`  | `Pending`            | `Running`              | a thread begins the call                               |
//! | `Cancel` | `Pending`            | `Cancelled`            | it was cancelled before that                           |
//! | `Notify` | `Cancelled`          | `CancelledAndNotified` | the thread that would have run it has seen it          |
//! | `Abort`  | `Running`            | `CancelledAndNotified` | the call itself ended by a cancellation                |
//! | `Finish` | `Pending`, `Running` | `Finished`             | there is a result or an error                          |
//!
//! The word changes under `inside`, together with the content, and is read without it. A sticky bit, [`Task::share`],
//! says that somebody outside (`concurrent.futures.wait`) watches the state under a lock of his own: from then on only
//! a caller with [`Pass::Holding`] may change it.
//!
//! A wait as a coroutine is in `task/notified.rs`. Not here: the call, and what a result is; both are the caller's content.

use crate::{
    sync::{
        self, Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    waiter::{Claim, Ticket, WaitList, Waiter, Wakes},
};

mod notified;

pub use notified::Ending;

/// The bit of the word that [`Task::share`] sets.
const SHARED: usize = 8;

/// Where a task is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not begun.
    Pending = 0,
    /// A thread is in the call.
    Running = 1,
    /// Cancelled before it began; nobody has come by to run it yet.
    Cancelled = 2,
    /// Cancelled, and whoever was to run it knows.
    CancelledAndNotified = 3,
    /// It has a result or an error.
    Finished = 4,
}

impl State {
    fn of(word: usize) -> State {
        match word & !SHARED {
            0 => State::Pending,
            1 => State::Running,
            2 => State::Cancelled,
            3 => State::CancelledAndNotified,
            _ => State::Finished,
        }
    }

    /// Whether the outcome stands.
    pub fn is_done(self) -> bool {
        !matches!(self, State::Pending | State::Running)
    }

    /// Whether it ended, or will never begin, by a cancellation.
    pub fn is_cancelled(self) -> bool {
        matches!(self, State::Cancelled | State::CancelledAndNotified)
    }
}

/// A row of the table at the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make the call.
    Begin,
    /// It will never begin.
    Cancel,
    /// Whoever was to run it knows.
    Notify,
    /// It ended by a cancellation.
    Abort,
    /// It has an outcome.
    Finish,
}

impl Step {
    /// Where the step leads.
    pub fn to(self) -> State {
        match self {
            Step::Begin => State::Running,
            Step::Cancel => State::Cancelled,
            Step::Notify | Step::Abort => State::CancelledAndNotified,
            Step::Finish => State::Finished,
        }
    }

    fn is_open_from(self, state: State) -> bool {
        match self {
            Step::Begin | Step::Cancel => state == State::Pending,
            Step::Notify => state == State::Cancelled,
            Step::Abort => state == State::Running,
            Step::Finish => !state.is_done(),
        }
    }
}

/// What the caller may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Tasks that nobody outside watches.
    Unshared,
    /// Also shared ones: the caller holds the watchers' lock.
    Holding,
}

/// Why a step was refused; nothing has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The task is shared: take the watchers' lock first.
    Shared,
    /// It is not open from this state.
    State(State),
}

/// A task whose content is `T`.
#[derive(Debug)]
pub struct Task<T> {
    /// A [`State`], with [`SHARED`].
    word: AtomicUsize,
    inside: Mutex<Inside<T>>,
}

#[derive(Debug)]
struct Inside<T> {
    content: T,
    /// Each with the number of its operation. Made for the first: of a million queued tasks hardly one is waited for.
    joiners: Option<Box<WaitList<usize>>>,
}

impl<T> Task<T> {
    /// A pending task.
    pub fn new(content: T) -> Task<T> {
        let inside = Inside { content, joiners: None };
        Task { word: AtomicUsize::new(State::Pending as usize), inside: Mutex::new(inside) }
    }

    /// The state at this moment.
    pub fn state(&self) -> State {
        State::of(self.word.load(Ordering::Acquire))
    }

    /// Whether somebody outside watches the state.
    pub fn is_shared(&self) -> bool {
        self.word.load(Ordering::Acquire) & SHARED != 0
    }

    /// Reads or changes the content. `edit` runs under the inner lock: it must neither call out nor drop content.
    pub fn with<R>(&self, edit: impl FnOnce(&mut T) -> R) -> R {
        edit(&mut sync::lock(&self.inside).content)
    }

    /// Makes the task shared, for good. After it no state changes but by [`Pass::Holding`].
    pub fn share<R>(&self, edit: impl FnOnce(&mut T) -> R) -> R {
        let mut inside = sync::lock(&self.inside);
        self.word.fetch_or(SHARED, Ordering::Release);
        edit(&mut inside.content)
    }

    /// Takes a step, and changes the content with it; wakes whoever joins when that ends the task. `edit` runs
    /// under the inner lock, as in [`Task::with`], and only if the way is open.
    pub fn advance<R>(&self, pass: Pass, step: Step, edit: impl FnOnce(&mut T) -> R) -> Result<(R, Wakes), Refusal> {
        let mut inside = sync::lock(&self.inside);
        let word = self.word.load(Ordering::Relaxed);
        if word & SHARED != 0 && pass == Pass::Unshared {
            return Err(Refusal::Shared);
        }
        if !step.is_open_from(State::of(word)) {
            return Err(Refusal::State(State::of(word)));
        }
        let edited = edit(&mut inside.content);
        Ok((edited, self.enter(&mut inside, step.to())))
    }

    /// Goes to `next` whatever the table says: for a watcher that holds his lock and knows better.
    pub fn force(&self, next: State) -> Wakes {
        self.enter(&mut sync::lock(&self.inside), next)
    }

    fn enter(&self, inside: &mut Inside<T>, next: State) -> Wakes {
        let shared = self.word.load(Ordering::Relaxed) & SHARED;
        self.word.store(next as usize | shared, Ordering::Release);
        let mut wakes = Wakes::default();
        if next.is_done()
            && let Some(joiners) = &inside.joiners
        {
            joiners.claim_each(|_, &operation| Claim::Ready(operation), &mut wakes);
        }
        wakes
    }

    /// Enqueues `waiter` until the task is done; `None` when it is.
    pub fn join(&self, waiter: &Arc<Waiter>) -> Option<Ticket> {
        self.enlist(waiter, 0, None)
    }

    /// The same for one operation of a call, at the `place` that it held before.
    fn enlist(&self, waiter: &Arc<Waiter>, operation: usize, place: Option<Ticket>) -> Option<Ticket> {
        let mut inside = sync::lock(&self.inside);
        // Looked at under the lock: the task ends under it, and claims only those it finds.
        let is_open = !self.state().is_done();
        is_open.then(|| inside.joiners.get_or_insert_default().push_at(place, Arc::clone(waiter), operation))
    }

    /// Leaves the queue of those who join.
    pub fn leave(&self, ticket: Ticket) {
        if let Some(joiners) = &mut sync::lock(&self.inside).joiners {
            joiners.remove(ticket);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const STATES: [State; 5] =
        [State::Pending, State::Running, State::Cancelled, State::CancelledAndNotified, State::Finished];

    fn in_state(state: State) -> Task<u32> {
        let task = Task::new(0);
        task.force(state).wake();
        task
    }

    #[test]
    fn only_the_steps_of_the_table_are_open() {
        let steps = [Step::Begin, Step::Cancel, Step::Notify, Step::Abort, Step::Finish];
        let open: Vec<_> = STATES
            .into_iter()
            .flat_map(|from| steps.into_iter().map(move |step| (from, step)))
            .filter(|&(from, step)| in_state(from).advance(Pass::Unshared, step, |_| ()).is_ok())
            .collect();

        assert_eq!(
            open,
            [
                (State::Pending, Step::Begin),
                (State::Pending, Step::Cancel),
                (State::Pending, Step::Finish),
                (State::Running, Step::Abort),
                (State::Running, Step::Finish),
                (State::Cancelled, Step::Notify),
            ]
        );
    }

    #[test]
    fn a_refused_change_leaves_the_content_alone() {
        let task = in_state(State::Finished);

        let refused = task.advance(Pass::Unshared, Step::Finish, |content| *content = 1);

        assert_eq!(refused.expect_err("it is finished"), Refusal::State(State::Finished));
        assert_eq!(task.with(|content| *content), 0);
    }

    #[test]
    fn a_shared_task_changes_only_by_who_holds_the_watchers_lock() {
        let task = in_state(State::Running);
        task.share(|_| ());

        assert_eq!(task.advance(Pass::Unshared, Step::Finish, |_| ()).expect_err("it is shared"), Refusal::Shared);
        assert!(task.advance(Pass::Holding, Step::Finish, |_| ()).is_ok());
        assert!(task.is_shared() && task.state() == State::Finished);
    }

    #[test]
    fn the_end_claims_those_who_join_and_nobody_joins_after_it() {
        let task = in_state(State::Running);
        let (early, gone, late) = (Waiter::new(), Waiter::new(), Waiter::new());
        assert!(task.join(&early).is_some());
        let ticket = task.join(&gone).expect("it runs");
        task.leave(ticket);

        let (_, wakes) = task.advance(Pass::Unshared, Step::Finish, |content| *content = 7).expect("it ran");
        wakes.wake();

        assert_eq!(early.claimed(), Some(Claim::Ready(0)));
        assert_eq!(gone.claimed(), None);
        assert_eq!(task.join(&late), None);
    }
}
