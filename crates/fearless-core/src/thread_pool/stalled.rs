//! Workers that wait for tasks of their own pool, and when such waits could never end.
//!
//! A worker that is about to wait, without a bound, for a task of its pool enlists its waiter first with that task and then
//! here. An unclaimed waiter in this list stands for a task that has not ended: whoever ends one claims those who wait for
//! it, and only then takes the next. So when every worker has an unclaimed waiter here, nobody is left to run a task, and
//! none will end by itself. Whoever comes last then has its wait *refused*; it fails, and its worker is free again. The same is
//! asked when there is a worker less, as one that could not be started.
//!
//! A wait may be *firm*: a scope does not end before its tasks. One that comes last has the latest refused that is not firm.
//! There is one: a firm wait is for a task that another worker has begun, which began after the wait's own, so that waits of
//! this kind alone go round in no circle.
//!
//! A worker that runs an event loop may have many waiters here, and counts once. Its loop may have other things to do; they
//! run no task of the pool.
//!
//! Not here: waits with a bound, which end by themselves and are no worker's last.

use super::{State, ThreadPool};
use crate::{
    sync::Arc,
    waiter::{Claim, Ticket, Waiter, Wakes},
};

/// A worker that waits for a task of its pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stalled {
    /// What tells it from other workers.
    worker: u64,
    /// The wait cannot be refused.
    is_firm: bool,
}

impl<T> ThreadPool<T> {
    /// Notes that `worker` waits for a task of this pool; `waiter` is enlisted with the task. If now all do, the last whose
    /// wait is not firm is claimed with [`Claim::Refused`]; that may be this one.
    pub fn stall(&self, waiter: &Arc<Waiter>, worker: u64, is_firm: bool) -> (Ticket, Wakes) {
        let mut state = self.lock();
        let ticket = state.stalled.push(Arc::clone(waiter), Stalled { worker, is_firm });
        let mut wakes = Wakes::default();
        if waiter.claimed().is_none() {
            state.refuse_if_starving(&mut wakes);
        }
        (ticket, wakes)
    }

    /// Ends the note of `ticket`.
    pub fn go_on(&self, ticket: Ticket) {
        self.lock().stalled.remove(ticket);
    }
}

impl<T> State<T> {
    /// If every worker waits, ends a wait.
    pub(super) fn refuse_if_starving(&self, wakes: &mut Wakes) {
        if self.is_starving() {
            self.refuse(wakes);
        }
    }

    /// Whether every worker waits.
    fn is_starving(&self) -> bool {
        if self.stalled.len() < self.workers {
            return false;
        }
        let waiting = self.stalled.iter().filter(|(waiter, _)| waiter.claimed().is_none());
        let mut workers: Vec<u64> = waiting.map(|(_, stalled)| stalled.worker).collect();
        workers.sort_unstable();
        workers.dedup();
        workers.len() >= self.workers
    }

    /// Ends the latest wait that may be refused. One that was won meanwhile will do as well: its worker is free.
    fn refuse(&self, wakes: &mut Wakes) {
        let last =
            self.stalled.iter().filter(|(waiter, stalled)| !stalled.is_firm && waiter.claimed().is_none()).last();
        if let Some((waiter, _)) = last
            && waiter.claim(Claim::Refused)
        {
            wakes.add(Arc::clone(waiter));
        }
    }
}
