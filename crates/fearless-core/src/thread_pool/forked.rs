//! The pool in a forked child, where it starts anew.
//!
//! A coroutine may go on in the child in the middle of a wait, as when another of its loop forks. It comes by with the ticket
//! that it had from the parent. So the lists are emptied, and go on with their numbers: no ticket of the child's is the same.
//!
//! Not here: when a child is noticed.

use std::mem;

use super::{State, Submitter};

impl<T> State<T> {
    /// In a forked child: workers, waiting submitters and joiners are gone, and their tasks are the parent's.
    #[cold]
    pub(super) fn restart(&mut self) {
        self.idle.forget();
        self.joiners.forget();
        self.stalled.forget();
        let blocked = self.submitters.forget();
        let fresh = State {
            idle: mem::take(&mut self.idle),
            joiners: mem::take(&mut self.joiners),
            stalled: mem::take(&mut self.stalled),
            submitters: mem::take(&mut self.submitters),
            closed: self.closed,
            ..State::new()
        };
        let mut old = mem::replace(self, fresh);
        self.lost = old.empty();
        self.lost.extend(blocked.into_iter().filter_map(Submitter::into_task));
        self.lost.append(&mut old.lost);
    }
}
