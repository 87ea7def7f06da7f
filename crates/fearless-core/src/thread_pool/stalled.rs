//! Workers that wait for tasks of their own pool, and when such a wait could never end.
//!
//! A worker that is about to wait, without a bound, for a task of its pool enlists its waiter first with that task and then
//! here. An unclaimed waiter in this list stands for a task that has not ended: whoever ends one claims those who wait for
//! it, and only then takes the next. So when every worker has an unclaimed waiter here, nobody is left to run a task, and
//! none will end by itself. The last worker that would come is refused; its task fails, and the worker is free again.
//!
//! Not here: waits with a bound, which end by themselves and are no worker's last.

use super::ThreadPool;
use crate::{
    sync::Arc,
    waiter::{Ticket, Waiter},
};

impl<T> ThreadPool<T> {
    /// Notes that a worker waits for a task of this pool; `waiter` is enlisted with the task. `None`: all others do, too.
    pub fn stall(&self, waiter: &Arc<Waiter>) -> Option<Ticket> {
        let mut state = self.lock();
        let others = state.stalled.iter().filter(|(other, ())| other.claimed().is_none()).count();
        if waiter.claimed().is_none() && others + 1 >= state.workers {
            return None;
        }
        Some(state.stalled.push(Arc::clone(waiter), ()))
    }

    /// Ends the note of `ticket`.
    pub fn go_on(&self, ticket: Ticket) {
        self.lock().stalled.remove(ticket);
    }
}
