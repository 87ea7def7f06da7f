//! What a channel holds under its lock, and the steps that all of its operations are made of.
//!
//! Not here: the lock itself, tickets' owners, sleeping.

use std::{collections::VecDeque, mem};

use super::{Recv, Send};
use crate::{
    blocks::Blocks,
    fork,
    sync::Arc,
    waiter::{Claim, WaitList, Waiter, Wakes},
};

/// The claims of direct waiters. A notified one is claimed with the number of its operation.
pub(super) const DELIVERED: Claim = Claim::Ready(0);
pub(super) const CLOSED: Claim = Claim::Ready(1);

/// What a waiting receiver brought.
#[derive(Debug)]
pub(super) struct Receiving<T> {
    pub(super) operation: usize,
    /// An item is promised to it.
    pub(super) notified: bool,
    /// Keeps a waiting coroutine alive, and shows it to the collector.
    pub(super) hook: Option<T>,
}

/// What a waiting sender brought.
#[derive(Debug)]
pub(super) struct Sending<T> {
    pub(super) operation: usize,
    /// Room is promised to it.
    pub(super) notified: bool,
    pub(super) load: Load<T>,
    pub(super) hook: Option<T>,
}

/// Where the item of a waiting sender is.
#[derive(Debug)]
pub(super) enum Load<T> {
    /// With the channel, which may move it on.
    Item(T),
    /// Moved on.
    Taken,
    /// With a notified sender, which will try by itself.
    Elsewhere,
}

impl<T> Receiving<T> {
    pub(super) fn direct() -> Receiving<T> {
        Receiving { operation: 0, notified: false, hook: None }
    }
}

impl<T> Sending<T> {
    pub(super) fn direct(item: T) -> Sending<T> {
        Sending { operation: 0, notified: false, load: Load::Item(item), hook: None }
    }
}

#[derive(Debug)]
pub(super) struct State<T> {
    pub(super) queue: Blocks<T>,
    pub(super) reserved: usize,
    /// Receivers and senders that were notified and have not acted yet.
    pub(super) promised_items: usize,
    pub(super) promised_room: usize,
    pub(super) receivers: WaitList<Receiving<T>>,
    pub(super) senders: WaitList<Sending<T>>,
    /// Open ends.
    pub(super) sending: usize,
    pub(super) receiving: usize,
    /// Hooks of waiters that a fork left behind; this is no place to drop them.
    forgotten: Vec<T>,
    pub(super) generation: u64,
}

impl<T> State<T> {
    pub(super) fn new() -> State<T> {
        State {
            queue: Blocks::new(),
            reserved: 0,
            promised_items: 0,
            promised_room: 0,
            receivers: WaitList::new(),
            senders: WaitList::new(),
            sending: 1,
            receiving: 1,
            forgotten: Vec::new(),
            generation: fork::generation(),
        }
    }

    /// Whether nothing can be sent or received by waiting. No sender or no receiver is left; that of the caller itself
    /// may have been closed by another thread.
    pub(super) fn is_closed(&self) -> bool {
        self.receiving == 0 || self.sending == 0
    }

    pub(super) fn has_room(&self, capacity: Option<usize>) -> bool {
        capacity.is_none_or(|capacity| self.queue.len() < capacity)
    }

    #[inline(always)]
    pub(super) fn try_send(&mut self, capacity: Option<usize>, item: T) -> Send<T> {
        // No sender either: another thread closed the caller's own end, and receivers have been told that all ended.
        if self.is_closed() {
            return Send::Closed(item);
        }
        if !self.receivers.is_empty() {
            return self.send_past_receivers(capacity, item);
        }
        if !self.has_room(capacity) {
            return Send::Full(item);
        }
        self.queue.push(item);
        Send::Sent(Wakes::default())
    }

    /// Sends where there are entries of receivers. Apart, so that the common way through [`State::try_send`] stays short.
    #[inline(never)]
    fn send_past_receivers(&mut self, capacity: Option<usize>, item: T) -> Send<T> {
        let has_room = self.has_room(capacity);
        let mut wakes = Wakes::default();
        // A direct receiver takes the item whatever the capacity: all before it is reserved.
        if let Some(receiver) = self.claim_receiver(true, has_room, None) {
            wakes.add(receiver);
        } else if !has_room {
            return Send::Full(item);
        }
        self.queue.push(item);
        Send::Sent(wakes)
    }

    #[inline(always)]
    pub(super) fn try_recv(&mut self, capacity: Option<usize>) -> Recv<T> {
        let item = if self.queue.len() > self.reserved { self.queue.pop() } else { None };
        if !self.senders.is_empty() {
            return self.recv_past_senders(capacity, item);
        }
        match item {
            Some(item) => Recv::Item(item, Wakes::default()),
            None => self.nothing(),
        }
    }

    /// Receives where there are entries of senders, `item` having been taken from the queue: room was made, or this is a
    /// rendezvous, and the first blocked sender's item moves on.
    #[inline(never)]
    fn recv_past_senders(&mut self, capacity: Option<usize>, item: Option<T>) -> Recv<T> {
        let mut wakes = Wakes::default();
        if let Some(item) = item {
            self.admit(capacity, &mut wakes);
            return Recv::Item(item, wakes);
        }
        // Entries that cannot be claimed belong to senders that gave up.
        let Some((sender, Some(item))) = self.claim_sender(false) else { return self.nothing() };
        wakes.add(sender);
        // What is queued is older, though it is reserved: reservations are a number, not certain items.
        self.queue.push(item);
        self.queue.pop().map_or(Recv::Empty, |oldest| Recv::Item(oldest, wakes))
    }

    /// What a receiver finds that found no item. No receiver: another thread closed the caller's own end, and nobody would
    /// wake the caller any more.
    fn nothing(&self) -> Recv<T> {
        if self.is_closed() { Recv::Closed } else { Recv::Empty }
    }

    /// Sends items from the front of `items` as long as that needs no wait; false when the channel is closed.
    pub(super) fn send_batch(&mut self, capacity: Option<usize>, items: &mut VecDeque<T>, wakes: &mut Wakes) -> bool {
        if self.is_closed() {
            return false;
        }
        while !self.receivers.is_empty() && !items.is_empty() {
            let Some(receiver) = self.claim_receiver(true, self.has_room(capacity), None) else { break };
            self.queue.push_from(items, 1);
            wakes.add(receiver);
        }
        let room = capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(self.queue.len()));
        self.queue.push_from(items, room);
        true
    }

    /// Takes up to `max` items as long as that needs no wait; false when nothing more will come.
    pub(super) fn recv_batch(
        &mut self,
        capacity: Option<usize>,
        items: &mut Vec<T>,
        max: usize,
        wakes: &mut Wakes,
    ) -> bool {
        let most = items.len().saturating_add(max);
        while items.len() < most {
            let free = self.queue.len() - self.reserved;
            if free > 0 {
                self.queue.pop_into(items, free.min(most - items.len()));
                if !self.senders.is_empty() {
                    self.admit(capacity, wakes);
                }
                continue;
            }
            match self.try_recv(capacity) {
                Recv::Item(item, others) => {
                    items.push(item);
                    wakes.append(others);
                }
                Recv::Closed => return false,
                Recv::Empty | Recv::GaveUp | Recv::Wait(_) => return true,
            }
        }
        true
    }

    /// Claims the first receiver that can be: a direct one, for which an item of the queue is now reserved, or a
    /// notified one, to which it is promised. Never `own`: no operation pairs with another of the same call.
    pub(super) fn claim_receiver(
        &mut self,
        direct: bool,
        notified: bool,
        own: Option<&Arc<Waiter>>,
    ) -> Option<Arc<Waiter>> {
        let (receiver, entry) = self.receivers.claim_where(|waiter, receiving| {
            if waiter.is_direct() {
                return (direct && waiter.claim(DELIVERED)).then_some(true);
            }
            let free = notified && !receiving.notified && own.is_none_or(|own| !Arc::ptr_eq(own, waiter));
            if !free || !waiter.claim(Claim::Ready(receiving.operation)) {
                return None;
            }
            receiving.notified = true;
            Some(false)
        })?;
        match entry {
            Some(_) => self.reserved += 1,
            None => self.promised_items += 1,
        }
        Some(receiver)
    }

    /// Claims the first sender whose item is with the channel, and takes it; with `notify` also one that has to be told
    /// of the room.
    fn claim_sender(&mut self, notify: bool) -> Option<(Arc<Waiter>, Option<T>)> {
        let mut item = None;
        let (sender, _) = self.senders.claim_where(|waiter, sending| {
            let is_here = match sending.load {
                Load::Item(_) => true,
                Load::Elsewhere => false,
                Load::Taken => return None,
            };
            if !is_here && (!notify || sending.notified) {
                return None;
            }
            let claim = if waiter.is_direct() { DELIVERED } else { Claim::Ready(sending.operation) };
            if !waiter.claim(claim) {
                return None;
            }
            if is_here && let Load::Item(taken) = mem::replace(&mut sending.load, Load::Taken) {
                item = Some(taken);
            }
            sending.notified = !is_here;
            Some(waiter.is_direct())
        })?;
        self.promised_room += usize::from(item.is_none());
        Some((sender, item))
    }

    /// Moves items of blocked senders into the room there is, and tells waiting receivers of them and other senders of the
    /// room.
    pub(super) fn admit(&mut self, capacity: Option<usize>, wakes: &mut Wakes) {
        while capacity.is_none_or(|capacity| self.queue.len() + self.promised_room < capacity) {
            let Some((sender, item)) = self.claim_sender(true) else { break };
            if let Some(item) = item {
                self.queue.push(item);
            }
            wakes.add(sender);
        }
        self.promise_items(capacity, None, wakes);
    }

    /// Tells waiting receivers of items that are neither reserved nor promised, those of blocked senders of a rendezvous
    /// included. To tell one too many is harmless: it finds nothing and waits on.
    pub(super) fn promise_items(&mut self, capacity: Option<usize>, own: Option<&Arc<Waiter>>, wakes: &mut Wakes) {
        if self.receivers.is_empty() {
            return;
        }
        // An offer that was claimed elsewhere does not count: two receivers would tell each other of it in turn, for as long
        // as its owner has not run.
        let is_offered = |(waiter, _): &(&Arc<Waiter>, &Sending<T>)| waiter.claimed().is_none();
        let offered = if capacity == Some(0) { self.senders.iter().filter(is_offered).count() } else { 0 };
        loop {
            let free = self.queue.len() - self.reserved;
            if free + offered <= self.promised_items {
                return;
            }
            let Some(receiver) = self.claim_receiver(free > self.promised_items, true, own) else { return };
            wakes.add(receiver);
        }
    }

    /// Claims everybody that waits: no sender or no receiver is left.
    pub(super) fn close_all(&mut self, wakes: &mut Wakes) {
        let claim = |waiter: &Waiter, operation| if waiter.is_direct() { CLOSED } else { Claim::Ready(operation) };
        self.receivers.claim_each(|waiter, receiving| claim(waiter, receiving.operation), wakes);
        if self.receiving == 0 {
            self.senders.claim_each(|waiter, sending| claim(waiter, sending.operation), wakes);
        }
    }

    /// All objects that the channel keeps alive.
    pub(super) fn objects(&self) -> impl Iterator<Item = &T> {
        let senders = self.senders.payloads().flat_map(|sending| {
            let item = if let Load::Item(item) = &sending.load { Some(item) } else { None };
            item.into_iter().chain(&sending.hook)
        });
        let receivers = self.receivers.payloads().flat_map(|receiving| &receiving.hook);
        self.queue.iter().chain(senders).chain(receivers).chain(&self.forgotten)
    }

    /// Takes all of them out.
    pub(super) fn clear(&mut self) -> Vec<T> {
        self.forget_waiters();
        let mut objects = self.queue.split_off(0);
        objects.append(&mut self.forgotten);
        objects
    }

    /// In a forked child: the threads that waited are gone, and what they were about to take is free again. A blocked
    /// sender's item was not sent, but this is no place to drop it; it stays, as if it had been.
    #[cold]
    pub(super) fn forget_vanished(&mut self) {
        self.generation = fork::generation();
        self.forget_waiters();
    }

    fn forget_waiters(&mut self) {
        (self.reserved, self.promised_items, self.promised_room) = (0, 0, 0);
        self.forgotten.extend(self.receivers.forget().into_iter().filter_map(|receiving| receiving.hook));
        for sending in self.senders.forget() {
            self.forgotten.extend(sending.hook);
            if let Load::Item(item) = sending.load {
                self.queue.push(item);
            }
        }
    }
}
