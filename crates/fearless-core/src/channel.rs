//! A FIFO channel: many senders, many receivers, every item delivered once.
//!
//! All items are in the channel's hands until a receiver takes them: in the queue, or with the blocked sender that
//! brought them. A claimed receiver has one item of the queue *reserved* for it and takes it when it runs; a claimed
//! sender's item has already been moved on. So a claim settles an operation, and a wait that ends by anything else
//! has done nothing.
//!
//! Invariants, under `state`:
//! - a sender is enqueued only while the queue is full (for capacity 0: while no receiver waits);
//! - an unclaimed receiver is enqueued only while every item of the queue is reserved;
//! - `reserved` is the number of claimed receivers that have not run yet, and never exceeds the queue's length.
//!
//! Items that leave by the back door (the last receiver closes, a fork) are returned, never dropped here.
//!
//! Not here: sleeping, and what an end knows of itself.

use crate::{
    blocks::Blocks,
    fork,
    sync::{self, Arc, Mutex, MutexGuard},
    waiter::{Claim, Ticket, WaitList, Waiter, Wakes},
};

const DELIVERED: Claim = Claim::Ready(0);
const CLOSED: Claim = Claim::Ready(1);

/// The channel that both kinds of ends share.
#[derive(Debug)]
pub struct Channel<T> {
    state: Mutex<State<T>>,
    /// `None` is unbounded, 0 is rendezvous.
    capacity: Option<usize>,
}

#[derive(Debug)]
struct State<T> {
    queue: Blocks<T>,
    reserved: usize,
    receivers: WaitList,
    /// `None` once the item has been moved on.
    senders: WaitList<Option<T>>,
    /// Open ends.
    sending: usize,
    receiving: usize,
    generation: u64,
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
    Wait(Ticket),
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
    /// An empty channel with one open sender and one open receiver.
    pub fn new(capacity: Option<usize>) -> Channel<T> {
        let state = State {
            queue: Blocks::new(),
            reserved: 0,
            receivers: WaitList::new(),
            senders: WaitList::new(),
            sending: 1,
            receiving: 1,
            generation: fork::generation(),
        };
        Channel { state: Mutex::new(state), capacity }
    }

    /// `None` is unbounded, 0 is rendezvous.
    pub fn capacity(&self) -> Option<usize> {
        self.capacity
    }

    /// Sends if that needs no wait.
    pub fn try_send(&self, item: T) -> Send<T> {
        self.lock().try_send(self.capacity, item)
    }

    /// Sends, or enqueues `waiter` with the item.
    pub fn send(&self, item: T, waiter: &Arc<Waiter>) -> Send<T> {
        let mut state = self.lock();
        match state.try_send(self.capacity, item) {
            Send::Full(item) => Send::Wait(state.senders.push(Arc::clone(waiter), Some(item))),
            settled => settled,
        }
    }

    /// Settles a send after its wait ended with `claim`.
    pub fn resume_send(&self, ticket: Ticket, claim: Claim) -> Send<T> {
        let item = self.lock().senders.remove(ticket).flatten();
        match (item, claim) {
            (None, _) => Send::Sent(Wakes::default()),
            (Some(item), CLOSED) => Send::Closed(item),
            (Some(item), _) => Send::GaveUp(item),
        }
    }

    /// Takes an item if there is one.
    pub fn try_recv(&self) -> Recv<T> {
        self.lock().try_recv(self.capacity)
    }

    /// Takes an item, or enqueues `waiter`.
    pub fn recv(&self, waiter: &Arc<Waiter>) -> Recv<T> {
        let mut state = self.lock();
        match state.try_recv(self.capacity) {
            Recv::Empty => Recv::Wait(state.receivers.push(Arc::clone(waiter), ())),
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
            if let Some((waiter, ())) = state.receivers.claim_first(DELIVERED) {
                state.reserved += 1;
                wakes.add(waiter);
            }
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
            state.receivers.claim_all(CLOSED, &mut wakes);
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
        state.receivers.claim_all(CLOSED, &mut wakes);
        state.senders.claim_all(CLOSED, &mut wakes);
        let keep = state.reserved;
        (state.queue.split_off(keep), wakes)
    }

    /// Takes everything out, blocked senders' items too: for a collector that found the channel unreachable.
    pub fn clear(&self) -> Vec<T> {
        let mut state = self.lock();
        let mut items = state.queue.split_off(0);
        items.extend(state.senders.forget().into_iter().flatten());
        items
    }

    /// Calls `visit` with every item the channel holds, until it fails. `visit` must not call the channel.
    pub fn visit<E>(&self, mut visit: impl FnMut(&T) -> Result<(), E>) -> Result<(), E> {
        let state = sync::lock(&self.state);
        state.queue.iter().chain(state.senders.payloads().flatten()).try_for_each(&mut visit)
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

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        let mut state = sync::lock(&self.state);
        if state.generation != fork::generation() {
            state.forget_vanished();
        }
        state
    }
}

impl<T> State<T> {
    fn try_send(&mut self, capacity: Option<usize>, item: T) -> Send<T> {
        // No sender either: another thread closed the caller's own end, and receivers have been told that all ended.
        if self.receiving == 0 || self.sending == 0 {
            return Send::Closed(item);
        }
        // A waiting receiver takes the item whatever the capacity: all before it is reserved.
        let receiver = if self.receivers.is_empty() { None } else { self.receivers.claim_first(DELIVERED) };
        if receiver.is_none() && capacity.is_some_and(|capacity| self.queue.len() >= capacity) {
            return Send::Full(item);
        }
        self.queue.push(item);
        let mut wakes = Wakes::default();
        if let Some((waiter, ())) = receiver {
            self.reserved += 1;
            wakes.add(waiter);
        }
        Send::Sent(wakes)
    }

    fn try_recv(&mut self, capacity: Option<usize>) -> Recv<T> {
        let mut wakes = Wakes::default();
        let free = self.queue.len() > self.reserved;
        let item = if free { self.queue.pop() } else { None };
        // Room was made, or this is a rendezvous: the first blocked sender's item moves on.
        if !self.senders.is_empty() {
            if let Some(item) = item {
                self.admit(capacity, &mut wakes);
                return Recv::Item(item, wakes);
            }
            if let Some((waiter, Some(item))) = self.senders.claim_first(DELIVERED) {
                wakes.add(waiter);
                // What is queued is older, though it is reserved: reservations are a number, not certain items.
                self.queue.push(item);
                if let Some(oldest) = self.queue.pop() {
                    return Recv::Item(oldest, wakes);
                }
            }
        }
        match item {
            Some(item) => Recv::Item(item, wakes),
            // Entries that are left belong to senders that gave up. No receiver: another thread closed the caller's own
            // end, and nobody would wake the caller any more.
            None if self.sending == 0 || self.receiving == 0 => Recv::Closed,
            None => Recv::Empty,
        }
    }

    /// Moves items of blocked senders into the room there is.
    fn admit(&mut self, capacity: Option<usize>, wakes: &mut Wakes) {
        while capacity.is_none_or(|capacity| self.queue.len() < capacity) {
            let Some((waiter, Some(item))) = self.senders.claim_first(DELIVERED) else { return };
            self.queue.push(item);
            wakes.add(waiter);
        }
    }

    /// In a forked child: the threads that waited are gone, and what they were about to take is free again. A blocked
    /// sender's item was not sent, but this is no place to drop it; it stays, as if it had been.
    #[cold]
    fn forget_vanished(&mut self) {
        self.generation = fork::generation();
        self.reserved = 0;
        self.receivers.forget();
        for item in self.senders.forget().into_iter().flatten() {
            self.queue.push(item);
        }
    }
}
