//! Operations on many items under one lock, and the two that never wait: `force_send` and `drain`.
//!
//! Not here: waiting; a call that has to wait for the first item, or for room, does so as a single operation.

use std::collections::VecDeque;

use super::{Channel, Send};
use crate::{sync::Locks, waiter::Wakes};

/// How far a batch came.
#[derive(Debug)]
pub struct Taken {
    /// Whether the channel will take or give nothing more.
    pub closed: bool,
    /// Those that were served.
    pub wakes: Wakes,
}

/// What `drain` found.
#[derive(Debug)]
pub struct Drained<T> {
    /// The items, oldest first.
    pub items: Vec<T>,
    /// Senders whose items moved up.
    pub wakes: Wakes,
}

impl<T, L: Locks> Channel<T, L> {
    /// Sends items from the front of `items` as long as that needs no wait.
    pub fn send_batch(&self, items: &mut VecDeque<T>) -> Taken {
        let mut wakes = Wakes::default();
        let is_open = self.lock().send_batch(self.capacity, items, &mut wakes);
        Taken { closed: !is_open, wakes }
    }

    /// Takes items, up to `max`, as long as that needs no wait, and appends them to `items`.
    pub fn recv_batch(&self, items: &mut Vec<T>, max: usize) -> Taken {
        let mut wakes = Wakes::default();
        let is_open = self.lock().recv_batch(self.capacity, items, max, &mut wakes);
        Taken { closed: !is_open, wakes }
    }

    /// Sends without a wait; when the channel is full, the oldest item makes room and is returned. A rendezvous has none to
    /// give, so there `Full` means that nobody receives.
    pub fn force_send(&self, item: T) -> (Send<T>, Option<T>) {
        let mut state = self.lock();
        match state.try_send(self.capacity, item) {
            // What is in the queue of a rendezvous is on its way to a receiver.
            Send::Full(item) if self.capacity == Some(0) => (Send::Full(item), None),
            Send::Full(item) => match state.queue.pop() {
                // One out and one in: what is reserved is a number of items, and stays covered.
                Some(oldest) => {
                    state.queue.push(item);
                    (Send::Sent(Wakes::default()), Some(oldest))
                }
                None => (Send::Full(item), None),
            },
            settled => (settled, None),
        }
    }

    /// Takes all items that are in the queue now and not reserved.
    pub fn drain(&self) -> Drained<T> {
        let mut drained = Drained { items: Vec::new(), wakes: Wakes::default() };
        let mut state = self.lock();
        let free = state.queue.len() - state.reserved;
        state.queue.pop_into(&mut drained.items, free);
        state.admit(self.capacity, &mut drained.wakes);
        drained
    }
}
