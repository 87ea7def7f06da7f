//! A FIFO channel: many senders, many receivers, every item delivered once.
//!
//! All items are in the channel's hands until a receiver takes them: in the queue, or with the blocked sender that
//! brought them. A claimed receiver has one item of the queue *reserved* for it and takes it when it runs; a claimed
//! sender's item has already been moved on. So a claim settles an operation, and a wait that ends by anything else
//! has done nothing.
//!
//! That is so for *direct* waiters, threads in one call. A select and a coroutine are only *notified* that they can try:
//! an item or room is *promised* to them, but whoever comes first takes it. A notified waiter that leaves without having
//! taken anything passes the notice on.
//!
//! Invariants, under `state`:
//! - a direct sender is enqueued only while the queue is full (for capacity 0: while no direct receiver waits), save for
//!   room that is promised;
//! - an unclaimed receiver is enqueued only while every item of the queue is reserved or promised;
//! - `reserved` is the number of claimed direct receivers that have not run yet, and never exceeds the queue's length.
//!
//! Items that leave by the back door (the last receiver closes, a fork) are returned, never dropped here.
//!
//! Here: the types, and the operations of direct waiters. `state` has what they have in common, `notified` the operations
//! of notified waiters, `batch` those on many items. Not here: sleeping, and what an end knows of itself.

mod batch;
mod notified;
mod state;

pub use batch::{Drained, Taken};
pub use notified::{Enlisted, Withdrawn};

use std::fmt;

use self::state::{CLOSED, DELIVERED, Load, Receiving, Sending, State};
use crate::{
    fork,
    sync::{Arc, Lock, Locks, Mutexes},
    waiter::{Claim, Ticket, Waiter, Wakes},
};

/// The channel that both kinds of ends share.
pub struct Channel<T, L: Locks = Mutexes> {
    state: L::Of<State<T>>,
    /// `None` is unbounded, 0 is rendezvous.
    capacity: Option<usize>,
}

/// What became of a send. The rejected item comes back.
#[derive(Debug)]
pub enum Send<T> {
    /// The channel has the item.
    Sent(Wakes),
    /// No room now.
    Full(T),
    /// No receiver is left, or the last sender was closed meanwhile.
    Closed(T),
    /// Enqueued together with the item.
    Wait(Ticket, Wakes),
    /// The wait ended otherwise; nothing was sent.
    GaveUp(T),
}

/// What became of a receive.
#[derive(Debug)]
pub enum Recv<T> {
    /// An item, which is the caller's now.
    Item(T, Wakes),
    /// Nothing to take now.
    Empty,
    /// Nothing to take ever: no sender is left and the queue is drained, or the last receiver was closed meanwhile.
    Closed,
    /// Enqueued.
    Wait(Ticket),
    /// The wait ended otherwise; nothing was taken.
    GaveUp,
}

/// A view of a channel's state, true at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Items in the queue.
    pub len: usize,
    /// Open senders.
    pub senders: usize,
    /// Open receivers.
    pub receivers: usize,
    /// Blocked senders.
    pub blocked_senders: usize,
    /// Blocked receivers.
    pub blocked_receivers: usize,
}

impl<T> Channel<T> {
    /// An empty channel with one open sender and one open receiver, for all threads.
    pub fn new(capacity: Option<usize>) -> Channel<T> {
        Channel::with_locks(capacity)
    }
}

impl<T, L: Locks> Channel<T, L> {
    /// An empty channel with one open sender and one open receiver, for whom its locks are for.
    pub fn with_locks(capacity: Option<usize>) -> Channel<T, L> {
        Channel { state: Lock::new(State::new()), capacity }
    }

    /// `None` is unbounded, 0 is rendezvous.
    pub fn capacity(&self) -> Option<usize> {
        self.capacity
    }

    /// Sends if that needs no wait.
    #[inline(always)]
    pub fn try_send(&self, item: T) -> Send<T> {
        self.lock().try_send(self.capacity, item)
    }

    /// Sends, or enqueues `waiter` with the item.
    pub fn send(&self, item: T, waiter: &Arc<Waiter>) -> Send<T> {
        let mut state = self.lock();
        match state.try_send(self.capacity, item) {
            Send::Full(item) => {
                let ticket = state.senders.push(Arc::clone(waiter), Sending::direct(item));
                let mut wakes = Wakes::default();
                state.promise_items(self.capacity, Some(waiter), &mut wakes);
                Send::Wait(ticket, wakes)
            }
            settled => settled,
        }
    }

    /// Settles a send after its wait ended with `claim`.
    pub fn resume_send(&self, ticket: Ticket, claim: Claim) -> Send<T> {
        let sending = self.lock().senders.remove(ticket);
        match (sending.map(|sending| sending.load), claim) {
            (Some(Load::Item(item)), CLOSED) => Send::Closed(item),
            (Some(Load::Item(item)), _) => Send::GaveUp(item),
            _ => Send::Sent(Wakes::default()),
        }
    }

    /// Takes an item if there is one.
    #[inline(always)]
    pub fn try_recv(&self) -> Recv<T> {
        self.lock().try_recv(self.capacity)
    }

    /// Takes an item, or enqueues `waiter`.
    pub fn recv(&self, waiter: &Arc<Waiter>) -> Recv<T> {
        let mut state = self.lock();
        match state.try_recv(self.capacity) {
            Recv::Empty => Recv::Wait(state.receivers.push(Arc::clone(waiter), Receiving::direct())),
            settled => settled,
        }
    }

    /// Settles a receive after its wait ended with `claim`.
    pub fn resume_recv(&self, ticket: Ticket, claim: Claim) -> Recv<T> {
        let mut state = self.lock();
        state.receivers.remove(ticket);
        match claim {
            DELIVERED => {
                // Zero only in a forked child, which forgot the reservation with the thread that had it.
                state.reserved = state.reserved.saturating_sub(1);
                state.try_recv(self.capacity)
            }
            CLOSED => Recv::Closed,
            _ => Recv::GaveUp,
        }
    }

    /// Ends a receive that was claimed `Ready` but gives up all the same (a signal handler raised before it ran): the item
    /// goes to the next receiver that waits, or stays in the channel.
    pub fn give_back(&self, ticket: Ticket, claim: Claim) -> Wakes {
        let mut state = self.lock();
        let mut wakes = Wakes::default();
        state.receivers.remove(ticket);
        if claim == DELIVERED {
            state.reserved = state.reserved.saturating_sub(1);
            state.promise_items(self.capacity, None, &mut wakes);
        }
        wakes
    }

    /// One more sender. False when the last was closed: what receivers were told about the end stays true.
    pub fn add_sender(&self) -> bool {
        let mut state = self.lock();
        let is_open = state.sending > 0;
        state.sending += usize::from(is_open);
        is_open
    }

    /// One more receiver. False when the last was closed.
    pub fn add_receiver(&self) -> bool {
        let mut state = self.lock();
        let is_open = state.receiving > 0;
        state.receiving += usize::from(is_open);
        is_open
    }

    /// One sender less. After the last, receivers drain the queue and then find the channel closed.
    pub fn close_sender(&self) -> Wakes {
        let mut state = self.lock();
        let mut wakes = Wakes::default();
        state.sending -= 1;
        if state.sending == 0 {
            state.close_all(&mut wakes);
        }
        wakes
    }

    /// One receiver less. After the last, senders are refused; the items that nobody can receive any more are
    /// returned, save those reserved for a receiver that is on its way.
    pub fn close_receiver(&self) -> (Vec<T>, Wakes) {
        let mut state = self.lock();
        let mut wakes = Wakes::default();
        state.receiving -= 1;
        if state.receiving > 0 {
            return (Vec::new(), wakes);
        }
        state.close_all(&mut wakes);
        let keep = state.reserved;
        (state.queue.split_off(keep), wakes)
    }

    /// Takes everything out, blocked senders' items and coroutines' hooks too: for a collector that found the channel unreachable.
    pub fn clear(&self) -> Vec<T> {
        self.lock().clear()
    }

    /// Calls `visit` with every item the channel holds, until it fails. `visit` must not call the channel.
    pub fn visit<E>(&self, mut visit: impl FnMut(&T) -> Result<(), E>) -> Result<(), E> {
        self.state.lock().objects().try_for_each(&mut visit)
    }

    /// The state at this moment.
    pub fn snapshot(&self) -> Snapshot {
        let state = self.lock();
        Snapshot {
            len: state.queue.len(),
            senders: state.sending,
            receivers: state.receiving,
            blocked_senders: state.senders.len(),
            blocked_receivers: state.receivers.len(),
        }
    }

    #[inline]
    fn lock(&self) -> <L::Of<State<T>> as Lock<State<T>>>::Guard<'_> {
        let mut state = self.state.lock();
        if state.generation != fork::generation() {
            state.forget_vanished();
        }
        state
    }
}

impl<T, L: Locks> fmt::Debug for Channel<T, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("capacity", &self.capacity).field("now", &self.snapshot()).finish()
    }
}
